"""Access tokens: claims, format and signing key (RFC 9068). Their lifetimes are in lifetimes.py."""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from authority.client_directory import ClientEntry
from authority.keys import signing_keys
from authority.models import OpaqueToken, TokenFamily
from authority.tokens import api_claims, resources
from clients.vocabulary import TokenStrategy
from consumers.policy import RESERVED_CLAIMS
from core import clock, credentials
from core.credentials import token_digest
from core.jose import jws
from core.jose.jws import Signer

TYPE = "at+jwt"
OPAQUE_PREFIX = "cdat_"  # for secret scanners
AskHook = Callable[[Mapping[str, Any], Sequence[str]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class TokenTemplate:
    """An access token without iat, exp and jti, from which any number of tokens are issued."""

    entry: ClientEntry
    claims: Mapping[str, Any]
    seconds: int
    family: TokenFamily | None
    signer: Signer | None = field(repr=False)  # None makes opaque tokens
    text: str  # the claims as JSON, without the closing brace

    def issue(self) -> str:
        now = clock.nanoseconds()
        made = now // 1_000_000_000
        end, jti = made + self.seconds, new_jti(now)
        if self.signer is None:
            return _issue_opaque(self.entry, {**self.claims, "iat": made, "exp": end, "jti": jti}, self.family)
        return jws.encode_json(f'{self.text},"iat":{made},"exp":{end},"jti":"{jti}"}}', self.signer, typ=TYPE)


def token_template(
    entry: ClientEntry,
    *,
    scopes: list[str],
    seconds: int,
    family: TokenFamily | None = None,
    named: Collection[str] = (),
    jkt: str | None = None,
    ext: Mapping[str, Any] | None = None,
    ask: AskHook | None = None,
) -> TokenTemplate:
    """Return the template of the access tokens of a grant; tokens from one template are alike.

    They are for the client itself, or for the person of the family, in the client's format. `named` are the resources
    of the request (RFC 8707). With `jkt` they are bound to the key of that thumbprint (RFC 9449 section 6). `ext` is
    what the provider's own login adds, in a claim of that name, as in Ory Hydra. `ask` takes the claims and the
    audiences, and returns what the API's token hook adds. A JWT needs no row; an opaque token gets one.
    """
    audiences = _audiences(entry, scopes, named)
    content = _claims(entry, scopes, audiences, family)
    if ext:
        content["ext"] = dict(ext)
    if ask is not None:
        content |= ask(content, audiences)
    if jkt is not None:
        content["cnf"] = {"jkt": jkt}
    signer = None
    if entry.client.access_token_strategy != TokenStrategy.OPAQUE:
        algorithm = _algorithm_for(entry, scopes)
        signer = signing_keys.signer(algorithm, entry.active_keys.get(algorithm), seconds=seconds)
    return TokenTemplate(entry, content, seconds, family, signer, jws.COMPACT.encode(content).removesuffix("}"))


def _claims(entry: ClientEntry, scopes: list[str], audiences: list[str], family: TokenFamily | None) -> dict[str, Any]:
    """Return the claims: those that operators configured, the API's over them, then those of the specifications."""
    client = entry.client
    content = configured_claims(client.consumer.claims) | configured_claims(client.claims)
    api_claims.add_to(content, entry, audiences, scopes, family.user if family else None)
    content |= {
        "iss": settings.ISSUER,
        "sub": family.user.subject if family else client.client_id,
        "aud": audiences if len(audiences) > 1 else audiences[0],
        "client_id": client.client_id,
        "scope": " ".join(scopes),
        "consumer_id": str(client.consumer_id),
    }
    if family is not None:
        content["family_id"] = str(family.pk)
    return content


def _issue_opaque(entry: ClientEntry, content: dict[str, Any], family: TokenFamily | None) -> str:
    """Return a random token, and store its digest with its claims."""
    token = credentials.generate(OPAQUE_PREFIX)
    end = datetime.fromtimestamp(content["exp"], UTC)
    OpaqueToken.objects.create(
        digest=token_digest(token), client=entry.client, family=family, claims=content, expires_at=end
    )
    return token


def _audiences(entry: ClientEntry, scopes: list[str], named: Collection[str] = ()) -> list[str]:
    """Return the token's audience: its APIs, and the issuer where it is for userinfo (RFC 9068 section 3)."""
    audiences = resources.audience(entry, scopes, named)
    if "openid" in scopes or not audiences:
        audiences.append(settings.ISSUER)
    return audiences


def _algorithm_for(entry: ClientEntry, scopes: list[str]) -> str:
    """Return the algorithm of the token's APIs, or the default where they differ."""
    algorithms = {permission.algorithm for permission in entry.permissions_of(scopes)}
    return algorithms.pop() if len(algorithms) == 1 else signing_keys.DEFAULT_ALGORITHM


def configured_claims(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims that operators configured, without names that were reserved after they were saved."""
    return {name: value for name, value in claims.items() if name not in RESERVED_CLAIMS}


# -- The order of tokens -------------------------------------------------------------------------------------------


def new_jti(nanoseconds: int) -> str:
    """Return a UUID of version 7 (RFC 9562 section 5.7): random, with the millisecond, which iat lacks."""
    chance = os.urandom(10).hex()
    variant = "89ab"[int(chance[0], 16) & 3]
    return f"{nanoseconds // 1_000_000:012x}7{chance[1:4]}{variant}{chance[5:]}"


def issued_at(content: Mapping[str, Any]) -> datetime:
    """Return when the token was issued, to the millisecond where its jti has it."""
    jti = content["jti"]
    milliseconds = int(jti[:12], 16) if jti[12] == "7" else content["iat"] * 1000
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
