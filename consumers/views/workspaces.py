"""Pages about people: their name, the choice of a workspace, its members, invitations and activity."""

from collections.abc import Iterable
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from consumers.access import count_mails, workspace
from consumers.actions import invitations as invitation_actions
from consumers.actions import members as member_actions
from consumers.actions import people as people_actions
from consumers.activity import timeline
from consumers.audit import Actor
from consumers.credentials import credentials_of
from consumers.forms import ActivityFilter, InviteForm, NameForm, RoleForm, add_refusal
from consumers.models import Consumer, EventQuerySet, Membership, Role, User
from core import spreadsheets
from core.downloads import file_of, rows_of
from core.errors import Refusal
from core.limits import longest
from core.timefmt import rfc3339

PAGE = 50
WORKSPACES = 20  # on a page
SEARCHED_FROM = 6  # workspaces; fewer are found at a glance
LONGEST_SEARCH = longest(Consumer, "name")


# -- A person's own ---------------------------------------------------------------------------------------------------


@login_required
@require_safe
def choose(request: HttpRequest) -> HttpResponse:
    """List the workspaces that the person may enter, those whose name or short name contains `q`."""
    assert isinstance(request.user, User)
    found = request.user.memberships.filter(consumer__suspended_at=None).select_related("consumer")
    wanted = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    if wanted:
        found = found.filter(Q(consumer__name__icontains=wanted) | Q(consumer__slug__icontains=wanted))
    page = Paginator(found.order_by("consumer__name", "pk"), WORKSPACES).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "wanted": wanted,
        "is_searchable": bool(wanted) or page.paginator.count > SEARCHED_FROM,
    }
    return render(request, "consumers/choose.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def name(request: HttpRequest) -> HttpResponse:
    """Let people say how their colleagues should read their name."""
    assert isinstance(request.user, User)
    form = NameForm(request.POST or None, initial={"name": request.user.name})
    if request.method == "POST" and form.is_valid():
        try:
            people_actions.rename_person(person=request.user, name=form.cleaned_data["name"], actor=Actor.of(request))
        except Refusal as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, "Your name is saved.")
            return redirect("mfa_index")
    return render(request, "consumers/name.html", {"form": form}, status=422 if form.errors else 200)


# -- People of a workspace --------------------------------------------------------------------------------------------


@workspace(Role.VIEWER)
@require_safe
def people(request: HttpRequest, membership: Membership) -> HttpResponse:
    consumer = membership.consumer
    members = consumer.memberships.select_related("user").order_by("user__name", "user__email")
    page = Paginator(members, PAGE).get_page(request.GET.get("page"))
    invitations = consumer.invitations.pending().select_related("invited_by").order_by("-created_at", "-pk")
    methods = _sign_in_methods(page.object_list)
    context = {
        "here": "people",
        "page": page,
        "members": [(member, methods[member.user_id]) for member in page],
        "invitations": Paginator(invitations, PAGE).get_page(request.GET.get("invitations")),
        "form": InviteForm(initial={"role": Role.VIEWER}),
    }
    return render(request, "consumers/people.html", context)


def _sign_in_methods(members: Iterable[Membership]) -> dict[UUID, str]:
    """Return how each member's person can sign in, in words."""
    kinds: dict[UUID, set[str]] = {member.user_id: set() for member in members}
    for user_id, kind in Authenticator.objects.filter(user_id__in=kinds).values_list("user_id", "type"):
        kinds[user_id].add(kind)
    said = {}
    for member in members:
        ways = ["Passkey"] if "webauthn" in kinds[member.user_id] else []
        ways.append("password" if member.user.has_usable_password() else "email code")
        said[member.user_id] = ", ".join(ways).capitalize()
        if "totp" in kinds[member.user_id]:
            said[member.user_id] += " and authenticator app"
    return said


@workspace(Role.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Invite one or several addresses; either all are invited or none."""
    form = InviteForm(request.POST or None, initial={"role": Role.VIEWER})
    if request.method == "POST" and form.is_valid():
        actor = Actor.of(request)
        try:
            emails = invitation_actions.parse_emails(form.cleaned_data["emails"])
            count_mails(request, actor.id, len(emails))
            with transaction.atomic():
                invited = [
                    invitation_actions.invite_manager(
                        consumer=membership.consumer, email=email, role=form.cleaned_data["role"], actor=actor
                    ).email
                    for email in emails
                ]
        except Refusal as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, f"Invitation on its way to {', '.join(invited[:5])}{' …' * (len(invited) > 5)}.")
            return redirect("consumers:people", membership.consumer.slug)
    status = 422 if form.errors else 200
    return render(request, "consumers/invite.html", {"here": "people", "form": form}, status=status)


@workspace(Role.VIEWER)
@require_http_methods(["GET", "HEAD", "POST"])
def member(request: HttpRequest, membership: Membership, member_id: int) -> HttpResponse:
    """Change a member's role or end their membership; everybody may leave."""
    subject = get_object_or_404(membership.consumer.memberships.select_related("user"), pk=member_id)
    is_self = subject.pk == membership.pk
    if not membership.is_manager and not is_self:
        raise PermissionDenied("Only managers may change other people. Ask a manager of this workspace.")
    is_about_role = request.method == "POST" and "remove" not in request.POST
    form = RoleForm(request.POST if is_about_role else None, initial={"role": subject.role})
    if request.method == "POST":
        try:
            if "remove" in request.POST:
                return _end_membership(request, subject, is_self=is_self)
            if not membership.is_manager:
                raise PermissionDenied("Only managers may change roles. Ask a manager of this workspace.")
            if form.is_valid():
                member_actions.change_role(membership=subject, role=form.cleaned_data["role"], actor=Actor.of(request))
                subject.refresh_from_db()
                messages.success(request, f"{subject.user} is a {subject.get_role_display().lower()} now.")
                if not subject.is_manager:
                    _warn_of_outliving(request, subject, _outliving(subject))
                return redirect("consumers:people", membership.consumer.slug)
        except Refusal as refusal:
            messages.error(request, refusal.description)
            return redirect("consumers:member", membership.consumer.slug, subject.pk)
    context = {
        "here": "people",
        "subject": subject,
        "is_self": is_self,
        "form": form,
        "credentials": credentials_of(subject),
    }
    return render(request, "consumers/member.html", context, status=422 if form.errors else 200)


def _end_membership(request: HttpRequest, subject: Membership, *, is_self: bool) -> HttpResponse:
    outliving = _outliving(subject)
    member_actions.remove_member(membership=subject, actor=Actor.of(request))
    if is_self:
        messages.success(request, f"You have left {subject.consumer}.")
        return redirect("consumers:choose")
    messages.success(request, f"{subject.user} no longer has access to {subject.consumer}.")
    _warn_of_outliving(request, subject, outliving)
    return redirect("consumers:people", subject.consumer.slug)


def _outliving(subject: Membership) -> int:
    return sum(not credential.ends for credential in credentials_of(subject))


def _warn_of_outliving(request: HttpRequest, subject: Membership, outliving: int) -> None:
    """Say that credentials which the person created, and may know, outlive their membership or role."""
    if outliving:
        messages.warning(
            request,
            f"Still working, of what {subject.user} created: {outliving}. They may know it, so rotate or revoke it: "
            "each client’s page says who created what.",
        )


@workspace(Role.MANAGER)
@require_POST
def resend_invitation(request: HttpRequest, membership: Membership, invitation_id: int) -> HttpResponse:
    invitation = get_object_or_404(membership.consumer.invitations, pk=invitation_id)
    actor = Actor.of(request)
    try:
        count_mails(request, actor.id)
        invitation_actions.resend_invitation(invitation=invitation, actor=actor)
        messages.success(
            request, f"A new invitation is on its way to {invitation.email}. The old link no longer works."
        )
    except Refusal as refusal:
        messages.error(request, refusal.description)
    return redirect("consumers:people", membership.consumer.slug)


@workspace(Role.MANAGER)
@require_POST
def revoke_invitation(request: HttpRequest, membership: Membership, invitation_id: int) -> HttpResponse:
    invitation = get_object_or_404(membership.consumer.invitations, pk=invitation_id)
    try:
        invitation_actions.revoke_invitation(invitation=invitation, actor=Actor.of(request))
        messages.success(request, f"The invitation of {invitation.email} is revoked. Its link no longer works.")
    except Refusal as refusal:
        messages.error(request, refusal.description)
    return redirect("consumers:people", membership.consumer.slug)


# -- Activity ---------------------------------------------------------------------------------------------------------


@workspace(Role.VIEWER)
@require_safe
def activity(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Show the workspace's events, newest first, a page at a time from where the last one ended."""
    form = ActivityFilter(request.GET)
    events = form.filtered(membership.consumer.events.all())
    if form.before_id:
        events = events.filter(pk__lt=form.before_id)
    found = list(events[: PAGE + 1])
    older = None
    if len(found) > PAGE:
        found = found[:PAGE]
        older = request.GET.copy()
        older["before"] = str(found[-1].pk)
    query = request.GET.copy()
    query.pop("before", None)
    context = {
        "here": "activity",
        "form": form,
        "days": timeline.by_day(timeline.describe_all(found, membership.consumer)),
        "older": older.urlencode() if older else "",
        "query": query.urlencode(),
        "is_filtered": any(query.get(key) for key in ("q", "what", "when")),
        "is_later_page": form.before_id is not None,
        "searched": EventQuerySet.SEARCHED if form.cleaned_data.get("q") else 0,
    }
    return render(request, "consumers/activity.html", context)


@workspace(Role.VIEWER)
@require_safe
def activity_csv(request: HttpRequest, membership: Membership) -> StreamingHttpResponse:
    """Hand out the filtered activity as a table."""
    events = ActivityFilter(request.GET).filtered(membership.consumer.events.all(), all_searched=True)
    described = (timeline.describe(event) for event in rows_of(events, newest_first=True))
    table = (
        (
            rfc3339(entry.event.at, "seconds"),
            entry.event.name,
            entry.event.actor_label,
            entry.sentence,
            entry.detail,
            entry.event.ip,
            entry.event.user_agent,
            entry.event.request_id,
        )
        for entry in described
    )
    header = ("when", "event", "who", "what", "detail", "address", "browser", "request")
    name = f"activity-{membership.consumer.slug}-{timezone.localdate():%Y-%m-%d}.csv"
    return file_of(spreadsheets.csv_lines(header, table), name=name, content_type="text/csv; charset=utf-8")
