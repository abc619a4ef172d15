"""Replay protection for all workers: the `jti` of assertions and proofs is accepted once (RFC 7523 section 3)."""

import hashlib
import json
from datetime import UTC, datetime

from django.db import IntegrityError, transaction

from authority.models import SpentIdentifier


def spend(purpose: str, issuer: str, identifier: str, *, until: float) -> bool:
    """Record that the identifier is used now; return False when it was used before.

    `purpose` separates identifiers of different kinds. `until` is when what carries the identifier expires, in seconds
    since 1970. Of parallel requests one wins: the others wait for its transaction at the primary key.
    """
    try:
        with transaction.atomic():
            SpentIdentifier.objects.create(
                digest=_digest_of(purpose, issuer, identifier), expires_at=datetime.fromtimestamp(until, UTC)
            )
    except IntegrityError:
        return False
    return True


def is_spent(purpose: str, issuer: str, identifier: str) -> bool:
    """Return whether it was used, for the inspector; only `spend` decides."""
    return SpentIdentifier.objects.filter(digest=_digest_of(purpose, issuer, identifier)).exists()


def _digest_of(purpose: str, issuer: str, identifier: str) -> str:
    return hashlib.sha256(json.dumps([purpose, issuer, identifier]).encode()).hexdigest()
