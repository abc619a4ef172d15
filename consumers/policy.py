"""Rules for values of consumers and people, one function each. Raises Refusal."""

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Model

from consumers.models import Consumer, User
from core.demo import is_demo
from core.errors import Refusal
from core.limits import longest
from core.text import first_unsafe, name_of
from core.uris import DOMAIN, check_characters

# Names whose meaning specifications or we ourselves fix; what operators add never takes their place.
RESERVED_CLAIMS = frozenset(
    [
        *("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scope"),  # RFC 7519, RFC 9068
        *("consumer_id", "family_id"),  # ours
        *("azp", "nonce", "at_hash", "c_hash", "auth_time", "acr", "amr", "sid", "events"),  # OpenID Connect
        *("cnf", "act", "may_act", "authorization_details", "sub_id"),  # RFC 7800, RFC 8693, RFC 9396, RFC 9493
        *("htm", "htu", "ath"),  # RFC 9449
        # What introspection says about a token (RFC 7662 section 2.2, RFC 9701).
        *("active", "token_type", "username", "ext", "token_introspection"),
        "token_use",  # by which other issuers tell access tokens from ID tokens
    ]
)
LOOPBACK = ("127.0.0.1", "::1", "localhost")
MAX_METADATA = 16 * 1024
# Every token carries the claims in a header of each request, and many servers take 8 kB of headers in all.
MAX_CLAIMS = 2 * 1024
MAX_TEST_CLAIMS = 50
MAX_NAME = longest(User, "name")
CLAIM_NAME = re.compile(rf"[\x21-\x7e]{{1,{longest(Consumer, 'test_token_claims')}}}")


def model_fields(row: Model, but: tuple[str, ...] = ()) -> None:
    """Judge a row by the validators, choices and lengths of its fields, but for some. Raises Refusal."""
    try:
        row.clean_fields(exclude=but)
    except ValidationError as problem:
        field, messages = next(iter(problem.message_dict.items()))
        raise Refusal(f"{field}: {' '.join(messages)}", field=field) from None


def metadata(value: Any) -> None:
    """Require a JSON object that the database can hold."""
    json_object(value, "metadata", MAX_METADATA)


def claims(value: Any) -> None:
    """Require a JSON object that redefines no claim of ours (RFC 9068 section 2.2)."""
    json_object(value, "claims", MAX_CLAIMS)
    if taken := sorted(RESERVED_CLAIMS & value.keys()):
        raise Refusal(
            f"Rename {', '.join(taken)}: the portal sets {'this claim' if len(taken) == 1 else 'these claims'} itself.",
            field="claims",
        )


def allowed_test_claims(names: Iterable[str]) -> None:
    """Require names of claims that may be typed by hand: readable ones that nobody else sets."""
    names = list(names)
    if len(names) > MAX_TEST_CLAIMS:
        raise Refusal(f"Name at most {MAX_TEST_CLAIMS} claims.", field="test_token_claims")
    for name in names:
        if not CLAIM_NAME.fullmatch(name):
            raise Refusal(f"“{name}” is not a claim name: use printable ASCII.", field="test_token_claims")
    if taken := sorted({*RESERVED_CLAIMS, "roles"} & set(names)):
        raise Refusal(
            f"Remove {', '.join(taken)}: these are registered claims with their own meaning.", field="test_token_claims"
        )


def json_object(value: Any, field: str, limit: int) -> None:
    if not isinstance(value, dict):
        raise Refusal('Write a JSON object, such as {"plan": "gold"}, or {} for none.', field=field)
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):  # NaN, lone surrogates, nesting without end
        raise Refusal(
            "Use plain JSON: text, finite numbers, true, false, null, lists and objects.", field=field
        ) from None
    if b"\\u0000" in text:
        raise Refusal("Remove the character U+0000, which cannot be stored.", field=field)
    if len(text) > limit:
        raise Refusal(f"Shorten it to {limit:,} bytes; it has {len(text):,}.", field=field)


def email_address(address: str) -> None:
    """Require an address in ASCII: PostgreSQL takes “ı” for “i” where it ignores case, and so one person for another.

    A domain in other letters has a spelling in ASCII too (RFC 5890 section 2.3.2.1).
    """
    try:
        validate_email(address)
    except ValidationError:
        raise Refusal("Enter an email address, such as you@example.com.", field="emails") from None
    if not address.isascii():
        raise Refusal("Write the address in plain letters, the domain as “xn--…”.", field="emails")


def return_address(url: str) -> None:
    """Require an https URL of a named host, to which a page may lead; in the demo also http to loopback."""
    if problem := _problem_of_return(url):
        raise Refusal(f"return_to: {problem}", field="return_to")


def _problem_of_return(url: str) -> str:
    if problem := check_characters(url):
        return problem
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # reading it is what raises
    except ValueError:
        return "its host or port cannot be read."
    if "@" in parts.netloc:  # people take user information for the host (RFC 3986 section 7.6)
        return "leave out the user name and password."
    if parts.scheme == "http" and parts.hostname in LOOPBACK and is_demo():
        return ""
    if parts.scheme != "https":
        return "use https."
    return "" if DOMAIN.fullmatch(parts.hostname or "") else "its host is no domain name."


def person_name(name: str) -> None:
    """Require a name that reads as itself in a mail's subject and in the activity."""
    if not name:
        raise Refusal("Enter your name, as your colleagues should read it.", field="name")
    if len(name) > MAX_NAME:
        raise Refusal(f"Shorten the name to {MAX_NAME} characters.", field="name")
    plain_name(name, "name")


def plain_name(name: str, field: str) -> None:
    """Refuse characters that show nothing, or make a text read as another."""
    if character := first_unsafe(name):
        raise Refusal(f"Remove the invisible character {name_of(character)} from the name.", field=field)
