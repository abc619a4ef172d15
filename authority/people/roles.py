"""The roles of people in APIs, as they are now."""

from uuid import UUID

from clients.models import Api, ApiRole, RoleGrant
from consumers.models import User
from core.db.prepared import Statement

HELD = Statement(
    "the roles of a person",
    f"""
    SELECT array_agg(DISTINCT role.value)
    FROM "{RoleGrant._meta.db_table}" AS held
    JOIN "{ApiRole._meta.db_table}" AS role ON role.id = held.role_id
    JOIN "{Api._meta.db_table}" AS api ON api.id = role.api_id
    WHERE held.user_id = %s AND (held.consumer_id = %s OR held.consumer_id IS NULL) AND api.identifier = %s
    """,  # noqa: S608  # names of our own tables
)


def roles_of(user: User, consumer_id: UUID, audience: str) -> list[str]:
    """Return the person's roles in the API of that identifier, at the consumer's clients, sorted; queries once."""
    row = HELD.first(user.pk, consumer_id, audience)
    return sorted(row[0] or ()) if row is not None else []
