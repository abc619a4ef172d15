"""Tokens that come back to us: are they ours, do they still hold, and what do they allow?

An access token is a JWT or the name of a row with the same claims. One that a client got for itself holds until its
end unless it was revoked by its jti, or its row deleted. One that speaks for a person holds as long as its family.
"""

import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from authority import client_directory
from authority.client_directory import Entry
from authority.keys import signing_keys
from authority.models import Family, OpaqueToken, RevokedToken
from authority.protocol import cors
from authority.tokens import access_tokens, test_tokens
from clients.vocabulary import GrantType
from consumers.models import User
from core.db.prepared import Statement
from core.digests import digest
from core.jose import jws

REVOKED = Statement("was it revoked", f'SELECT 1 FROM "{RevokedToken._meta.db_table}" WHERE jti = %s')  # noqa: S608


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a token that holds now speaks for: a client by itself, or a person who let it in."""

    entry: Entry
    user: User | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """An access token that holds now."""

    entry: Entry
    user: User | None
    claims: dict[str, Any]
    scopes: list[str]  # what of it the client may still use


def read(token: str) -> dict[str, Any] | None:
    """Return the claims of an access token of ours that has not ended, or None."""
    claims: dict[str, Any] | None
    if token.startswith(access_tokens.OPAQUE_PREFIX):
        claims = OpaqueToken.objects.filter(digest=digest(token)).values_list("claims", flat=True).first()
    else:
        claims = jws.decode(token, signing_keys.verifying, typ=access_tokens.TYPE)
    if claims is None or claims["iss"] != settings.ISSUER or claims["exp"] <= time.time():
        return None
    return claims


def access(token: str, caller: Entry | None = None) -> Access | None:
    """Return what the token allows now, or None; where a `caller` asks, only if the token is any business of theirs."""
    claims = read(token)
    if claims is None or (caller is not None and not _concerns(caller, claims)):
        return None
    found = holder(claims, caller)
    if found is None:
        return None
    allowed = found.entry.scopes_for(GrantType.AUTHORIZATION_CODE if found.user else GrantType.CLIENT_CREDENTIALS)
    scopes = [value for value in claims["scope"].split() if value in allowed]
    return Access(found.entry, found.user, claims, scopes) if scopes or not claims["scope"] else None


def holder(claims: dict[str, Any], caller: Entry | None = None) -> Holder | None:
    """Return whom a token speaks for that was read just now, or None when it was revoked, or they may not come in.

    The `caller` is a client that is known already.
    """
    mine = caller is not None and caller.client.client_id == claims["client_id"]
    entry = caller if mine else client_directory.find(claims["client_id"])
    if entry is None:
        return None
    cors.answers(entry.client)
    if not entry.is_usable or entry.has_revoked(access_tokens.issued_at(claims)):
        return None
    if "family_id" in claims:
        family = Family.objects.alive().select_related("user").filter(pk=claims["family_id"]).first()
        return Holder(entry, family.user) if family is not None else None
    own = test_tokens.holds(claims) if is_trial(claims) else claims["sub"] == claims["client_id"]
    if not own or is_revoked(claims["jti"]):
        return None
    return Holder(entry)


def is_revoked(jti: str) -> bool:
    """Ask the database, each time."""
    return REVOKED.first(jti) is not None


def is_trial(claims: dict[str, Any]) -> bool:
    """Say whether a person made it by hand; nobody else sets this claim."""
    return claims.get("token_use") == test_tokens.TOKEN_USE


def _concerns(caller: Entry, claims: dict[str, Any]) -> bool:
    """Say whether the caller may know of the token: it is theirs, or for an API that they are part of."""
    return claims["client_id"] == caller.client.client_id or not set(caller.serves).isdisjoint(audiences(claims))


def audiences(claims: dict[str, Any]) -> list[str]:
    return claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
