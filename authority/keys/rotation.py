"""Rotation of signing keys: next, active, retired; and revoked, for a key that must not be trusted any more.

Each step is one transaction under one lock, so a worker that dies leaves the step done or not begun, and the next one
continues. A next key is created as soon as there is none, so that it is published long before it signs.
"""

from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from authority.events import AuthorityEvent
from authority.keys import signing_keys
from authority.keys.signing_keys import State
from authority.models import SigningKey
from clients.models import Client
from consumers import audit
from consumers.audit import Actor
from core.errors import Conflict
from core.jose.algorithms import SigningAlgorithm
from core.timefmt import date_time

# How long a key is published before it signs: what caches may hold, and time for what keeps keys on top of that.
PUBLISHED_AHEAD = signing_keys.JWKS_MAX_AGE + signing_keys.JWKS_STALE + timedelta(minutes=50)


def maintain() -> None:
    """Make the keys that are missing, and rotate those that have signed long enough. Any number of workers may."""
    needed = {
        (signing_keys.Purpose.TOKENS.value, algorithm)
        for algorithm in signing_keys.algorithms_in_use() | _registered_by_clients()
    }
    needed |= set(SigningKey.objects.filter(state=State.ACTIVE).values_list("purpose", "algorithm"))
    for purpose, algorithm in sorted(needed):
        active = signing_keys.active_key(purpose, algorithm) or signing_keys.ensure_active_key(algorithm, purpose)
        following = _ensure_next_key(purpose, algorithm)
        if _is_due(active) and ready_at(following) <= timezone.now():
            with suppress(Conflict):  # another worker was quicker
                rotate(active, actor=audit.SYSTEM)


def _registered_by_clients() -> set[str]:
    """Return the algorithms that clients want for ID tokens and for what userinfo answers."""
    fields = ("id_token_signed_response_alg", "userinfo_signed_response_alg")
    registered = {
        value for name in fields for value in Client.objects.values_list(name, flat=True).distinct().order_by()
    }
    return registered & set(SigningAlgorithm.values)


def _is_due(active: SigningKey) -> bool:
    assert active.activated_at is not None
    return active.activated_at + timedelta(days=settings.SIGNING_KEY_DAYS) <= timezone.now()


def ready_at(following: SigningKey) -> datetime:
    """Return the time from which every cache has the key."""
    return following.created_at + PUBLISHED_AHEAD


@transaction.atomic
def _ensure_next_key(purpose: str, algorithm: str) -> SigningKey:
    """Return the next key, created now if there is none. Raises KeysNotDecryptable."""
    following = next_key(purpose, algorithm)
    if following is None:
        signing_keys.lock_keys()
        following = next_key(purpose, algorithm) or signing_keys.create_key(purpose, algorithm, State.NEXT)
    return following


def next_key(purpose: str, algorithm: str) -> SigningKey | None:
    return SigningKey.objects.filter(purpose=purpose, algorithm=algorithm, state=State.NEXT).first()


def rotate(active: SigningKey, *, actor: Actor) -> SigningKey:
    """Let the next key sign instead of the active one, which is published until its last token has ended.

    Returns the key that signs now. Raises Conflict when the key is not active any more, or caches may not know the
    next one yet; KeysNotDecryptable when that does not open.
    """
    _ensure_next_key(active.purpose, active.algorithm)
    promoted = _promote_next_key(active, actor)
    _ensure_next_key(active.purpose, active.algorithm)
    return promoted


@transaction.atomic
def _promote_next_key(active: SigningKey, actor: Actor) -> SigningKey:
    signing_keys.lock_keys()
    active.refresh_from_db()
    following = next_key(active.purpose, active.algorithm)
    if active.state != State.ACTIVE or following is None:
        raise Conflict("This key no longer signs. Open the active one.")
    if ready_at(following) > timezone.now():
        raise Conflict(
            f"The next key was published a short while ago, and caches may not know it yet. "
            f"Rotate after {date_time(ready_at(following))}. If this key is compromised, revoke it: that takes "
            f"effect immediately."
        )
    active.state, active.retired_at = State.RETIRED, timezone.now()
    active.serve_until = signing_keys.publish_until(active.longest_lifetime)
    active.encrypted_private_key = b""
    active.save()
    promoted = _activate(following)
    audit.record(
        AuthorityEvent.KEY_ROTATED,
        actor=actor,
        target=promoted,
        detail={
            "purpose": active.purpose,
            "algorithm": active.algorithm,
            "retired": active.kid,
            "served_until": active.serve_until.isoformat(),
        },
    )
    return promoted


def _activate(key: SigningKey) -> SigningKey:
    signing_keys.decrypt_contents(key)
    key.state, key.activated_at = State.ACTIVE, timezone.now()
    key.save()
    return key


def revoke(key: SigningKey, *, actor: Actor) -> None:
    """Revoke the key for good: it is published no more, and no token that it signed is accepted here.

    If it was active, the next one signs from the same moment. Raises Conflict when it was revoked before.
    """
    _revoke(key, actor)
    _ensure_next_key(key.purpose, key.algorithm)


@transaction.atomic
def _revoke(key: SigningKey, actor: Actor) -> None:
    signing_keys.lock_keys()
    key.refresh_from_db()
    former = key.state
    if former == State.REVOKED:
        raise Conflict("This key has already been revoked.")
    key.state, key.revoked_at, key.serve_until, key.encrypted_private_key = State.REVOKED, timezone.now(), None, b""
    key.save()
    successor = None
    if former == State.ACTIVE:
        following = next_key(key.purpose, key.algorithm)
        successor = (
            _activate(following) if following else signing_keys.create_key(key.purpose, key.algorithm, State.ACTIVE)
        )
    detail = {"purpose": key.purpose, "algorithm": key.algorithm, "state": former}
    if successor is not None:
        detail["successor"] = successor.kid
    audit.record(AuthorityEvent.KEY_REVOKED, actor=actor, target=key, detail=detail)
