"""What the request asks for, where it leads, and how it is written."""

from difflib import get_close_matches
from typing import Any

from authority.diagnostics.problem_messages.messages import Words, answered, plain, quoted, tells
from authority.protocol import redirect_uris
from clients.models import Client, Scope
from clients.vocabulary import IDENTITY_SCOPES


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
    "grant_type names a grant that we do not serve, such as password, which hands a person’s password to a program.",
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
        parts.append(f"{quoted(personal)} {'is not registered' if client.signs_in else 'needs somebody who signs in'}.")
    if withheld:
        parts.append(
            f"{client} is registered for {quoted(withheld)}, but not by this grant or no longer by this workspace."
        )
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


@tells("redirect_uri_differs")
def foreign_address(client: Client, detail: dict[str, Any]) -> Words:
    sent = detail.get("sent", "")
    what = f"The request leads to {sent}." if sent else "The request leads to an address that is not registered."
    found = redirect_uris.difference(sent, client.redirect_uris) if sent else None
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


plain(
    "parameters_in_url",
    "Parameters stand in the URL",
    "The request has parameters behind the question mark, where logs would keep them.",
    "Send every parameter in the request body, as a form.",
    "connect",
)


@tells("body_no_form")
def no_form(client: Client, detail: dict[str, Any]) -> Words:
    return Words(
        "The request is no form",
        f"Its body came as {detail.get('sent', 'something else')}; OAuth wants application/x-www-form-urlencoded.",
        "Send the parameters as a form. In most HTTP libraries that is data=, not json=.",
        "connect",
    )


@tells("parameter_repeated")
def repeated(client: Client, detail: dict[str, Any]) -> Words:
    return Words(
        "A parameter is repeated",
        f"The request sends {detail.get('name', 'a parameter')} more than once, so nobody knows which is meant.",
        "Send it once. Several scopes go into one scope parameter, parted by spaces.",
        "connect",
    )


@tells("invalid_request")
def malformed(client: Client, detail: dict[str, Any]) -> Words:
    return Words(
        "The request lacks a parameter, or is malformed",
        answered(detail),
        "Compare the request with the example.",
        "connect",
    )


# -- For which API (RFC 8707) -----------------------------------------------------------------------------------------


@tells("resource_not_allowed")
def foreign_resource(client: Client, detail: dict[str, Any]) -> Words:
    asked = quoted(detail.get("asked", []))
    known = [*dict.fromkeys(client.granted_scopes().values_list("api__identifier", flat=True)), *client.audience]
    return Words(
        "They name an API that the client may get no token for",
        f"resource names {asked or 'it'}. The client may name {quoted(known) or 'none'}.",
        "Compare letter by letter, also the slash at the end. Permissions of the API open it, in Settings.",
        "settings",
    )


@tells("resource_without_scope")
def idle_resource(client: Client, detail: dict[str, Any]) -> Words:
    asked = quoted(detail.get("asked", []))
    return Words(
        "They name an API without asking for one of its permissions",
        f"resource names {asked or 'an API'}, and scope holds no permission of it.",
        "Add a scope of that API to the request, or leave the resource out.",
        "connect",
    )


plain(
    "resource_missing",
    "They do not say which API the token is for",
    "This client must name the API that it wants a token for.",
    "Send resource with the API's identifier.",
    "connect",
)
plain(
    "resource_of_another_grant",
    "They name another API than the person allowed",
    "resource names an API that was not in the authorization request.",
    "Name it there already, and narrow it down in the token request.",
    "connect",
)
