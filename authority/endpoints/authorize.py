"""GET and POST /oauth2/authorize: a person lets a client in, or does not (RFC 6749 section 3.1)."""

from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirectBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods
from oauthlib.common import add_params_to_uri
from oauthlib.oauth2.rfc6749.errors import AccessDeniedError, FatalClientError

from authority import reasons, redirects
from authority.authorization_requests import PARAMETERS
from authority.endpoints.protocol import caller_ip, once
from authority.errors import OAuth2Error
from authority.server import server
from authority.validator import PERSON
from clients.models import Client, Scope
from clients.vocabulary import IDENTITY_SCOPES
from consumers.models import User


class Return(HttpResponseRedirectBase):
    """Sends the browser to an address that its client registered, always by GET (RFC 9700 section 4.12)."""

    status_code = 303

    def __init__(self, uri: str) -> None:
        self.allowed_schemes = [urlsplit(uri).scheme]
        super().__init__(uri)
        self["Referrer-Policy"] = "no-referrer"  # our address holds the request (RFC 9700 section 4.2)


@dataclass(frozen=True, slots=True)
class Asked:
    """An authorization request that holds: client, redirect URI and everything else are proven."""

    client: Client
    redirect_uri: str
    scopes: list[str]
    credentials: dict[str, Any]


@require_http_methods(["GET", "HEAD", "POST"])
def authorize(request: HttpRequest) -> HttpResponse:
    """Ask the person; their answer comes back by POST to the same address, which is judged anew.

    Until client and redirect URI are proven, whatever is wrong stays on a page of ours (RFC 9700 section 4.11).
    """
    reasons.begin("authorize")
    try:
        parameters = once(request.GET.lists())
        uri = f"{request.path}?{urlencode({name: parameters[name] for name in PARAMETERS if name in parameters})}"
        person = request.user if isinstance(request.user, User) else None
        try:
            asked = validate(uri, person)
            if person is None:
                return redirect_to_login(request.get_full_path())
            if request.method != "POST":
                return consent_page(request, asked)
            granted = chosen(request, asked.scopes)
            if not granted:
                raise AccessDeniedError(request=asked.credentials["request"])
            return Return(allow(uri, person, asked, granted))
        except FatalClientError:
            raise
        except OAuth2Error as error:
            if not error.redirect_uri:
                raise
            note(request, error)
            return go_back(error.in_uri(error.redirect_uri), error.response_mode)
    except OAuth2Error as error:
        note(request, error)
        return error_page(request, error)


def note(request: HttpRequest, error: OAuth2Error) -> None:
    """Keep why the request fails, for the people of its client."""
    if kind := REASONS.get(type(error).__name__):
        reasons.because(kind)
    reasons.refused(error.error, caller_ip(request))
    reasons.conclude(400)


def validate(uri: str, person: User | None) -> Asked:
    """Raises FatalClientError while client or redirect URI are not proven, another OAuth2Error from then on."""
    scopes, credentials = server().validate_authorization_request(uri, headers={PERSON: person})
    request = credentials["request"]
    return Asked(client=request.client, redirect_uri=request.redirect_uri, scopes=scopes, credentials=credentials)


def chosen(request: HttpRequest, asked: list[str]) -> list[str]:
    """Return what of the request the person allows: who they are as a whole, each permission by itself."""
    if request.POST.get("decision") != "allow":
        return []
    ticked = request.POST.getlist("scope")
    return [value for value in asked if value in IDENTITY_SCOPES or value in ticked]


def allow(uri: str, person: User, asked: Asked, granted: list[str]) -> str:
    """Make a code; return where to take it."""
    headers, _, _ = server().create_authorization_response(
        uri, scopes=granted, headers={PERSON: person}, credentials={"user": person}
    )
    return with_issuer(headers["Location"], asked.credentials["request"].response_mode)


def go_back(uri: str, response_mode: str | None) -> HttpResponse:
    return Return(with_issuer(uri, response_mode))


def with_issuer(uri: str, response_mode: str | None) -> str:
    """Say who answers, so that a client of several servers cannot be confused (RFC 9207)."""
    return cast("str", add_params_to_uri(uri, [("iss", settings.ISSUER)], response_mode == "fragment"))


def consent_page(request: HttpRequest, asked: Asked) -> HttpResponse:
    context = {
        "client": asked.client,
        "consumer": asked.client.consumer,
        "host": redirects.host(asked.redirect_uri),
        "asks_who": any(value in IDENTITY_SCOPES for value in asked.scopes),
        "scopes": asked.scopes,
        "permissions": Scope.objects.select_related("api").filter(value__in=asked.scopes),
    }
    return leading_to(asked.redirect_uri, render(request, "authority/consent.html", context))


def leading_to(uri: str, page: HttpResponse) -> HttpResponse:
    """Let the page's form lead to that place: browsers hold a form's redirects against form-action too."""
    allowed = [*settings.SECURE_CSP["form-action"], redirects.origin(uri)]
    page._csp_config = settings.SECURE_CSP | {"form-action": allowed}  # type: ignore[attr-defined]
    return page


# What oauthlib finds by itself, in the words of authority/problems/.
REASONS = {
    "MissingRedirectURIError": "redirect_uri_missing",
    "InvalidRedirectURIError": "redirect_uri_relative",
    "MissingResponseTypeError": "response_type",
    "MissingCodeChallengeError": "challenge_missing",
    "UnsupportedCodeChallengeMethodError": "challenge_plain",
}
# What to do about errors that never reach the client, for the developer who sees the page.
ADVICE = {
    "MissingClientIdError": "client_id is missing.",
    "InvalidClientIdError": "client_id names no client that works here: unknown, disabled, or its consumer suspended.",
    "MissingRedirectURIError": "redirect_uri is missing, and the client has registered several.",
    "InvalidRedirectURIError": "redirect_uri is not an absolute address.",
    "MismatchingRedirectURIError": "redirect_uri is not one that is registered for this client, letter by letter.",
}


def error_page(request: HttpRequest, error: OAuth2Error) -> HttpResponse:
    """Show what is wrong without sending anybody anywhere (RFC 9700 section 4.11)."""
    context = {"error": error.error, "advice": ADVICE.get(type(error).__name__, error.description)}
    return render(request, "authority/authorize_error.html", context, status=400)
