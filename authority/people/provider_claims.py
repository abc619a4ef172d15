"""What a person's identity provider said of them when they signed in last."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from allauth.socialaccount.models import SocialAccount

from connections.models import Connection, Identity
from consumers.models import User
from core.db.prepared import Statement

MAX_GROUPS = 2048  # characters of JSON
FOR = Connection.consumers.through

SAID = Statement(
    "what an identity provider said of a person",
    f"""
    SELECT said.groups, said.claims
    FROM "{Identity._meta.db_table}" AS said
    JOIN "{SocialAccount._meta.db_table}" AS account ON account.id = said.account_id
    JOIN "{Connection._meta.db_table}" AS connection ON connection.id = said.connection_id
    WHERE account.user_id = %s AND connection.sign_in <> 'off' AND (
        EXISTS (SELECT FROM "{FOR._meta.db_table}" WHERE connection_id = connection.id AND consumer_id = %s)
        OR NOT EXISTS (SELECT FROM "{FOR._meta.db_table}" WHERE connection_id = connection.id)
    )
    ORDER BY said.signed_in_at DESC NULLS LAST
    LIMIT 1
    """,  # noqa: S608  # names of our own tables
)


def provider_claims_of(user: User, consumer_id: UUID) -> tuple[Sequence[str], dict[str, Any]]:
    """Return the groups, and the claims that the connection keeps, for tokens of the consumer's clients.

    Only a connection that is for the consumer speaks there: another customer's provider could name any group. Both are
    empty of who signs in otherwise, and groups that are too long for the header of a request are left out.
    """
    row = SAID.first(user.pk, consumer_id)
    if row is None:
        return (), {}
    groups, claims = (json.loads(each) if isinstance(each, str) else each for each in row)
    return groups if len(json.dumps(groups)) <= MAX_GROUPS else (), claims
