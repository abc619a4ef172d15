"""The events of APIs, clients and their credentials: how each reads, and the page of the client that it is about."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.urls import reverse

from clients.models import Client, SignInBy
from clients.vocabulary import TRUST_MEMBERS, ClientKind, RoleSource
from consumers.activity.vocabulary import (
    Category,
    EventFilter,
    SensitiveOperation,
    Wording,
    changed_fields,
    changes,
    register,
)
from consumers.models import Consumer, ConsumerQuerySet, Event, EventName
from core.timefmt import date_time

FIELD_LABELS = {
    "client_name": "name",
    "scope": "permissions",
    "scopes": "permissions",
    "redirect_uris": "redirect URIs",
    "post_logout_redirect_uris": "post-logout redirect URIs",
    "allowed_cors_origins": "allowed origins",
    "token_endpoint_auth_method": "authentication method",
    "client_uri": "website",
    "logo_uri": "logo",
    "policy_uri": "privacy policy",
    "tos_uri": "terms of service",
    "jwks": "public keys",
    "client_jwks": "public keys",
    "jwks_uri": "JWKS URL",
    "client_jwks_uri": "JWKS URL",
    "lifespans": "token lifetimes",
    "dpop_bound_access_tokens": "tokens bound to a key",
    "environment_type": "environment",
    "is_production": "production",
    "allows_test_tokens": "test tokens",
    "reauthenticate_after": "when people are asked again",
    "requires_two_factors": "two factors",
    "asks_consent_each_time": "consent each time",
    "login_url": "login address",
    "consent_url": "consent address",
    "logout_url": "logout address",
}


class ClientEvent(EventName):
    API_CREATED = "api.created"
    API_UPDATED = "api.updated"
    API_RESOURCE_SERVERS_CHANGED = "api.resource_servers.changed"
    API_ROLES_CHANGED = "api.roles.changed"
    API_CLAIMS_CHANGED = "api.claims.changed"
    API_GROUP_ROLES_CHANGED = "api.group_roles.changed"
    API_SIGN_IN_CHANGED = "api.sign_in.changed"
    TOKEN_HOOK_SET = "api.token_hook.set"
    TOKEN_HOOK_DELETED = "api.token_hook.deleted"
    API_DELETED = "api.deleted"
    PERSON_ROLES_CHANGED = "person.roles.changed"
    CONSUMER_SECRET_POLICY_CHANGED = "consumer.secret_policy.changed"
    CONSUMER_SCOPES_CHANGED = "consumer.scopes.changed"
    CONSUMER_SCOPE_ENDED = "consumer.scope.ended"
    WORKSPACE_REQUEST_SENT = "workspace.request.sent"
    WORKSPACE_REQUESTED = "workspace.request.confirmed"
    WORKSPACE_REQUEST_ASKED = "workspace.request.asked"
    WORKSPACE_REQUEST_ANSWERED = "workspace.request.answered"
    WORKSPACE_REQUEST_APPROVED = "workspace.request.approved"
    WORKSPACE_REQUEST_DECLINED = "workspace.request.declined"
    WORKSPACE_REQUEST_WITHDRAWN = "workspace.request.withdrawn"
    PERMISSION_REQUESTED = "permission.request.made"
    PERMISSION_REQUEST_ASKED = "permission.request.asked"
    PERMISSION_REQUEST_ANSWERED = "permission.request.answered"
    PERMISSION_REQUEST_APPROVED = "permission.request.approved"
    PERMISSION_REQUEST_DECLINED = "permission.request.declined"
    PERMISSION_REQUEST_WITHDRAWN = "permission.request.withdrawn"
    CLIENT_REGISTERED = "client.registered"
    CLIENT_UPDATED = "client.updated"
    CLIENT_DISABLED = "client.disabled"
    CLIENT_ENABLED = "client.enabled"
    CLIENT_TOKENS_REVOKED = "client.tokens.revoked"
    CLIENT_CLAIMS_CHANGED = "client.claims.changed"
    CLIENT_DELETED = "client.deleted"
    SECRET_CREATED = "client.secret.created"
    SECRET_ROTATED = "client.secret.rotated"
    SECRET_EXPIRY_CHANGED = "client.secret.expiry.changed"
    SECRET_REVOKED = "client.secret.revoked"
    REGISTRATION_ACCESS_TOKEN_REVOKED = "client.registration_access_token.revoked"
    INITIAL_ACCESS_TOKEN_CREATED = "initial_access_token.created"
    INITIAL_ACCESS_TOKEN_REVOKED = "initial_access_token.revoked"
    REGISTRATION_ENABLED = "registration.enabled"
    REGISTRATION_DISABLED = "registration.disabled"
    TRUST_RULE_CREATED = "client.trust_rule.created"
    TRUST_RULE_DELETED = "client.trust_rule.deleted"
    TRUSTED_ISSUER_CREATED = "trusted_issuer.created"
    TRUSTED_ISSUER_UPDATED = "trusted_issuer.updated"
    TRUSTED_ISSUER_DISABLED = "trusted_issuer.disabled"
    TRUSTED_ISSUER_ENABLED = "trusted_issuer.enabled"
    TRUSTED_ISSUER_DELETED = "trusted_issuer.deleted"
    REGISTRATION_SOURCE_SAVED = "registration.source.saved"
    REGISTRATION_SOURCE_DELETED = "registration.source.deleted"


# -- Detail lines -----------------------------------------------------------------------------------------------------

_changed_fields = changed_fields(FIELD_LABELS)


def _client_kind(event: Event) -> str:
    kind = event.detail.get("kind", "")
    return str(ClientKind(kind).label) if kind in ClientKind.values and kind != ClientKind.OTHER else ""


def _claim_names(event: Event) -> str:
    names = event.detail.get("names", [])
    return f"Claims: {', '.join(names)}" if names else "None"


def _secret_name(event: Event) -> str:
    name = event.detail.get("name", "")
    return f"Secret ••••{event.detail.get('hint', '')}" + (f", “{name}”" if name else "")


def _secret_expiry(event: Event) -> str:
    expires_at = event.detail.get("expires_at")
    end = f"on {date_time(datetime.fromisoformat(expires_at))}" if expires_at else "never expires"
    return f"{_secret_name(event)} {end}"


def _secret_policy(event: Event) -> str:
    days, shortened = event.detail.get("days"), event.detail.get("shortened", 0)
    rule = f"Each works for {days} days at most" if days else "Secrets may never expire"
    if not event.detail.get("allowed"):
        rule = "No new secrets"
    return rule + (f"; {shortened} active ones now expire" if shortened else "")


def _secret_rotation(event: Event) -> str:
    old, new = (f"••••{event.detail.get(key, '')}" for key in ("hint", "new_hint"))
    expires_at = event.detail.get("expires_at")
    if event.detail.get("expires") == "after_first_use":
        return f"Old secret {old} expires a day after the new one, {new}, is first used"
    if not expires_at:
        return f"Old secret {old} works until it is revoked; the new one is {new}"
    end = datetime.fromisoformat(expires_at)
    if end <= event.at:
        return f"Old secret {old} stopped working immediately; the new one is {new}"
    return f"Old secret {old} works until {date_time(end)}; the new one is {new}"


def _scope_changes(event: Event) -> str:
    said = [
        f"{verb} {', '.join(event.detail[verb])}" for verb in ("added", "changed", "removed") if event.detail.get(verb)
    ]
    return _sentence_case("; ".join(said))


def _sentence_case(text: str) -> str:
    """Raise the first letter and leave the rest, for scope values are case-sensitive (RFC 6749 section 3.3)."""
    return text[:1].upper() + text[1:]


def _api_changes(event: Event) -> str:
    return "; ".join(filter(None, (_changed_fields(event), _scope_changes(event))))


def _sign_in_changes(event: Event) -> str:
    """Return who may sign in now, and what changed besides."""
    mode = event.detail.get("sign_in", "")
    who = str(SignInBy(mode).label) if mode in SignInBy.values else ""
    changes = _scope_changes(event)
    return "; ".join(filter(None, (who, _changed_fields(event), changes[:1].lower() + changes[1:])))


def _group_role_changes(event: Event) -> str:
    people = event.detail.get("people", 0)
    lost = f"{people:,} {'person has' if people == 1 else 'people have'} lost a role" if people else ""
    return "; ".join(filter(None, (_scope_changes(event), lost)))


def _hook_url(event: Event) -> str:
    return str(event.detail.get("url", ""))


def _trust_rule(event: Event) -> str:
    claims = ", ".join(f"{name}: {value}" for name, value in event.detail.get("claims", {}).items())
    return f"{event.detail.get('issuer', '')}; {claims}"


# -- Registration -----------------------------------------------------------------------------------------------------


def _said(event: Event) -> str:
    """Return what was said, and until when what was approved holds."""
    said = [event.detail.get(key, "") for key in ("reason", "question", "answer", "decision")]
    until = event.detail.get("until")
    return next(filter(None, said), "") or (f"Until {date_time(datetime.fromisoformat(until))}" if until else "")


_WORDINGS: dict[EventName, Wording] = {
    ClientEvent.API_CREATED: Wording("added the API {target}", "boxes", "good"),
    ClientEvent.API_UPDATED: Wording("changed the API {target}", "settings-2", "", _api_changes),
    ClientEvent.API_RESOURCE_SERVERS_CHANGED: Wording(
        "set which clients ask for the API {target}", "scan-search", "warn", _scope_changes
    ),
    ClientEvent.API_ROLES_CHANGED: Wording("changed the roles of the API {target}", "users", "warn", _scope_changes),
    ClientEvent.API_CLAIMS_CHANGED: Wording(
        "changed the claims of tokens for the API {target}", "settings-2", "warn", _scope_changes
    ),
    ClientEvent.API_GROUP_ROLES_CHANGED: Wording(
        "changed which groups give roles in the API {target}", "users", "warn", _group_role_changes
    ),
    ClientEvent.API_SIGN_IN_CHANGED: Wording(
        "set who may sign in to apps that use the API {target}", "log-in", "warn", _sign_in_changes
    ),
    ClientEvent.TOKEN_HOOK_SET: Wording(
        "set who is asked for claims of tokens for the API {target}", "send", "warn", _hook_url
    ),
    ClientEvent.TOKEN_HOOK_DELETED: Wording(
        "removed the token hook of the API {target}", "circle-x", "warn", _hook_url
    ),
    ClientEvent.API_DELETED: Wording("deleted the API {target}", "trash-2", "bad"),
    ClientEvent.PERSON_ROLES_CHANGED: Wording(
        "changed the roles of {target} in the API {api}", "users", "warn", _scope_changes
    ),
    ClientEvent.CONSUMER_SECRET_POLICY_CHANGED: Wording(
        "changed the secret policy of {target}", "lock", "warn", _secret_policy
    ),
    ClientEvent.CONSUMER_SCOPES_CHANGED: Wording(
        "changed the permissions that {target} may use", "lock", "warn", _scope_changes
    ),
    ClientEvent.CONSUMER_SCOPE_ENDED: Wording("ended the permission {scope}, as was agreed", "clock", "warn"),
    ClientEvent.WORKSPACE_REQUEST_SENT: Wording("sent a request for {target}, to be confirmed by mail", "mail"),
    ClientEvent.WORKSPACE_REQUESTED: Wording("asked for a workspace for {organisation}", "building-2", "", _said),
    ClientEvent.WORKSPACE_REQUEST_ASKED: Wording("asked {email} back about a workspace", "circle-help", "", _said),
    ClientEvent.WORKSPACE_REQUEST_ANSWERED: Wording("answered about a workspace", "send", "", _said),
    ClientEvent.WORKSPACE_REQUEST_APPROVED: Wording(
        "approved the workspace for {organisation}", "check", "good", _said
    ),
    ClientEvent.WORKSPACE_REQUEST_DECLINED: Wording("declined the workspace for {organisation}", "ban", "bad", _said),
    ClientEvent.WORKSPACE_REQUEST_WITHDRAWN: Wording("withdrew the request for {target}", "circle-x"),
    ClientEvent.PERMISSION_REQUESTED: Wording("asked for the permission {scope}", "lock", "", _said),
    ClientEvent.PERMISSION_REQUEST_ASKED: Wording("asked back about the permission {scope}", "circle-help", "", _said),
    ClientEvent.PERMISSION_REQUEST_ANSWERED: Wording("answered about the permission {scope}", "send", "", _said),
    ClientEvent.PERMISSION_REQUEST_APPROVED: Wording("approved the permission {scope}", "check", "good", _said),
    ClientEvent.PERMISSION_REQUEST_DECLINED: Wording("declined the permission {scope}", "ban", "bad", _said),
    ClientEvent.PERMISSION_REQUEST_WITHDRAWN: Wording("withdrew the request for {scope}", "circle-x"),
    ClientEvent.CLIENT_REGISTERED: Wording("created {target}", "plus", "good", _client_kind),
    ClientEvent.CLIENT_UPDATED: Wording("changed {target}", "settings-2", "", _changed_fields),
    ClientEvent.CLIENT_DISABLED: Wording("disabled {target}", "power", "bad"),
    ClientEvent.CLIENT_ENABLED: Wording("enabled {target}", "power", "good"),
    ClientEvent.CLIENT_TOKENS_REVOKED: Wording("revoked all tokens of {target}", "circle-x", "bad"),
    ClientEvent.CLIENT_CLAIMS_CHANGED: Wording(
        "set the claims of the tokens of {target}", "settings-2", "warn", _claim_names
    ),
    ClientEvent.CLIENT_DELETED: Wording("deleted {target}", "trash-2", "bad"),
    ClientEvent.SECRET_CREATED: Wording("created a secret of {target}", "key-round", "", _secret_name),
    ClientEvent.SECRET_ROTATED: Wording("rotated a secret of {target}", "rotate-cw", "warn", _secret_rotation),
    ClientEvent.SECRET_EXPIRY_CHANGED: Wording(
        "changed when a secret of {target} expires", "clock", "", _secret_expiry
    ),
    ClientEvent.SECRET_REVOKED: Wording("revoked a secret of {target}", "circle-x", "bad", _secret_name),
    ClientEvent.REGISTRATION_ACCESS_TOKEN_REVOKED: Wording(
        "revoked the registration access token of {target}", "circle-x", "bad"
    ),
    ClientEvent.INITIAL_ACCESS_TOKEN_CREATED: Wording("created the initial access token {target}", "key-round", "warn"),
    ClientEvent.INITIAL_ACCESS_TOKEN_REVOKED: Wording("revoked the initial access token {target}", "circle-x", "bad"),
    ClientEvent.REGISTRATION_ENABLED: Wording("opened registration for {target}", "globe", "warn"),
    ClientEvent.REGISTRATION_SOURCE_SAVED: Wording("set {target} as an issuer of software statements", "globe", "warn"),
    ClientEvent.REGISTRATION_SOURCE_DELETED: Wording(
        "removed {target} from the issuers of software statements", "circle-x", "bad"
    ),
    ClientEvent.REGISTRATION_DISABLED: Wording("closed registration for {target}", "lock", "good"),
    ClientEvent.TRUST_RULE_CREATED: Wording("created a federation rule of {target}", "shield-check", "", _trust_rule),
    ClientEvent.TRUST_RULE_DELETED: Wording("deleted a federation rule of {target}", "circle-x", "warn", _trust_rule),
    ClientEvent.TRUSTED_ISSUER_CREATED: Wording("added the trusted issuer {target}", "shield-check", "good"),
    ClientEvent.TRUSTED_ISSUER_UPDATED: Wording(
        "changed the trusted issuer {target}", "settings-2", "", _changed_fields
    ),
    ClientEvent.TRUSTED_ISSUER_DISABLED: Wording("disabled the trusted issuer {target}", "power", "bad"),
    ClientEvent.TRUSTED_ISSUER_ENABLED: Wording("enabled the trusted issuer {target}", "play", "good"),
    ClientEvent.TRUSTED_ISSUER_DELETED: Wording("removed the trusted issuer {target}", "trash-2", "bad"),
}


def _is_given_by_operator(detail: Mapping[str, Any]) -> bool:
    """Say whether an operator gave somebody a role; managers give to people whose invitation was mailed."""
    return detail.get("source") == RoleSource.OPERATOR and bool(detail.get("added"))


_SENSITIVE: dict[EventName, SensitiveOperation] = {
    ClientEvent.PERSON_ROLES_CHANGED: SensitiveOperation(_is_given_by_operator),
    ClientEvent.API_SIGN_IN_CHANGED: SensitiveOperation(),  # it decides who gets in
    ClientEvent.API_GROUP_ROLES_CHANGED: SensitiveOperation(
        lambda detail: bool({*detail["added"], *detail["changed"]})
    ),
    ClientEvent.TOKEN_HOOK_SET: SensitiveOperation(),  # which hears of every token, and decides what it says
    ClientEvent.CLIENT_REGISTERED: SensitiveOperation(),
    ClientEvent.CLIENT_UPDATED: changes(*TRUST_MEMBERS),
    ClientEvent.CLIENT_DELETED: SensitiveOperation(),
    ClientEvent.SECRET_CREATED: SensitiveOperation(),
    ClientEvent.SECRET_ROTATED: SensitiveOperation(has_own_mail=True),
    ClientEvent.SECRET_EXPIRY_CHANGED: SensitiveOperation(lambda detail: not detail.get("expires_at")),
    ClientEvent.INITIAL_ACCESS_TOKEN_CREATED: SensitiveOperation(),
    ClientEvent.REGISTRATION_ENABLED: SensitiveOperation(),
    ClientEvent.REGISTRATION_SOURCE_SAVED: SensitiveOperation(),
    ClientEvent.TRUST_RULE_CREATED: SensitiveOperation(),
    ClientEvent.TRUSTED_ISSUER_CREATED: SensitiveOperation(),
    ClientEvent.TRUSTED_ISSUER_UPDATED: SensitiveOperation(),
}


def _client_urls(consumer: Consumer, ids: set[str]) -> dict[str, str]:
    """Return the pages of those clients that still exist."""
    found = Client.objects.filter(consumer=consumer, pk__in=ids).values_list("pk", "client_id")
    return {str(pk): reverse("clients:detail", args=[consumer.slug, client_id]) for pk, client_id in found}


def _about_client(readable: ConsumerQuerySet, client_id: str) -> Q:
    """Match what was done to a client, also to one that is deleted, whose last event names it."""
    pks = Client.objects.filter(consumer__in=readable, client_id=client_id).values_list("pk", flat=True)
    deleted = Event.objects.filter(name=ClientEvent.CLIENT_DELETED, detail__client_id=client_id)
    ids = {str(pk) for pk in pks} | set(deleted.values_list("target_id", flat=True))
    return Q(target_kind=Client._meta.model_name, target_id__in=ids)


_CLIENT_ID: dict[str, Any] = {"type": "string", "description": "What was done to this client."}


def register_events() -> None:
    register(
        _WORDINGS,
        sensitive=_SENSITIVE,
        target_urls={"client": _client_urls},
        workspace_categories=[
            Category("secrets", "Secrets", ("client.secret.",)),
            Category("clients", "Clients", ("client.",), excluded=("client.secret.",)),
            Category("permissions", "Permissions", ("permission.", "consumer.scope")),
        ],
        operator_categories=[
            Category("clients", "Clients and secrets", ("client.",)),
            Category("apis", "APIs", ("api.",)),
            Category("requests", "Requests", ("workspace.", "permission.")),
        ],
        filters={"client_id": EventFilter(_CLIENT_ID, _about_client)},
    )
