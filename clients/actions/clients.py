"""Writes of clients: register, update, disable, revoke, delete. Every caller brings its own policy."""

from collections.abc import Callable, Collection
from typing import Any

from django.db import transaction
from django.utils import timezone

from clients import emails
from clients.actions.locks import lock_active_consumer, lock_client
from clients.actions.secrets import insert_secret, revoke_secrets
from clients.actions.workloads import assign_subject
from clients.events import ClientEvent
from clients.metadata import ClientMetadata
from clients.models import Client, RegistrationAccessToken, new_client_id
from clients.onboarding import keypairs
from clients.onboarding.keypairs import KeyPair
from clients.policy import Policy, actors
from consumers import audit, policy
from consumers.audit import Actor
from consumers.models import Consumer
from core import clock
from core.errors import Conflict, PreconditionFailed


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

    The secret is None for a client that holds none. `client_id` is given where it is the URL of a metadata document,
    and generated otherwise. Raises Refusal.
    """
    locked = lock_active_consumer(consumer)
    policy(metadata, consumer)
    actors.register(actor, consumer, metadata)
    _check_number_of_clients(locked)
    client = _insert(consumer, metadata, client_id or new_client_id(), actor)
    if not client.holds_secrets:
        return client, None
    _, text = insert_secret(client, locked, actor, secret_name, None)
    return client, text


@transaction.atomic
def register_client_with_key(
    *, consumer: Consumer, metadata: ClientMetadata, policy: Policy, actor: Actor
) -> tuple[Client, KeyPair]:
    """Register a client that signs with a key pair generated here; its private key is in this return value alone.

    The policy judges the metadata with an empty key set: a key is generated only for what it accepts. Raises Refusal.
    """
    locked = lock_active_consumer(consumer)
    policy(metadata.replace(jwks={"keys": []}), consumer)
    actors.register(actor, consumer, metadata)
    _check_number_of_clients(locked)
    pair = keypairs.generate()
    return _insert(consumer, metadata.replace(jwks=keypairs.with_key(None, pair)), new_client_id(), actor), pair


def _check_number_of_clients(consumer: Consumer) -> None:
    """Raise Conflict where the consumer, which is locked, has as many clients as it may."""
    most = consumer.max_clients
    if Client.objects.of(consumer).order_by()[most - 1 : most].exists():
        raise Conflict(f"{consumer} has {most:,} clients, the most it may have. Delete one, or ask the operator.")


def _insert(consumer: Consumer, metadata: ClientMetadata, client_id: str, actor: Actor) -> Client:
    client = Client(consumer=consumer, user=actor.user, client_id=client_id)
    metadata.write_to(client)
    client.save()
    assign_subject(client)
    detail = {"kind": client.kind}
    audit.record(ClientEvent.CLIENT_REGISTERED, actor=actor, consumer=consumer, target=client, detail=detail)
    return client


@transaction.atomic
def update_client(
    *,
    client: Client,
    change: Callable[[ClientMetadata], ClientMetadata],
    policy: Policy,
    actor: Actor,
    if_match: Collection[str] | None = None,
) -> Client:
    """Change the client's metadata; `change` gets what is registered now, from the locked row.

    `if_match` are the revisions of which the client must have one (RFC 9110 section 13.1.1); None accepts any.
    Raises Refusal: PreconditionFailed where it has another, Conflict where it was deleted.
    """
    client = lock_client(client)
    if if_match is not None and client.revision not in if_match:
        raise PreconditionFailed
    registered = ClientMetadata.of(client)
    metadata = change(registered)
    if metadata == registered:  # it was allowed when it was registered, perhaps by other rules
        return client
    policy(metadata, client.consumer, client)
    actors.within_scopes(actor, client.scopes)
    changed = metadata.write_to(client)
    actors.change(actor, client, changed)
    client.save()
    if not client.holds_secrets:
        revoke_secrets(client, actor)
    assign_subject(client)
    detail = {"fields": sorted(changed)}
    audit.record(ClientEvent.CLIENT_UPDATED, actor=actor, consumer=client.consumer, target=client, detail=detail)
    return client


@transaction.atomic
def disable_client(*, client: Client, actor: Actor) -> None:
    """Refuse every request of the client from now on; enabling undoes it."""
    client = lock_client(client)
    if client.disabled_at is None:
        client.disabled_at = timezone.now()
        client.save(update_fields=["disabled_at", "updated"])
        audit.record(ClientEvent.CLIENT_DISABLED, actor=actor, consumer=client.consumer, target=client)
        emails.client_disabled(client, actor)


@transaction.atomic
def enable_client(*, client: Client, actor: Actor) -> None:
    """Accept the client's requests again. Raises Conflict while its consumer is suspended."""
    client = lock_client(client)
    lock_active_consumer(client.consumer)
    if client.disabled_at is not None:
        client.disabled_at = None
        client.save(update_fields=["disabled_at", "updated"])
        audit.record(ClientEvent.CLIENT_ENABLED, actor=actor, consumer=client.consumer, target=client)


@transaction.atomic
def revoke_tokens(*, client: Client, actor: Actor) -> None:
    """Revoke every token of the client that was issued until now, and the one with which it manages itself.

    Its secrets stay valid.
    """
    client = lock_client(client)
    RegistrationAccessToken.objects.filter(client=client).delete()
    client.tokens_valid_after = clock.after_now()
    client.save(update_fields=["tokens_valid_after", "updated"])
    audit.record(ClientEvent.CLIENT_TOKENS_REVOKED, actor=actor, consumer=client.consumer, target=client)


@transaction.atomic
def set_claims(*, client: Client, claims: dict[str, Any], actor: Actor) -> None:
    """Set the claims of the client's access tokens, besides its consumer's. For operators. Raises Refusal."""
    policy.claims(claims)
    client = lock_client(client)
    if client.claims != claims:
        client.claims = claims
        client.save(update_fields=["claims", "updated"])
        detail = {"names": sorted(claims)}
        audit.record(
            ClientEvent.CLIENT_CLAIMS_CHANGED, actor=actor, consumer=client.consumer, target=client, detail=detail
        )


@transaction.atomic
def delete_client(*, client: Client, actor: Actor) -> None:
    """Delete the client with its secrets, grants and tokens. Its events stay."""
    client = lock_client(client)
    audit.record(
        ClientEvent.CLIENT_DELETED,
        actor=actor,
        consumer=client.consumer,
        target=client,
        detail={"client_id": client.client_id},
    )
    client.delete()
