"""Pages for strangers who ask for a workspace. Each answers alike whether or not an address has an account."""

from math import ceil

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from clients.actions import workspace_requests as request_actions
from clients.forms.requests import AnswerForm, WorkspaceRequestForm
from clients.models import RequestState, WorkspaceRequest
from consumers.audit import Actor, request_origin
from consumers.forms import add_refusal
from consumers.models import normal_email
from core.client_ip import caller_ip
from core.errors import Refusal
from core.rate_limits import Budget, rate_limited
from core.throttling import network_of

HOUR, DAY = 3600, 24 * 3600
_of_everybody = Budget("workspace-requests", (100, HOUR), (500, DAY))
_of_network = Budget("workspace-requests-ip", (10, HOUR), (20, DAY))
_of_address = Budget("workspace-requests-address", (3, HOUR), (5, DAY))


@require_http_methods(["GET", "HEAD", "POST"])
@rate_limited("20/m/ip")
def ask(request: HttpRequest) -> HttpResponse:
    """Take a request, and mail the link that confirms the address."""
    _require_open()
    form = WorkspaceRequestForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        if wait := _spend(request):
            form.add_error(
                None, f"There are many requests just now. Wait {ceil(wait / 60)} minutes, and send it again."
            )
            response = render(request, "clients/request_access.html", _context(form), status=429)
            response.headers["Retry-After"] = str(ceil(wait))
            return response
        try:
            # Of an address with too many requests nobody learns: the page is the same, and no mail is sent.
            if not _of_address.spend(_mailbox(typed["email"])):
                request_actions.request_workspace(
                    email=typed["email"],
                    name=typed["name"],
                    organisation=typed["organisation"],
                    reason=typed["reason"],
                    scopes=typed["scopes"],
                    code=typed.get("code", ""),
                    actor=_stranger(request),
                )
        except Refusal as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("requests:sent")
    return render(request, "clients/request_access.html", _context(form), status=422 if form.errors else 200)


@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    """Say what happens next."""
    _require_open()
    return render(request, "clients/request_sent.html")


@require_http_methods(["GET", "HEAD", "POST"])
@rate_limited("20/m/ip")
def status(request: HttpRequest, token: str) -> HttpResponse:
    """Show what became of a request, to who holds its link; POST confirms, answers or withdraws it."""
    found = request_actions.find_workspace_request(token)
    if found is None:
        return render(request, "clients/request_closed.html", status=404)
    form = AnswerForm(request.POST if "answer" in request.POST else None)
    if request.method != "POST":
        return _show(request, found, form)
    try:
        return _act(request, token, found, form)
    except Refusal as refusal:  # somebody was faster
        now = request_actions.find_workspace_request(token) or found
        return _show(request, now, form, refusal=refusal, status=refusal.status)


def _act(request: HttpRequest, token: str, found: WorkspaceRequest, form: AnswerForm) -> HttpResponse:
    actor = _stranger(request)
    if "withdraw" in request.POST:
        withdrawn = request_actions.withdraw_workspace_request(token=token, actor=actor)
        return _show(request, withdrawn, form)
    if "answer" in request.POST:
        if not form.is_valid():
            return _show(request, found, form, status=422)
        request_actions.answer_workspace_request(token=token, answer=form.cleaned_data["answer"], actor=actor)
    else:
        request_actions.confirm_workspace_request(token=token, actor=actor)
    return redirect("requests:status", token)


def _show(
    request: HttpRequest,
    found: WorkspaceRequest,
    form: AnswerForm,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {"asked": found, "form": form, "refusal": refusal, "states": RequestState}
    return render(request, "clients/request_status.html", context, status=status)


def _context(form: WorkspaceRequestForm) -> dict[str, object]:
    return {"form": form, "terms_url": settings.WORKSPACE_REQUEST_TERMS}


def _require_open() -> None:
    if not settings.WORKSPACE_REQUESTS:
        raise Http404


def _spend(request: HttpRequest) -> float:
    """Spend of what everybody and this network have; return the seconds to wait when there is none left."""
    return _of_network.spend(network_of(caller_ip(request))) or _of_everybody.spend("all")


def _mailbox(email: str) -> str:
    """Name the mailbox: a tag (“+x”) leads to the same."""
    local, _, domain = normal_email(email).casefold().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _stranger(request: HttpRequest) -> Actor:
    return Actor(kind="person", id="", label="", **request_origin(request))
