"""Messages for scopes, resources, redirect URIs and malformed requests."""

from difflib import get_close_matches
from typing import Any

from authority.diagnostics.problem_messages.messages import (
    ProblemMessage,
    error_description,
    message_for,
    quoted,
    static,
)
from authority.protocol import redirect_uris
from clients.models import Client, Scope
from clients.vocabulary import IDENTITY_SCOPES


@message_for("grant_not_registered")
def foreign_grant(client: Client, detail: dict[str, Any]) -> ProblemMessage:
    grants = ", ".join(client.grant_types)
    return ProblemMessage(
        "They use a grant that the client is not registered for",
        f"The request needs the grant {detail.get('grant', 'of another kind')}; the client is registered for {grants}.",
        "Change the request, or create a client from the matching template.",
        "connect",
    )


static(
    "unsupported_grant_type",
    "They use a grant type that we do not support",
    "grant_type names a grant that we do not serve, such as password, which gives a user’s password to a program.",
    "Use the example on the Connect page.",
    "connect",
)
static(
    "response_type",
    "They ask for another response than a code",
    "response_type is missing, or is not code, the only one that is safe.",
    "Send response_type=code.",
    "connect",
)


@message_for("scope_not_granted")
def foreign_scope(client: Client, detail: dict[str, Any]) -> ProblemMessage:
    asked = detail.get("scopes", [])
    known = set(Scope.objects.filter(value__in=asked).values_list("value", flat=True))
    personal = [value for value in asked if value in IDENTITY_SCOPES and value not in client.scopes]
    unknown = [value for value in asked if value not in {*known, *personal, *client.scopes}]
    withheld = [value for value in asked if value in client.scopes]
    parts = [
        f"The request names {quoted(asked)}." if asked else "The request names a scope that the client may not use."
    ]
    granted = [*client.granted_scopes().values_list("value", flat=True)]
    if unknown:
        near = get_close_matches(unknown[0], granted, n=1, cutoff=0.7)
        meant = f"perhaps “{near[0]}” is meant" if near else "check the spelling"
        parts.append(f"There is no scope {quoted(unknown)}: {meant}.")
    if personal:
        parts.append(f"{quoted(personal)} {'is not registered' if client.signs_in else 'needs a user who signs in'}.")
    if withheld:
        parts.append(
            f"{client} is registered for {quoted(withheld)}, but not by this grant or no longer by this workspace."
        )
    parts.append(f"It may use {quoted(granted)}." if granted else "It may use none now.")
    return ProblemMessage(
        "They ask for a permission that the client does not have",
        " ".join(parts),
        "Add the permission in Settings if the program needs it, or leave it out of the scope of the request.",
        "settings",
    )


static(
    "scope_none",
    "The client has no permission that it can use",
    "The request names no scope, and the client has none that this grant could give.",
    "Choose permissions in Settings, or ask the operator which of them this workspace may use.",
    "settings",
)
static(
    "scope_no_longer_allowed",
    "All granted permissions have been removed since",
    "None of the scopes that the person allowed may be used by this client any more.",
    "Restore the permissions in Settings, or ask the person again with those that are left.",
    "settings",
)


@message_for("redirect_uri_differs")
def foreign_address(client: Client, detail: dict[str, Any]) -> ProblemMessage:
    sent = detail.get("sent", "")
    what = (
        f"The redirect URI of the request is {sent}." if sent else "The redirect URI of the request is not registered."
    )
    found = redirect_uris.nearest_difference(sent, client.redirect_uris) if sent else None
    if found:
        what += f" Registered is {found.registered}: {found.words}."
    elif sent in client.redirect_uris:
        what += " It has been registered since."
    return ProblemMessage(
        "The redirect URI is not registered",
        what,
        "Send the registered URI exactly, or add this one in Settings.",
        "settings",
    )


static(
    "redirect_uri_missing",
    "The redirect URI is missing",
    "The client has several redirect URIs, or none, so that the request must name one.",
    "Send redirect_uri.",
    "settings",
)
static(
    "redirect_uri_relative",
    "The redirect URI is not absolute",
    "redirect_uri must be an absolute URI, without a fragment.",
    "Send the registered URI exactly.",
    "settings",
)


static(
    "parameters_in_url",
    "Parameters are in the URL",
    "The request has parameters in the query string, where logs would keep them.",
    "Send every parameter in the request body, as a form.",
    "connect",
)


@message_for("body_no_form")
def no_form(client: Client, detail: dict[str, Any]) -> ProblemMessage:
    return ProblemMessage(
        "The request is not a form",
        f"Its body came as {detail.get('sent', 'something else')}; OAuth wants application/x-www-form-urlencoded.",
        "Send the parameters as a form. In most HTTP libraries that is data=, not json=.",
        "connect",
    )


@message_for("parameter_repeated")
def repeated(client: Client, detail: dict[str, Any]) -> ProblemMessage:
    return ProblemMessage(
        "A parameter is repeated",
        f"The request sends {detail.get('name', 'a parameter')} more than once, so nobody knows which is meant.",
        "Send it once. Several scopes go into one scope parameter, separated by spaces.",
        "connect",
    )


@message_for("invalid_request")
def malformed(client: Client, detail: dict[str, Any]) -> ProblemMessage:
    return ProblemMessage(
        "The request lacks a parameter, or is malformed",
        error_description(detail),
        "Compare the request with the example.",
        "connect",
    )


# -- For which API (RFC 8707) -----------------------------------------------------------------------------------------


@message_for("resource_not_allowed")
def foreign_resource(client: Client, detail: dict[str, Any]) -> ProblemMessage:
    asked = quoted(detail.get("asked", []))
    known = [*dict.fromkeys(client.granted_scopes().values_list("api__identifier", flat=True)), *client.audience]
    return ProblemMessage(
        "They request an API that the client may not use",
        f"resource names {asked or 'it'}. The client may name {quoted(known) or 'none'}.",
        "They must match exactly, including a trailing slash. Add permissions of the API in Settings.",
        "settings",
    )


@message_for("resource_without_scope")
def idle_resource(client: Client, detail: dict[str, Any]) -> ProblemMessage:
    asked = quoted(detail.get("asked", []))
    return ProblemMessage(
        "They name an API without asking for one of its permissions",
        f"resource names {asked or 'an API'}, and scope holds no permission of it.",
        "Add a scope of that API to the request, or leave the resource out.",
        "connect",
    )


static(
    "resource_missing",
    "They do not say which API the token is for",
    "This client must name the API that it wants a token for.",
    "Send resource with the API's identifier.",
    "connect",
)
static(
    "resource_of_another_grant",
    "They name another API than the person allowed",
    "resource names an API that was not in the authorization request.",
    "Name it there already, and narrow it down in the token request.",
    "connect",
)
