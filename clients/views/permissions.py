"""A workspace's permissions: those that it has, those that exist besides, and requests for them."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from clients.actions import permission_requests as request_actions
from clients.forms.requests import AnswerForm, PermissionRequestForm
from clients.models import PermissionRequest
from consumers.access import count_mails, require_manager, workspace
from consumers.audit import Actor
from consumers.forms import add_refusal
from consumers.models import Membership, Role
from core.errors import Refusal

SHOWN = 50  # requests that were decided


@workspace(Role.VIEWER)
@require_safe
def permissions(request: HttpRequest, membership: Membership) -> HttpResponse:
    consumer = membership.consumer
    requests = consumer.permission_requests.select_related("scope__api")
    waiting = list(requests.undecided())
    held = consumer.access.live().select_related("scope__api").order_by("scope__api__name", "scope_id")
    asked = {each.scope_id for each in waiting}
    may_ask = request_actions.requestable_scopes(consumer).exclude(pk__in=asked)
    others = may_ask.exclude(pk__in=held.order_by().values("scope"))
    context = {
        "here": "permissions",
        "held": held,
        "longer": set(may_ask.values_list("pk", flat=True)) if any(each.expires_at for each in held) else (),
        "others": others.order_by("api__name", "id"),
        "waiting": waiting,
        "decided": requests.exclude(pk__in=[each.pk for each in waiting]).order_by("-decided_at")[:SHOWN],
    }
    return render(request, "clients/permissions.html", context)


@workspace(Role.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, membership: Membership, scope_id: int) -> HttpResponse:
    """Ask for one scope, with a reason."""
    scope = get_object_or_404(request_actions.requestable_scopes(membership.consumer), pk=scope_id)
    form = PermissionRequestForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        actor = Actor.of(request)
        try:
            count_mails(request, actor.id)
            request_actions.request_permission(
                consumer=membership.consumer, scope=scope.value, reason=form.cleaned_data["reason"], actor=actor
            )
        except Refusal as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(
                request, f"Your request for {scope.value} is on its way. You hear of the decision by email."
            )
            return redirect("clients:permissions", membership.consumer.slug)
    context = {"here": "permissions", "scope": scope, "form": form}
    return render(request, "clients/permission_request.html", context, status=422 if form.errors else 200)


@workspace(Role.VIEWER)
@require_http_methods(["GET", "HEAD", "POST"])
def permission_request(request: HttpRequest, membership: Membership, request_id: UUID) -> HttpResponse:
    """Show a request; managers answer what was asked back, or withdraw it."""
    requests = PermissionRequest.objects.select_related("scope__api").filter(consumer=membership.consumer)
    found = get_object_or_404(requests, pk=request_id)
    form = AnswerForm(request.POST if "answer" in request.POST else None)
    if request.method == "POST":
        require_manager(membership)
        actor = Actor.of(request)
        if "withdraw" in request.POST:
            request_actions.withdraw_permission_request(request=found, actor=actor)
            messages.success(request, f"The request for {found.scope.value} was withdrawn.")
            return redirect("clients:permissions", membership.consumer.slug)
        if form.is_valid():
            count_mails(request, actor.id)
            request_actions.answer_permission_request(request=found, answer=form.cleaned_data["answer"], actor=actor)
            messages.success(request, "Your answer is on its way.")
            return redirect("clients:permissions", membership.consumer.slug)
    context = {"here": "permissions", "asked": found, "form": form}
    return render(request, "clients/permission_asked.html", context, status=422 if form.errors else 200)
