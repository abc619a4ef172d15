"""Who sends the request: secrets, methods of authentication, switches, origins."""

from functools import partial
from typing import Any

from django.utils.dateparse import parse_datetime

from authority.diagnostics.problem_messages.messages import TOLD, Words, plain, tells
from clients.models import Client
from clients.vocabulary import AuthMethod
from consumers.activity.timeline import when


def _ended_secret(client: Client, detail: dict[str, Any], deed: str) -> Words:
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
        f"They send a secret that {deed}",
        f"{which} {deed} on {when(ended)}." if ended else f"{which} {deed}.",
        todo,
        "secrets",
    )


TOLD["secret_expired"] = partial(_ended_secret, deed="expired")
TOLD["secret_revoked"] = partial(_ended_secret, deed="was revoked")

SHAPES = {
    "empty": ("They send an empty secret.", "Check that the variable which holds the secret is set where it runs."),
    "damaged": (
        "What they send begins like one of our secrets, but was cut off or changed.",
        "Copy the secret again, whole. A shell or a template may have changed a part of it.",
    ),
    "wrapped": (
        "They send a secret with a space, a line end or quotes around it.",
        "Send it bare: trim what the program reads from its file or variable.",
    ),
}


@tells("secret_unknown")
def unknown_secret(client: Client, detail: dict[str, Any]) -> Words:
    live = " or ".join(str(secret) for secret in client.secrets.live()) or "none"
    if shape := SHAPES.get(detail.get("shape", "")):
        what, todo = shape
        what += f" Those that work: {live}."
    elif "hint" in detail:
        what = (
            f"They send a secret ending in {detail['hint']}, which is not one of this client. Those that work: {live}."
        )
        todo = "Check whether the program mixes up two clients or two environments."
    else:
        what = f"What they send does not look like one of our secrets: those begin with cdsk_. Those that work: {live}."
        todo = "Put one that works where the program reads its own. Perhaps it has a key or password of another server."
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
        AuthMethod.FEDERATED.value: "Send the platform’s token as client_assertion, beside client_id, and no secret.",
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
    "The request carries the client’s credentials in the Authorization header and in the body, or an assertion too.",
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
