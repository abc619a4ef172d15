"""Registration policies: one function for each rule, with the specification it comes from.

Every policy runs the same rules. They differ in what helps people alone, and in what takes an operator.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from clients import workloads
from clients.metadata import ClientMetadata
from clients.models import Client
from clients.policy import grants, statements, texts, tokens, uris
from clients.policy.common import every
from clients.policy.texts import plain_text
from consumers.models import Consumer

__all__ = ["Policy", "api_policy", "every", "operator_policy", "plain_text", "portal_policy"]


class Policy(Protocol):
    """Raises Refusal unless a client with this metadata may be registered, or `client` changed to it."""

    def __call__(self, metadata: ClientMetadata, consumer: Consumer, client: Client | None = None) -> None: ...


def portal_policy(metadata: ClientMetadata, consumer: Consumer, client: Client | None = None) -> None:
    """Allow what a person may register on a page of the consumer's workspace. Raises Refusal."""
    every(
        (
            partial(texts.unique_name, metadata, consumer=consumer, client=client),
            *_rules(metadata, consumer, client),
            partial(tokens.some_permission, metadata),
        )
    )


def api_policy(metadata: ClientMetadata, consumer: Consumer, client: Client | None = None) -> None:
    """Allow what a program may register for the consumer. Raises Refusal."""
    every((partial(texts.optional_name, metadata), *_rules(metadata, consumer, client)))


def operator_policy(metadata: ClientMetadata, consumer: Consumer, client: Client | None = None) -> None:
    """Allow what an operator's program may register: any audience, and clients without consent. Raises Refusal."""
    every((partial(texts.optional_name, metadata), *_rules(metadata, consumer, client, by_operator=True)))


def _rules(
    metadata: ClientMetadata, consumer: Consumer, client: Client | None, *, by_operator: bool = False
) -> tuple[Callable[[], None], ...]:
    """Return the rules that every policy has."""
    simple = (
        texts.description,
        texts.contacts,
        texts.owner,
        texts.custom_metadata,
        texts.software,
        texts.localized,
        grants.grant_types,
        grants.authentication_method,
        grants.assertion_algorithm,
        grants.jwks,
        grants.application_type,
        grants.response_types,
        uris.redirect_uris,
        uris.allowed_cors_origins,
        uris.client_pages,
        uris.initiate_login_uri,
        workloads.claims,
        workloads.identity_token_audience,
        workloads.identity_token_lifespan,
        tokens.access_token_strategy,
        tokens.lifespans,
        tokens.refresh_token_grace,
        tokens.signed_responses,
        tokens.authentication_context,
    )
    return (
        *(partial(rule, metadata) for rule in simple),
        partial(statements.signed_members, metadata, client),
        partial(grants.secrets_allowed, metadata, consumer=consumer, client=client),
        partial(tokens.scope, metadata, consumer=consumer, client=client),
        partial(tokens.audience, metadata, consumer=consumer, client=client, by_operator=by_operator),
        partial(uris.server_to_server_uris, metadata, client=client, by_operator=by_operator),
        partial(tokens.skip_consent, metadata, client=client, by_operator=by_operator),
    )
