"""Signing keys: made on demand, encrypted at rest, opened once a process, published while tokens need them."""

import base64
import json
from typing import Any

from cryptography.fernet import InvalidToken
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from authority import jose
from authority.jose import PrivateKey, Signer
from authority.models import SigningKey
from clients.models import Api
from clients.vocabulary import SigningAlgorithm
from consumers import audit
from consumers.audit import EventName
from consumers.vault import vault

# The algorithm of tokens for several APIs that do not agree, and for none.
DEFAULT_ALGORITHM = SigningAlgorithm.ES256
# The one algorithm that every OpenID Connect client must support (OpenID Connect Core section 15.1).
ID_TOKEN_ALGORITHM = SigningAlgorithm.RS256
LOCK = 0x6B657973  # one advisory lock for every change of keys

_opened: dict[str, Signer] = {}


class KeysSealed(Exception):
    """KEY_ENCRYPTION_KEYS does not open a key. To make a new one instead would hide the mistake and break tokens."""

    def __init__(self, kid: str) -> None:
        super().__init__(
            f"KEY_ENCRYPTION_KEYS does not open the signing key {kid} in the database. "
            "Put the key back that it was encrypted with; several may be given, separated by commas."
        )


def signer(algorithm: str, kid: str | None = None) -> Signer:
    """Return the active key of the algorithm, opened.

    `kid` is its name where the caller knows it already; then a key that this process has opened costs no query. Makes
    the key when there is none yet. Raises KeysSealed.
    """
    if kid in _opened:
        return _opened[kid]
    row = SigningKey.objects.filter(algorithm=algorithm, state=SigningKey.State.ACTIVE).first() or create(algorithm)
    return _opened.get(row.kid) or _opened.setdefault(row.kid, unseal(row))


@transaction.atomic
def create(algorithm: str) -> SigningKey:
    """Make the active key of the algorithm, once, however many workers ask. Raises KeysSealed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    row = SigningKey.objects.filter(algorithm=algorithm, state=SigningKey.State.ACTIVE).first()
    if row is None:
        require_openable()
        private_key = jose.generate(algorithm)
        jwk = jose.public_jwk(private_key, algorithm)
        row = SigningKey.objects.create(
            kid=jwk["kid"],
            algorithm=algorithm,
            state=SigningKey.State.ACTIVE,
            public_jwk=jwk,
            sealed=seal(jwk["kid"], private_key),
            activated_at=timezone.now(),
        )
        audit.record(EventName.KEY_CREATED, actor=audit.SYSTEM, target=row, detail={"algorithm": algorithm})
    return row


def require_openable() -> None:
    """Raise KeysSealed unless every key that signs, or will, opens."""
    for row in SigningKey.objects.filter(state__in=[SigningKey.State.NEXT, SigningKey.State.ACTIVE]):
        contents(row)


# -- At rest ----------------------------------------------------------------------------------------------------------


def seal(kid: str, key: PrivateKey) -> bytes:
    """Encrypt the private key together with its name, so that rows cannot be swapped."""
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return vault().encrypt(json.dumps({"kid": kid, "pkcs8": base64.b64encode(der).decode()}).encode())


def unseal(row: SigningKey) -> Signer:
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


def published() -> list[dict[str, Any]]:
    """Return the public keys that verify what we sign, signed and will sign, as JWKs.

    Every algorithm in use has its key by then, so that a key is on the list before it signs.
    """
    missing = algorithms_in_use() - set(
        SigningKey.objects.filter(state=SigningKey.State.ACTIVE).values_list("algorithm", flat=True)
    )
    for algorithm in sorted(missing):
        create(algorithm)
    served = Q(state__in=[SigningKey.State.NEXT, SigningKey.State.ACTIVE]) | Q(
        state=SigningKey.State.RETIRED, serve_until__gt=timezone.now()
    )
    return list(SigningKey.objects.filter(served).order_by("algorithm", "-id").values_list("public_jwk", flat=True))


def algorithms_in_use() -> set[str]:
    used = set(Api.objects.values_list("signing_algorithm", flat=True).distinct())
    return used | {DEFAULT_ALGORITHM, ID_TOKEN_ALGORITHM}


def verifying(kid: str) -> dict[str, Any] | None:
    """Return the public JWK of a key of ours that was not revoked; retired keys verify old tokens and logout hints."""
    return (
        SigningKey.objects.filter(kid=kid)
        .exclude(state=SigningKey.State.REVOKED)
        .values_list("public_jwk", flat=True)
        .first()
    )
