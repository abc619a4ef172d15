"""The roles of a member in the APIs that the workspace may use."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from clients.actions import roles as role_actions
from clients.forms.roles import MemberRolesForm
from clients.vocabulary import RoleSource
from consumers.access import workspace
from consumers.audit import Actor
from consumers.forms import add_refusal
from consumers.models import Membership, Role
from core.errors import Refusal


@workspace(Role.VIEWER)
@require_http_methods(["GET", "HEAD", "POST"])
def member_roles(request: HttpRequest, membership: Membership, member_id: int) -> HttpResponse:
    """Show the roles of a member; managers give those that the operator lets them give. Viewers see their own."""
    members = membership.consumer.memberships.select_related("user", "consumer")
    subject = get_object_or_404(members, pk=member_id)
    if not membership.is_manager and (request.method == "POST" or subject.pk != membership.pk):
        raise PermissionDenied("Only managers may give roles. Ask a manager of this workspace.")
    form = MemberRolesForm(request.POST if request.method == "POST" else None, membership=subject)
    if request.method == "POST" and form.is_valid():
        try:
            _give(form, subject, Actor.of(request))
        except Refusal as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, f"The roles of {subject.user} are saved. Their next token has them.")
            return redirect("consumers:member", membership.consumer.slug, subject.pk)
    context = {"here": "people", "subject": subject, "form": form, "is_self": subject.pk == membership.pk}
    return render(request, "clients/member_roles.html", context, status=422 if form.errors else 200)


@transaction.atomic
def _give(form: MemberRolesForm, subject: Membership, actor: Actor) -> None:
    for api, roles in form.chosen:
        role_actions.set_roles(
            api=api,
            user=subject.user,
            roles=roles,
            source=RoleSource.MANAGER,
            consumer=subject.consumer,
            actor=actor,
        )
