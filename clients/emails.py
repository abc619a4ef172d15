"""Mails about clients, to every manager of the consumer."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from clients.models import Access, Client, ClientSecret, PermissionRequest, RequestState, WorkspaceRequest
from clients.models.requests import Request
from consumers.audit import Actor
from consumers.emails import compose
from consumers.models import Consumer, Membership, Role, User
from core.timefmt import weekday_date_time


def _managers_of(consumer: Consumer) -> QuerySet[Membership]:
    return consumer.memberships.select_related("user").filter(role=Role.MANAGER, user__is_active=True)


def _to_managers(template: str, client: Client, *, page: str = "clients:secrets", **context: Any) -> None:
    url = settings.PUBLIC_URL + reverse(page, args=[client.consumer.slug, client.client_id])
    for membership in _managers_of(client.consumer):
        compose(
            template,
            membership.user.email,
            client=client.client_name,
            consumer=client.consumer.name,
            action_url=url,
            action_label="Open the client",
            **context,
        ).send()


def secret_rotated(client: Client, old: ClientSecret, new: ClientSecret, actor: Actor) -> None:
    """Tell which secret was rotated, and when the old one ends."""
    expires = weekday_date_time(old.expires_at) if old.expires_at else ""
    if old.revoked_at:
        ends, in_words = "at_once", "Immediately"
    elif old.expires_after_use_of_id:
        ends, in_words = "after_first_use", "A day after the new one is first used"
    elif expires:
        ends, in_words = "expires", expires
    else:
        ends, in_words = "never", "Never"
    _to_managers(
        "secret_rotated",
        client,
        actor=actor.label,
        old_ends=ends,
        old_expires=expires,
        facts=[
            ("Client ID", client.client_id),
            ("New secret", str(new)),
            ("Old secret", str(old)),
            ("Old secret expires", in_words),
            ("When", weekday_date_time(timezone.now())),
        ],
    )


def secrets_expiring(client: Client, expiring: list[ClientSecret]) -> None:
    """Warn that these secrets expire; they are ordered by expiry."""
    first = expiring[0]
    assert first.expires_at is not None
    _to_managers(
        "secrets_expiring",
        client,
        ends=weekday_date_time(first.expires_at),
        several=len(expiring) > 1,
        facts=[
            ("Client ID", client.client_id),
            *(
                (
                    f"{secret}{f' ({secret.name})' if secret.name else ''}",
                    f"Expires {weekday_date_time(secret.expires_at)}",
                )
                for secret in expiring
                if secret.expires_at
            ),
        ],
    )


def secret_policy_changed(consumer: Consumer, shortened: list[ClientSecret]) -> None:
    """Tell which secrets got an expiry by an operator's new policy."""
    listed = [
        (secret.client.client_name, f"{secret} expires {weekday_date_time(secret.expires_at)}")
        for secret in shortened[:20]
        if secret.expires_at
    ]
    for membership in _managers_of(consumer):
        compose(
            "secret_policy_changed",
            membership.user.email,
            consumer=consumer.name,
            allowed=consumer.secrets_allowed,
            days=consumer.secret_days,
            count=len(shortened),
            facts=listed + ([("And", f"{len(shortened) - 20} more")] if len(shortened) > 20 else []),
            action_url=settings.PUBLIC_URL + reverse("clients:secret-review", args=[consumer.slug]),
            action_label="Review your secrets",
        ).send()


def client_disabled(client: Client, actor: Actor) -> None:
    """Tell that the client was disabled, and how long its tokens stay valid."""
    lifetimes = [scope.api.access_token_lifetime for scope in client.granted_scopes()]
    _to_managers(
        "client_disabled",
        client,
        page="clients:detail",
        actor=actor.label,
        by_operator=actor.kind == "operator",
        token_minutes=-(-max(lifetimes, default=3600) // 60),
        facts=[("Client ID", client.client_id), ("When", weekday_date_time(timezone.now()))],
    )


# -- Requests ---------------------------------------------------------------------------------------------------------

OPERATORS_PAGE = "operators/requests/"  # below PUBLIC_URL; the room above serves it


def _to_operators(permission: str, **context: Any) -> None:
    """Mail whoever may decide."""
    app, _, codename = permission.partition(".")
    right = Permission.objects.filter(content_type__app_label=app, codename=codename)
    may = Q(is_superuser=True) | Q(user_permissions__in=right) | Q(groups__permissions__in=right)
    people = User.objects.filter(may, is_staff=True, is_active=True).order_by("pk")
    for email in people.values_list("email", flat=True).distinct():
        compose(
            "request",
            email,
            why=f"You received this because you decide about requests on {settings.PORTAL_NAME}.",
            action_url=f"{settings.PUBLIC_URL}/{OPERATORS_PAGE}",
            action_label="Open the requests",
            **context,
        ).send()


def _facts(request: Request, *more: tuple[str, str]) -> list[tuple[str, str]]:
    said = [("Reason", request.reason), ("Asked back", request.question), ("Answer", request.answer)]
    said += [("From the operator", request.decision)]
    if request.state == RequestState.APPROVED and request.expires_at is not None:
        said.append(("Until", weekday_date_time(request.expires_at)))
    return [*more, *((label, text) for label, text in said if text)]


def _to_applicant(request: WorkspaceRequest, title: str, text: str, token: str = "", label: str = "") -> None:
    link = settings.PUBLIC_URL + reverse("requests:status", args=[token]) if token else ""
    compose(
        "request",
        request.email,
        title=title,
        text=text,
        facts=_facts(request, ("Organisation", request.organisation)),
        action_url=link,
        action_label=label,
        why=f"You received this because somebody asked {settings.PORTAL_NAME} for a workspace with your address.",
    ).send()


def workspace_request_to_confirm(request: WorkspaceRequest, token: str) -> None:
    _to_applicant(
        request,
        "Confirm your address",
        "Confirm within a day that this address is yours, and your request is sent. If you asked for nothing, ignore "
        "this message: nothing happens.",
        token,
        "Confirm and send the request",
    )


def workspace_request_asked(request: WorkspaceRequest, token: str) -> None:
    text = "Answer it, and your request goes on. The link of the mail before works no more."
    _to_applicant(request, "A question about your request", text, token, "Answer")


def workspace_request_decided(request: WorkspaceRequest) -> None:
    if request.state == RequestState.WITHDRAWN:
        _to_applicant(request, "Your request was withdrawn", "You have withdrawn it, so nobody decides about it.")
    else:
        _to_applicant(request, "Your request was declined", "No workspace was opened for it.")


def workspace_request_to_decide(request: WorkspaceRequest) -> None:
    _to_operators(
        "clients.change_workspacerequest",
        title=f"{request.organisation} asks for a workspace",
        text="The address is confirmed. Approve it, decline it or ask back.",
        facts=_facts(
            request, ("Who", f"{request.name}, {request.email}"), ("Scopes", ", ".join(request.scopes) or "None")
        ),
    )


def permission_request_to_decide(request: PermissionRequest) -> None:
    _to_operators(
        "clients.change_permissionrequest",
        title=f"{request.consumer} asks for {request.scope.value}",
        text="Approve it for good or until a date, decline it or ask back.",
        facts=_facts(request, ("Who", request.created_by_label)),
    )


def _about_permission(request: PermissionRequest, title: str, text: str) -> None:
    for membership in _managers_of(request.consumer):
        compose(
            "request",
            membership.user.email,
            title=title,
            text=text,
            facts=_facts(request, ("Workspace", request.consumer.name), ("Permission", request.scope.value)),
            why=f"You received this because you manage API clients on {settings.PORTAL_NAME}.",
            action_url=settings.PUBLIC_URL + reverse("clients:permissions", args=[request.consumer.slug]),
            action_label="Open the permissions",
        ).send()


def permission_request_asked(request: PermissionRequest) -> None:
    _about_permission(request, "A question about your request", "Answer it, and your request goes on.")


def permission_request_decided(request: PermissionRequest) -> None:
    texts = {
        RequestState.APPROVED: "Your clients may use it as soon as they register it.",
        RequestState.DECLINED: "Your clients may not use it.",
        RequestState.WITHDRAWN: "Somebody of your workspace has withdrawn the request.",
    }
    state = RequestState(request.state)
    _about_permission(request, f"{request.scope.value} is {state.label.lower()}", texts[state])


def permission_ended(access: Access) -> None:
    """Tell the managers that a permission has reached its end."""
    for membership in _managers_of(access.consumer):
        compose(
            "request",
            membership.user.email,
            title=f"{access.scope.value} has expired",
            text="It was granted until now, so your clients get no more tokens with it. You can ask for it again.",
            facts=[("Workspace", access.consumer.name), ("Permission", access.scope.value)],
            why=f"You received this because you manage API clients on {settings.PORTAL_NAME}.",
            action_url=settings.PUBLIC_URL + reverse("clients:permissions", args=[access.consumer.slug]),
            action_label="Open the permissions",
        ).send()
