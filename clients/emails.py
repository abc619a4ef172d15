"""Mails about clients, to every manager of the consumer."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from clients.models import Client, ClientSecret
from consumers.audit import Actor
from consumers.emails import compose
from consumers.models import Consumer, Membership, Role
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
