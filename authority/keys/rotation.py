"""How signing keys follow each other: next, active, retired; and revoked, when one must never be trusted again.

Each step is one transaction under one lock, so a worker that dies leaves the step done or not begun; whoever comes
next carries on. A next key is made as soon as there is none, so that the world knows it long before it signs.
"""

from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from authority.keys import signing_keys
from authority.keys.signing_keys import State
from authority.models import SigningKey
from clients.models import Client
from consumers import audit
from consumers.activity.timeline import when
from consumers.audit import Actor, EventName
from core.errors import Conflict
from core.jose.algorithms import SigningAlgorithm

# How long a key is published before it signs: what caches may hold, and time for what keeps keys on top of that.
PUBLISHED_AHEAD = signing_keys.JWKS_MAX_AGE + signing_keys.JWKS_STALE + timedelta(minutes=50)


def maintain() -> None:
    """Make the keys that are missing, and rotate those that have signed long enough. Any number of workers may."""
    wanted = {
        (signing_keys.Purpose.TOKENS.value, algorithm)
        for algorithm in signing_keys.algorithms_in_use() | _asked_by_clients()
    }
    wanted |= set(SigningKey.objects.filter(state=State.ACTIVE).values_list("purpose", "algorithm"))
    for purpose, algorithm in sorted(wanted):
        active = signing_keys.active(purpose, algorithm) or signing_keys.create(algorithm, purpose)
        following = _prepare(purpose, algorithm)
        if _is_due(active) and ready_at(following) <= timezone.now():
            with suppress(Conflict):  # another worker was quicker
                rotate(active, actor=audit.SYSTEM)


def _asked_by_clients() -> set[str]:
    """Return the algorithms that clients want for ID tokens and for what userinfo answers."""
    fields = ("id_token_signed_response_alg", "userinfo_signed_response_alg")
    asked = {value for name in fields for value in Client.objects.values_list(name, flat=True).distinct().order_by()}
    return asked & set(SigningAlgorithm.values)


def _is_due(active: SigningKey) -> bool:
    assert active.activated_at is not None
    return active.activated_at + timedelta(days=settings.SIGNING_KEY_DAYS) <= timezone.now()


def ready_at(following: SigningKey) -> datetime:
    """Return from when every cache knows the key."""
    return following.created_at + PUBLISHED_AHEAD


@transaction.atomic
def _prepare(purpose: str, algorithm: str) -> SigningKey:
    """Return the next key, made now if there is none. Raises KeysSealed."""
    following = next_after(purpose, algorithm)
    if following is None:
        signing_keys.lock()
        following = next_after(purpose, algorithm) or signing_keys.make(purpose, algorithm, State.NEXT)
    return following


def next_after(purpose: str, algorithm: str) -> SigningKey | None:
    return SigningKey.objects.filter(purpose=purpose, algorithm=algorithm, state=State.NEXT).first()


def rotate(active: SigningKey, *, actor: Actor) -> SigningKey:
    """Let the next key sign instead of the active one, which is published until its last token has ended.

    Returns the key that signs now. Raises Conflict when the key is not active any more, or caches may not know the
    next one yet; KeysSealed when that does not open.
    """
    _prepare(active.purpose, active.algorithm)
    promoted = _hand_over(active, actor)
    _prepare(active.purpose, active.algorithm)
    return promoted


@transaction.atomic
def _hand_over(active: SigningKey, actor: Actor) -> SigningKey:
    signing_keys.lock()
    active.refresh_from_db()
    following = next_after(active.purpose, active.algorithm)
    if active.state != State.ACTIVE or following is None:
        raise Conflict("This key does not sign any more. Open the one that does.")
    if ready_at(following) > timezone.now():
        raise Conflict(
            f"The next key was published a short while ago, and caches may not know it yet. "
            f"Rotate after {when(ready_at(following))}. If this key is not safe, revoke it: that works at once."
        )
    active.state, active.retired_at = State.RETIRED, timezone.now()
    active.serve_until = signing_keys.needed_until(active.longest_lifetime)
    active.sealed = b""
    active.save()
    promoted = _activate(following)
    audit.record(
        EventName.KEY_ROTATED,
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
    signing_keys.contents(key)
    key.state, key.activated_at = State.ACTIVE, timezone.now()
    key.save()
    return key


def revoke(key: SigningKey, *, actor: Actor) -> None:
    """Take the key out of use at once and for ever: no list holds it, and no token that it signed is accepted here.

    If it was active, the next one signs from the same moment. Raises Conflict when it was revoked before.
    """
    _withdraw(key, actor)
    _prepare(key.purpose, key.algorithm)


@transaction.atomic
def _withdraw(key: SigningKey, actor: Actor) -> None:
    signing_keys.lock()
    key.refresh_from_db()
    former = key.state
    if former == State.REVOKED:
        raise Conflict("This key was revoked before.")
    key.state, key.revoked_at, key.serve_until, key.sealed = State.REVOKED, timezone.now(), None, b""
    key.save()
    successor = None
    if former == State.ACTIVE:
        following = next_after(key.purpose, key.algorithm)
        successor = _activate(following) if following else signing_keys.make(key.purpose, key.algorithm, State.ACTIVE)
    detail = {"purpose": key.purpose, "algorithm": key.algorithm, "state": former}
    if successor is not None:
        detail["successor"] = successor.kid
    audit.record(EventName.KEY_REVOKED, actor=actor, target=key, detail=detail)
