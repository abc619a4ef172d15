"""Domains of connections, and the rules by which people join."""

import secrets

from django.db import IntegrityError, transaction
from django.utils import timezone

from connections import dns_records, policy
from connections.actions.connections import end_sessions_of_others, require_changeable, require_right_to_give_rights
from connections.events import ConnectionEvent
from connections.models import Connection, Domain, JoiningRule, RuleKind, SignInMode
from consumers import audit
from consumers.audit import Actor
from core.db import rows
from core.errors import Conflict, Refusal

BY_DNS = policy.BY_DNS


@transaction.atomic
def add_domain(*, connection: Connection, name: str, actor: Actor) -> Domain:
    """Add a domain, whose people are led to the connection once it is verified. Raises Refusal."""
    connection = rows.lock(connection)
    require_changeable(connection, actor)
    name = policy.domain_name(name)
    if connection.domains.count() >= policy.MAX_DOMAINS:
        raise Refusal(f"A connection has at most {policy.MAX_DOMAINS} domains.", field="domain")
    try:
        with transaction.atomic():
            domain = Domain.objects.create(connection=connection, name=name, challenge=secrets.token_hex(16))
    except IntegrityError:
        raise Conflict(f"{name} has been added already.", field="domain") from None
    audit.record(ConnectionEvent.DOMAIN_ADDED, actor=actor, target=connection, detail={"domain": name})
    return domain


@transaction.atomic
def verify_domain(*, domain: Domain, by: str, actor: Actor) -> Domain:
    """Trust the connection for the domain: its provider speaks for whoever has such an address.

    `by` says on what ground: the DNS record, or the operator's word. Raises Conflict where another connection has it.
    """
    domain = rows.lock(domain)
    require_changeable(domain.connection, actor)
    if domain.verified_at is not None:
        return domain
    require_right_to_give_rights(domain.connection, actor)
    domain.verified_at, domain.verified_by = timezone.now(), by
    try:
        with transaction.atomic():
            domain.save(update_fields=["verified_at", "verified_by"])
    except IntegrityError:
        raise Conflict(f"Another connection is trusted for {domain.name} already.", field="domain") from None
    audit.record(
        ConnectionEvent.DOMAIN_VERIFIED,
        actor=actor,
        target=domain.connection,
        detail={"domain": domain.name, "by": by},
    )
    end_sessions_of_others(domain.connection)
    return domain


def check_domain(*, domain: Domain, actor: Actor) -> Domain:
    """Verify the domain by its DNS record. Raises Refusal; no row is locked while name servers are asked."""
    Domain.objects.filter(pk=domain.pk).update(checked_at=timezone.now())
    dns_records.require(domain)
    return verify_domain(domain=domain, by=BY_DNS, actor=actor)


@transaction.atomic
def remove_domain(*, domain: Domain, actor: Actor) -> None:
    """Trust the connection for the domain no longer. Raises Refusal where rules or a requirement depend on it."""
    connection = rows.lock(domain.connection)  # so that it is not made required meanwhile
    domain = rows.lock(domain)
    require_changeable(connection, actor)
    others = connection.domains.verified().exclude(pk=domain.pk)
    if connection.sign_in == SignInMode.REQUIRED and domain.verified_at and not others.exists():
        raise Refusal("The connection is required for this domain. Offer it instead, then remove the domain.")
    if connection.rules.filter(kind=RuleKind.DOMAIN, value=domain.name).exists():
        raise Refusal(f"People join by {domain.name}. Delete those rules first.")
    audit.record(ConnectionEvent.DOMAIN_REMOVED, actor=actor, target=connection, detail={"domain": domain.name})
    domain.delete()


@transaction.atomic
def create_rule(*, rule: JoiningRule, actor: Actor) -> JoiningRule:
    """Let whoever signs in by the connection, and matches, become a member. Raises Refusal."""
    require_changeable(rule.connection, actor)
    if rule.kind == RuleKind.DOMAIN:
        rule.value = policy.domain_name(rule.value)
    policy.joining_rule(rule)
    try:
        with transaction.atomic():
            rule.save(force_insert=True)
    except IntegrityError:
        raise Conflict("There is such a rule already.", field="value") from None
    _record(ConnectionEvent.RULE_CREATED, rule, actor)
    return rule


@transaction.atomic
def delete_rule(*, rule: JoiningRule, actor: Actor) -> None:
    """Delete a rule. Whoever has joined by it leaves when they sign in next, unless another rule keeps them."""
    rule = rows.lock(rule)
    require_changeable(rule.connection, actor)
    _record(ConnectionEvent.RULE_DELETED, rule, actor)
    rule.delete()


def _record(name: ConnectionEvent, rule: JoiningRule, actor: Actor) -> None:
    detail = {"rule": str(rule), "role": rule.role}
    audit.record(name, actor=actor, consumer=rule.consumer, target=rule.connection, detail=detail)
