"""How the browser is sent on from the authorization endpoint, and what it shows when it cannot be."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirectBase
from django.shortcuts import render

from authority.protocol import redirect_uris
from authority.protocol.errors import OAuth2Error
from authority.telemetry import request_trace
from core.client_ip import caller_ip


class Return(HttpResponseRedirectBase):
    """Sends the browser to an address that its client registered, always by GET (RFC 9700 section 4.12)."""

    status_code = 303

    def __init__(self, uri: str) -> None:
        self.allowed_schemes = [urlsplit(uri).scheme]
        super().__init__(uri)
        self["Referrer-Policy"] = "no-referrer"  # our address holds the request (RFC 9700 section 4.2)


def send_back(
    request: HttpRequest,
    redirect_uri: str,
    response_mode: str | None,
    answer: Iterable[tuple[str, str]],
    after_form: bool = False,
) -> HttpResponse:
    """Bring the answer to the client, saying who answers, so that several servers are not confused (RFC 9207).

    From the sign-in page a browser follows no redirect to another origin, for its policy holds for what its form leads
    to; so after a form a page of ours leads on.
    """
    parameters = [*answer, ("iss", settings.ISSUER)]
    if response_mode == "form_post" and redirect_uris.is_web(redirect_uri):
        return _form_post(request, redirect_uri, parameters)
    uri = redirect_uris.carrying(redirect_uri, parameters, in_fragment=response_mode == "fragment")
    return _lead_on(request, redirect_uri, uri) if after_form and request.method == "GET" else Return(uri)


def _lead_on(request: HttpRequest, redirect_uri: str, uri: str) -> HttpResponse:
    """Let the browser go on by itself, without a script; a link stands there in case it does not."""
    page = render(request, "authority/returning.html", {"uri": uri, "host": redirect_uris.host(redirect_uri)})
    page["Referrer-Policy"] = "no-referrer"
    page["Cache-Control"] = "no-store"
    return page


def _form_post(request: HttpRequest, redirect_uri: str, parameters: list[tuple[str, str]]) -> HttpResponse:
    """Let the browser post the answer: a script sends the form, a button where scripts are off."""
    context = {"action": redirect_uri, "host": redirect_uris.host(redirect_uri), "parameters": parameters}
    page = render(request, "authority/form_post.html", context)
    page["Referrer-Policy"] = "no-referrer"
    page["Cache-Control"] = "no-store"
    return leading_to([redirect_uris.origin(redirect_uri)], page)


def leading_to(places: Iterable[str], page: HttpResponse) -> HttpResponse:
    """Let the page's forms lead to these origins: browsers hold a form's redirects against form-action too."""
    page._csp_config = settings.SECURE_CSP | {"form-action": list(places)}  # type: ignore[attr-defined]
    return page


# What oauthlib finds by itself, in the words of authority/problems/.
REASONS = {
    "MissingRedirectURIError": "redirect_uri_missing",
    "InvalidRedirectURIError": "redirect_uri_relative",
    "MissingResponseTypeError": "response_type",
    "UnsupportedResponseTypeError": "response_type",
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
    note(request, error)
    context = {"error": error.error, "advice": ADVICE.get(type(error).__name__, error.description)}
    return render(request, "authority/authorize_error.html", context, status=400)


def note(request: HttpRequest, error: OAuth2Error) -> None:
    """Keep why the request fails, for the people of its client."""
    if kind := REASONS.get(type(error).__name__):
        request_trace.because(kind)
    request_trace.refused(error.error, caller_ip(request), said=error.description)
    request_trace.conclude(400)
