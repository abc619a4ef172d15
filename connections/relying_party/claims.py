"""What a provider says of a person: subject, name, address and groups, by the claims that the connection names."""

import json
from dataclasses import dataclass, field
from typing import Any

from connections.models import Connection, domain_of
from consumers import policy
from consumers.models import User, normal_email
from core.errors import Refusal
from core.limits import longest
from core.text import replace_unsafe
from core.timefmt import is_numeric_date

MAX_GROUPS = 500
MAX_KEPT = 4096  # characters of JSON
MAX_GROUP = 200  # characters
MAX_METHOD = 20


@dataclass(frozen=True, kw_only=True)
class Person:
    """A person as the provider describes them. `email` is "" where it sends none that could be one.

    `is_proven` says that the address is of a domain that the connection is trusted for, and verified by its terms:
    then, and only then, it speaks for whoever has it here.
    """

    issuer: str
    subject: str
    name: str = ""
    email: str = ""
    is_proven: bool = False
    groups: tuple[str, ...] = ()
    sid: str = ""
    authenticated_at: float | None = None  # when the person did at the provider, if it says so
    amr: tuple[str, ...] = ()  # how (RFC 8176)
    claims: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def domain(self) -> str:
        return domain_of(self.email)


def describe(connection: Connection, claims: dict[str, Any]) -> Person:
    """Return the person whom these claims are about."""
    email = _email(find(claims, connection.email_claim))
    return Person(
        issuer=connection.issuer,
        subject=claims["sub"],
        name=_name(claims, connection.name_claim),
        email=email,
        is_proven=bool(email) and is_trusted(connection, email) and is_verified(connection, claims),
        groups=groups_of(find(claims, connection.groups_claim) if connection.groups_claim else None),
        sid=claims["sid"] if isinstance(claims.get("sid"), str) and len(claims["sid"]) <= 255 else "",
        authenticated_at=float(at) if is_numeric_date(at := claims.get("auth_time")) else None,
        amr=_methods(claims.get("amr")),
        claims=claims,
    )


def find(claims: dict[str, Any], name: str) -> Any:
    """Return a claim by its name, or by a path to it: “realm_access.roles”. A name with dots in it comes first."""
    if name in claims:
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def is_trusted(connection: Connection, email: str) -> bool:
    """Say whether the connection is trusted for the address's domain."""
    return connection.domains.verified().filter(name=domain_of(email)).exists()


def is_verified(connection: Connection, claims: dict[str, Any]) -> bool:
    """Say whether the provider calls the address verified; some write true as a text or as 1."""
    return not connection.verified_claim or find(claims, connection.verified_claim) in (True, "true", "1")


def is_of_domain(connection: Connection, claims: dict[str, Any]) -> bool:
    """Say whether the claim that names the organisation's domain is one of the connection's verified domains."""
    if not connection.domain_claim:
        return True
    value = find(claims, connection.domain_claim)
    return isinstance(value, str) and connection.domains.verified().filter(name=value.lower()).exists()


def kept_claims(connection: Connection, claims: dict[str, Any]) -> dict[str, Any]:
    """Return the claims that the connection keeps for APIs, as they came; nothing where they are too long together."""
    found = {name: value for name in connection.kept_claims if (value := find(claims, name)) is not None}
    return found if len(json.dumps(found)) <= MAX_KEPT else {}


def groups_of(value: Any) -> tuple[str, ...]:
    """Return the groups: a list of names, or one name."""
    values = value if isinstance(value, list) else [value]
    found = [each for each in values[:MAX_GROUPS] if isinstance(each, str) and 0 < len(each) <= MAX_GROUP]
    return tuple(dict.fromkeys(found))


def _methods(value: Any) -> tuple[str, ...]:
    """Return the authentication methods, without what is none."""
    values = value if isinstance(value, list) else []
    return tuple(each for each in values[:10] if isinstance(each, str) and 0 < len(each) <= MAX_METHOD)


def _email(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    email = normal_email(value)
    try:
        policy.email_address(email)
    except Refusal:
        return ""
    return email


def _name(claims: dict[str, Any], name_claim: str) -> str:
    """Return the person's name as it can be shown, put together from its parts where there is none."""
    value = find(claims, name_claim)
    if not isinstance(value, str) or not value.strip():
        value = " ".join(part for name in ("given_name", "family_name") if isinstance(part := claims.get(name), str))
    return replace_unsafe(" ".join(value.split()), lambda _: "")[: longest(User, "name")]
