"""Who sends the request: secrets, methods of authentication, switches, origins."""

from typing import Any

from django.utils.dateparse import parse_datetime

from authority.problems.words import TOLD, Words, plain, tells
from clients.models import Client
from consumers.activity import when


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
        "Register a redirect URI of that origin, so that its pages may call us. Compare scheme, host and port; "
        "the port counts on 127.0.0.1 too, where only redirects go to any.",
        "settings",
    )
