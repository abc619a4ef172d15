"""The events of signing keys, consents, test tokens and identity tokens, and how each reads."""

from datetime import datetime

from clients.vocabulary import EnvironmentType
from consumers.activity.vocabulary import Category, SensitiveOperation, Wording, register
from consumers.models import Event, EventName
from core.timefmt import date_time


class AuthorityEvent(EventName):
    IDENTITY_TOKEN_ISSUED = "client.identity_token.issued"
    TEST_TOKEN_CREATED = "client.test_token.created"
    TEST_TOKEN_REVOKED = "client.test_token.revoked"
    CONSENT_GRANTED = "consent.granted"
    CONSENT_REVOKED = "consent.revoked"
    SIGNED_OUT_EVERYWHERE = "person.signed_out"
    CONSENTS_REVOKED = "person.consents.revoked"
    LOGIN_SESSIONS_ENDED = "person.login_sessions.ended"
    CLIENT_PERSON_SIGNED_OUT = "client.person.signed_out"
    CLIENT_PEOPLE_SIGNED_OUT = "client.people.signed_out"
    KEY_CREATED = "key.created"
    KEY_ROTATED = "key.rotated"
    KEY_REVOKED = "key.revoked"
    HEAD_EXPORTED = "activity.head.exported"
    EVIDENCE_EXPORTED = "activity.evidence.exported"
    CHAIN_STARTED = "activity.chain.started"


def _test_token_reason(event: Event) -> str:
    end = event.detail.get("expires_at")
    return f"“{event.detail.get('reason', '')}”" + (f", until {date_time(datetime.fromisoformat(end))}" if end else "")


def _person(event: Event) -> str:
    return f"Person {event.detail.get('person_id', '')}"


def _granted_scopes(event: Event) -> str:
    return ", ".join(event.detail.get("scopes", []))


def _revoked_clients(event: Event) -> str:
    return ", ".join(event.detail.get("clients", []))


def _ended_sessions(event: Event) -> str:
    count = event.detail.get("sessions", 0)
    return f"{count:,} session{'' if count == 1 else 's'}"


def _signing_key_state(event: Event) -> str:
    said = f"{event.detail.get('algorithm', '')}, {event.detail.get('state', '')}".strip(", ")
    successor = event.detail.get("successor")
    return f"{said}; {successor} signs now" if successor else said


def _retired_key_end(event: Event) -> str:
    served_until = event.detail.get("served_until")
    if not served_until:
        return ""
    return f"{event.detail.get('retired')} is published until {date_time(datetime.fromisoformat(served_until))}"


def _head(event: Event) -> str:
    return f"Position {event.detail.get('position', 0):,}, {event.detail.get('hash', '')[:12]}…"


def _chain_start(event: Event) -> str:
    found = event.detail.get("problems", 0)
    named = f"At position {event.detail.get('position', 0):,}; names {found:,} problem{'' if found == 1 else 's'}"
    return f"{named}: “{event.detail.get('note', '')}”"


_WORDINGS: dict[EventName, Wording] = {
    AuthorityEvent.IDENTITY_TOKEN_ISSUED: Wording(
        "got an identity token of {target} for {audience}", "fingerprint-pattern", "warn"
    ),
    AuthorityEvent.TEST_TOKEN_CREATED: Wording(
        "created a test token of {target}", "flask-conical", "warn", _test_token_reason
    ),
    AuthorityEvent.TEST_TOKEN_REVOKED: Wording("revoked a test token of {target}", "circle-x", "", _test_token_reason),
    AuthorityEvent.CONSENT_GRANTED: Wording(
        "authorized {target} to use their account", "check", "good", _granted_scopes
    ),
    AuthorityEvent.CONSENT_REVOKED: Wording(
        "revoked the access of {target} to their account", "circle-x", "", _granted_scopes
    ),
    AuthorityEvent.SIGNED_OUT_EVERYWHERE: Wording(
        "signed {target} out everywhere",
        "log-out",
        "bad",
        by_target=Wording("signed out everywhere", "log-out"),
    ),
    AuthorityEvent.CONSENTS_REVOKED: Wording(
        "revoked what apps may do for {target}", "circle-x", "bad", _revoked_clients
    ),
    AuthorityEvent.LOGIN_SESSIONS_ENDED: Wording(
        "ended sign-ins of {target} by your own login", "log-out", "bad", _ended_sessions
    ),
    AuthorityEvent.CLIENT_PERSON_SIGNED_OUT: Wording("signed a person out of {target}", "log-out", "warn", _person),
    AuthorityEvent.CLIENT_PEOPLE_SIGNED_OUT: Wording("signed everybody out of {target}", "log-out", "bad"),
    AuthorityEvent.KEY_CREATED: Wording("created the signing key {target}", "key-round", "good", _signing_key_state),
    AuthorityEvent.KEY_ROTATED: Wording(
        "rotated a signing key: {target} signs now", "rotate-cw", "warn", _retired_key_end
    ),
    AuthorityEvent.HEAD_EXPORTED: Wording("exported a signed head of the activity", "download", "", _head),
    AuthorityEvent.EVIDENCE_EXPORTED: Wording("exported the activity as evidence", "download", "warn"),
    AuthorityEvent.CHAIN_STARTED: Wording("started a new chain of the activity", "triangle-alert", "bad", _chain_start),
    AuthorityEvent.KEY_REVOKED: Wording("revoked the signing key {target}", "circle-x", "bad", _signing_key_state),
}


_SENSITIVE: dict[EventName, SensitiveOperation] = {
    AuthorityEvent.IDENTITY_TOKEN_ISSUED: SensitiveOperation(
        lambda detail: detail.get("environment_type") == EnvironmentType.PRODUCTION
    ),
    AuthorityEvent.KEY_CREATED: SensitiveOperation(),
    AuthorityEvent.KEY_ROTATED: SensitiveOperation(),
    AuthorityEvent.KEY_REVOKED: SensitiveOperation(),
    AuthorityEvent.CHAIN_STARTED: SensitiveOperation(),
}


def register_events() -> None:
    register(_WORDINGS, sensitive=_SENSITIVE, operator_categories=[Category("keys", "Signing keys", ("key.",))])
