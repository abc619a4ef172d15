"""The end of a token before its time (RFC 7009)."""

from datetime import UTC, datetime

from django.db import transaction

from authority.models import Family, OpaqueToken, RevokedToken
from authority.tokens import families, validation
from authority.tokens.access_tokens import OPAQUE_PREFIX
from clients.models import Client
from core.digests import digest


@transaction.atomic
def revoke(token: str, client: Client | None = None) -> None:
    """End the token and, where it speaks for a person, all others of its family; also by one that was spent already.

    Nothing happens where the token is not the client's. Without a client it is an operator who revokes.
    """
    mine = Family.objects.filter(client=client) if client else Family.objects.all()
    if families.end(mine.filter(refresh_tokens__digest=digest(token))):
        return
    claims = validation.read(token)
    if claims is None or (client is not None and claims["client_id"] != client.client_id):
        return
    if "family_id" in claims:
        families.end(mine.filter(pk=claims["family_id"]))
    elif token.startswith(OPAQUE_PREFIX):
        OpaqueToken.objects.filter(digest=digest(token)).delete()
    else:
        end = datetime.fromtimestamp(claims["exp"], UTC)
        RevokedToken.objects.get_or_create(jti=claims["jti"], defaults={"expires_at": end})
