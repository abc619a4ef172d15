"""Every change to whose tokens clients prove themselves with."""

from collections.abc import Iterable, Mapping

from django.db import IntegrityError, transaction
from django.utils import timezone

from clients.actions.locks import lock, require_active
from clients.models import Client, TrustedIssuer, TrustRule
from clients.policy import federation
from consumers import audit
from consumers.audit import Actor, EventName
from core.errors import Conflict, Refusal

# -- Issuers, by operators --------------------------------------------------------------------------------------------


@transaction.atomic
def allow_issuer(*, issuer: TrustedIssuer, actor: Actor) -> TrustedIssuer:
    """Allow managers to make rules for the issuer. Raises Refusal."""
    federation.issuer(issuer)
    try:
        with transaction.atomic():
            issuer.save(force_insert=True)
    except IntegrityError:
        raise Conflict("This issuer is allowed already.", field="issuer") from None
    detail = {"issuer": issuer.issuer, "platform": issuer.platform}
    audit.record(EventName.ISSUER_ALLOWED, actor=actor, consumer=issuer.consumer, target=issuer, detail=detail)
    return issuer


@transaction.atomic
def update_issuer(*, issuer: TrustedIssuer, changed: Iterable[str], actor: Actor) -> None:
    """Save the changed fields. Raises Refusal where rules stand on what would change."""
    changed = sorted(changed)
    if {"issuer", "platform"} & set(changed):
        raise Refusal("An issuer keeps its address and platform, because rules were made for them.", field="issuer")
    if "consumer" in changed and issuer.consumer_id:
        strangers = issuer.rules.exclude(client__consumer=issuer.consumer_id)
        if strangers.exists():
            raise Refusal(
                "Clients of other consumers have rules for it. They must remove them first.", field="consumer"
            )
    federation.issuer(issuer)
    if changed:
        issuer.save(update_fields=changed)
        audit.record(
            EventName.ISSUER_UPDATED, actor=actor, consumer=issuer.consumer, target=issuer, detail={"fields": changed}
        )


@transaction.atomic
def disable_issuer(*, issuer: TrustedIssuer, actor: Actor) -> None:
    """Refuse every token of the issuer from now on; enabling undoes it."""
    if TrustedIssuer.objects.filter(pk=issuer.pk, disabled_at=None).update(disabled_at=timezone.now()):
        audit.record(EventName.ISSUER_DISABLED, actor=actor, consumer=issuer.consumer, target=issuer)


@transaction.atomic
def enable_issuer(*, issuer: TrustedIssuer, actor: Actor) -> None:
    if TrustedIssuer.objects.filter(pk=issuer.pk).exclude(disabled_at=None).update(disabled_at=None):
        audit.record(EventName.ISSUER_ENABLED, actor=actor, consumer=issuer.consumer, target=issuer)


@transaction.atomic
def remove_issuer(*, issuer: TrustedIssuer, actor: Actor) -> None:
    """Delete an issuer that no rule is made for. Raises Refusal."""
    if issuer.rules.exists():
        raise Refusal("Clients have rules for this issuer. Disable it instead, which stops them all at once.")
    audit.record(
        EventName.ISSUER_REMOVED,
        actor=actor,
        consumer=issuer.consumer,
        target=issuer,
        detail={"issuer": issuer.issuer},
    )
    issuer.delete()


# -- Rules, by managers -----------------------------------------------------------------------------------------------


@transaction.atomic
def add_rule(
    *, client: Client, issuer: TrustedIssuer, audience: str, claims: Mapping[str, str], actor: Actor
) -> TrustRule:
    """Let whoever brings such a token of the issuer be the client. Raises Refusal."""
    client = lock(client)
    require_active(client.consumer)
    federation.rule(client, issuer, audience, claims)
    made = TrustRule.objects.create(
        client=client,
        issuer=issuer,
        audience=audience,
        claims=dict(claims),
        created_by=actor.user,
        created_by_label=actor.label,
    )
    _record(EventName.RULE_ADDED, made, actor)
    return made


def check_rule(*, client: Client, issuer: TrustedIssuer, audience: str, claims: Mapping[str, str]) -> None:
    """Raise Refusal where the rule could not be made."""
    federation.rule(client, issuer, audience, claims)


@transaction.atomic
def remove_rule(*, rule: TrustRule, actor: Actor) -> None:
    """Refuse such tokens from now on."""
    lock(rule.client)
    _record(EventName.RULE_REMOVED, rule, actor)
    rule.delete()


def _record(name: EventName, rule: TrustRule, actor: Actor) -> None:
    client = rule.client
    detail = {"issuer": rule.issuer.issuer, "audience": rule.audience, "claims": rule.claims}
    audit.record(name, actor=actor, consumer=client.consumer, target=client, detail=detail)
