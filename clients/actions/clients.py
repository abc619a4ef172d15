"""Every change to clients and their secrets. Each door calls these, with its own policy."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from clients import emails
from clients.actions.locks import lock, require_active
from clients.actions.secrets import make_secret
from clients.metadata import ClientMetadata
from clients.models import Client, Workload, new_client_id
from clients.policy import Policy
from consumers import audit, policy
from consumers.audit import Actor, EventName
from consumers.models import Consumer
from core.errors import Conflict, Refusal

# -- Clients ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def register_client(
    *,
    consumer: Consumer,
    metadata: ClientMetadata,
    policy: Policy,
    actor: Actor,
    secret_name: str = "",
    client_id: str = "",
) -> tuple[Client, str | None]:
    """Register a client; its secret is readable only in this return value (RFC 7591 section 3.2.1).

    The secret is None for a client that holds none. We choose the client ID, but for one that is the address of its
    metadata document. Raises Refusal.
    """
    rules = require_active(consumer)
    policy(metadata)
    client = Client(consumer=consumer, user=actor.user, client_id=client_id or new_client_id())
    metadata.write_to(client)
    client.save()
    give_subject(client)
    audit.record(
        EventName.CLIENT_REGISTERED, actor=actor, consumer=consumer, target=client, detail={"kind": client.kind}
    )
    return client, make_secret(client, rules, actor, secret_name, None)[1] if client.holds_secrets else None


@transaction.atomic
def update_client(
    *, client: Client, metadata: ClientMetadata, policy: Policy, actor: Actor, unchanged_since: datetime | None = None
) -> Client:
    """Replace the client's metadata.

    Raises Refusal, and Conflict when it was deleted meanwhile, or changed after `unchanged_since`.
    """
    client = lock(client)
    if unchanged_since is not None and client.updated != unchanged_since:
        raise Conflict("Somebody else has changed this client meanwhile.")
    if metadata != ClientMetadata.of(client):  # what is, was allowed once, perhaps by other rules
        policy(metadata)
    changed = metadata.write_to(client)
    if changed:
        client.save()
        give_subject(client)
        audit.record(
            EventName.CLIENT_UPDATED,
            actor=actor,
            consumer=client.consumer,
            target=client,
            detail={"fields": sorted(changed)},
        )
    return client


@transaction.atomic
def disable_client(*, client: Client, actor: Actor) -> None:
    """Refuse every request of the client from now on; enabling undoes it."""
    client = lock(client)
    if client.disabled_at is None:
        client.disabled_at = timezone.now()
        client.save(update_fields=["disabled_at", "updated"])
        audit.record(EventName.CLIENT_DISABLED, actor=actor, consumer=client.consumer, target=client)
        emails.client_disabled(client, actor)


@transaction.atomic
def enable_client(*, client: Client, actor: Actor) -> None:
    client = lock(client)
    require_active(client.consumer)
    if client.disabled_at is not None:
        client.disabled_at = None
        client.save(update_fields=["disabled_at", "updated"])
        audit.record(EventName.CLIENT_ENABLED, actor=actor, consumer=client.consumer, target=client)


@transaction.atomic
def revoke_tokens(*, client: Client, actor: Actor) -> None:
    """Revoke every token of the client that was issued until now; its secrets stay, and get it new ones."""
    client = lock(client)
    client.tokens_valid_after = timezone.now()
    client.save(update_fields=["tokens_valid_after", "updated"])
    audit.record(EventName.CLIENT_TOKENS_REVOKED, actor=actor, consumer=client.consumer, target=client)


@transaction.atomic
def set_claims(*, client: Client, claims: dict[str, Any], actor: Actor) -> None:
    """Let the client's next access tokens carry these claims, besides its consumer's. For operators. Raises Refusal."""
    policy.claims(claims)
    client = lock(client)
    if client.claims != claims:
        client.claims = claims
        client.save(update_fields=["claims", "updated"])
        detail = {"names": sorted(claims)}
        audit.record(
            EventName.CLIENT_CLAIMS_CHANGED, actor=actor, consumer=client.consumer, target=client, detail=detail
        )


@transaction.atomic
def delete_client(*, client: Client, actor: Actor) -> None:
    """Delete the client with its secrets, grants and tokens. Its activity stays."""
    client = lock(client)
    audit.record(
        EventName.CLIENT_DELETED,
        actor=actor,
        consumer=client.consumer,
        target=client,
        detail={"client_id": client.client_id},
    )
    client.delete()


# -- Secrets ----------------------------------------------------------------------------------------------------------


# -- Helpers ----------------------------------------------------------------------------------------------------------


def give_subject(client: Client) -> None:
    """Give a workload the subject and account of its identity tokens, once for all. Raises Refusal.

    Backends let in whatever names an account, so nobody gets one that another consumer's workloads had: short names
    are free again once a consumer is renamed or deleted.
    """
    if not client.is_workload or Workload.objects.filter(client=client).exists():
        return
    consumer = client.consumer
    if Workload.objects.filter(account=consumer.slug).exclude(held_by=consumer.pk).exists():
        raise Refusal(
            f"Workloads of another workspace were called {consumer.slug}, and others may still trust that name. "
            "Ask the operator of this portal for another short name of this workspace.",
            field="environment_type",
        )
    Workload.objects.create(client=client, account=consumer.slug, held_by=consumer.pk)
