"""The activity of a workspace in words: one table from the event's name to its sentence, and how it is listed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from string import Formatter
from typing import Any, NamedTuple

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from consumers.audit import EventName
from consumers.models import Consumer, Event
from core.user_agents import browser_name


class Part(NamedTuple):
    """A piece of a sentence; a name stands out, and leads to its page while that exists."""

    text: str
    is_name: bool = False
    url: str = ""


@dataclass(frozen=True)
class Entry:
    """An event as the timeline shows it. `tone` is good, warn, bad or empty."""

    event: Event
    parts: list[Part]
    icon: str
    tone: str
    detail: str
    origin: str

    @property
    def sentence(self) -> str:
        return "".join(part.text for part in self.parts)


@dataclass(frozen=True)
class Day:
    date: date
    heading: str
    entries: list[Entry]


def when(moment: datetime) -> str:
    """Return a moment as a sentence says it: 24 November 2026 at 14:00 UTC."""
    local = timezone.localtime(moment)
    return f"{date_format(local, 'j F Y')} at {date_format(local, 'H:i')} {local.tzname()}"


# -- Detail lines: what the event's `detail` adds to its sentence -----------------------------------------------------

KINDS = {
    "service": "Service",
    "workload": "Workload",
    "web": "Web app",
    "public": "Single-page or mobile app",
    "device": "Command line or TV app",
    "other": "",
}
FIELDS = {
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
    "jwks_uri": "address of the public keys",
    "client_jwks_uri": "address of the public keys",
    "lifespans": "token lifetimes",
    "dpop_bound_access_tokens": "tokens bound to a key",
    "environment_type": "environment",
    "is_production": "production",
    "allows_test_tokens": "test tokens",
    "is_active": "active",
    "is_staff": "operator",
    "is_superuser": "full rights",
    "user_permissions": "rights",
}


def _kind(event: Event) -> str:
    return KINDS.get(event.detail.get("kind", ""), "")


def _changed_fields(event: Event) -> str:
    names = [FIELDS.get(name, name.replace("_", " ")) for name in event.detail.get("fields", [])]
    return f"Changed: {', '.join(names)}" if names else ""


def _claims(event: Event) -> str:
    names = event.detail.get("names", [])
    return f"Claims: {', '.join(names)}" if names else "None"


def _secret(event: Event) -> str:
    name = event.detail.get("name", "")
    return f"Secret ••••{event.detail.get('hint', '')}" + (f", “{name}”" if name else "")


def _expiry(event: Event) -> str:
    ends_at = event.detail.get("ends_at")
    return (
        f"{_secret(event)} ends {f'on {when(datetime.fromisoformat(ends_at))}' if ends_at else 'when somebody ends it'}"
    )


def _token(event: Event) -> str:
    return f"May: {', '.join(event.detail.get('scopes', []))}"


def _test_token(event: Event) -> str:
    end = event.detail.get("ends_at")
    return f"“{event.detail.get('reason', '')}”" + (f", until {when(datetime.fromisoformat(end))}" if end else "")


def _secret_rules(event: Event) -> str:
    days, shortened = event.detail.get("days"), event.detail.get("shortened", 0)
    rule = f"Each works for {days} days at most" if days else "Secrets may work without end"
    if not event.detail.get("allowed"):
        rule = "No new secrets"
    return rule + (f"; {shortened} that worked got an end" if shortened else "")


def _rotation(event: Event) -> str:
    old, new = (f"••••{event.detail.get(key, '')}" for key in ("hint", "new_hint"))
    ends_at = event.detail.get("ends_at")
    if event.detail.get("ends") == "after_first_use":
        return f"Old secret {old} ends a day after the new one, {new}, is first used"
    if not ends_at:
        return f"Old secret {old} works until it is revoked; the new one is {new}"
    end = datetime.fromisoformat(ends_at)
    if end <= event.at:
        return f"Old secret {old} stopped working at once; the new one is {new}"
    return f"Old secret {old} works until {when(end)}; the new one is {new}"


def _scopes(event: Event) -> str:
    said = [
        f"{verb} {', '.join(event.detail[verb])}" for verb in ("added", "changed", "removed") if event.detail.get(verb)
    ]
    return _sentence_case("; ".join(said))


def _granted(event: Event) -> str:
    return ", ".join(event.detail.get("scopes", []))


def _api_changes(event: Event) -> str:
    return "; ".join(filter(None, (_changed_fields(event), _scopes(event))))


def _sentence_case(text: str) -> str:
    """Raise the first letter and leave the rest, for scope values are case-sensitive (RFC 6749 section 3.3)."""
    return text[:1].upper() + text[1:]


def _signing_key(event: Event) -> str:
    said = f"{event.detail.get('algorithm', '')}, {event.detail.get('state', '')}".strip(", ")
    successor = event.detail.get("successor")
    return f"{said}; {successor} signs now" if successor else said


def _retired_key(event: Event) -> str:
    served_until = event.detail.get("served_until")
    if not served_until:
        return ""
    return f"{event.detail.get('retired')} is published until {when(datetime.fromisoformat(served_until))}"


def _moved(event: Event) -> str:
    return ", ".join(f"{number} {what}" for what, number in event.detail.get("moved", {}).items())


def _rule(event: Event) -> str:
    claims = ", ".join(f"{name}: {value}" for name, value in event.detail.get("claims", {}).items())
    return f"{event.detail.get('issuer', '')}; {claims}"


def _nothing(event: Event) -> str:
    return ""


# -- Sentences --------------------------------------------------------------------------------------------------------


class Words(NamedTuple):
    """How a kind of event is told. The sentence follows the actor's name; {target} and fields of `detail` fill it."""

    sentence: str
    icon: str
    tone: str = ""
    detail: Callable[[Event], str] = _nothing


WORDS = {
    EventName.API_CREATED: Words("added the API {target}", "boxes", "good"),
    EventName.API_UPDATED: Words("changed the API {target}", "settings-2", "", _api_changes),
    EventName.API_SERVERS_CHANGED: Words("set which clients ask for the API {target}", "scan-search", "warn", _scopes),
    EventName.API_DELETED: Words("deleted the API {target}", "trash-2", "bad"),
    EventName.CONSUMER_CREATED: Words("opened the workspace {target}", "building-2", "good"),
    EventName.CONSUMER_UPDATED: Words("changed what is on record about {target}", "settings-2"),
    EventName.CONSUMER_SUSPENDED: Words("suspended {target}, with its clients and tokens", "ban", "bad"),
    EventName.CONSUMER_RESUMED: Words("resumed {target}", "play", "good"),
    EventName.CONSUMER_TOKENS_REVOKED: Words("revoked all tokens of the clients of {target}", "circle-x", "bad"),
    EventName.CONSUMER_DELETED: Words("deleted {target}", "trash-2", "bad"),
    EventName.CONSUMER_SECRETS_RULED: Words("changed the rules for secrets of {target}", "lock", "warn", _secret_rules),
    EventName.CONSUMER_SCOPES_CHANGED: Words("changed the permissions that {target} may use", "lock", "warn", _scopes),
    EventName.MANAGER_INVITED: Words("invited {email} as {role}", "user-plus"),
    EventName.INVITATION_RESENT: Words("sent the invitation of {email} again", "send"),
    EventName.INVITATION_WITHDRAWN: Words("withdrew the invitation of {email}", "user-minus"),
    EventName.INVITATION_DECLINED: Words("declined the invitation", "user-minus"),
    EventName.MANAGER_JOINED: Words("joined as {role}", "user-plus", "good"),
    EventName.MANAGER_ROLE_CHANGED: Words("made {target} a {role}", "users", "warn"),
    EventName.MANAGER_REMOVED: Words("removed {target} from the workspace", "user-minus", "bad"),
    EventName.OPERATOR_ADDED: Words("made {target} an operator", "user-plus", "warn"),
    EventName.PERSON_UPDATED: Words("changed the account of {target}", "users", "warn", _changed_fields),
    EventName.TOKEN_CREATED: Words("made the personal access token {target}", "key-round", "warn", _token),
    EventName.TOKEN_REVOKED: Words("revoked the personal access token {target}", "circle-x", "bad"),
    EventName.GROUP_SAVED: Words("set what the operators of {target} may do", "users", "warn"),
    EventName.GROUP_DELETED: Words("deleted the group of operators {target}", "trash-2", "bad"),
    EventName.CLIENT_REGISTERED: Words("registered {target}", "plus", "good", _kind),
    EventName.CLIENT_UPDATED: Words("changed {target}", "settings-2", "", _changed_fields),
    EventName.CLIENT_DISABLED: Words("disabled {target}", "power", "bad"),
    EventName.CLIENT_ENABLED: Words("enabled {target}", "power", "good"),
    EventName.CLIENT_TOKENS_REVOKED: Words("revoked all tokens of {target}", "circle-x", "bad"),
    EventName.CLIENT_CLAIMS_CHANGED: Words("set the claims of the tokens of {target}", "settings-2", "warn", _claims),
    EventName.CLIENT_DELETED: Words("deleted {target}", "trash-2", "bad"),
    EventName.SECRET_ADDED: Words("added a secret to {target}", "key-round", "", _secret),
    EventName.SECRET_ROTATED: Words("rotated a secret of {target}", "rotate-cw", "warn", _rotation),
    EventName.SECRET_EXPIRES: Words("changed when a secret of {target} ends", "clock", "", _expiry),
    EventName.SECRET_REVOKED: Words("revoked a secret of {target}", "circle-x", "bad", _secret),
    EventName.IDENTITY_TOKEN_TAKEN: Words(
        "got an identity token of {target} for {audience}", "fingerprint-pattern", "warn"
    ),
    EventName.TEST_TOKEN_MADE: Words("made a test token of {target}", "flask-conical", "warn", _test_token),
    EventName.TEST_TOKEN_REVOKED: Words("revoked a test token of {target}", "circle-x", "", _test_token),
    EventName.INITIAL_TOKEN_CREATED: Words("made the initial access token {target}", "key-round", "warn"),
    EventName.INITIAL_TOKEN_REVOKED: Words("revoked the initial access token {target}", "circle-x", "bad"),
    EventName.REGISTRATION_OPENED: Words("let anybody register clients for {target}", "globe", "warn"),
    EventName.REGISTRATION_SOURCE_SAVED: Words("set how {target} describes clients", "globe", "warn"),
    EventName.REGISTRATION_SOURCE_DELETED: Words("stopped believing {target} about clients", "circle-x", "bad"),
    EventName.REGISTRATION_CLOSED: Words("ended open registration for {target}", "lock", "good"),
    EventName.CONSENT_GIVEN: Words("let {target} use their account", "check", "good", _granted),
    EventName.CONSENT_REVOKED: Words("took back the access of {target} to their account", "circle-x", "", _granted),
    EventName.RULE_ADDED: Words("let {target} prove itself with tokens of another issuer", "shield-check", "", _rule),
    EventName.RULE_REMOVED: Words("removed a rule of {target}", "circle-x", "warn", _rule),
    EventName.ISSUER_ALLOWED: Words("allowed clients to prove themselves with {target}", "shield-check", "good"),
    EventName.ISSUER_UPDATED: Words("changed the trusted issuer {target}", "settings-2", "", _changed_fields),
    EventName.ISSUER_DISABLED: Words("disabled the trusted issuer {target}", "power", "bad"),
    EventName.ISSUER_ENABLED: Words("enabled the trusted issuer {target}", "play", "good"),
    EventName.ISSUER_REMOVED: Words("removed the trusted issuer {target}", "trash-2", "bad"),
    EventName.KEY_CREATED: Words("made the signing key {target}", "key-round", "good", _signing_key),
    EventName.KEY_ROTATED: Words("rotated a signing key: {target} signs now", "rotate-cw", "warn", _retired_key),
    EventName.KEY_REVOKED: Words("revoked the signing key {target}", "circle-x", "bad", _signing_key),
    EventName.KEYS_RESEALED: Words("moved what rests sealed under the newest encryption key", "lock", "", _moved),
}
LEFT = Words("left the workspace", "user-minus")


def _words_for(event: Event) -> Words:
    if event.name == EventName.MANAGER_REMOVED and event.actor_id == event.target_id:
        return LEFT
    return WORDS.get(event.name, Words(f"{event.name} {{target}}", "history"))  # type: ignore[call-overload, no-any-return]


def describe(event: Event, target_url: str = "") -> Entry:
    """Tell one event. `target_url` is the page of its target, where that still exists."""
    words = _words_for(event)
    parts = [Part(event.actor_label, is_name=True)]
    text = " "
    for literal, field, _, _ in Formatter().parse(words.sentence):
        text += literal
        if field == "target":
            parts += [Part(text), Part(event.target_label, is_name=True, url=target_url)]
            text = ""
        elif field:
            text += str(event.detail.get(field, "somebody"))
    if text:
        parts.append(Part(text))
    return Entry(event, parts, words.icon, words.tone, words.detail(event), _origin(event))


def _origin(event: Event) -> str:
    """Return where the request came from: address, browser and system."""
    return ", ".join(filter(None, (event.ip, browser_name(event.user_agent))))


# -- Lists ------------------------------------------------------------------------------------------------------------


def describe_all(events: Iterable[Event], consumer: Consumer) -> list[Entry]:
    """Tell the events of one consumer, with links to those of its clients that still exist."""
    events = list(events)
    touched = {event.target_id for event in events if event.target_kind == "client"}
    clients: Any = consumer.clients.filter(pk__in=touched)  # whose model this room does not know
    urls = {
        str(pk): reverse("clients:detail", args=[consumer.slug, client_id])
        for pk, client_id in clients.values_list("pk", "client_id")
    }
    return [describe(event, urls.get(event.target_id, "") if event.target_kind == "client" else "") for event in events]


def by_day(entries: Iterable[Entry]) -> list[Day]:
    """Group entries, newest first, under the days on which they happened here."""
    return [
        Day(day, heading(day), list(group))
        for day, group in groupby(entries, key=lambda entry: timezone.localdate(entry.event.at))
    ]


def heading(day: date) -> str:
    today = timezone.localdate()
    if day == today:
        return f"Today, {date_format(day, 'j F')}"
    if day == today - timedelta(days=1):
        return f"Yesterday, {date_format(day, 'j F')}"
    return date_format(day, "l j F" if day.year == today.year else "l j F Y")
