"""Signing keys: made on demand, encrypted at rest, opened once a process, published while tokens need them.

How they follow each other is in rotation.py.
"""

import base64
import json
import secrets
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import InvalidToken
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from django.db import connection, transaction
from django.utils import timezone

from authority.models import SigningKey
from clients.models import Api
from consumers import audit
from consumers.audit import EventName
from core import cache
from core.cache import Memory
from core.encryption import vault
from core.jose import jws
from core.jose.algorithms import SigningAlgorithm
from core.jose.jws import PrivateKey, Signer

Purpose, State = SigningKey.Purpose, SigningKey.State

# The algorithm of tokens for several APIs that do not agree, and for none.
DEFAULT_ALGORITHM = SigningAlgorithm.ES256
# The one algorithm that every OpenID Connect client must support (OpenID Connect Core section 15.1).
ID_TOKEN_ALGORITHM = SigningAlgorithm.RS256
# How long caches may hold the list of keys: fresh, and then stale while they fetch it anew (RFC 5861 section 3).
JWKS_MAX_AGE = timedelta(minutes=5)
JWKS_STALE = timedelta(minutes=5)
# Added to the longest life of a key's tokens: clocks differ, and a request may still sign while its key is retired.
SKEW = timedelta(minutes=5)
LOCK = 0x6B657973  # one advisory lock for every change of keys

_verifying: Memory[tuple[str, str], dict[str, Any]] = Memory(256)
_opened: dict[str, Signer] = {}
_longest: dict[str, int] = {}  # kid to seconds, as the key's row says it or more


class KeysSealed(Exception):
    """KEY_ENCRYPTION_KEYS does not open a key. To make a new one instead would hide the mistake and break tokens."""

    def __init__(self, kid: str) -> None:
        super().__init__(
            f"KEY_ENCRYPTION_KEYS does not open the signing key {kid} in the database. "
            "Put the key back that it was encrypted with; several may be given, separated by commas."
        )


def signer(algorithm: str, kid: str | None = None, *, seconds: int, purpose: str = Purpose.TOKENS) -> Signer:
    """Return the active key of the algorithm, opened, to sign a token that lives so many seconds.

    `kid` is its name where the caller knows it already; then a key that this process has opened costs no query. Makes
    the key when there is none yet. Raises KeysSealed.
    """
    signer = _opened.get(kid or "")
    if signer is None:
        row = active(purpose, algorithm) or create(algorithm, purpose)
        signer = _opened.setdefault(row.kid, _unseal(row))
        _longest.setdefault(row.kid, row.longest_lifetime)
    if seconds > _longest[signer.kid]:
        _lengthen(signer.kid, seconds)
    return signer


def active(purpose: str, algorithm: str) -> SigningKey | None:
    return SigningKey.objects.filter(purpose=purpose, algorithm=algorithm, state=State.ACTIVE).first()


@transaction.atomic
def create(algorithm: str, purpose: str = Purpose.TOKENS) -> SigningKey:
    """Make the active key of the algorithm, once, however many workers ask. Raises KeysSealed."""
    lock()
    return active(purpose, algorithm) or make(purpose, algorithm, State.ACTIVE)


def pair(algorithm: str) -> tuple[Any, dict[str, Any]]:
    """Return a new private key and its public half, whose kid no command line takes for an option."""
    while True:
        private_key = jws.generate(algorithm)
        jwk = jws.public_jwk(private_key, algorithm)
        if not jwk["kid"].startswith("-"):
            return private_key, jwk


def make(purpose: str, algorithm: str, state: SigningKey.State) -> SigningKey:
    """Make a key; the caller holds the lock. Raises KeysSealed."""
    require_openable()
    private_key, jwk = pair(algorithm)
    if purpose == Purpose.WORKLOADS:
        jwk["kid"] = "atky_" + secrets.token_hex(12)
    now = timezone.now()
    row = SigningKey.objects.create(
        kid=jwk["kid"],
        purpose=purpose,
        algorithm=algorithm,
        state=state,
        public_jwk=jwk,
        sealed=seal(jwk["kid"], private_key),
        created_at=now,
        activated_at=now if state == State.ACTIVE else None,
    )
    detail = {"purpose": str(purpose), "algorithm": str(algorithm), "state": str(state)}
    audit.record(EventName.KEY_CREATED, actor=audit.SYSTEM, target=row, detail=detail)
    return row


def lock() -> None:
    """Let one transaction at a time, of all workers, change keys."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


# -- How long a retired key is needed ---------------------------------------------------------------------------------


@transaction.atomic
def _lengthen(kid: str, seconds: int) -> None:
    """Note that the key is about to sign a token that lives longer than any before.

    Lifetimes are set in many places and change; what was signed is the one truth about how long a key is needed.
    """
    lock()
    rows = SigningKey.objects.filter(kid=kid)
    rows.filter(longest_lifetime__lt=seconds).update(longest_lifetime=seconds)
    end = needed_until(seconds)
    rows.filter(state=State.RETIRED, serve_until__lt=end).update(serve_until=end)
    transaction.on_commit(lambda: _longest.update({kid: max(seconds, _longest[kid])}))


def needed_until(seconds: int) -> datetime:
    """Return until when a token that is signed now, and lives so long, may be verified."""
    return timezone.now() + timedelta(seconds=seconds) + SKEW


# -- At rest ----------------------------------------------------------------------------------------------------------


def require_openable() -> None:
    """Raise KeysSealed unless every key that signs, or will, opens."""
    for row in SigningKey.objects.filter(state__in=[State.NEXT, State.ACTIVE]):
        contents(row)


def seal(kid: str, key: PrivateKey) -> bytes:
    """Encrypt the private key together with its name, so that rows cannot be swapped."""
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return vault().encrypt(json.dumps({"kid": kid, "pkcs8": base64.b64encode(der).decode()}).encode())


def _unseal(row: SigningKey) -> Signer:
    key = load_der_private_key(base64.b64decode(contents(row)["pkcs8"]), password=None)
    assert isinstance(key, PrivateKey)
    return Signer(kid=row.kid, algorithm=row.algorithm, private_key=key)


def contents(row: SigningKey) -> dict[str, str]:
    """Return what is sealed in the row. Raises KeysSealed, also when it is another row's."""
    try:
        document: dict[str, str] = json.loads(vault().decrypt(bytes(row.sealed)))
    except InvalidToken:
        raise KeysSealed(row.kid) from None
    if document["kid"] != row.kid:
        raise KeysSealed(row.kid)
    return document


# -- Published --------------------------------------------------------------------------------------------------------


def published(purpose: str = Purpose.TOKENS) -> list[dict[str, Any]]:
    """Return the public keys that verify what we sign, signed and will sign, as JWKs.

    Every algorithm in use has its key by then, so that a key is on the list before it signs.
    """
    served = SigningKey.objects.served().filter(purpose=purpose).order_by("algorithm", "state", "-id")
    keys = list(served.only("algorithm", "state", "public_jwk"))
    missing = algorithms_in_use(purpose) - {key.algorithm for key in keys if key.state == State.ACTIVE}
    if missing:
        for algorithm in sorted(missing):
            create(algorithm, purpose)
        keys = list(served.all())
    return [key.public_jwk for key in keys]


def algorithms_in_use(purpose: str = Purpose.TOKENS) -> set[str]:
    if purpose == Purpose.WORKLOADS:
        return {SigningAlgorithm.RS256}
    used = set(Api.objects.values_list("signing_algorithm", flat=True).distinct())
    return used | {DEFAULT_ALGORITHM, ID_TOKEN_ALGORITHM}


def verifying(kid: str, purpose: str = Purpose.TOKENS) -> dict[str, Any] | None:
    """Return the public JWK of a key of ours that was not revoked; retired keys verify old tokens and logout hints."""
    known = _verifying.recall((kid, purpose))
    if known is not None:
        return known
    asked_at = cache.news()
    keys = SigningKey.objects.filter(kid=kid, purpose=purpose).exclude(state=State.REVOKED)
    jwk: dict[str, Any] | None = keys.values_list("public_jwk", flat=True).first()
    if jwk is not None and not connection.in_atomic_block:  # within, it may not be committed
        _verifying.remember((kid, purpose), jwk, frozenset({"keys"}), asked_at=asked_at)
    return jwk
