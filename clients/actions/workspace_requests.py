"""Ask for a workspace, as a stranger; approve, decline or ask back, as an operator or by a rule.

docs/decisions/0037-requests.md says who may do what, and what bounds strangers.
"""

import hmac
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from clients import emails
from clients.actions.apis import check_end, set_access
from clients.events import ClientEvent
from clients.models import UNDECIDED, RequestState, Scope, WorkspaceRequest
from consumers import audit, policy
from consumers.actions.consumers import create_consumer
from consumers.actions.invitations import invite_manager
from consumers.audit import SYSTEM, Actor
from consumers.models import Consumer, Role, normal_email
from core import credentials
from core.errors import Conflict, Refusal
from core.limits import longest
from core.sweeps import delete_in_batches
from core.timefmt import rfc3339

PREFIX = "cdwr_"
UNVERIFIED_KEPT = timedelta(days=1)
DECIDED_KEPT = timedelta(days=90)
TRIES = 20  # of short names
UNKNOWN = "Somebody"


class RequestClosed(Conflict):
    """The link opens no request, or not for this. It may be in a stranger's hands, so it gives no reason."""

    def __init__(self) -> None:
        super().__init__("This cannot be done any more: the request was decided, withdrawn or never confirmed.")


def offered_scopes() -> list[Scope]:
    """Return the scopes that a stranger may ask for: those that the settings name, and that exist."""
    found = Scope.objects.select_related("api").filter(value__in=settings.WORKSPACE_REQUEST_SCOPES)
    return list(found.order_by("api__name", "id"))


@transaction.atomic
def request_workspace(
    *, email: str, name: str, organisation: str, reason: str, scopes: Iterable[str] = (), code: str = "", actor: Actor
) -> tuple[WorkspaceRequest, str]:
    """Keep a request, and mail the link that confirms the address; nobody sees it before. Raises Refusal.

    Says and does the same whether or not the address has an account.
    """
    email = normal_email(email)
    policy.email_address(email)
    policy.person_name(name)
    policy.plain_name(organisation, "organisation")
    if code and not _is_known(code):
        raise Refusal("This code is not known. Leave it out, and an operator looks at your request.", field="code")
    offered = [scope.value for scope in offered_scopes()]
    token = credentials.generate(PREFIX)
    request = WorkspaceRequest.objects.create(
        email=email,
        name=name,
        organisation=organisation,
        reason=reason,
        scopes=[value for value in offered if value in set(scopes)],
        terms=settings.WORKSPACE_REQUEST_TERMS,
        has_code=bool(code),
        state=RequestState.UNVERIFIED,
        token_digest=credentials.token_digest(token),
    )
    # Without the address: it may be a stranger's to both of us.
    audit.record(ClientEvent.WORKSPACE_REQUEST_SENT, actor=replace(actor, label=UNKNOWN), target=request)
    emails.workspace_request_to_confirm(request, token)
    return request, token


def _is_known(code: str) -> bool:
    codes = settings.WORKSPACE_REQUEST_CODES
    return sum(hmac.compare_digest(code.encode(), known.encode()) for known in codes) > 0  # each is compared


def find_workspace_request(token: str) -> WorkspaceRequest | None:
    """Return the request that the link is about, or None. Changes nothing."""
    found = WorkspaceRequest.objects.filter(token_digest=credentials.token_digest(token)).first()
    if found is not None and found.state == RequestState.UNVERIFIED and _is_stale(found):
        return None
    return found


def _is_stale(request: WorkspaceRequest) -> bool:
    return request.created_at < timezone.now() - UNVERIFIED_KEPT


@transaction.atomic
def confirm_workspace_request(*, token: str, actor: Actor) -> WorkspaceRequest:
    """Confirm the address, as who got the mail; operators see the request, or a rule approves it at once."""
    request = _lock_by_token(token, RequestState.UNVERIFIED)
    if _is_stale(request):
        raise RequestClosed
    request.state, request.verified_at = RequestState.OPEN, timezone.now()
    request.save(update_fields=["state", "verified_at"])
    _record(ClientEvent.WORKSPACE_REQUESTED, request, _applicant(request, actor), reason=request.reason)
    if rule := _rule_for(request):
        return approve_workspace_request(request=request, actor=replace(SYSTEM, label=f"{SYSTEM.label} ({rule})"))
    emails.workspace_request_to_decide(request)
    return request


def _rule_for(request: WorkspaceRequest) -> str:
    """Return the rule that approves the request, in words, or ""."""
    if request.has_code:
        return "rule: code"
    return f"rule: {request.domain}" if request.domain in settings.WORKSPACE_REQUEST_DOMAINS else ""


@transaction.atomic
def answer_workspace_request(*, token: str, answer: str, actor: Actor) -> WorkspaceRequest:
    """Answer what an operator asked back, as who holds the link."""
    request = _lock_by_token(token, RequestState.ASKED)
    request.state, request.answer = RequestState.OPEN, answer
    request.save(update_fields=["state", "answer"])
    _record(ClientEvent.WORKSPACE_REQUEST_ANSWERED, request, _applicant(request, actor), answer=answer)
    emails.workspace_request_to_decide(request)
    return request


@transaction.atomic
def withdraw_workspace_request(*, token: str, actor: Actor) -> WorkspaceRequest:
    """End the request, as who holds the link. One that nobody had confirmed leaves nothing behind."""
    request = _lock_by_token(token, RequestState.UNVERIFIED, *UNDECIDED)
    if request.state == RequestState.UNVERIFIED:
        audit.record(ClientEvent.WORKSPACE_REQUEST_WITHDRAWN, actor=replace(actor, label=UNKNOWN), target=request)
        request.delete()
        request.state = RequestState.WITHDRAWN
        return request
    _decide(request, RequestState.WITHDRAWN, _applicant(request, actor))
    _record(ClientEvent.WORKSPACE_REQUEST_WITHDRAWN, request, _applicant(request, actor))
    emails.workspace_request_decided(request)
    return request


@transaction.atomic
def ask_back_workspace(*, request: WorkspaceRequest, question: str, actor: Actor) -> WorkspaceRequest:
    """Mail the stranger a question. The link that they have cannot be read again, so they get a new one."""
    request = _lock(request)
    token = credentials.generate(PREFIX)
    request.state, request.question, request.answer = RequestState.ASKED, question, ""
    request.token_digest = credentials.token_digest(token)
    request.save(update_fields=["state", "question", "answer", "token_digest"])
    _record(ClientEvent.WORKSPACE_REQUEST_ASKED, request, actor, question=question)
    emails.workspace_request_asked(request, token)
    return request


@transaction.atomic
def decline_workspace(*, request: WorkspaceRequest, decision: str = "", actor: Actor) -> WorkspaceRequest:
    """Decline, with a sentence for the stranger or without."""
    request = _lock(request)
    _decide(request, RequestState.DECLINED, actor, decision=decision)
    _record(ClientEvent.WORKSPACE_REQUEST_DECLINED, request, actor, decision=decision)
    emails.workspace_request_decided(request)
    return request


@transaction.atomic
def approve_workspace_request(
    *,
    request: WorkspaceRequest,
    slug: str = "",
    scopes: Iterable[str] | None = None,
    expires_at: datetime | None = None,
    actor: Actor,
) -> WorkspaceRequest:
    """Open the workspace with the scopes, those that were asked for by default, and invite who asked as its manager.

    With an end the scopes end then. Raises Refusal, and Conflict for a short name that is taken.
    """
    request = _lock(request)
    check_end(expires_at)
    values = request.scopes if scopes is None else list(scopes)
    # The right to decide is not the right to give any scope.
    if beyond := sorted(set(values) - set(request.scopes)):
        raise Refusal(f"{beyond[0][:100]!a} was not asked for. Give it on the consumer's page.", field="scopes")
    granted = list(Scope.objects.filter(value__in=values))  # some may have been deleted since
    consumer = create_consumer(name=request.organisation, slug=slug or _free_slug(request.organisation), actor=actor)
    ends = dict.fromkeys((scope.value for scope in granted), expires_at)
    set_access(consumer=consumer, scopes=granted, ends=ends, actor=actor)
    request.consumer, request.expires_at = consumer, expires_at
    _decide(request, RequestState.APPROVED, actor)
    _record(ClientEvent.WORKSPACE_REQUEST_APPROVED, request, actor, consumer=consumer.slug)
    invite_manager(consumer=consumer, email=request.email, role=Role.MANAGER, actor=actor)
    return request


def _free_slug(organisation: str) -> str:
    base = slugify(organisation)[: longest(Consumer, "slug") - 4].strip("-_") or "workspace"
    taken = set(Consumer.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    free = (slug for slug in (base, *(f"{base}-{n}" for n in range(2, TRIES))) if slug not in taken)
    found = next(free, None)
    if found is None:
        raise Conflict("Choose a short name: those that follow from the organisation's are taken.", field="slug")
    return found


def delete_old_workspace_requests() -> None:
    """Delete what nobody confirmed within a day, and what was decided more than 90 days ago."""
    now = timezone.now()
    requests = WorkspaceRequest.objects.all()
    stale = requests.filter(state=RequestState.UNVERIFIED, created_at__lt=now - UNVERIFIED_KEPT)
    delete_in_batches(stale, "created_at")
    delete_in_batches(requests.filter(decided_at__lt=now - DECIDED_KEPT), "decided_at")


def _decide(request: WorkspaceRequest, state: RequestState, actor: Actor, decision: str = "") -> None:
    request.state, request.decision = state, decision
    request.decided_at, request.decided_by, request.decided_by_label = timezone.now(), actor.user, actor.label
    request.save(
        update_fields=["state", "decision", "decided_at", "decided_by", "decided_by_label", "consumer", "expires_at"]
    )


def _applicant(request: WorkspaceRequest, actor: Actor) -> Actor:
    return replace(actor, kind="person", label=request.email)


def _record(name: ClientEvent, request: WorkspaceRequest, actor: Actor, **detail: str) -> None:
    said = {"email": request.email, "organisation": request.organisation}
    said |= {key: value for key, value in detail.items() if value}
    if request.expires_at is not None:
        said["until"] = rfc3339(request.expires_at)
    audit.record(name, actor=actor, consumer=request.consumer, target=request, detail=said)


def _lock(request: WorkspaceRequest) -> WorkspaceRequest:
    """Lock a request that waits for a decision. Raises Conflict."""
    found = WorkspaceRequest.objects.undecided().select_for_update(of=("self",)).filter(pk=request.pk).first()
    if found is None:
        raise Conflict("This request has been decided or withdrawn already.")
    return found


def _lock_by_token(token: str, *states: str) -> WorkspaceRequest:
    digest = credentials.token_digest(token)
    locked = WorkspaceRequest.objects.select_for_update(of=("self",))
    found = locked.filter(token_digest=digest, state__in=states).first()
    if found is None:
        raise RequestClosed
    return found
