"""Signing keys: created on demand, encrypted at rest, decrypted once a process, published while tokens need them.

Their rotation is in rotation.py.
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

from authority.events import AuthorityEvent
from authority.models import SigningKey
from clients.models import Api
from consumers import audit
from core import cache
from core.cache import NotifiedCache
from core.encryption import fernet
from core.jose import jwk as jwk_jose
from core.jose import jws
from core.jose.algorithms import SigningAlgorithm
from core.jose.jwk import PrivateKey
from core.jose.jws import Signer

Purpose, State = SigningKey.Purpose, SigningKey.State

# The algorithm of tokens for several APIs that do not agree, and for none.
DEFAULT_ALGORITHM = SigningAlgorithm.ES256
# The one algorithm that every OpenID Connect client must support (OpenID Connect Core section 15.1).
ID_TOKEN_ALGORITHM = SigningAlgorithm.RS256
# How long caches may keep the JWKS: fresh, and then stale while they revalidate (RFC 5861 section 3).
JWKS_MAX_AGE = timedelta(minutes=5)
JWKS_STALE = timedelta(minutes=5)
# Added to the longest lifetime of a key's tokens: for clock skew, and for requests that sign while it is retired.
SKEW = timedelta(minutes=5)
LOCK = 0x6B657973  # the advisory lock of every change of keys

_public_keys: NotifiedCache[tuple[str, str], dict[str, Any]] = NotifiedCache(256)
_signers: dict[str, Signer] = {}
_longest_lifetimes: dict[str, int] = {}  # kid to seconds, as the key's row says it or more


class KeysNotDecryptable(Exception):
    """KEY_ENCRYPTION_KEYS does not decrypt a key. Creating a new one would hide the mistake and break tokens."""

    def __init__(self, kid: str) -> None:
        super().__init__(
            f"KEY_ENCRYPTION_KEYS does not open the signing key {kid} in the database. "
            "Put the key back that it was encrypted with; several may be given, separated by commas."
        )


def signer(algorithm: str, kid: str | None = None, *, seconds: int, purpose: str = Purpose.TOKENS) -> Signer:
    """Return the signer of the algorithm's active key, for a token with a lifetime of `seconds`.

    With its `kid`, a key that this process has decrypted already costs no query. Creates the key when there is none.
    Raises KeysNotDecryptable.
    """
    signer = _signers.get(kid or "")
    if signer is None:
        row = active_key(purpose, algorithm) or ensure_active_key(algorithm, purpose)
        signer = _signers.setdefault(row.kid, _load_signer(row))
        _longest_lifetimes.setdefault(row.kid, row.longest_lifetime)
    if seconds > _longest_lifetimes[signer.kid]:
        _extend_lifetime(signer.kid, seconds)
    return signer


def sign_as_client(claims: dict[str, Any], seconds: int) -> str:
    """Return an assertion by which this server authenticates as a client elsewhere (RFC 7523 section 3).

    Its typ keeps it apart from the tokens that the same key signs (RFC 8725 section 3.11).
    """
    return jws.encode(claims, signer(ID_TOKEN_ALGORITHM, seconds=seconds), typ="client-authentication+jwt")


def active_key(purpose: str, algorithm: str) -> SigningKey | None:
    return SigningKey.objects.filter(purpose=purpose, algorithm=algorithm, state=State.ACTIVE).first()


@transaction.atomic
def ensure_active_key(algorithm: str, purpose: str = Purpose.TOKENS) -> SigningKey:
    """Return the active key of the algorithm, created once for all workers. Raises KeysNotDecryptable."""
    lock_keys()
    return active_key(purpose, algorithm) or create_key(purpose, algorithm, State.ACTIVE)


def generate_key_pair(algorithm: str) -> tuple[Any, dict[str, Any]]:
    """Return a new private key and its public JWK, whose kid no command line takes for an option."""
    while True:
        private_key = jws.generate(algorithm)
        jwk = jwk_jose.public_jwk(private_key, algorithm)
        if not jwk["kid"].startswith("-"):
            return private_key, jwk


def create_key(purpose: str, algorithm: str, state: SigningKey.State) -> SigningKey:
    """Create a key; the caller holds the lock. Raises KeysNotDecryptable."""
    require_decryptable()
    private_key, jwk = generate_key_pair(algorithm)
    if purpose == Purpose.WORKLOADS:
        jwk["kid"] = "atky_" + secrets.token_hex(12)
    now = timezone.now()
    row = SigningKey.objects.create(
        kid=jwk["kid"],
        purpose=purpose,
        algorithm=algorithm,
        state=state,
        public_jwk=jwk,
        encrypted_private_key=encrypt_private_key(jwk["kid"], private_key),
        created_at=now,
        activated_at=now if state == State.ACTIVE else None,
    )
    detail = {"purpose": str(purpose), "algorithm": str(algorithm), "state": str(state)}
    audit.record(AuthorityEvent.KEY_CREATED, actor=audit.SYSTEM, target=row, detail=detail)
    return row


def lock_keys() -> None:
    """Take the advisory lock, so that one transaction of all workers changes keys at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def reset_for_tests() -> None:
    """Close every key that this process has opened."""
    _signers.clear()


# -- How long a retired key is published ------------------------------------------------------------------------------


@transaction.atomic
def _extend_lifetime(kid: str, seconds: int) -> None:
    """Record that the key is about to sign a token with a longer lifetime than any before.

    Lifetimes are configured in many places and change; only the tokens signed tell how long a key is needed.
    """
    lock_keys()
    rows = SigningKey.objects.filter(kid=kid)
    rows.filter(longest_lifetime__lt=seconds).update(longest_lifetime=seconds)
    end = publish_until(seconds)
    rows.filter(state=State.RETIRED, serve_until__lt=end).update(serve_until=end)
    transaction.on_commit(lambda: _longest_lifetimes.update({kid: max(seconds, _longest_lifetimes[kid])}))


def publish_until(seconds: int) -> datetime:
    """Return until when the key of a token with this lifetime, signed now, must be published."""
    return timezone.now() + timedelta(seconds=seconds) + SKEW


# -- At rest ----------------------------------------------------------------------------------------------------------


def require_decryptable() -> None:
    """Raise KeysNotDecryptable unless every active and next key decrypts."""
    for row in SigningKey.objects.filter(state__in=[State.NEXT, State.ACTIVE]):
        decrypt_contents(row)


def encrypt_private_key(kid: str, key: PrivateKey) -> bytes:
    """Encrypt the private key together with its kid, so that rows cannot be swapped."""
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return fernet().encrypt(json.dumps({"kid": kid, "pkcs8": base64.b64encode(der).decode()}).encode())


def _load_signer(row: SigningKey) -> Signer:
    key = load_der_private_key(base64.b64decode(decrypt_contents(row)["pkcs8"]), password=None)
    assert isinstance(key, PrivateKey)
    return Signer(kid=row.kid, algorithm=row.algorithm, private_key=key)


def decrypt_contents(row: SigningKey) -> dict[str, str]:
    """Return the row's decrypted contents. Raises KeysNotDecryptable, also when they are another row's."""
    try:
        document: dict[str, str] = json.loads(fernet().decrypt(bytes(row.encrypted_private_key)))
    except InvalidToken:
        raise KeysNotDecryptable(row.kid) from None
    if document["kid"] != row.kid:
        raise KeysNotDecryptable(row.kid)
    return document


# -- Published --------------------------------------------------------------------------------------------------------


def published_keys(purpose: str = Purpose.TOKENS) -> list[dict[str, Any]]:
    """Return the public JWKs of active, next and retired keys.

    Creates the key of every algorithm in use, so that a key is published before it signs.
    """
    served = SigningKey.objects.served().filter(purpose=purpose).order_by("algorithm", "state", "-id")
    keys = list(served.only("algorithm", "state", "public_jwk"))
    missing = algorithms_in_use(purpose) - {key.algorithm for key in keys if key.state == State.ACTIVE}
    if missing:
        for algorithm in sorted(missing):
            ensure_active_key(algorithm, purpose)
        keys = list(served.all())
    return [key.public_jwk for key in keys]


def algorithms_in_use(purpose: str = Purpose.TOKENS) -> set[str]:
    if purpose == Purpose.WORKLOADS:
        return {SigningAlgorithm.RS256}
    used = set(Api.objects.values_list("signing_algorithm", flat=True).distinct())
    return used | {DEFAULT_ALGORITHM, ID_TOKEN_ALGORITHM}


def verification_key(kid: str, purpose: str = Purpose.TOKENS) -> dict[str, Any] | None:
    """Return the public JWK of a key of ours unless it is revoked; retired keys verify old tokens and logout hints."""
    known = _public_keys.get((kid, purpose))
    if known is not None:
        return known
    generation = cache.current_generation()
    keys = SigningKey.objects.filter(kid=kid, purpose=purpose).exclude(state=State.REVOKED)
    jwk: dict[str, Any] | None = keys.values_list("public_jwk", flat=True).first()
    if jwk is not None and not connection.in_atomic_block:  # else it may not be committed
        _public_keys.set((kid, purpose), jwk, frozenset({"keys"}), generation=generation)
    return jwk
