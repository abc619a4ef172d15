"""Messages for identity tokens of workloads."""

from typing import Any

from authority.diagnostics.problem_messages.messages import ProblemMessage, message_for, quoted, static
from clients.models import Client

static(
    "no_workload",
    "The client is not a workload",
    "The program asks for an identity token, and only workloads have these.",
    "Create a client from the template Workload, and use its credentials.",
)


@message_for("audience_not_listed")
def foreign_audience(client: Client, detail: dict[str, Any]) -> ProblemMessage:
    asked = detail.get("asked", "")
    listed = f"On its list: {quoted(client.audience)}." if client.audience else "It has no audiences yet."
    return ProblemMessage(
        "They ask for an audience that is not on the client’s list",
        f"The requested audience is {quoted([asked])}. {listed}" if asked else listed,
        "Send one of the listed audiences exactly, or add this one in Settings.",
        "settings",
    )


@message_for("bearer_of_an_api")
def bearer_of_an_api(client: Client, detail: dict[str, Any]) -> ProblemMessage:
    return ProblemMessage(
        "They show an access token that is for an API",
        f"Its audience is {quoted(detail.get('audience', []))}. Whoever runs that API could show it here too.",
        "Use the client’s own credentials, or an access token whose resource is the workload issuer. "
        "If your program did not send this, an API passes on the tokens that it gets.",
    )
