"""End what a person holds beside their membership: a room that issues something ends it by a function of its own."""

from collections.abc import Callable

from django.db import transaction

from consumers.actions.personal_tokens import revoke_token
from consumers.audit import Actor
from consumers.models import Consumer, User

# Ends what the person holds at one consumer, or everywhere (None), with its events.
type Revoker = Callable[[User, Consumer | None, Actor], None]

_revokers: list[Revoker] = []


def register_revoker(revoke: Revoker) -> None:
    """Add a function that ends what a person holds; each room adds its own."""
    if revoke not in _revokers:
        _revokers.append(revoke)


@transaction.atomic
def revoke_access(*, person: User, consumer: Consumer | None, actor: Actor) -> None:
    """Revoke every token by which the person's programs, and apps, act for them: at one consumer, or everywhere."""
    tokens = person.personal_tokens.filter(revoked_at=None)
    for token in tokens if consumer is None else tokens.filter(consumer=consumer):
        revoke_token(token=token, actor=actor)
    for revoke in _revokers:
        revoke(person, consumer, actor)
