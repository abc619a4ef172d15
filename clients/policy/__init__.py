"""May this be registered? One function a rule, each with the specification it comes from.

Every door runs the same rules. They differ in what helps people alone, and in what takes an operator.
"""

from collections.abc import Callable
from functools import partial

from clients import workloads
from clients.metadata import ClientMetadata
from clients.models import Client
from clients.policy import grants, texts, tokens, uris
from clients.policy.common import every
from clients.policy.texts import plain_text
from consumers.models import Consumer

__all__ = ["Policy", "api_policy", "every", "plain_text", "portal_policy"]

Policy = Callable[[ClientMetadata], None]


def portal_policy(consumer: Consumer, client: Client | None = None, *, trusted: bool = False) -> Policy:
    """Return what a person may register in the consumer's workspace, or make of the client, on a page."""

    def check(metadata: ClientMetadata) -> None:
        every(
            (
                partial(texts.unique_name, metadata, consumer=consumer, client=client),
                *_rules(metadata, consumer, client, trusted),
                partial(tokens.some_permission, metadata),
            )
        )

    return check


def api_policy(consumer: Consumer, client: Client | None = None, *, trusted: bool = False) -> Policy:
    """Return what a program may register or make of the client; `trusted` says that it acts for an operator."""

    def check(metadata: ClientMetadata) -> None:
        every((partial(texts.optional_name, metadata), *_rules(metadata, consumer, client, trusted)))

    return check


def _rules(
    metadata: ClientMetadata, consumer: Consumer, client: Client | None, trusted: bool
) -> tuple[Callable[[], None], ...]:
    """Return every rule that holds whatever the door."""
    simple = (
        texts.description,
        texts.contacts,
        texts.owner,
        texts.own_data,
        texts.software,
        texts.localized,
        grants.grants,
        grants.authentication,
        grants.assertion_algorithm,
        grants.keys,
        grants.application_type,
        grants.response_types,
        uris.redirect_uris,
        uris.allowed_cors_origins,
        uris.pages,
        uris.fetched,
        uris.initiate_login_uri,
        workloads.workload,
        workloads.lifespan,
        tokens.strategy,
        tokens.lifespans,
        tokens.refresh_token_grace,
        tokens.signed_responses,
        tokens.authentication_context,
    )
    return (
        *(partial(rule, metadata) for rule in simple),
        partial(grants.secrets, metadata, consumer=consumer, client=client),
        partial(tokens.scope, metadata, consumer=consumer, client=client),
        partial(tokens.audience, metadata, consumer=consumer, client=client, trusted=trusted),
        partial(tokens.trust, metadata, client=client, trusted=trusted),
    )
