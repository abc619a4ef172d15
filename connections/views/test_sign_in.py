"""*Test connection*: a sign-in at the provider that changes nobody's account, and shows what came, claim by claim."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from connections.actions import identities, joining
from connections.models import Connection
from connections.relying_party import claims as claims_of
from connections.relying_party import code_flow, metadata
from connections.relying_party.claims import Person
from connections.relying_party.failures import SignInFailed
from consumers.audit import Actor
from consumers.models import User

MAX_SHOWN = 300  # characters of a value
# Claims of the token itself, with what they mean once it is accepted.
VERIFIED = {
    "iss": "Issuer matches",
    "sub": "Identity: never changes, and is never given to somebody else",
    "aud": "Our client ID",
    "azp": "Our client ID",
    "nonce": "Ours, used once",
    "iat": "Clock agrees",
    "exp": "Not expired",
}


@dataclass(frozen=True)
class Row:
    claim: str
    value: str
    meaning: str = ""
    tone: str = ""  # good or warn


def begin(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Lead an operator to the provider. Raises SignInFailed."""
    return code_flow.begin(
        request, connection, process="test", data={"operator": str(request.user.pk), "at": time.time()}
    )


def finish(request: HttpRequest, slug: str, state: dict[str, Any]) -> HttpResponse:
    """Show what came, to the operator who has begun it."""
    user = request.user
    if not isinstance(user, User) or state["data"]["operator"] != str(user.pk):
        raise SignInFailed("state")
    if not (user.has_operator_rights and user.has_perm("connections.change_connection")):
        raise PermissionDenied("Your rights let you read connections, not test them. Ask another operator.")
    connection = get_object_or_404(Connection, slug=slug)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": f"Test of {connection}",
        "connection": connection,
        "back": reverse("admin:connections_connection_change", args=[connection.pk]),
    }
    try:
        person = code_flow.complete(request, connection, state)
    except SignInFailed as failure:
        identities.record_refusal(connection=connection, failure=failure, person=None, actor=Actor.of(request))
        return render(request, "admin/connections/test.html", context | {"failure": failure}, status=422)
    identities.record_test(connection=connection, actor=Actor.of(request))
    rows = [_row(connection, person, name, value) for name, value in person.claims.items()]
    missing = [_missing(name) for name in _wanted(connection) if claims_of.find(person.claims, name) is None]
    context |= {
        "person": person,
        "rows": [*rows, *missing],
        "notes": sum(row.tone == "warn" for row in [*rows, *missing]),
        "seconds": round(time.time() - state["data"]["at"], 1),
        "outcome": _outcome(connection, person),
        "provider": metadata.read(connection.issuer),
    }
    response = render(request, "admin/connections/test.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


def _wanted(connection: Connection) -> list[str]:
    names = (connection.name_claim, connection.email_claim, connection.verified_claim, connection.groups_claim)
    return [name for name in names if name]


def _missing(name: str) -> Row:
    return Row(name, "(absent)", "The connection reads it. Add it at the provider, or name another claim", "warn")


def _row(connection: Connection, person: Person, name: str, value: Any) -> Row:
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    shown = shown if len(shown) <= MAX_SHOWN else f"{shown[:MAX_SHOWN]}…"
    if name == "nonce":
        shown = f"{shown[:4]}…{shown[-4:]}"
    meaning, tone = _meaning(connection, person, name)
    return Row(name, shown, meaning, tone)


def _meaning(connection: Connection, person: Person, name: str) -> tuple[str, str]:
    """Return what a claim means for us, and its tone."""
    if name in VERIFIED:
        return VERIFIED[name], "good"
    judges: dict[str, Callable[[], tuple[str, str]]] = {
        connection.name_claim: lambda: ("Shown in People", "good"),
        connection.domain_claim: lambda: ("A verified domain of this connection", "good"),
        connection.email_claim: lambda: _email(connection, person),
        connection.verified_claim: lambda: _verified(connection, person),
        connection.groups_claim: lambda: _groups(connection, person),
        "sid": lambda: ("The provider can end this session", "good"),
        "_claim_names": lambda: (
            "Too many groups for a token: send only those that are assigned to the application",
            "warn",
        ),
    }
    return judges[name]() if name in judges else ("", "")


def _email(connection: Connection, person: Person) -> tuple[str, str]:
    if not person.email:
        return "No address that could be one here", "warn"
    if not claims_of.is_trusted(connection, person.email):
        return "Its domain is not verified for this connection", "warn"
    return "Domain is verified", "good"


def _verified(connection: Connection, person: Person) -> tuple[str, str]:
    if claims_of.is_verified(connection, person.claims):
        return "Account may be linked by the address", "good"
    return "Not verified: the person proves the account first", "warn"


def _groups(connection: Connection, person: Person) -> tuple[str, str]:
    roles = joining.wanted_roles(connection, person)
    found = [f"{role.label} of {consumer}" for consumer, role in roles.items()]
    if connection.for_operators and connection.operator_claim_value in person.groups:
        found.append("Operator")
    return ", ".join(found) or "No joining rule names one of them", "good" if found else ""


def _outcome(connection: Connection, person: Person) -> str:
    """Return what a real sign-in of this person would do, in one sentence."""
    account = identities.find(person)
    if account is not None:
        return f"It would sign in as {account.user}."
    if not person.is_proven:
        return "It opens no account: the address is not proven. The person would sign in first, then connect."
    owner = User.objects.of_address(person.email).first()
    if owner is not None:
        return f"It would be linked to the account of {owner}, by the address."
    if joining.wanted_roles(connection, person):
        return "It would make an account, which joins by the rules."
    return "It would make an account only with an invitation: no joining rule matches."
