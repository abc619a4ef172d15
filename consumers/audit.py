"""Who did what, when, from where, to which client: written in the same transaction as the deed."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest

from consumers.models import Consumer, Event, User
from core.client_ip import caller_ip


class EventName(StrEnum):
    """The vocabulary: thing, part, what happened to it."""

    API_CREATED = "api.created"
    API_UPDATED = "api.updated"
    API_SERVERS_CHANGED = "api.servers.changed"
    API_DELETED = "api.deleted"
    CONSUMER_CREATED = "consumer.created"
    CONSUMER_UPDATED = "consumer.updated"
    CONSUMER_SUSPENDED = "consumer.suspended"
    CONSUMER_RESUMED = "consumer.resumed"
    CONSUMER_TOKENS_REVOKED = "consumer.tokens.revoked"
    CONSUMER_DELETED = "consumer.deleted"
    CONSUMER_SECRETS_RULED = "consumer.secrets.ruled"
    CONSUMER_SCOPES_CHANGED = "consumer.scopes.changed"
    MANAGER_INVITED = "manager.invited"
    INVITATION_RESENT = "manager.invitation.resent"
    INVITATION_WITHDRAWN = "manager.invitation.withdrawn"
    INVITATION_DECLINED = "manager.invitation.declined"
    MANAGER_JOINED = "manager.joined"
    MANAGER_ROLE_CHANGED = "manager.role.changed"
    MANAGER_REMOVED = "manager.removed"
    OPERATOR_ADDED = "operator.added"
    PERSON_UPDATED = "person.updated"
    TOKEN_CREATED = "person.token.created"
    TOKEN_REVOKED = "person.token.revoked"
    GROUP_SAVED = "group.saved"
    GROUP_DELETED = "group.deleted"
    CLIENT_REGISTERED = "client.registered"
    CLIENT_UPDATED = "client.updated"
    CLIENT_DISABLED = "client.disabled"
    CLIENT_ENABLED = "client.enabled"
    CLIENT_TOKENS_REVOKED = "client.tokens.revoked"
    CLIENT_CLAIMS_CHANGED = "client.claims.changed"
    CLIENT_DELETED = "client.deleted"
    SECRET_ADDED = "client.secret.added"
    SECRET_ROTATED = "client.secret.rotated"
    SECRET_EXPIRES = "client.secret.expires"
    SECRET_REVOKED = "client.secret.revoked"
    IDENTITY_TOKEN_TAKEN = "client.identity_token.taken"
    TEST_TOKEN_MADE = "client.test_token.made"
    TEST_TOKEN_REVOKED = "client.test_token.revoked"
    INITIAL_TOKEN_CREATED = "registration.token.created"
    INITIAL_TOKEN_REVOKED = "registration.token.revoked"
    REGISTRATION_OPENED = "registration.opened"
    REGISTRATION_CLOSED = "registration.closed"
    CONSENT_GIVEN = "consent.given"
    CONSENT_REVOKED = "consent.revoked"
    RULE_ADDED = "client.rule.added"
    RULE_REMOVED = "client.rule.removed"
    ISSUER_ALLOWED = "issuer.allowed"
    ISSUER_UPDATED = "issuer.updated"
    ISSUER_DISABLED = "issuer.disabled"
    ISSUER_ENABLED = "issuer.enabled"
    ISSUER_REMOVED = "issuer.removed"
    REGISTRATION_SOURCE_SAVED = "registration.source.saved"
    REGISTRATION_SOURCE_DELETED = "registration.source.deleted"
    KEY_CREATED = "key.created"
    KEY_ROTATED = "key.rotated"
    KEY_REVOKED = "key.revoked"
    KEYS_RESEALED = "key.resealed"


@dataclass(frozen=True)
class Actor:
    """The doer of a deed, and where the request came from.

    `kind` is person, operator, client or system.
    """

    kind: str
    id: str
    label: str
    ip: str | None = None
    user_agent: str = ""
    request_id: str = ""
    user: User | None = None

    @classmethod
    def of(cls, request: HttpRequest) -> "Actor":
        """Return the signed-in person behind a request."""
        user = request.user
        assert isinstance(user, User)
        return cls(
            kind="operator" if user.is_staff else "person",
            id=str(user.pk),
            label=str(user),
            user=user,
            **origin(request),
        )


def origin(request: HttpRequest) -> dict[str, Any]:
    """Return where a request came from, for an actor who is nobody yet."""
    return {
        "ip": caller_ip(request),
        "user_agent": request.headers.get("User-Agent", "")[:200],
        "request_id": getattr(request, "id", ""),
    }


SYSTEM = Actor(kind="system", id="", label="Clientdesk")


def record(
    name: EventName,
    *,
    actor: Actor,
    consumer: Consumer | None = None,
    target: Model | None = None,
    detail: dict[str, Any] | None = None,
) -> Event:
    """Write the deed down. Raises TransactionManagementError outside the deed's own transaction."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(f"{name} must be recorded in the transaction of its deed")
    return Event.objects.create(
        name=name,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label,
        consumer=consumer,
        target_kind=(target._meta.model_name or "") if target is not None else "",
        target_id=str(target.pk) if target is not None else "",
        target_label=str(target)[:254] if target is not None else "",
        detail=detail or {},
        ip=actor.ip,
        user_agent=actor.user_agent,
        request_id=actor.request_id,
    )
