"""The operators' page of requests: who asks for a workspace or a permission, and the three answers."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from clients.actions import permission_requests, workspace_requests
from clients.forms.requests import DecisionForm
from clients.models import PermissionRequest, RequestState, WorkspaceRequest
from consumers.audit import Actor
from core.errors import Refusal

PAGE = 20
# Where anybody gets an address, so that it says nothing of an organisation.
FREE_MAIL = frozenset(
    [
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com", "me.com"),
        *("aol.com", "gmx.com", "gmx.de", "gmx.net", "web.de", "proton.me", "protonmail.com", "mail.com", "yandex.com"),
    ]
)
TABS = {
    "open": ("Open", [RequestState.OPEN]),
    "asked": ("Asked back", [RequestState.ASKED]),
    "decided": ("Decided", [RequestState.APPROVED, RequestState.DECLINED, RequestState.WITHDRAWN]),
}
WORKSPACES, PERMISSIONS = "clients.change_workspacerequest", "clients.change_permissionrequest"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def listing(request: HttpRequest, context: dict[str, Any], kind: str = "", request_id: UUID | None = None) -> Any:
    """List what waits, the newest first; a POST to one of them decides it."""
    rights = {right for right in (WORKSPACES, PERMISSIONS) if request.user.has_perm(right)}
    if not rights:
        raise PermissionDenied("Ask an operator with full rights for the right to change requests.")
    if request_id is not None:
        if request.method != "POST":
            return redirect("admin:requests")
        return _decide(request, kind, request_id, rights)
    tab = request.GET.get("state", "open")
    tab = tab if tab in TABS else "open"
    return TemplateResponse(request, "admin/requests.html", context | _context(rights, tab, request.GET.get("page")))


def _context(rights: set[str], tab: str, page: str | None) -> dict[str, Any]:
    workspaces = WorkspaceRequest.objects.shown() if WORKSPACES in rights else WorkspaceRequest.objects.none()
    permissions = PermissionRequest.objects.all() if PERMISSIONS in rights else PermissionRequest.objects.none()
    permissions = permissions.select_related("consumer", "scope__api")
    most = 500  # of each kind: whoever has more decides some first
    found: list[Any] = [
        *workspaces.filter(state__in=TABS[tab][1])[:most],
        *permissions.filter(state__in=TABS[tab][1])[:most],
    ]
    found.sort(key=lambda each: each.since, reverse=True)
    for each in found:
        each.kind = "workspace" if isinstance(each, WorkspaceRequest) else "permission"
    shown = Paginator(found, PAGE).get_page(page)
    for each in shown:
        if each.kind == "permission":
            each.held = list(each.consumer.access.live().values_list("scope__value", flat=True)[:PAGE])
        else:
            same = workspaces.filter(email__iendswith=f"@{each.domain}").exclude(pk=each.pk)
            each.others_of_domain = same.count()
            each.is_free_mail = each.domain in FREE_MAIL
    counts = {
        name: workspaces.filter(state__in=states).count() + permissions.filter(state__in=states).count()
        for name, (_, states) in TABS.items()
        if name != "decided"
    }
    return {
        "title": "Requests",
        "page": shown,
        "tab": tab,
        "tabs": [(name, label, counts.get(name)) for name, (label, _) in TABS.items()],
        "rules": _rules(),
    }


def _rules() -> list[tuple[str, str, str]]:
    """Return what the settings say about requests: each with what it says, and the name of the setting."""
    codes = len(settings.WORKSPACE_REQUEST_CODES)
    return [
        ("Strangers ask for a workspace", _is_on(settings.WORKSPACE_REQUESTS), "WORKSPACE_REQUESTS"),
        ("They accept", settings.WORKSPACE_REQUEST_TERMS or "No terms", "WORKSPACE_REQUEST_TERMS"),
        ("They would get", ", ".join(settings.WORKSPACE_REQUEST_SCOPES) or "Nothing yet", "WORKSPACE_REQUEST_SCOPES"),
        (
            "Approved at once by address",
            ", ".join(sorted(settings.WORKSPACE_REQUEST_DOMAINS)) or "No domain",
            "WORKSPACE_REQUEST_DOMAINS",
        ),
        (
            "Approved at once by code",
            f"{codes} code{'' if codes == 1 else 's'}" if codes else "No code",
            "WORKSPACE_REQUEST_CODES",
        ),
        ("Managers ask for a permission", _is_on(settings.PERMISSION_REQUESTS), "PERMISSION_REQUESTS"),
    ]


def _is_on(setting: bool) -> str:
    return "Yes" if setting else "No"


def _decide(request: HttpRequest, kind: str, request_id: UUID, rights: set[str]) -> HttpResponse:
    asked: Any
    if kind == "workspace" and WORKSPACES in rights:
        asked = WorkspaceRequest.objects.shown().filter(pk=request_id).first()
    elif kind == "permission" and PERMISSIONS in rights:
        asked = PermissionRequest.objects.filter(pk=request_id).first()
    else:
        asked = None
    if asked is None:
        raise Http404
    form = DecisionForm(request.POST, offered=asked.scopes if kind == "workspace" else [])
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, " ".join(map(str, errors)))
        return redirect("admin:requests")
    try:
        messages.success(request, _run(request, kind, asked, form))
    except Refusal as refusal:
        messages.error(request, refusal.description)
    return redirect("admin:requests")


def _run(request: HttpRequest, kind: str, asked: Any, form: DecisionForm) -> str:
    """Carry out what the button says; return what happened."""
    actor, said = Actor.of(request), form.cleaned_data["said"]
    is_workspace = kind == "workspace"
    if "_ask" in request.POST:
        if not said:
            raise Refusal("Write what you want to know, then ask back.")
        if is_workspace:
            workspace_requests.ask_back_workspace(request=asked, question=said, actor=actor)
        else:
            permission_requests.ask_back_permission(request=asked, question=said, actor=actor)
        return "Your question is on its way."
    if "_decline" in request.POST:
        if is_workspace:
            workspace_requests.decline_workspace(request=asked, decision=said, actor=actor)
        else:
            permission_requests.decline_permission(request=asked, decision=said, actor=actor)
        return f"Declined: {asked}."
    if is_workspace:
        workspace_requests.approve_workspace_request(
            request=asked,
            slug=form.cleaned_data["slug"],
            scopes=form.cleaned_data["scopes"],
            expires_at=form.expires_at,
            actor=actor,
        )
        return f"The workspace is open, and an invitation is on its way to {asked.email}."
    permission_requests.approve_permission(request=asked, expires_at=form.expires_at, actor=actor)
    return f"Approved: {asked}."
