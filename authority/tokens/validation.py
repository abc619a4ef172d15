"""Validation of access tokens that we issued.

An access token is a JWT, or opaque with a row of the same claims. A client's own token is active until it expires,
unless it was revoked by its jti or its row was deleted. One that speaks for a person is active as long as its family.
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from authority import client_directory
from authority.client_directory import ClientEntry
from authority.keys import signing_keys
from authority.models import OpaqueToken, RevokedToken, TokenFamily
from authority.protocol import cors
from authority.tokens import access_tokens, test_tokens
from clients.vocabulary import GrantType
from consumers.models import User
from core import clock
from core.credentials import token_digest
from core.db.prepared import Statement
from core.jose import jws

REVOKED = Statement("is the token revoked", f'SELECT 1 FROM "{RevokedToken._meta.db_table}" WHERE jti = %s')  # noqa: S608


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """Whom an active token speaks for: a client itself, or a person who authorized it."""

    entry: ClientEntry
    user: User | None = None


@dataclass(frozen=True, slots=True)
class ActiveToken:
    """An active access token."""

    entry: ClientEntry
    user: User | None
    claims: dict[str, Any]
    scopes: list[str]  # those that the client may still use


def read_access_token(token: str) -> dict[str, Any] | None:
    """Return the claims of an access token of ours that has not expired, or None."""
    claims: dict[str, Any] | None
    if token.startswith(access_tokens.OPAQUE_PREFIX):
        claims = OpaqueToken.objects.filter(digest=token_digest(token)).values_list("claims", flat=True).first()
    else:
        claims = jws.decode(token, signing_keys.verification_key, typ=access_tokens.TYPE)
    if claims is None or claims["iss"] != settings.ISSUER or claims["exp"] <= clock.seconds():
        return None
    return claims


def active_token(token: str, caller: ClientEntry | None = None) -> ActiveToken | None:
    """Return the token if it is active, or None; with a `caller`, only if it may introspect the token."""
    claims = read_access_token(token)
    if claims is None or (caller is not None and not _may_introspect(caller, claims)):
        return None
    found = active_holder(claims, caller)
    if found is None:
        return None
    allowed = found.entry.scopes_for(GrantType.AUTHORIZATION_CODE if found.user else GrantType.CLIENT_CREDENTIALS)
    scopes = [value for value in claims["scope"].split() if value in allowed]
    return ActiveToken(found.entry, found.user, claims, scopes) if scopes or not claims["scope"] else None


def active_holder(claims: dict[str, Any], caller: ClientEntry | None = None) -> TokenHolder | None:
    """Return whom a token of these claims speaks for, or None when it is revoked, or client or person are disabled.

    `caller` is a client that was looked up already.
    """
    mine = caller is not None and caller.client.client_id == claims["client_id"]
    entry = caller if mine else client_directory.find(claims["client_id"])
    if entry is None:
        return None
    cors.allow_origins_of(entry.client)
    if not entry.is_usable or entry.has_revoked(access_tokens.issued_at(claims)):
        return None
    if "family_id" in claims:
        family = TokenFamily.objects.alive().select_related("user").filter(pk=claims["family_id"]).first()
        if family is None or entry.has_signed_out(family.began_at):
            return None
        return TokenHolder(entry, family.user)
    own = test_tokens.still_allowed(claims) if is_test_token(claims) else claims["sub"] == claims["client_id"]
    if not own or is_revoked(claims["jti"]):
        return None
    return TokenHolder(entry)


def is_revoked(jti: str) -> bool:
    """Query the database, at each call."""
    return REVOKED.first(jti) is not None


def is_test_token(claims: dict[str, Any]) -> bool:
    """Return whether it is a test token; no other token has this claim."""
    return claims.get("token_use") == test_tokens.TOKEN_USE


def _may_introspect(caller: ClientEntry, claims: dict[str, Any]) -> bool:
    """Return whether the caller may introspect the token: it is its own, or for an API that it serves."""
    return claims["client_id"] == caller.client.client_id or not set(caller.serves).isdisjoint(audiences(claims))


def audiences(claims: dict[str, Any]) -> list[str]:
    return claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
