"""The roles of people in APIs, as they are now."""

from uuid import UUID

from allauth.socialaccount.models import SocialAccount

from clients.models import Api, ApiRole, RoleGrant
from connections.models import Connection, Identity
from consumers.models import User
from core.db.prepared import Statement

FOR = Connection.consumers.through
HELD = Statement(
    "the roles of a person",
    f"""
    SELECT array_agg(DISTINCT role.value)
    FROM "{RoleGrant._meta.db_table}" AS held
    JOIN "{ApiRole._meta.db_table}" AS role ON role.id = held.role_id
    JOIN "{Api._meta.db_table}" AS api ON api.id = role.api_id
    WHERE held.user_id = %s AND (held.consumer_id = %s OR held.consumer_id IS NULL) AND api.identifier = %s
        AND (held.connection_id IS NULL OR EXISTS (
            -- What groups give lasts as long as the person is known there, and the connection speaks for the consumer.
            SELECT FROM "{Connection._meta.db_table}" AS connection
            JOIN "{Identity._meta.db_table}" AS identity ON identity.connection_id = connection.id
            JOIN "{SocialAccount._meta.db_table}" AS account ON account.id = identity.account_id
            WHERE connection.id = held.connection_id AND account.user_id = held.user_id AND connection.sign_in <> 'off'
                AND CASE WHEN held.consumer_id IS NULL
                    THEN NOT EXISTS (SELECT FROM "{FOR._meta.db_table}" WHERE connection_id = connection.id)
                    ELSE EXISTS (
                        SELECT FROM "{FOR._meta.db_table}"
                        WHERE connection_id = connection.id AND consumer_id = held.consumer_id
                    )
                END
        ))
    """,  # noqa: S608  # names of our own tables
)


def roles_of(user: User, consumer_id: UUID, audience: str) -> list[str]:
    """Return the person's roles in the API of that identifier, at the consumer's clients, sorted; queries once."""
    row = HELD.first(user.pk, consumer_id, audience)
    return sorted(row[0] or ()) if row is not None else []
