"""The events of connections to identity providers, and how each reads."""

from consumers.activity.vocabulary import Category, SensitiveOperation, Wording, changed_fields, register
from consumers.models import Event, EventName

FIELD_LABELS = {
    "client_id": "client ID",
    "client_authentication": "how we authenticate there",
    "client_secret": "client secret",
    "sign_in": "sign-in",
    "operator_claim_value": "group of operators",
    "operator_group": "rights of those operators",
    "for_operators": "operators may sign in by it",
    "name_claim": "claim of the name",
    "email_claim": "claim of the email address",
    "verified_claim": "claim that the email is verified",
    "groups_claim": "claim of the groups",
    "domain_claim": "claim of the domain",
    "max_age": "oldest sign-in at the provider",
}


class ConnectionEvent(EventName):
    CREATED = "connection.created"
    UPDATED = "connection.updated"
    DELETED = "connection.deleted"
    TESTED = "connection.tested"
    DOMAIN_ADDED = "connection.domain.added"
    DOMAIN_VERIFIED = "connection.domain.verified"
    DOMAIN_REMOVED = "connection.domain.removed"
    RULE_CREATED = "connection.joining_rule.created"
    RULE_DELETED = "connection.joining_rule.deleted"
    SIGN_IN_REFUSED = "connection.sign_in.refused"
    LOGGED_OUT = "connection.logged_out"
    IDENTITY_LINKED = "person.identity.linked"
    IDENTITY_UNLINKED = "person.identity.unlinked"
    IDENTITY_EMAIL_CHANGED = "person.identity.email_changed"
    PERSON_PROVISIONED = "person.provisioned"
    OPERATOR_RIGHTS_GIVEN = "operator.rights.given"
    OPERATOR_RIGHTS_TAKEN = "operator.rights.taken"
    LAST_MANAGER_KEPT = "manager.kept"
    WAY_BACK_USED = "operator.way_back.used"


class DirectoryEvent(EventName):
    CREATED = "directory.created"
    UPDATED = "directory.updated"
    TOKEN_ROTATED = "directory.token.rotated"
    DELETED = "directory.deleted"
    GROUP_ROLE_CHANGED = "directory.group.role_changed"
    USER_CREATED = "directory.user.created"
    USER_UPDATED = "directory.user.updated"
    USER_SWITCHED_OFF = "directory.user.switched_off"
    USER_SWITCHED_ON = "directory.user.switched_on"
    USER_DELETED = "directory.user.deleted"
    GROUP_CREATED = "directory.group.created"
    GROUP_UPDATED = "directory.group.updated"
    GROUP_DELETED = "directory.group.deleted"


def _domain(event: Event) -> str:
    by = event.detail.get("by", "")
    return f"{event.detail.get('domain', '')}, {by}" if by else event.detail.get("domain", "")


def _rule(event: Event) -> str:
    return f"{event.detail.get('rule', '')}: {event.detail.get('role', '')}"


def _members(event: Event) -> str:
    added, removed = event.detail.get("added", 0), event.detail.get("removed", 0)
    return ", ".join(f"{number} {word}" for number, word in ((added, "added"), (removed, "removed")) if number)


def _reason(event: Event) -> str:
    return ", ".join(filter(None, (event.detail.get("reason", ""), event.detail.get("email", ""))))


_WORDINGS: dict[EventName, Wording] = {
    ConnectionEvent.CREATED: Wording("added the connection {target}", "shield-check", "good"),
    ConnectionEvent.UPDATED: Wording(
        "changed the connection {target}", "settings-2", "warn", changed_fields(FIELD_LABELS)
    ),
    ConnectionEvent.DELETED: Wording("deleted the connection {target}", "trash-2", "bad"),
    ConnectionEvent.TESTED: Wording("tested the connection {target}", "flask-conical", "good"),
    ConnectionEvent.DOMAIN_ADDED: Wording("added a domain to {target}", "globe", "", _domain),
    ConnectionEvent.DOMAIN_VERIFIED: Wording("verified a domain of {target}", "globe", "good", _domain),
    ConnectionEvent.DOMAIN_REMOVED: Wording("removed a domain from {target}", "globe", "bad", _domain),
    ConnectionEvent.RULE_CREATED: Wording("let people join by {target}", "user-plus", "warn", _rule),
    ConnectionEvent.RULE_DELETED: Wording("deleted a joining rule of {target}", "user-minus", "", _rule),
    ConnectionEvent.SIGN_IN_REFUSED: Wording("was not let in by {target}", "ban", "bad", _reason),
    ConnectionEvent.LOGGED_OUT: Wording("ended sessions of {target}", "log-out", "warn"),
    ConnectionEvent.IDENTITY_LINKED: Wording("connected {connection} to {target}", "shield-check", "good"),
    ConnectionEvent.IDENTITY_UNLINKED: Wording("disconnected {connection} from {target}", "circle-x", "warn"),
    ConnectionEvent.IDENTITY_EMAIL_CHANGED: Wording(
        "has another address at {connection}", "mail", "warn", lambda event: event.detail.get("email", "")
    ),
    ConnectionEvent.PERSON_PROVISIONED: Wording("made the account of {target}, by {connection}", "user-plus", "good"),
    ConnectionEvent.OPERATOR_RIGHTS_GIVEN: Wording("made {target} an operator, by {connection}", "user-plus", "warn"),
    ConnectionEvent.OPERATOR_RIGHTS_TAKEN: Wording(
        "took operator rights from {target}, by {connection}", "user-minus", "warn"
    ),
    ConnectionEvent.LAST_MANAGER_KEPT: Wording(
        "kept {target} as the last manager, whom {connection} no longer names", "triangle-alert", "bad"
    ),
    ConnectionEvent.WAY_BACK_USED: Wording(
        "signed in by a passkey, although {connection} is required", "key-round", "bad"
    ),
}

_DIRECTORY_WORDINGS: dict[EventName, Wording] = {
    DirectoryEvent.CREATED: Wording("let {target} keep the people of the workspace", "users", "warn"),
    DirectoryEvent.UPDATED: Wording(
        "changed the directory {target}", "settings-2", "warn", changed_fields({"default_role": "role"})
    ),
    DirectoryEvent.TOKEN_ROTATED: Wording("replaced the token of {target}", "key-round", "warn"),
    DirectoryEvent.DELETED: Wording("deleted the directory {target}", "trash-2", "bad"),
    DirectoryEvent.GROUP_ROLE_CHANGED: Wording("made the members of {target} {role}", "users", "warn"),
    DirectoryEvent.USER_CREATED: Wording("assigned {target}", "user-plus", "good"),
    DirectoryEvent.USER_UPDATED: Wording("changed {target}", "users", "", changed_fields({})),
    DirectoryEvent.USER_SWITCHED_OFF: Wording("switched off {target}", "ban", "bad"),
    DirectoryEvent.USER_SWITCHED_ON: Wording("switched on {target}", "play", "good"),
    DirectoryEvent.USER_DELETED: Wording("removed {target}", "user-minus", "bad"),
    DirectoryEvent.GROUP_CREATED: Wording("added the group {target}", "users"),
    DirectoryEvent.GROUP_UPDATED: Wording("changed the group {target}", "users", "", _members),
    DirectoryEvent.GROUP_DELETED: Wording("removed the group {target}", "trash-2", "warn"),
}

_SENSITIVE: dict[EventName, SensitiveOperation] = {
    ConnectionEvent.CREATED: SensitiveOperation(),
    ConnectionEvent.UPDATED: SensitiveOperation(),
    ConnectionEvent.DELETED: SensitiveOperation(),
    ConnectionEvent.DOMAIN_VERIFIED: SensitiveOperation(),
    ConnectionEvent.RULE_CREATED: SensitiveOperation(),
    DirectoryEvent.CREATED: SensitiveOperation(),
    DirectoryEvent.UPDATED: SensitiveOperation(),
    DirectoryEvent.TOKEN_ROTATED: SensitiveOperation(),
    DirectoryEvent.GROUP_ROLE_CHANGED: SensitiveOperation(),
}


def register_events() -> None:
    register(
        _WORDINGS | _DIRECTORY_WORDINGS,
        sensitive=_SENSITIVE,
        workspace_categories=[Category("directory", "Directory", ("directory.",))],
        operator_categories=[
            Category("connections", "Connections", ("connection.", "person.identity.")),
            Category("directories", "Directories", ("directory.",)),
        ],
    )
