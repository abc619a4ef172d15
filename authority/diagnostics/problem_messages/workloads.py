"""Identity tokens: who asks for them, and for whom."""

from typing import Any

from authority.diagnostics.problem_messages.messages import Words, plain, quoted, tells
from clients.models import Client

plain(
    "no_workload",
    "The client is no workload",
    "The program asks for an identity token, and only workloads have these.",
    "Register a client of the template Workload, and use its credentials.",
)


@tells("audience_not_listed")
def foreign_audience(client: Client, detail: dict[str, Any]) -> Words:
    asked = detail.get("asked", "")
    listed = f"On its list: {quoted(client.audience)}." if client.audience else "It may prove itself to nobody yet."
    return Words(
        "They ask for an audience that is not on the client’s list",
        f"The identity token was to be for {quoted([asked])}. {listed}" if asked else listed,
        "Send one of the listed audiences letter by letter, or add this one in Settings.",
        "settings",
    )


@tells("bearer_of_an_api")
def bearer_of_an_api(client: Client, detail: dict[str, Any]) -> Words:
    return Words(
        "They show an access token that is for an API",
        f"Its audience is {quoted(detail.get('audience', []))}. Whoever runs that API could show it here too.",
        "Use the client’s own credentials, or an access token whose resource is the workload issuer. "
        "If your program did not send this, an API passes on the tokens that it gets.",
    )
