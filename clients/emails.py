"""The mails about clients: to every manager of the consumer, so that none is surprised."""

from typing import Any

from django.conf import settings
from django.urls import reverse

from clients.models import Client, ClientSecret
from consumers.audit import Actor
from consumers.emails import compose, moment
from consumers.models import Role


def to_managers(template: str, client: Client, **context: Any) -> None:
    url = settings.PUBLIC_URL + reverse("clients:secrets", args=[client.consumer.slug, client.client_id])
    for membership in client.consumer.memberships.select_related("user").filter(role=Role.MANAGER):
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
    if old.ends_after_use_of_id:
        ends = "a day after the new one is first used"
    elif old.revoked_at:
        ends = "at once"
    else:
        ends = moment(old.expires_at) if old.expires_at else "never"
    to_managers(
        "secret_rotated",
        client,
        actor=actor.label,
        facts=[("New secret", str(made)), ("Old secret", str(old)), ("Old secret ends", ends)],
    )


def client_disabled(client: Client, actor: Actor) -> None:
    to_managers("client_disabled", client, actor=actor.label, facts=[("Client ID", client.client_id)])
