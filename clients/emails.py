"""The mails about clients: to every manager of the consumer, so that none is surprised."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from clients.models import Client, ClientSecret
from consumers.audit import Actor
from consumers.emails import compose, moment
from consumers.models import Role


def to_managers(template: str, client: Client, **context: Any) -> None:
    url = settings.PUBLIC_URL + reverse("clients:secrets", args=[client.consumer.slug, client.client_id])
    for membership in client.consumer.memberships.select_related("user").filter(
        role=Role.MANAGER, user__is_active=True
    ):
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
    to_managers(
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


def client_disabled(client: Client, actor: Actor) -> None:
    lifetimes = [scope.api.access_token_lifetime for scope in client.granted_scopes()]
    to_managers(
        "client_disabled",
        client,
        actor=actor.label,
        by_operator=actor.kind == "operator",
        token_minutes=-(-max(lifetimes, default=3600) // 60),
        facts=[("Client ID", client.client_id), ("When", moment(timezone.now()))],
    )
