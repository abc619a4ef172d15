"""Rules for the roles and the claims of an API, and for who gives roles to whom."""

import json
import re
from collections.abc import Collection, Iterable
from typing import Any

from clients.claim_sources import PATH, ROLES, SOURCES, VALUE
from clients.models import Api, ApiClaim, ApiRole, GroupRole
from clients.policy.texts import plain_text
from clients.vocabulary import RoleSource
from consumers import policy
from consumers.audit import Actor
from consumers.models import Consumer, Membership, Role, User
from consumers.policy import CLAIM_NAME, MAX_CLAIMS, RESERVED_CLAIMS
from core.errors import Refusal
from core.rest.errors import AccessDenied
from core.text import first_unsafe

MAX_API_ROLES = 50
MAX_API_CLAIMS = 20
MAX_GROUP_ROLES = 200  # of an API
MAX_ROLES = 20  # of a person in an API from one source, and of a test token
MAX_CLAIM_VALUE = 1024  # bytes of JSON
PATH_MEMBER = re.compile(r"[^.\s\x00-\x1f\x7f]{1,100}")
MAX_PATH = 10  # members
# Claims that have one meaning (RFC 9068 section 2.2.3.1), and so one source.
ONE_SOURCE = {ROLES: ROLES, "groups": "groups"}


def api_role(role: ApiRole) -> None:
    """Require a value that tokens can carry, and texts that people can read."""
    policy.model_fields(role, but=("api",))
    plain_text(role.name, "name", "the name")
    plain_text(role.description, "description", "the description")


def api_claim(claim: ApiClaim) -> None:
    """Require a name that nobody else sets, a known source, and what the source needs. Raises Refusal."""
    policy.model_fields(claim, but=("api", "value"))
    plain_text(claim.consent, "consent", "what consent says")
    if not CLAIM_NAME.fullmatch(claim.name):
        raise Refusal(f"“{claim.name}” is not a claim name: use printable ASCII without spaces.", field="name")
    if claim.name in RESERVED_CLAIMS:
        raise Refusal(f"Rename {claim.name}: the portal sets this claim itself.", field="name")
    source = SOURCES.get(claim.source)
    if source is None:
        raise Refusal(f"“{claim.source[:30]}” is not a source. Use one of {', '.join(SOURCES)}.", field="source")
    if ONE_SOURCE.get(claim.name, claim.source) != claim.source:
        wanted = SOURCES.get(ONE_SOURCE[claim.name])
        says = f"read it from “{wanted.label}”, or rename it" if wanted else "rename it"
        raise Refusal(f"{claim.name} has a registered meaning (RFC 9068): {says}.", field="name")
    if claim.consent and not source.is_personal:
        raise Refusal(f"{claim.name} tells nothing of a person, so consent need not say it.", field="consent")
    if source.argument == PATH:
        _path(claim.path)
    elif claim.path:
        raise Refusal(f"“{source.label}” has no path. Leave it empty.", field="path")
    if source.argument == VALUE:
        _constant(claim.value)
    elif claim.value is not None:
        raise Refusal(f"“{source.label}” has no value of its own. Leave it out.", field="value")


def _path(path: str) -> None:
    members = path.split(".")
    if len(members) > MAX_PATH or not all(PATH_MEMBER.fullmatch(each) for each in members):
        raise Refusal("Write the path as names of members joined by dots, such as plan.tier.", field="path")


def _constant(value: Any) -> None:
    if value is None:
        raise Refusal("Write the value of the constant.", field="value")
    policy.json_object({"value": value}, "value", MAX_CLAIM_VALUE)


def claim_set(claims: Collection[ApiClaim]) -> None:
    """Require few claims, each name once, and constants that fit into the header of a request together."""
    if len(claims) > MAX_API_CLAIMS:
        raise Refusal(f"An API has at most {MAX_API_CLAIMS} claims.", field="claims")
    constants = {claim.name: claim.value for claim in claims if claim.value is not None}
    if len(json.dumps(constants, ensure_ascii=False).encode()) > MAX_CLAIMS:
        raise Refusal(f"Shorten the constants to {MAX_CLAIMS:,} bytes in all: each token carries them.", field="claims")


def group_role(rule: GroupRole, api: Api) -> None:
    """Require a role of the API, a connection that reads groups, and a group that people can read."""
    policy.model_fields(rule, but=("role", "connection"))
    if rule.role.api_id != api.pk:
        raise Refusal(f"{api} has no such role.", field="role")
    if not rule.connection.groups_claim:
        raise Refusal(f"{rule.connection} reads no groups. Name the claim there first.", field="connection")
    if not rule.group.strip() or rule.group != rule.group.strip() or first_unsafe(rule.group):
        raise Refusal("Enter the group as the provider writes it in the claim.", field="group")


# -- Who gives roles to whom ------------------------------------------------------------------------------------------


def give_roles(
    actor: Actor,
    *,
    source: RoleSource,
    consumer: Consumer | None,
    user: User,
    added: Iterable[ApiRole],
    roles: Collection[ApiRole],
) -> None:
    """Require the right to set these roles of the person. Raises Refusal and AccessDenied."""
    if len(roles) > MAX_ROLES:
        raise Refusal(f"Give a person at most {MAX_ROLES} roles in an API.", field="roles")
    if source == RoleSource.OPERATOR:
        require_operator(actor, "add")
    if source == RoleSource.MANAGER:
        assert consumer is not None
        _require_manager(actor, consumer)
        for role in added:
            if not role.managers_may_give:
                raise AccessDenied(f"Only operators give the role “{role.name}”. Ask the operator of this portal.")
            if not role.api.scopes.filter(access__consumer=consumer).exists():
                raise AccessDenied(f"{consumer} may not use {role.api}. Ask the operator of this portal.")
            if not belongs(user, consumer):
                raise Refusal(f"{user} does not belong to {consumer}. Invite them first.", field="roles")


def belongs(user: User, consumer: Consumer) -> bool:
    """Say whether the person is one of the consumer's, to whom its managers may give roles."""
    return Membership.objects.filter(user=user, consumer=consumer).exists()


def require_operator(actor: Actor, deed: str) -> None:
    """Require the operators' right to “add” or “delete” roles of people. Raises AccessDenied."""
    user = actor.user
    if user is not None and not (user.is_staff and user.has_perm(f"clients.{deed}_rolegrant")):
        raise AccessDenied("Only operators who may give roles do this. Ask an operator with full rights.")


def _require_manager(actor: Actor, consumer: Consumer) -> None:
    user = actor.user
    if user is not None and not consumer.memberships.filter(user=user, role=Role.MANAGER).exists():
        raise AccessDenied(f"This needs a manager of {consumer}.")
