"""Authorization codes: hashed at rest, redeemed once, and what they gave is taken back when they come again.

The token endpoint hashes a code as it comes in, so that what oauthlib and the toolkit call the code is its digest.
"""

import json
from typing import Any

from oauth2_provider.models import get_grant_model

from authority import families
from authority.models import Family
from clients.models import Client

Grant = get_grant_model()


def lock(code: str, client: Client) -> Any:
    """Return the client's unspent code, locked until the transaction ends, or None.

    Whose it is is compared here: the database might look for it among all that the client has, not by its digest.
    """
    grant = Grant.objects.select_for_update(of=("self",)).select_related("user").filter(code=code).first()
    return grant if grant is not None and grant.application_id == client.pk else None


def bound_to(grant: Any) -> str:
    """Return the thumbprint of the key that the authorization request named, or nothing (RFC 9449 section 10)."""
    return json.loads(grant.claims or "{}").get("dpop_jkt") or ""


def revoke_what_it_gave(code: str, client: Client) -> bool:
    """Take back the tokens of a code that its client presents again (RFC 6749 section 4.1.2); say whether it does."""
    given = Family.objects.filter(code=code, client=client)
    families.end(given)
    return given.exists()
