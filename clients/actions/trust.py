"""Writes of workload identity federation: trusted issuers by operators, trust rules by managers."""

from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.utils import timezone

from clients.actions.locks import lock_active_consumer, lock_client
from clients.events import ClientEvent
from clients.models import Client, TrustedIssuer, TrustRule
from clients.policy import actors, federation
from consumers import audit, policy
from consumers.audit import Actor
from core.db import rows
from core.errors import Conflict, Refusal

# -- Trusted issuers --------------------------------------------------------------------------------------------------


@transaction.atomic
def create_issuer(*, issuer: TrustedIssuer, actor: Actor) -> TrustedIssuer:
    """Save a new trusted issuer, for which managers may create rules. Raises Refusal."""
    policy.model_fields(issuer)
    federation.trusted_issuer(issuer)
    try:
        with transaction.atomic():
            issuer.save(force_insert=True)
    except IntegrityError:
        raise Conflict("This issuer is allowed already.", field="issuer") from None
    detail = {"issuer": issuer.issuer, "platform": issuer.platform}
    audit.record(
        ClientEvent.TRUSTED_ISSUER_CREATED, actor=actor, consumer=issuer.consumer, target=issuer, detail=detail
    )
    return issuer


@transaction.atomic
def update_issuer(*, issuer: TrustedIssuer, values: Mapping[str, object], actor: Actor) -> TrustedIssuer:
    """Set fields by name. Raises Refusal where existing rules depend on them."""
    issuer = rows.lock(issuer)
    changed = rows.assign(issuer, values)
    if {"issuer", "platform"} & set(changed):
        raise Refusal("An issuer keeps its URL and platform, because rules depend on them.", field="issuer")
    others = issuer.rules.exclude(client__consumer=issuer.consumer_id)
    if "consumer" in changed and issuer.consumer_id and others.exists():
        raise Refusal("Clients of other consumers have rules for it. They must delete them first.", field="consumer")
    policy.model_fields(issuer)
    federation.trusted_issuer(issuer)
    if changed:
        issuer.save(update_fields=changed)
        audit.record(
            ClientEvent.TRUSTED_ISSUER_UPDATED,
            actor=actor,
            consumer=issuer.consumer,
            target=issuer,
            detail={"fields": changed},
        )
    return issuer


@transaction.atomic
def disable_issuer(*, issuer: TrustedIssuer, actor: Actor) -> None:
    """Refuse every token of the issuer from now on; enabling undoes it."""
    if TrustedIssuer.objects.filter(pk=issuer.pk, disabled_at=None).update(disabled_at=timezone.now()):
        audit.record(ClientEvent.TRUSTED_ISSUER_DISABLED, actor=actor, consumer=issuer.consumer, target=issuer)


@transaction.atomic
def enable_issuer(*, issuer: TrustedIssuer, actor: Actor) -> None:
    """Accept tokens of the issuer again."""
    if TrustedIssuer.objects.filter(pk=issuer.pk).exclude(disabled_at=None).update(disabled_at=None):
        audit.record(ClientEvent.TRUSTED_ISSUER_ENABLED, actor=actor, consumer=issuer.consumer, target=issuer)


@transaction.atomic
def delete_issuer(*, issuer: TrustedIssuer, actor: Actor) -> None:
    """Delete an issuer without rules. Raises Refusal."""
    if issuer.rules.exists():
        raise Refusal("Clients have rules for this issuer. Disable it instead, which stops them all at once.")
    audit.record(
        ClientEvent.TRUSTED_ISSUER_DELETED,
        actor=actor,
        consumer=issuer.consumer,
        target=issuer,
        detail={"issuer": issuer.issuer},
    )
    issuer.delete()


# -- Trust rules ------------------------------------------------------------------------------------------------------


@transaction.atomic
def create_rule(
    *, client: Client, issuer: TrustedIssuer, audience: str, claims: Mapping[str, str], actor: Actor
) -> TrustRule:
    """Create a rule: tokens of the issuer that match it authenticate the client. Raises Refusal."""
    client = lock_client(client)
    actors.decide_trust(actor, client)
    lock_active_consumer(client.consumer)
    federation.trust_rule(client, issuer, audience, claims)
    rule = TrustRule.objects.create(
        client=client,
        issuer=issuer,
        audience=audience,
        claims=dict(claims),
        created_by=actor.user,
        created_by_label=actor.label,
    )
    _record(ClientEvent.TRUST_RULE_CREATED, rule, actor)
    return rule


def check_rule(*, client: Client, issuer: TrustedIssuer, audience: str, claims: Mapping[str, str]) -> None:
    """Raise Refusal unless the rule could be created."""
    federation.trust_rule(client, issuer, audience, claims)


@transaction.atomic
def delete_rule(*, rule: TrustRule, actor: Actor) -> None:
    """Delete the rule; tokens that match it are refused from now on."""
    lock_client(rule.client)
    _record(ClientEvent.TRUST_RULE_DELETED, rule, actor)
    rule.delete()


def _record(name: ClientEvent, rule: TrustRule, actor: Actor) -> None:
    client = rule.client
    detail = {"issuer": rule.issuer.issuer, "audience": rule.audience, "claims": rule.claims}
    audit.record(name, actor=actor, consumer=client.consumer, target=client, detail=detail)
