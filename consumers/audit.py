"""The audit record: who did what, when, from where and to which target, in the transaction of the change."""

from dataclasses import dataclass
from typing import Any

from allauth.account.authentication import get_authentication_records
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest

from consumers import sensitive_operations
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
    authenticated_at: float | None = None  # seconds since 1970, where it acts in a browser's session

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
            authenticated_at=authenticated_at(request),
            **request_origin(request),
        )


def authenticated_at(request: HttpRequest) -> float:
    """Return when the signed-in person last proved in this browser who they are, in seconds since 1970."""
    records = get_authentication_records(request, request.user)
    if records:
        return max(float(record["at"]) for record in records)
    # Not a session of allauth's: the account's last sign-in was this one, or a later one.
    last_login = getattr(request.user, "last_login", None)
    return last_login.timestamp() if last_login else 0


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

    A sensitive operation is mailed too, and takes a recent authentication. Raises ReauthenticationRequired where it is
    not recent, which undoes the change, and TransactionManagementError outside the transaction of the change.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(f"{name} must be recorded in the transaction of its change")
    detail = detail or {}
    operation = sensitive_operations.find(name, detail)
    if operation is not None:
        sensitive_operations.require_recent_authentication(actor.authenticated_at)
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
