"""When and how the person has signed in in this browser, from the records that allauth keeps in the session."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest

from consumers.models import User

# allauth's methods by their names in RFC 8176 section 2. A passkey may be in hardware or software.
AMR_VALUES = {"password": "pwd", "code": "otp", "totp": "otp", "recovery_codes": "otp", "webauthn": "pop"}
ONE_FACTOR, TWO_FACTORS = ACR_VALUES = ("urn:clientdesk:one-factor", "urn:clientdesk:two-factors")
SID = "sid"  # in the session


@dataclass(frozen=True, slots=True)
class Authentication:
    """A person's active authentication in one browser. `at` is when, in seconds since 1970."""

    subject: str
    at: float
    methods: tuple[str, ...] = ()  # authentication method references (RFC 8176)
    acr: str = ""  # as the provider's own login named it

    @property
    def authenticated_at(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)


def current_authentication(request: HttpRequest) -> Authentication | None:
    """Return how the signed-in person has authenticated, or None when nobody is signed in."""
    person = request.user
    if not isinstance(person, User):
        return None
    records = get_authentication_records(request, person)
    if not records:  # not a session of allauth's: the account's last sign-in was this one, or a later one
        return Authentication(person.subject, person.last_login.timestamp() if person.last_login else 0)
    return Authentication(person.subject, max(record["at"] for record in records), amr_values(records))


def amr_values(records: list[dict[str, Any]]) -> tuple[str, ...]:
    """Return the methods as RFC 8176 names them.

    Authenticators come after the first factor; a passkey that signs in by itself has verified its user, so that it is
    two factors (NIST SP 800-63B section 3.1.7).
    """
    used = [AMR_VALUES.get(record.get("type") or record["method"]) for record in records]
    said = [value for record in records for value in record.get("amr", ())]  # by an identity provider
    is_mfa = "mfa" in said or any(record["method"] == "mfa" for record in records)
    named = [*filter(None, used), *(value for value in said if value != "mfa")]
    return (*dict.fromkeys(named), *(("mfa",) if is_mfa else ()))


def has_unused_second_factor(request: HttpRequest, now: Authentication | None) -> bool:
    """Return whether the person has a second factor that they have not used in this browser."""
    return now is not None and "mfa" not in now.methods and is_mfa_enabled(request.user)


def acr_value(methods: list[str]) -> str:
    """Return the authentication context class that these methods reach (OpenID Connect Core section 2)."""
    return TWO_FACTORS if "mfa" in methods else ONE_FACTOR


def sid(request: HttpRequest) -> str:
    """Return the `sid` by which clients know this browser session; it grants no access."""
    if SID not in request.session:
        request.session[SID] = secrets.token_urlsafe(32)
    return str(request.session[SID])
