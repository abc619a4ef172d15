"""Messages for secrets, authentication methods, disabled clients and origins."""

from functools import partial
from typing import Any

from django.utils.dateparse import parse_datetime

from authority.diagnostics.problem_messages.messages import MESSAGES, ProblemMessage, message_for, static
from clients.models import Client
from clients.vocabulary import AuthMethod
from core.timefmt import date_time


def _ended_secret(client: Client, detail: dict[str, Any], deed: str) -> ProblemMessage:
    ended = parse_datetime(detail.get("at", ""))
    which = f"The secret ••••{detail['hint']}" if "hint" in detail else "A secret"
    live = [str(secret) for secret in client.secrets.live()]
    todo = (
        f"Put an active secret ({' or '.join(live)}) where the program reads it, and restart it. "
        "If nobody has it any more, create a new one."
        if live
        else "The client has no active secret. Create one, and put it where the program reads it."
    )
    return ProblemMessage(
        f"They send a secret that {deed}",
        f"{which} {deed} on {date_time(ended)}." if ended else f"{which} {deed}.",
        todo,
        "secrets",
    )


MESSAGES["secret_expired"] = partial(_ended_secret, deed="expired")
MESSAGES["secret_revoked"] = partial(_ended_secret, deed="was revoked")

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


@message_for("secret_unknown")
def unknown_secret(client: Client, detail: dict[str, Any]) -> ProblemMessage:
    live = " or ".join(str(secret) for secret in client.secrets.live()) or "none"
    if shape := SHAPES.get(detail.get("shape", "")):
        what, todo = shape
        what += f" Active secrets: {live}."
    elif "hint" in detail:
        what = f"They send a secret ending in {detail['hint']}, which is not of this client. Active secrets: {live}."
        todo = "Check whether the program mixes up two clients or two environments."
    else:
        what = f"What they send does not look like one of our secrets: those begin with cdsk_. Active secrets: {live}."
        todo = "Put an active one where the program reads it. Perhaps it has a key or password of another server."
    return ProblemMessage("They send a wrong secret", what, todo, "secrets")


@message_for("method_differs")
def other_method(client: Client, detail: dict[str, Any]) -> ProblemMessage:
    registered, used = client.token_endpoint_auth_method, detail.get("used", "")
    what = (
        f"The client is registered for {registered}, but the request uses {used}."
        if used
        else "The request authenticates in another way than the client is registered for."
    )
    if used == "none":
        what = f"The request has no credentials; the client is registered for {registered}."
    ways = {
        "client_secret_basic": "Send client ID and secret in the Authorization header (Basic), not in the body.",
        "client_secret_post": "Send client_id and client_secret in the body, not in an Authorization header.",
        "private_key_jwt": "Send a signed client_assertion instead of a secret.",
        AuthMethod.FEDERATED.value: "Send the platform’s token as client_assertion, beside client_id, and no secret.",
        "none": "Send client_id in the body, and no secret.",
    }
    return ProblemMessage(
        "They authenticate in another way than registered",
        what,
        ways.get(registered, "Use the registered method."),
        "connect",
    )


static(
    "credentials_twice",
    "They authenticate in two ways at once",
    "The request carries the client’s credentials in the Authorization header and in the body, or an assertion too.",
    "Leave one of them out. Many HTTP libraries add the header automatically.",
    "connect",
)
static(
    "client_disabled",
    "The client is disabled",
    "Every request of a disabled client is refused.",
    "Enable it in Settings, or stop the program that still runs.",
    "settings",
)
static(
    "consumer_suspended",
    "The consumer was suspended",
    "The operator had suspended this workspace, so that all its clients were refused.",
    "Ask the operator of this portal if it happens again.",
)


@message_for("origin_not_allowed")
def foreign_origin(client: Client, detail: dict[str, Any]) -> ProblemMessage:
    allowed = ", ".join(client.allowed_cors_origins) or "none"
    origin = detail.get("origin", "another origin")
    return ProblemMessage(
        "A web page may not read the response",
        f"A page of {origin} called us from a browser, which withheld the response. Registered origins: {allowed}.",
        "Register a redirect URI of that origin, so that its pages may call us. Compare scheme, host and port; "
        "the port counts on 127.0.0.1 too, where only redirects go to any.",
        "settings",
    )
