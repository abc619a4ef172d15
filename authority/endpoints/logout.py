"""GET and POST /oauth2/logout: a client asks that the person is signed out here too (RP-Initiated Logout 1.0)."""

from typing import Any, cast

from django.conf import settings
from django.contrib.auth import logout as end_session
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods
from oauthlib.common import add_params_to_uri

from authority import directory, identity, redirects
from authority.endpoints.answers import Return, error_page, leading_to
from authority.endpoints.protocol import once
from authority.errors import InvalidRequestError, OAuth2Error


@require_http_methods(["GET", "HEAD", "POST"])
def logout(request: HttpRequest) -> HttpResponse:
    """Sign out at once where an ID token of the signed-in person asks for it; else ask them (section 2)."""
    try:
        parameters = once(request.GET.lists())
        hint = read_hint(parameters)
        client_id = client_of(parameters, hint)
        back = address_back(parameters, client_id)
    except OAuth2Error as error:
        return error_page(request, error)
    signed_in = request.user.is_authenticated
    asked_by_theirs = hint is not None and hint["sub"] == str(request.user.pk)
    if signed_in and not asked_by_theirs and request.POST.get("decision") != "sign-out":
        page = render(request, "authority/logout.html", {"host": back and redirects.host(back)})
        return leading_to([*settings.SECURE_CSP["form-action"], redirects.origin(back)], page) if back else page
    end_session(request)
    return Return(back) if back else redirect("home")


def read_hint(parameters: dict[str, str]) -> dict[str, Any] | None:
    """Return the claims of the ID token that the request shows; it may have ended, and its key may be retired."""
    if "id_token_hint" not in parameters:
        return None
    claims = identity.read_id_token(parameters["id_token_hint"])
    if claims is None:
        raise InvalidRequestError("id_token_hint is not an ID token of ours.")
    return claims


def client_of(parameters: dict[str, str], hint: dict[str, Any] | None) -> str | None:
    """Return who asks. Raises InvalidRequestError when client_id and id_token_hint disagree."""
    client_id = parameters.get("client_id")
    if hint is None:
        return client_id
    if client_id not in (None, hint["aud"]):
        raise InvalidRequestError("id_token_hint was issued to another client than client_id.")
    return cast("str", hint["aud"])


def address_back(parameters: dict[str, str], client_id: str | None) -> str | None:
    """Return where the person goes afterwards: an address that the client registered, or nowhere (section 3)."""
    uri = parameters.get("post_logout_redirect_uri")
    if uri is None:
        return None
    entry = directory.find(client_id) if client_id else None
    if entry is None or not redirects.allowed(uri, entry.client.post_logout_redirect_uris):
        raise InvalidRequestError("post_logout_redirect_uri is not registered for this client.")
    if "state" in parameters:
        return cast("str", add_params_to_uri(uri, [("state", parameters["state"])]))
    return uri
