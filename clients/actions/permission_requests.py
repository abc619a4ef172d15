"""Ask for a scope that the consumer may not use, as a manager; approve, decline or ask back, as an operator."""

from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from clients import emails
from clients.actions.apis import set_access
from clients.events import ClientEvent
from clients.models import PermissionRequest, RequestState, Scope
from consumers import audit
from consumers.audit import Actor
from consumers.models import Consumer
from consumers.scopes import AUDIENCE
from core.errors import Conflict, Refusal
from core.timefmt import rfc3339


def requestable_scopes(consumer: Consumer) -> QuerySet[Scope]:
    """Return the scopes that exist and are not the consumer's for good, so that it may ask for longer.

    None where the settings say so, and never those of our own API.
    """
    if not settings.PERMISSION_REQUESTS:
        return Scope.objects.none()
    theirs = consumer.access.filter(expires_at=None).values("scope")
    return Scope.objects.select_related("api").exclude(api__identifier=AUDIENCE).exclude(pk__in=theirs)


@transaction.atomic
def request_permission(*, consumer: Consumer, scope: str, reason: str, actor: Actor) -> PermissionRequest:
    """Ask for a scope. Raises Refusal for one that cannot be asked for, and Conflict where it has been."""
    found = requestable_scopes(consumer).filter(value=scope).first()
    if found is None:
        raise Refusal("Choose a permission that exists and that is not yours for good.", field="scope")
    try:
        with transaction.atomic():
            request = PermissionRequest.objects.create(
                consumer=consumer,
                scope=found,
                reason=reason,
                created_by=actor.user,
                created_by_label=actor.label,
            )
    except IntegrityError:
        raise Conflict(f"{scope} has been asked for already, and is not decided yet.", field="scope") from None
    _record(ClientEvent.PERMISSION_REQUESTED, request, actor, reason=reason)
    emails.permission_request_to_decide(request)
    return request


@transaction.atomic
def answer_permission_request(*, request: PermissionRequest, answer: str, actor: Actor) -> PermissionRequest:
    """Answer what an operator asked back."""
    request = _lock(request)
    if request.state != RequestState.ASKED:
        raise Conflict("Nobody has asked anything back.")
    request.state, request.answer = RequestState.OPEN, answer
    request.save(update_fields=["state", "answer"])
    _record(ClientEvent.PERMISSION_REQUEST_ANSWERED, request, actor, answer=answer)
    emails.permission_request_to_decide(request)
    return request


@transaction.atomic
def withdraw_permission_request(*, request: PermissionRequest, actor: Actor) -> PermissionRequest:
    """End the request before it is decided."""
    request = _lock(request)
    _decide(request, RequestState.WITHDRAWN, actor)
    _record(ClientEvent.PERMISSION_REQUEST_WITHDRAWN, request, actor)
    emails.permission_request_decided(request)
    return request


@transaction.atomic
def ask_back_permission(*, request: PermissionRequest, question: str, actor: Actor) -> PermissionRequest:
    """Ask the managers something before deciding."""
    request = _lock(request)
    request.state, request.question, request.answer = RequestState.ASKED, question, ""
    request.save(update_fields=["state", "question", "answer"])
    _record(ClientEvent.PERMISSION_REQUEST_ASKED, request, actor, question=question)
    emails.permission_request_asked(request)
    return request


@transaction.atomic
def decline_permission(*, request: PermissionRequest, decision: str = "", actor: Actor) -> PermissionRequest:
    """Decline, with a sentence for the managers or without."""
    request = _lock(request)
    _decide(request, RequestState.DECLINED, actor, decision=decision)
    _record(ClientEvent.PERMISSION_REQUEST_DECLINED, request, actor, decision=decision)
    emails.permission_request_decided(request)
    return request


@transaction.atomic
def approve_permission(
    *, request: PermissionRequest, expires_at: datetime | None = None, actor: Actor
) -> PermissionRequest:
    """Let the consumer's clients use the scope, for good or until an end. Raises Refusal for one that has passed."""
    request = _lock(request)
    scope = request.scope
    kept = [*Scope.objects.granted_to(request.consumer), scope]
    set_access(consumer=request.consumer, scopes=kept, ends={scope.value: expires_at}, actor=actor)
    request.expires_at = expires_at
    _decide(request, RequestState.APPROVED, actor)
    _record(ClientEvent.PERMISSION_REQUEST_APPROVED, request, actor)
    emails.permission_request_decided(request)
    return request


def _decide(request: PermissionRequest, state: RequestState, actor: Actor, decision: str = "") -> None:
    request.state, request.decision = state, decision
    request.decided_at, request.decided_by, request.decided_by_label = timezone.now(), actor.user, actor.label
    request.save(update_fields=["state", "decision", "decided_at", "decided_by", "decided_by_label", "expires_at"])


def _record(name: ClientEvent, request: PermissionRequest, actor: Actor, **detail: str) -> None:
    said = {"scope": request.scope.value} | {key: value for key, value in detail.items() if value}
    if request.expires_at is not None:
        said["until"] = rfc3339(request.expires_at)
    audit.record(name, actor=actor, consumer=request.consumer, target=request, detail=said)


def _lock(request: PermissionRequest) -> PermissionRequest:
    """Lock the consumer, whose permissions change, and then a request that waits for a decision. Raises Conflict."""
    Consumer.objects.select_for_update().get(pk=request.consumer_id)
    waiting = PermissionRequest.objects.undecided().select_for_update(of=("self",))
    found = waiting.select_related("consumer", "scope__api").filter(pk=request.pk).first()
    if found is None:
        raise Conflict("This request has been decided or withdrawn already.")
    return found
