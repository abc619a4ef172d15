"""Access tokens: what they say, and which form and key they have (RFC 9068). How long they live is in lifetimes.py."""

import os
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from authority.client_directory import Entry
from authority.keys import signing_keys
from authority.models import Family, OpaqueToken
from authority.tokens import resources
from clients.vocabulary import TokenStrategy
from consumers.policy import RESERVED_CLAIMS
from core import credentials
from core.digests import digest
from core.jose import jws
from core.jose.jws import Signer

TYPE = "at+jwt"
OPAQUE_PREFIX = "cdat_"  # by which secret scanners know it


@dataclass(frozen=True, slots=True)
class Draft:
    """A token but for what each one has of its own: when it was made, and its name."""

    entry: Entry
    claims: Mapping[str, Any]
    seconds: int
    family: Family | None
    signer: Signer | None = field(repr=False)  # None makes opaque tokens
    text: str  # the claims as JSON, to be continued

    def issue(self) -> str:
        now = time.time_ns()
        made = now // 1_000_000_000
        end, jti = made + self.seconds, new_jti(now)
        if self.signer is None:
            return _opaque(self.entry, {**self.claims, "iat": made, "exp": end, "jti": jti}, self.family)
        return jws.seal(f'{self.text},"iat":{made},"exp":{end},"jti":"{jti}"}}', self.signer, typ=TYPE)


def draft(
    entry: Entry,
    *,
    scopes: list[str],
    seconds: int,
    family: Family | None = None,
    named: Collection[str] = (),
    jkt: str | None = None,
) -> Draft:
    """Decide everything about tokens of this kind, so that those that are alike need it once.

    They are for the client itself, or for the person of the family, and in the client's form. `named` are the resources
    that the request named (RFC 8707). With `jkt` they are bound to the key of that thumbprint (RFC 9449 section 6). A
    JWT needs no row; an opaque one is written down.
    """
    content = _claims(entry, scopes=scopes, family=family, named=named)
    if jkt is not None:
        content["cnf"] = {"jkt": jkt}
    signer = None
    if entry.client.access_token_strategy != TokenStrategy.OPAQUE:
        algorithm = _algorithm_for(entry, scopes)
        signer = signing_keys.signer(algorithm, entry.active_keys.get(algorithm), seconds=seconds)
    return Draft(entry, content, seconds, family, signer, jws.COMPACT.encode(content).removesuffix("}"))


def _claims(
    entry: Entry, *, scopes: list[str], family: Family | None = None, named: Collection[str] = ()
) -> dict[str, Any]:
    """Return what the token says: what operators added, and what the specifications ask for, which comes first."""
    client = entry.client
    content = extra_claims(client.consumer.claims) | extra_claims(client.claims)
    content |= {
        "iss": settings.ISSUER,
        "sub": str(family.user_id) if family else client.client_id,
        "aud": _audience(entry, scopes, named),
        "client_id": client.client_id,
        "scope": " ".join(scopes),
        "consumer_id": str(client.consumer_id),
    }
    if family is not None:
        content["family_id"] = str(family.pk)
    return content


def _opaque(entry: Entry, content: dict[str, Any], family: Family | None) -> str:
    """Return a random token, and write down its digest with what it stands for."""
    token = credentials.generate(OPAQUE_PREFIX)
    end = datetime.fromtimestamp(content["exp"], UTC)
    OpaqueToken.objects.create(digest=digest(token), client=entry.client, family=family, claims=content, expires_at=end)
    return token


def _audience(entry: Entry, scopes: list[str], named: Collection[str] = ()) -> str | list[str]:
    """Return the APIs that the token is for, and ourselves where it opens userinfo (RFC 9068 section 3)."""
    audiences = resources.audience(entry, scopes, named)
    if "openid" in scopes or not audiences:
        audiences.append(settings.ISSUER)
    return audiences if len(audiences) > 1 else audiences[0]


def _algorithm_for(entry: Entry, scopes: list[str]) -> str:
    """Return the algorithm that the token's APIs agree on."""
    algorithms = {permission.algorithm for permission in entry.permissions_of(scopes)}
    return algorithms.pop() if len(algorithms) == 1 else signing_keys.DEFAULT_ALGORITHM


def extra_claims(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return what operators added, without names that were reserved after it was saved."""
    return {name: value for name, value in claims.items() if name not in RESERVED_CLAIMS}


# -- Which token came first -------------------------------------------------------------------------------------------


def new_jti(nanoseconds: int) -> str:
    """Return a UUID of version 7 (RFC 9562 section 5.7): random, but for the millisecond, which iat does not tell."""
    chance = os.urandom(10).hex()
    variant = "89ab"[int(chance[0], 16) & 3]
    return f"{nanoseconds // 1_000_000:012x}7{chance[1:4]}{variant}{chance[5:]}"


def issued_at(content: Mapping[str, Any]) -> datetime:
    """Return when a token of ours was made, to the millisecond where its jti tells."""
    jti = content["jti"]
    milliseconds = int(jti[:12], 16) if jti[12] == "7" else content["iat"] * 1000
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
