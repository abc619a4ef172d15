"""The mails about clients: to every manager of the consumer, so that none is surprised."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from clients.models import Client, ClientSecret
from consumers.audit import Actor
from consumers.emails import compose, moment
from consumers.models import Consumer, Membership, Role


def _managers_of(consumer: Consumer) -> QuerySet[Membership]:
    return consumer.memberships.select_related("user").filter(role=Role.MANAGER, user__is_active=True)


def _to_managers(template: str, client: Client, **context: Any) -> None:
    url = settings.PUBLIC_URL + reverse("clients:secrets", args=[client.consumer.slug, client.client_id])
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


def secret_rotated(client: Client, old: ClientSecret, made: ClientSecret, actor: Actor) -> None:
    expires = moment(old.expires_at) if old.expires_at else ""
    if old.revoked_at:
        ends, in_words = "at_once", "At once"
    elif old.ends_after_use_of_id:
        ends, in_words = "after_first_use", "A day after the new one is first used"
    elif expires:
        ends, in_words = "expires", expires
    else:
        ends, in_words = "never", "When somebody revokes it"
    _to_managers(
        "secret_rotated",
        client,
        actor=actor.label,
        old_ends=ends,
        old_expires=expires,
        facts=[
            ("Client ID", client.client_id),
            ("New secret", str(made)),
            ("Old secret", str(old)),
            ("Old secret ends", in_words),
            ("When", moment(timezone.now())),
        ],
    )


def secrets_ending(client: Client, ending: list[ClientSecret]) -> None:
    """Warn that these secrets end, the first of them first."""
    first = ending[0]
    assert first.expires_at is not None
    _to_managers(
        "secrets_ending",
        client,
        ends=moment(first.expires_at),
        several=len(ending) > 1,
        facts=[
            ("Client ID", client.client_id),
            *(
                (f"{secret}{f' ({secret.name})' if secret.name else ''}", f"Ends {moment(secret.expires_at)}")
                for secret in ending
                if secret.expires_at
            ),
        ],
    )


def secrets_ruled(consumer: Consumer, shortened: list[ClientSecret]) -> None:
    """Tell the managers which secrets got an end because of the operator's new rule."""
    listed = [
        (secret.client.client_name, f"{secret} ends {moment(secret.expires_at)}")
        for secret in shortened[:20]
        if secret.expires_at
    ]
    for membership in _managers_of(consumer):
        compose(
            "secrets_ruled",
            membership.user.email,
            consumer=consumer.name,
            allowed=consumer.secrets_allowed,
            days=consumer.secret_days,
            count=len(shortened),
            facts=listed + ([("And", f"{len(shortened) - 20} more")] if len(shortened) > 20 else []),
            action_url=settings.PUBLIC_URL + reverse("clients:hygiene", args=[consumer.slug]),
            action_label="See your secrets",
        ).send()


def client_disabled(client: Client, actor: Actor) -> None:
    lifetimes = [scope.api.access_token_lifetime for scope in client.granted_scopes()]
    _to_managers(
        "client_disabled",
        client,
        actor=actor.label,
        by_operator=actor.kind == "operator",
        token_minutes=-(-max(lifetimes, default=3600) // 60),
        facts=[("Client ID", client.client_id), ("When", moment(timezone.now()))],
    )
