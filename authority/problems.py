"""Problems in words: what each reason means, and what a developer does about it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.dateparse import parse_datetime

from authority import redirects
from authority.models import Problem
from clients.models import Client, Scope
from consumers.activity import when


@dataclass(frozen=True)
class Words:
    """A problem as its page tells it; `to` is the tab where it is mended."""

    title: str
    what: str
    todo: str
    to: str = ""


Teller = Callable[[Client, dict[str, Any]], Words]
TOLD: dict[str, Teller] = {}


def tells(kind: str) -> Callable[[Teller], Teller]:
    def register(teller: Teller) -> Teller:
        TOLD[kind] = teller
        return teller

    return register


def describe(problem: Problem, client: Client) -> Words:
    teller = TOLD.get(problem.kind)
    return teller(client, problem.detail) if teller else other(problem)


def plain(kind: str, title: str, what: str, todo: str, to: str = "") -> None:
    """Register words that need no details."""
    words = Words(title, what, todo, to)
    TOLD[kind] = lambda *_: words


def quoted(values: list[str]) -> str:
    return ", ".join(f"“{value}”" for value in values)


def other(problem: Problem) -> Words:
    return Words(
        f"A request was refused with {problem.error or problem.kind}",
        "The answer says what was wrong with the request itself.",
        "Read error_description in the answer that the program got.",
    )


# -- Who sends the request --------------------------------------------------------------------------------------------


def ended_secret(client: Client, detail: dict[str, Any]) -> Words:
    ended = parse_datetime(detail.get("at", ""))
    which = f"The secret ••••{detail['hint']}" if "hint" in detail else "A secret"
    live = [str(secret) for secret in client.secrets.live()]
    todo = (
        f"Put a secret that works ({' or '.join(live)}) where the program reads its own, and restart it. "
        "If nobody has its text any more, add a new one."
        if live
        else "The client has no secret that works. Add one, and put it where the program reads its own."
    )
    return Words(
        "They send a secret that has ended",
        f"{which} ended on {when(ended)}." if ended else f"{which} has ended.",
        todo,
        "secrets",
    )


TOLD["secret_expired"] = TOLD["secret_revoked"] = ended_secret


@tells("secret_unknown")
def unknown_secret(client: Client, detail: dict[str, Any]) -> Words:
    live = " or ".join(str(secret) for secret in client.secrets.live()) or "none"
    if "hint" in detail:
        what = (
            f"They send a secret ending in {detail['hint']}, which is not one of this client. Those that work: {live}."
        )
        todo = "Check whether the program mixes up two clients or two environments."
    else:
        what = f"What they send does not look like one of our secrets: those begin with cdsk_. Those that work: {live}."
        todo = "Look for a cut off, quoted or wrapped value, or a space or line end after it."
    return Words("They send a wrong secret", what, todo, "secrets")


@tells("method_differs")
def other_method(client: Client, detail: dict[str, Any]) -> Words:
    registered, used = client.token_endpoint_auth_method, detail.get("used", "")
    what = (
        f"The client is registered for {registered}, but the request uses {used}."
        if used
        else "The request authenticates in another way than the client is registered for."
    )
    if used == "none":
        what = f"The request names the client and proves nothing; the client is registered for {registered}."
    ways = {
        "client_secret_basic": "Send client ID and secret in the Authorization header (Basic), not in the body.",
        "client_secret_post": "Send client_id and client_secret in the body, not in an Authorization header.",
        "private_key_jwt": "Send a signed client_assertion instead of a secret.",
        "none": "Send client_id in the body, and no secret.",
    }
    return Words(
        "They authenticate in another way than registered",
        what,
        ways.get(registered, "Use the registered method."),
        "connect",
    )


plain(
    "credentials_twice",
    "They authenticate in two ways at once",
    "The request carries the client's credentials in the Authorization header and in the body, or an assertion too.",
    "Leave one of them out. Many HTTP libraries add the header by themselves.",
    "connect",
)
plain(
    "client_disabled",
    "The client is disabled",
    "Every request of a disabled client is refused.",
    "Enable it in Settings, or stop the program that still runs.",
    "settings",
)
plain(
    "consumer_suspended",
    "The consumer was suspended",
    "The operator had suspended this workspace, so that all its clients were refused.",
    "Ask the operator of this portal if it happens again.",
)


@tells("origin_not_allowed")
def foreign_origin(client: Client, detail: dict[str, Any]) -> Words:
    allowed = ", ".join(client.allowed_cors_origins) or "none"
    origin = detail.get("origin", "another origin")
    return Words(
        "A web page may not read the answer",
        f"A page of {origin} called us from a browser, which kept the answer from it. Registered origins: {allowed}.",
        "Register a redirect URI of that origin, so that its pages may call us. Compare scheme, host and port.",
        "settings",
    )


# -- What it asks for -------------------------------------------------------------------------------------------------


@tells("grant_not_registered")
def foreign_grant(client: Client, detail: dict[str, Any]) -> Words:
    grants = ", ".join(client.grant_types)
    return Words(
        "They use a grant that the client is not registered for",
        f"The request needs the grant {detail.get('grant', 'of another kind')}; the client is registered for {grants}.",
        "Change the request, or register a client of the template that fits.",
        "connect",
    )


plain(
    "unsupported_grant_type",
    "They use a grant that we do not offer",
    "grant_type names a grant that we do not serve, such as password, which hands a person's password to a program.",
    "Use the example on the Connect page.",
    "connect",
)
plain(
    "response_type",
    "They ask for another response than a code",
    "response_type is missing, or is not code, the only one that is safe.",
    "Send response_type=code.",
    "connect",
)


@tells("scope_not_granted")
def foreign_scope(client: Client, detail: dict[str, Any]) -> Words:
    asked = detail.get("scopes", [])
    known = set(Scope.objects.filter(value__in=asked).values_list("value", flat=True))
    unknown = [value for value in asked if value not in known and value not in client.scopes]
    withheld = [value for value in asked if value in client.scopes]
    parts = [
        f"The request names {quoted(asked)}." if asked else "The request names a scope that the client may not use."
    ]
    if unknown:
        parts.append(f"There is no scope {quoted(unknown)}: check the spelling.")
    if withheld:
        parts.append(
            f"{client} is registered for {quoted(withheld)}, but not by this grant or no longer by this workspace."
        )
    granted = [*client.granted_scopes().values_list("value", flat=True)]
    parts.append(f"It may use {quoted(granted)}." if granted else "It may use none now.")
    return Words(
        "They ask for a permission that the client does not have",
        " ".join(parts),
        "Add the permission in Settings if the program needs it, or leave it out of the scope of the request.",
        "settings",
    )


plain(
    "scope_none",
    "The client has no permission that it could get",
    "The request names no scope, and the client has none that this grant could give.",
    "Choose permissions in Settings, or ask the operator which of them this workspace may use.",
    "settings",
)
plain(
    "scope_withdrawn",
    "Everything that was granted has been taken away since",
    "None of the scopes that the person allowed may be used by this client any more.",
    "Restore the permissions in Settings, or ask the person again with those that are left.",
    "settings",
)


# -- Where it leads ---------------------------------------------------------------------------------------------------


@tells("redirect_uri_differs")
def foreign_address(client: Client, detail: dict[str, Any]) -> Words:
    sent = detail.get("sent", "")
    what = f"The request leads to {sent}." if sent else "The request leads to an address that is not registered."
    found = redirects.difference(sent, client.redirect_uris) if sent else None
    if found:
        what += f" Registered is {found.registered}: {found.words}."
    elif sent in client.redirect_uris:
        what += " It has been registered since."
    return Words(
        "The redirect URI is not a registered one",
        what,
        "Send the registered address letter by letter, or add this one in Settings.",
        "settings",
    )


plain(
    "redirect_uri_missing",
    "The redirect URI is missing",
    "The client has several redirect URIs, or none, so that the request must name one.",
    "Send redirect_uri.",
    "settings",
)
plain(
    "redirect_uri_relative",
    "The redirect URI is not an absolute address",
    "redirect_uri must be a whole address, with its scheme, and without a fragment.",
    "Send the registered address letter by letter.",
    "settings",
)


# -- Codes and refresh tokens -----------------------------------------------------------------------------------------

plain(
    "challenge_missing",
    "PKCE is missing",
    "The authorization request has no code_challenge, which every client needs.",
    "Send code_challenge and code_challenge_method=S256; each OAuth library has a switch for it.",
    "connect",
)
plain(
    "challenge_plain",
    "PKCE must use S256",
    "code_challenge_method is plain or unknown, which proves nothing.",
    "Send code_challenge_method=S256, with the challenge made by it.",
    "connect",
)
plain(
    "verifier_missing",
    "The PKCE verifier is missing",
    "The program exchanged a code without code_verifier.",
    "Send the code_verifier whose challenge was in the authorization request.",
    "connect",
)
plain(
    "verifier_wrong",
    "The PKCE verifier does not fit",
    "code_verifier is not what the challenge of the authorization request was made of.",
    "Keep the verifier of each sign-in beside its state. A second tab or a retry often overwrites it.",
    "connect",
)
plain(
    "code_unknown",
    "The code is not one of this client",
    "The code is unknown, was issued to another client, or ended long ago.",
    "Exchange the code that this client was sent, once, at once, and without changing its characters.",
)
plain(
    "code_expired",
    "The code came too late",
    "A code is good for a minute. This one was exchanged after that.",
    "Exchange the code as soon as it arrives; look for a queue, a retry or a debugger on the way.",
)
plain(
    "code_used",
    "The code was used twice",
    "The program exchanged a code that it had exchanged before. The tokens of the first exchange were revoked.",
    "Exchange each code once. Often a page is loaded twice, or a request is repeated after a time-out.",
)
plain(
    "code_redirect_uri",
    "The redirect URI of the exchange differs",
    "redirect_uri of the token request is not that of the authorization request.",
    "Send the same redirect_uri in both requests.",
    "connect",
)
plain(
    "refresh_token_unknown",
    "The refresh token is not one of this client",
    "The refresh token is unknown, belongs to another client, or ended long ago.",
    "Ask the person to sign in again, and keep the refresh token of the newest answer.",
)
plain(
    "refresh_token_ended",
    "The refresh token has ended or was used before",
    "Each refresh gives a new refresh token and ends the old one. When that comes again, the whole sign-in ends.",
    "Keep the refresh token of the newest answer, and refresh in one place at a time. The person has to sign in again.",
)
plain(
    "person_inactive",
    "The person's account is closed",
    "The token or code belongs to a person whose account is no longer active.",
    "Nothing in the program is wrong: sign out that person there too.",
)
plain(
    "invalid_request",
    "The request lacks a parameter, repeats one, or is malformed",
    "The answer says what was wrong with the request itself.",
    "Send the parameters as a form (application/x-www-form-urlencoded) in the body, each once.",
    "connect",
)
