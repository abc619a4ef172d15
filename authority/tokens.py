"""Tokens that come back to us: are they ours, do they still hold, and how are they ended?

Every access token is a JWT, so its signature comes first. Those that a client got for itself have no row: they hold
until their end unless their jti was revoked. Those that speak for a person have a row, and hold while it is there.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from oauth2_provider.models import clear_expired, refresh_token_expire_timedelta

from authority import access_tokens, cors, directory, families, jose, keys, trials
from authority.directory import Entry
from authority.families import AccessToken, RefreshToken
from authority.models import RedeemedCode, RevokedToken
from clients.models import Client
from clients.vocabulary import GrantType
from consumers.models import User


@dataclass(frozen=True, slots=True)
class Access:
    """An access token that holds now."""

    claims: dict[str, Any]
    scopes: list[str]  # what of it the client may still use
    user: User | None


def read(token: str) -> dict[str, Any] | None:
    """Return the claims of an access token of ours that has not ended, or None."""
    claims = jose.decode(token, keys.verifying, typ=access_tokens.TYPE)
    if claims is None or claims["iss"] != settings.ISSUER or claims["exp"] <= time.time():
        return None
    return claims


def access(token: str, caller: Entry | None = None) -> Access | None:
    """Return what the token allows now, or None; of another client's token a `caller` learns nothing."""
    claims = read(token)
    if claims is None or (caller is not None and claims["client_id"] != caller.client.client_id):
        return None
    entry = caller or directory.find(claims["client_id"])
    if entry is None:
        return None
    cors.answers(entry.client)
    if not entry.is_usable:
        return None
    user = None
    if is_stateless(claims):
        forbidden = is_trial(claims) and not trials.holds(claims)
        if forbidden or RevokedToken.objects.filter(jti=claims["jti"]).exists():
            return None
    else:
        row = AccessToken.objects.select_related("user").filter(token_checksum=families.checksum(token)).first()
        if row is None or row.user is None or not row.user.is_active:
            return None
        user = row.user
    allowed = entry.scopes_for(GrantType.AUTHORIZATION_CODE if user else GrantType.CLIENT_CREDENTIALS)
    scopes = [value for value in claims["scope"].split() if value in allowed]
    return Access(claims, scopes, user) if scopes else None


def is_stateless(claims: dict[str, Any]) -> bool:
    return bool(claims["sub"] == claims["client_id"]) or is_trial(claims)


def is_trial(claims: dict[str, Any]) -> bool:
    """Say whether a person made it by hand; nobody else sets this claim."""
    return claims.get("token_use") == trials.TOKEN_USE


# -- Introspection (RFC 7662) -----------------------------------------------------------------------------------------


def introspect(token: str, caller: Entry) -> dict[str, Any]:
    """Return the members of RFC 7662 section 2.2, or that the caller has no such live token."""
    found = access(token, caller)
    if found is not None:
        return found.claims | {"active": True, "token_type": "Bearer", "scope": " ".join(found.scopes)}
    return introspect_refresh(token, caller) or {"active": False}


def introspect_refresh(token: str, caller: Entry) -> dict[str, Any] | None:
    row = (
        RefreshToken.objects.select_related("access_token", "user")
        .filter(token_checksum=families.checksum(token), application=caller.client, revoked=None)
        .exclude(access_token=None)
        .first()
    )
    if row is None or not row.user.is_active:
        return None
    end: datetime = row.access_token.expires + refresh_token_expire_timedelta()
    allowed = caller.scopes_for(GrantType.REFRESH_TOKEN)
    scopes = [value for value in row.access_token.scope.split() if value in allowed]
    if end <= timezone.now() or not scopes:
        return None
    return {
        "active": True,
        "iss": settings.ISSUER,
        "sub": str(row.user_id),
        "client_id": caller.client.client_id,
        "scope": " ".join(scopes),
        "iat": int(row.created.timestamp()),
        "exp": int(end.timestamp()),
        "consumer_id": str(caller.client.consumer_id),
    }


# -- Revocation (RFC 7009) --------------------------------------------------------------------------------------------


def revoke(token: str, client: Client) -> None:
    """End the client's token and all that descend from the same sign-in; do nothing about any other token."""
    mine = RefreshToken.objects.filter(application=client)
    digest = families.checksum(token)
    family = mine.filter(token_checksum=digest).values_list("token_family", flat=True).first()
    family = family or mine.filter(access_token__token_checksum=digest).values_list("token_family", flat=True).first()
    if family is not None:
        families.revoke(family)
        return
    if AccessToken.objects.filter(application=client, token_checksum=digest).delete()[0]:
        return
    claims = read(token)
    if claims is not None and claims["client_id"] == client.client_id and is_stateless(claims):
        end = datetime.fromtimestamp(claims["exp"], UTC)
        RevokedToken.objects.get_or_create(jti=claims["jti"], defaults={"expires_at": end})


# -- Cleaning up ------------------------------------------------------------------------------------------------------


def forget_ended() -> None:
    """Delete what can no longer matter: ended tokens and codes, and the memory of revoked and redeemed ones."""
    now = timezone.now()
    RevokedToken.objects.filter(expires_at__lt=now).delete()
    RedeemedCode.objects.filter(redeemed_at__lt=now - refresh_token_expire_timedelta()).delete()
    clear_expired()
