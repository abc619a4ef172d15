"""The audit record: who did what, when, from where and to which target, in the transaction of the change."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from allauth.core.exceptions import ReauthenticationRequired
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest

from consumers import sensitive_operations
from consumers.activity.vocabulary import sensitive_operation
from consumers.models import Consumer, Event, EventName, User
from core.client_ip import caller_ip
from core.limits import longest


@dataclass(frozen=True)
class Actor:
    """Who made a change, and where the request came from.

    `kind` is person, operator, client or system. Whoever acts by a token may do no more than its scopes say. The label
    is cut to what is kept of it, here and beside what is made.
    """

    kind: str
    id: str
    label: str
    ip: str | None = None
    user_agent: str = ""
    request_id: str = ""
    user: User | None = None
    scopes: frozenset[str] | None = None  # of the management API, where it acts by a token
    # Where it acts in a browser's session: says whether it authenticated there lately.
    is_recent: Callable[[], bool] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", self.label[: longest(Event, "actor_label")])

    @classmethod
    def of(cls, request: HttpRequest) -> "Actor":
        """Return the signed-in person behind a request."""
        user = request.user
        assert isinstance(user, User)
        return cls(
            kind="operator" if user.is_staff else "person",
            id=str(user.pk),
            label=str(user),
            user=user,
            is_recent=lambda: sensitive_operations.is_recent(request, user),
            **request_origin(request),
        )


def request_origin(request: HttpRequest) -> dict[str, Any]:
    """Return where a request came from, for an actor who is nobody yet."""
    return {
        "ip": caller_ip(request),
        "user_agent": request.headers.get("User-Agent", ""),
        "request_id": getattr(request, "id", ""),
    }


SYSTEM = Actor(kind="system", id="", label="Clientdesk")


def record(
    name: EventName,
    *,
    actor: Actor,
    consumer: Consumer | None = None,
    target: Model | None = None,
    detail: dict[str, Any] | None = None,
) -> Event:
    """Record a change, of texts that are too long their beginning: no change may fail because it is recorded.

    A sensitive operation is mailed too, and takes a recent authentication. Where it is not recent, raises
    ReauthenticationRequired, which undoes the change: allauth's middleware asks the person, and then carries out the
    request. Raises TransactionManagementError outside the transaction of the change.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(f"{name} must be recorded in the transaction of its change")
    detail = detail or {}
    operation = sensitive_operation(name, detail)
    if operation is not None and actor.is_recent is not None and not actor.is_recent():
        raise ReauthenticationRequired
    texts = {
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "actor_label": actor.label,
        "user_agent": actor.user_agent,
        "request_id": actor.request_id,
    }
    if target is not None:
        texts |= {
            "target_kind": target._meta.model_name or "",
            "target_id": str(target.pk),
            "target_label": str(target),
        }
    kept = {column: text[: longest(Event, column)] for column, text in texts.items()}
    event = Event.objects.create(name=name, consumer=consumer, detail=detail, ip=actor.ip, **kept)
    if operation is not None and not operation.has_own_mail and (actor.user or actor.scopes is not None):
        sensitive_operations.notify(event, actor.user, by_token=actor.scopes is not None)
    return event
