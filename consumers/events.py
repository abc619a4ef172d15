"""The events of people and consumers, and how each reads."""

from consumers.activity.vocabulary import Category, SensitiveOperation, Wording, changed_fields, changes, register
from consumers.models import Event, EventName, Role

FIELD_LABELS = {
    "is_active": "active",
    "is_staff": "operator",
    "is_superuser": "full rights",
    "user_permissions": "rights",
}


class ConsumerEvent(EventName):
    CONSUMER_CREATED = "consumer.created"
    CONSUMER_UPDATED = "consumer.updated"
    CONSUMER_SUSPENDED = "consumer.suspended"
    CONSUMER_RESUMED = "consumer.resumed"
    CONSUMER_TOKENS_REVOKED = "consumer.tokens.revoked"
    CONSUMER_DELETED = "consumer.deleted"
    MANAGER_INVITED = "manager.invited"
    INVITATION_RESENT = "manager.invitation.resent"
    INVITATION_REVOKED = "manager.invitation.revoked"
    INVITATION_DECLINED = "manager.invitation.declined"
    MANAGER_JOINED = "manager.joined"
    MANAGER_ROLE_CHANGED = "manager.role.changed"
    MANAGER_REMOVED = "manager.removed"
    PORTAL_LINK_CREATED = "portal_link.created"
    PORTAL_LINK_USED = "portal_link.used"
    OPERATOR_ADDED = "operator.added"
    PERSON_UPDATED = "person.updated"
    PERSON_SIGNED_IN = "person.signed_in"
    SECOND_FACTOR_RESET = "person.second_factor.reset"
    PERSON_ERASED = "person.erased"
    EVENTS_EXPIRED = "activity.expired"
    TOKEN_CREATED = "person.token.created"
    TOKEN_REVOKED = "person.token.revoked"
    GROUP_SAVED = "group.saved"
    GROUP_DELETED = "group.deleted"


def _token_scopes(event: Event) -> str:
    return f"May: {', '.join(event.detail.get('scopes', []))}"


_WORDINGS: dict[EventName, Wording] = {
    ConsumerEvent.CONSUMER_CREATED: Wording("opened the workspace {target}", "building-2", "good"),
    ConsumerEvent.CONSUMER_UPDATED: Wording("changed what is on record about {target}", "settings-2"),
    ConsumerEvent.CONSUMER_SUSPENDED: Wording(
        "suspended {target}, with its clients and tokens", "ban", "bad", lambda event: event.detail.get("reason", "")
    ),
    ConsumerEvent.CONSUMER_RESUMED: Wording("resumed {target}", "play", "good"),
    ConsumerEvent.CONSUMER_TOKENS_REVOKED: Wording("revoked all tokens of the clients of {target}", "circle-x", "bad"),
    ConsumerEvent.CONSUMER_DELETED: Wording("deleted {target}", "trash-2", "bad"),
    ConsumerEvent.MANAGER_INVITED: Wording("invited {email} as {role}", "user-plus"),
    ConsumerEvent.INVITATION_RESENT: Wording("resent the invitation of {email}", "send"),
    ConsumerEvent.INVITATION_REVOKED: Wording("revoked the invitation of {email}", "user-minus"),
    ConsumerEvent.INVITATION_DECLINED: Wording("declined the invitation", "user-minus"),
    ConsumerEvent.MANAGER_JOINED: Wording("joined as {role}", "user-plus", "good"),
    ConsumerEvent.MANAGER_ROLE_CHANGED: Wording("changed the role of {target} to {role}", "users", "warn"),
    ConsumerEvent.MANAGER_REMOVED: Wording(
        "removed {target} from the workspace",
        "user-minus",
        "bad",
        by_target=Wording("left the workspace", "user-minus"),
    ),
    ConsumerEvent.PORTAL_LINK_CREATED: Wording("made a link into the workspace for {email}, from {host}", "send"),
    ConsumerEvent.PORTAL_LINK_USED: Wording("opened the workspace from {host}", "user-plus"),
    ConsumerEvent.OPERATOR_ADDED: Wording("gave {target} operator rights", "user-plus", "warn"),
    ConsumerEvent.PERSON_UPDATED: Wording(
        "changed the account of {target}", "users", "warn", changed_fields(FIELD_LABELS)
    ),
    ConsumerEvent.PERSON_SIGNED_IN: Wording("signed in", "log-in", "", lambda event: event.detail.get("method", "")),
    ConsumerEvent.SECOND_FACTOR_RESET: Wording(
        "removed the second factor of {target}, and ended all sessions", "shield-check", "bad"
    ),
    ConsumerEvent.PERSON_ERASED: Wording("erased {person} from every table and {events} events", "user-minus", "bad"),
    ConsumerEvent.EVENTS_EXPIRED: Wording("deleted the events of more than {days} days ago", "trash-2"),
    ConsumerEvent.TOKEN_CREATED: Wording(
        "created the personal access token {target}", "key-round", "warn", _token_scopes
    ),
    ConsumerEvent.TOKEN_REVOKED: Wording("revoked the personal access token {target}", "circle-x", "bad"),
    ConsumerEvent.GROUP_SAVED: Wording("set what the operators of {target} may do", "users", "warn"),
    ConsumerEvent.GROUP_DELETED: Wording("deleted the group of operators {target}", "trash-2", "bad"),
}


_SENSITIVE: dict[EventName, SensitiveOperation] = {
    ConsumerEvent.CONSUMER_DELETED: SensitiveOperation(),
    ConsumerEvent.MANAGER_INVITED: SensitiveOperation(),
    ConsumerEvent.MANAGER_ROLE_CHANGED: SensitiveOperation(lambda detail: detail.get("role") == Role.MANAGER),
    # A link for somebody who is no member yet lets them in, as an invitation does.
    ConsumerEvent.PORTAL_LINK_CREATED: SensitiveOperation(lambda detail: bool(detail.get("joins"))),
    ConsumerEvent.OPERATOR_ADDED: SensitiveOperation(),
    ConsumerEvent.PERSON_UPDATED: changes("is_active", "is_staff", "is_superuser", "user_permissions", "groups"),
    ConsumerEvent.TOKEN_CREATED: SensitiveOperation(),
    ConsumerEvent.GROUP_SAVED: SensitiveOperation(),
}


def register_events() -> None:
    register(
        _WORDINGS,
        sensitive=_SENSITIVE,
        workspace_categories=[
            Category("people", "People", ("manager.", "portal_link.", "person.roles.")),
            Category("sign-ins", "Sign-ins", ("person.signed_in",)),
            Category("workspace", "The workspace", ("consumer.",)),
        ],
        operator_categories=[
            Category("managers", "Managers and invitations", ("manager.", "portal_link.")),
            Category("consumers", "Consumers", ("consumer.",)),
            Category("sign-ins", "Sign-ins", ("person.signed_in",)),
            Category(
                "rights", "Accounts and rights", ("operator.", "person.", "group."), excluded=("person.signed_in",)
            ),
        ],
    )
