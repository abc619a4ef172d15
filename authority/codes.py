"""Authorization codes: hashed at rest, redeemed once, and what they gave is taken back when they come again.

The token endpoint hashes a code as it comes in, so that what oauthlib and the toolkit call the code is its digest.
"""

import hashlib
from typing import Any

from oauth2_provider.models import get_grant_model

from authority import families
from authority.families import AccessToken
from authority.models import RedeemedCode
from clients.models import Client

Grant = get_grant_model()


def digest(code: str) -> str:
    """Return what rests of a code, which is random, so that a plain hash is enough."""
    return hashlib.sha256(code.encode()).hexdigest()


def lock(code: str, client: Client) -> Any:
    """Return the client's unspent code, locked until the transaction ends, or None."""
    return (
        Grant.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(code=code, application=client)
        .first()
    )


def redeem(code: str, client: Client, access_token: str) -> None:
    """Remember what the code was exchanged for."""
    minted, family = AccessToken.objects.values_list("pk", "refresh_token__token_family").get(
        token_checksum=families.checksum(access_token)
    )
    RedeemedCode.objects.create(digest=code, client=client, access_token_id=minted, token_family=family)


def revoke_what_it_gave(code: str, client: Client) -> bool:
    """Take back the tokens of a code that its client presents again (RFC 6749 section 4.1.2); say whether it does."""
    redeemed = RedeemedCode.objects.filter(digest=code, client=client).first()
    if redeemed is None:
        return False
    if redeemed.token_family is not None:
        families.revoke(redeemed.token_family)
    AccessToken.objects.filter(pk=redeemed.access_token_id).delete()
    return True
