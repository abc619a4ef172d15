"""Rules for connections, their domains and their joining rules, one function each. Raises Refusal."""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

from connections.models import (
    ClientAuthentication,
    Connection,
    Directory,
    DirectoryGroup,
    DirectoryUser,
    Domain,
    JoiningRule,
    RuleKind,
    SignInMode,
    Source,
)
from connections.presets import HOST, PART, PRESETS
from consumers.policy import CLAIM_NAME, model_fields
from core.errors import Conflict, Refusal
from core.http_fetch.target import FetchError, target
from core.text import first_unsafe, name_of
from core.uris import DOMAIN

MAX_SCOPES = 20
MAX_KEPT_CLAIMS = 20
MAX_DOMAINS = 100
MAX_SECRET = 500  # characters
# On what ground a domain is verified, besides an operator's word.
BY_DNS = "DNS record"
BY_FILE = "CONNECTIONS_FILE"
# Of a directory, so that no request of it reads or writes without bounds.
MAX_PEOPLE = 5000
MAX_GROUPS = 200
MAX_MEMBERS = 2000  # of one group
MAX_ADDRESSES = 20  # of one person
LATER = ("consumer", "directory", "digest", "pepper_version", "hint")  # what the actions fill in
# Anybody has an address there, so that no provider but its own speaks for them.
PUBLIC_MAIL = frozenset(
    [
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "ymail.com"),
        *("icloud.com", "me.com", "mac.com", "aol.com", "proton.me", "protonmail.com", "gmx.de", "gmx.net", "web.de"),
        *("yahoo.co.uk", "yahoo.de", "yahoo.fr", "hotmail.co.uk", "hotmail.de", "hotmail.fr", "outlook.de"),
        *(
            "gmx.com",
            "gmx.at",
            "gmx.ch",
            "t-online.de",
            "freenet.de",
            "orange.fr",
            "free.fr",
            "laposte.net",
            "libero.it",
        ),
        *("pm.me", "proton.ch", "hey.com", "tutanota.com", "tuta.io", "naver.com", "ziggo.nl", "kpnmail.nl"),
        *("mail.com", "mail.ru", "yandex.ru", "yandex.com", "qq.com", "163.com", "126.com", "zoho.com", "fastmail.com"),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Use:
    """What the room above does with connections: why one cannot go, or "", and what goes with it, in sentences."""

    hinders_deletion: Callable[[Connection], str]
    hinders_no_groups: Callable[[Connection], str]
    ends_with: Callable[[Connection], list[str]]


_uses: list[Use] = []


def register_use(use: Use) -> None:
    if use not in _uses:
        _uses.append(use)


def deletion(row: Connection) -> None:
    """Refuse to delete what people sign in to apps by: nobody should find that out from them."""
    if reason := next(filter(None, (use.hinders_deletion(row) for use in _uses)), ""):
        raise Conflict(reason)


def ends_with(row: Connection) -> list[str]:
    """Return what is deleted with the connection in the room above, a sentence each."""
    return [text for use in _uses for text in use.ends_with(row)]


def connection(row: Connection) -> None:
    """Judge a connection as a whole, after the rules of its fields."""
    if first := first_unsafe(row.name):
        raise Refusal(f"Remove the invisible character {name_of(first)} from the name.", field="name")
    issuer(row.issuer)
    scopes(row.scopes)
    kept_claims(row.kept_claims)
    if row.operator_claim_value and not (row.for_operators and row.groups_claim):
        raise Refusal(
            "Let operators sign in by it, and name the claim of the groups, before a group makes operators.",
            field="operator_claim_value",
        )
    if row.client_authentication != ClientAuthentication.PRIVATE_KEY_JWT and not row.has_client_secret:
        raise Refusal("Enter the client secret that the provider gave you.", field="client_secret")


def issuer(value: str) -> None:
    """Require an address that we may ask (OpenID Connect Discovery section 3), and not ourselves."""
    try:
        target(value)
    except FetchError as error:
        raise Refusal(str(error), field="issuer") from None
    if "?" in value:
        raise Refusal("An issuer has no query.", field="issuer")
    if value.rstrip("/") == settings.ISSUER:
        raise Refusal("That is this portal itself.", field="issuer")


def scopes(values: list[str]) -> None:
    """Require openid, without which there is no ID token (OpenID Connect Core section 3.1.2.1)."""
    if "openid" not in values:
        raise Refusal("Ask for the scope openid: without it the provider sends no ID token.", field="scopes")
    if len(values) > MAX_SCOPES:
        raise Refusal(f"Ask for at most {MAX_SCOPES} scopes.", field="scopes")
    if any(not value.isascii() or not value.isprintable() or " " in value or '"' in value for value in values):
        raise Refusal("A scope is printable ASCII without spaces and quotation marks.", field="scopes")


def kept_claims(names: list[str]) -> None:
    if len(names) > MAX_KEPT_CLAIMS or any(not CLAIM_NAME.fullmatch(name) for name in names):
        raise Refusal(f"Name at most {MAX_KEPT_CLAIMS} claims, in printable ASCII without spaces.", field="kept_claims")


def client_secret(value: str) -> None:
    if len(value) > MAX_SECRET or not value.isprintable():
        raise Refusal(f"A client secret has at most {MAX_SECRET} printable characters.", field="client_secret")


def requirement(row: Connection) -> None:
    """Let a connection be required once it is known to work, and to whom it applies.

    Of one that is kept in CONNECTIONS_FILE, whoever runs the server says that it works: no page could test it first.
    """
    if row.sign_in != SignInMode.REQUIRED:
        return
    if not (row.tested_at or row.signed_in_at or row.source == Source.FILE):
        raise Refusal("Test the connection first: whoever must sign in by it has no other way.", field="sign_in")
    if not row.domains.verified().exists():
        raise Refusal("Verify a domain first: it says who must sign in by it.", field="sign_in")


def domain_name(name: str) -> str:
    """Return the domain as it is compared, in lower case and ASCII."""
    name = name.strip().lower().removeprefix("@").rstrip(".")
    try:
        name = name.encode("idna").decode() if not name.isascii() else name
    except UnicodeError:
        name = ""
    if not DOMAIN.fullmatch(name):
        raise Refusal("Enter a domain, such as acme.example.", field="domain")
    if name in PUBLIC_MAIL:
        raise Refusal(f"Anybody can have an address at {name}, so that no organisation speaks for it.", field="domain")
    return name


def ground(text: str) -> None:
    """Require an operator's own words for why a domain is an organisation's, which are shown with it."""
    if not text.strip() or first_unsafe(text):
        raise Refusal("Say in a few words how you know whose domain it is.", field="by")
    if text.strip() in (BY_DNS, BY_FILE):
        raise Refusal("Say it in your own words: nothing of that kind was looked at.", field="by")


def joining_rule(row: JoiningRule) -> None:
    """Require a rule that can match, and a consumer that the connection is for."""
    if not row.connection.serves(row.consumer):
        raise Refusal(f"{row.connection} is not for {row.consumer}. Add the consumer to it first.", field="connection")
    if row.kind == RuleKind.DOMAIN and not Domain.objects.verified().filter(connection=row.connection, name=row.value):
        raise Refusal(f"{row.value} is no verified domain of {row.connection}.", field="value")
    if row.kind == RuleKind.GROUP and not row.connection.groups_claim:
        raise Refusal(f"{row.connection} reads no groups. Name the claim first.", field="value")
    if not row.value.strip() or first_unsafe(row.value):
        raise Refusal("Enter the group as the provider writes it in the claim.", field="value")


def standing_rules(row: Connection) -> None:
    """Refuse a change that would leave rules which let people in where the connection is not for, or match nobody."""
    consumers = row.consumers.all()
    beyond = row.rules.exclude(consumer__in=consumers).first() if consumers else None
    if beyond is not None:
        raise Refusal(f"People join {beyond.consumer} by {row}. Delete those rules first.", field="consumers")
    if not row.groups_claim and row.rules.filter(kind=RuleKind.GROUP).exists():
        raise Refusal("People join by their groups. Delete those rules first.", field="groups_claim")
    if not row.groups_claim and (reason := next(filter(None, (use.hinders_no_groups(row) for use in _uses)), "")):
        raise Refusal(reason, field="groups_claim")


def preset_values(preset: str, answers: dict[str, str]) -> dict[str, object]:
    """Return the fields that follow from a product and what was looked up there. Raises Refusal."""
    product = PRESETS[preset]
    parts = {}
    for name, label in product.asks.items():
        value = answers.get(name, "").strip()
        if name != "issuer":
            value = value.removeprefix("https://").rstrip("/")
            pattern = PART if name in ("realm", "tenant", "environment") else HOST
            if not pattern.fullmatch(value):
                example = product.examples.get(name, "")
                raise Refusal(f"Enter the {label.lower()}, such as {example}.", field=name)
        parts[name] = value
    return {
        "issuer": product.issuer.format(**parts),
        "scopes": list(product.scopes),
        "groups_claim": product.groups_claim,
        "verified_claim": product.verified_claim,
        "domain_claim": product.domain_claim,
    }


def directory(row: Directory) -> None:
    """Judge the name and the role of a directory."""
    model_fields(row, but=LATER)
    _plain(row.name, "name")


def directory_user(row: DirectoryUser) -> None:
    """Judge what a directory says about a person (RFC 7643 section 4.1)."""
    if not row.user_name.strip():
        raise Refusal("Send a userName.", field="user_name")
    model_fields(row, but=("directory", "user", "invitation", "emails", "searched_emails"))
    for name in ("user_name", "external_id", "display_name", "formatted_name", "given_name", "family_name"):
        _plain(getattr(row, name), name)
    if len(row.emails) > MAX_ADDRESSES:
        raise Refusal(f"A person has at most {MAX_ADDRESSES} addresses here.", field="emails")
    for each in row.emails:
        for part in ("value", "type"):
            text = each.get(part) or ""
            if len(text) > 254:
                raise Refusal("An address has at most 254 characters.", field="emails")
            _plain(text, "emails")


def directory_group(row: DirectoryGroup) -> None:
    """Judge what a directory says about a group (RFC 7643 section 4.2)."""
    if not row.display_name.strip():
        raise Refusal("Send a displayName.", field="display_name")
    model_fields(row, but=("directory",))
    _plain(row.display_name, "display_name")
    _plain(row.external_id, "external_id")


def room_for_person(row: Directory) -> None:
    if row.users.count() >= MAX_PEOPLE:
        raise Conflict(f"A directory has at most {MAX_PEOPLE:,} people here.")


def room_for_group(row: Directory) -> None:
    if row.groups.count() >= MAX_GROUPS:
        raise Conflict(f"A directory has at most {MAX_GROUPS} groups here. Assign the groups that give a role.")


def _plain(text: str, field: str) -> None:
    """Refuse invisible characters, which show one name and are another."""
    if first := first_unsafe(text):
        raise Refusal(f"Leave out the invisible character {name_of(first)}.", field=field)
