"""Token introspection responses (RFC 7662 section 2.2)."""

from typing import Any

from django.conf import settings
from django.db.models import F

from authority import client_directory
from authority.client_directory import ClientEntry
from authority.models import RefreshToken
from authority.tokens import api_claims, families, validation
from authority.tokens.validation import ActiveToken
from clients.vocabulary import GrantType
from core import clock
from core.credentials import token_digest

INACTIVE: dict[str, Any] = {"active": False}


def introspect(token: str, caller: ClientEntry | None = None) -> dict[str, Any]:
    """Return the introspection response; of a token that is not active, or not the caller's concern, only that.

    Clients introspect their own tokens, APIs the access tokens for them. Without a caller it is an operator.
    """
    found = validation.active_token(token, caller)
    if found is not None:
        return _describe_access_token(found, caller)
    return _describe_refresh_token(token, caller) or INACTIVE


def _describe_access_token(found: ActiveToken, caller: ClientEntry | None) -> dict[str, Any]:
    scopes = found.scopes
    if caller is not None and caller.client.pk != found.entry.client.pk:
        # An API learns which of its own permissions the token carries (RFC 7662 section 2.2).
        theirs = {
            permission.value
            for permission in found.entry.permissions_of(scopes)
            if permission.audience in caller.serves
        }
        scopes = [value for value in scopes if value in theirs]
    told = {"token_use": "access_token"} | found.claims
    if found.user is not None:
        audiences, serves = validation.audiences(found.claims), caller.serves if caller is not None else ()
        told |= api_claims.current_roles(found.entry, audiences, found.user, serves)
    answer = {name: value for name, value in told.items() if value is not None} | {
        "active": True,
        "token_type": "DPoP" if "cnf" in found.claims else "Bearer",
        "nbf": found.claims["iat"],
        "scope": " ".join(scopes),
    }
    if found.user is not None and "email" in scopes and found.user.has_address:
        answer["username"] = found.user.email
    return answer


def _describe_refresh_token(token: str, caller: ClientEntry | None) -> dict[str, Any] | None:
    row = (
        RefreshToken.objects.select_related("family__user", "family__client")
        .filter(digest=token_digest(token), generation=F("family__generation"), expires_at__gt=clock.now())
        .first()
    )
    if row is None:
        return None
    family = row.family
    entry = caller or client_directory.find(family.client.client_id)
    if entry is None or entry.client.pk != family.client_id or not families.is_active_for(entry, family):
        return None
    allowed = entry.scopes_for(GrantType.REFRESH_TOKEN)
    scopes = [value for value in family.scopes if value in allowed]
    if not scopes:
        return None
    more: dict[str, Any] = {"cnf": {"jkt": family.dpop_jkt}} if family.dpop_jkt and entry.client.is_public else {}
    more |= {"username": family.user.email} if "email" in scopes and family.user.has_address else {}
    return more | {
        "active": True,
        "token_use": "refresh_token",
        "iss": settings.ISSUER,
        "sub": family.user.subject,
        "aud": settings.ISSUER,  # nobody else takes it (RFC 6749 section 1.5)
        "client_id": entry.client.client_id,
        "scope": " ".join(scopes),
        "iat": int(row.created_at.timestamp()),
        "nbf": int(row.created_at.timestamp()),
        "exp": int(row.expires_at.timestamp()),
        "consumer_id": str(entry.client.consumer_id),
        "family_id": str(family.pk),
    }
