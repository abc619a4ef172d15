"""Token revocation (RFC 7009)."""

from datetime import UTC, datetime

from django.db import transaction

from authority.models import OpaqueToken, RevokedToken, TokenFamily
from authority.tokens import families, validation
from authority.tokens.access_tokens import OPAQUE_PREFIX
from clients.models import Client
from core.credentials import token_digest


@transaction.atomic
def revoke(token: str, client: Client | None = None) -> None:
    """Revoke the token and, where it speaks for a person, its whole family; a used refresh token does so too.

    Nothing happens where the token is not the client's. Without a client it is an operator who revokes.
    """
    mine = TokenFamily.objects.filter(client=client) if client else TokenFamily.objects.all()
    if families.revoke(mine.filter(refresh_tokens__digest=token_digest(token))):
        return
    claims = validation.read_access_token(token)
    if claims is None or (client is not None and claims["client_id"] != client.client_id):
        return
    if "family_id" in claims:
        families.revoke(mine.filter(pk=claims["family_id"]))
    elif token.startswith(OPAQUE_PREFIX):
        OpaqueToken.objects.filter(digest=token_digest(token)).delete()
    else:
        end = datetime.fromtimestamp(claims["exp"], UTC)
        RevokedToken.objects.get_or_create(jti=claims["jti"], defaults={"expires_at": end})
