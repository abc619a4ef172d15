"""What a person's identity provider said of them when they signed in last."""

import json
from collections.abc import Sequence
from typing import Any

from allauth.socialaccount.models import SocialAccount

from connections.models import Identity
from consumers.models import User
from core.db.prepared import Statement

SAID = Statement(
    "what an identity provider said of a person",
    f"""
    SELECT said.groups, said.claims
    FROM "{Identity._meta.db_table}" AS said
    JOIN "{SocialAccount._meta.db_table}" AS account ON account.id = said.account_id
    WHERE account.user_id = %s
    ORDER BY said.signed_in_at DESC NULLS LAST
    LIMIT 1
    """,  # noqa: S608  # names of our own tables
)


def provider_claims_of(user: User) -> tuple[Sequence[str], dict[str, Any]]:
    """Return the groups, and the claims that the connection keeps; both empty of who signs in otherwise."""
    row = SAID.first(user.pk)
    if row is None:
        return (), {}
    groups, claims = (json.loads(each) if isinstance(each, str) else each for each in row)
    return groups, claims
