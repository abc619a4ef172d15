"""Signed heads of the activity's chain: what the record was at one moment, for whoever keeps them elsewhere.

A head is a JWT of a type of its own, signed by a key of tokens, with the position and hash of the last seal.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from authority.events import AuthorityEvent
from authority.keys import signing_keys
from authority.models import SigningKey
from consumers import audit
from consumers.activity import chain
from consumers.activity.chain import Head
from consumers.audit import Actor
from consumers.models import EventSeal, SignedHead
from core.jose import jws
from core.timefmt import rfc3339

TYPE = "activity-head+jwt"
EVERY = timedelta(days=1)
Kind = SignedHead.Kind


class InvalidHead(ValueError):
    """The text is no head that one of our keys signed."""


@transaction.atomic
def export(*, actor: Actor) -> SignedHead:
    """Sign the end of the chain for somebody who keeps it. Raises KeysNotDecryptable."""
    signed = sign(chain.head(), Kind.EXPORT)
    audit.record(
        AuthorityEvent.HEAD_EXPORTED,
        actor=actor,
        detail={"position": signed.position, "hash": bytes(signed.hash).hex()},
    )
    return signed


@transaction.atomic
def sign_daily() -> None:
    """Sign the end of the chain once a day, where it has grown since."""
    head = chain.head()
    last = SignedHead.objects.filter(kind=Kind.DAILY).first()
    signed_at, position = (last.signed_at, last.position) if last else (None, 0)
    if position < head.position and (signed_at is None or signed_at <= timezone.now() - EVERY):
        sign(head, Kind.DAILY)


def sign(head: Head, kind: SignedHead.Kind, **more: object) -> SignedHead:
    """Sign a head, with more claims, and keep it. Raises KeysNotDecryptable."""
    now = timezone.now()
    content = {
        "iss": settings.ISSUER,
        "iat": int(now.timestamp()),
        "kind": str(kind),
        "position": head.position,
        "hash": head.hash.hex(),
        **more,
    }
    signer = signing_keys.signer(signing_keys.DEFAULT_ALGORITHM, seconds=0)
    return SignedHead.objects.create(
        kind=kind, position=head.position, hash=head.hash, signed_at=now, token=jws.encode(content, signer, typ=TYPE)
    )


def read(token: str, kind: SignedHead.Kind | None = None) -> Head:
    """Return the head that a token says. Raises InvalidHead unless one of our keys signed it, revoked or not.

    A head is worth what its place is worth, where nobody could replace it; the signature says that it is ours.
    """
    content = claims(token)
    if kind is not None and content["kind"] != str(kind):
        raise InvalidHead
    return Head(content["position"], bytes.fromhex(content["hash"]))


def claims(token: str) -> dict[str, Any]:
    """Return the claims of a head's token. Raises InvalidHead unless one of our keys signed it."""
    content = jws.decode(token, _public_key, typ=TYPE)
    if content is None or content["iss"] != settings.ISSUER:
        raise InvalidHead
    return content


def _public_key(kid: str) -> dict[str, object] | None:
    keys = SigningKey.objects.filter(kid=kid, purpose=signing_keys.Purpose.TOKENS)
    return keys.values_list("public_jwk", flat=True).first()


def stored() -> tuple[list[Head], list[SignedHead]]:
    """Return the heads that are kept here, and those whose signature does not say what they do."""
    heads, invalid = [], []
    for row in SignedHead.objects.order_by("pk").iterator():
        if is_valid(row):
            heads.append(Head(row.position, bytes(row.hash)))
        else:
            invalid.append(row)
    return heads, invalid


def is_valid(row: SignedHead) -> bool:
    try:
        return read(row.token, SignedHead.Kind(row.kind)) == (row.position, bytes(row.hash))
    except ValueError:
        return False


def expiry() -> Head | None:
    """Return the last head that stands for expired events and is signed."""
    for row in chain.expiry_heads().iterator():
        if is_valid(row):
            return Head(row.position, bytes(row.hash))
    return None


def document(signed: SignedHead) -> dict[str, object]:
    """Return a head as it is exported: the signed token, and in words what it says."""
    return {
        "position": signed.position,
        "hash": bytes(signed.hash).hex(),
        "signed_at": rfc3339(signed.signed_at, "seconds"),
        "head": signed.token,
    }


def sign_expiry(position: int) -> None:
    """Sign what the chain was at a position, to stand for the events until there. Raises KeysNotDecryptable."""
    sign(Head(position, bytes(EventSeal.objects.get(pk=position).hash)), Kind.EXPIRY)
