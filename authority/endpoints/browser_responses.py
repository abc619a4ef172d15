"""Responses of the authorization endpoint to the browser: redirects, form posts, and error pages."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirectBase
from django.shortcuts import render
from django.views.decorators.csp import csp_override

from authority.protocol import redirect_uris
from authority.protocol.errors import OAuth2Error
from authority.telemetry import request_trace
from authority.telemetry.reasons import Reason
from core.client_ip import caller_ip


class ClientRedirect(HttpResponseRedirectBase):
    """Redirects the browser to a URI that its client registered, always by GET (RFC 9700 section 4.12)."""

    status_code = 303

    def __init__(self, uri: str) -> None:
        self.allowed_schemes = [urlsplit(uri).scheme]
        super().__init__(uri)
        self["Referrer-Policy"] = "no-referrer"  # our URL holds the request (RFC 9700 section 4.2)


def authorization_response(
    request: HttpRequest,
    redirect_uri: str,
    response_mode: str | None,
    answer: Iterable[tuple[str, str]],
    after_form: bool = False,
) -> HttpResponse:
    """Send the response to the client, with `iss` against mix-up of servers (RFC 9207).

    From the sign-in page a browser follows no redirect to another origin, since the page's policy applies to where its
    form leads; so after a form a page of ours leads on.
    """
    parameters = [*answer, ("iss", settings.ISSUER)]
    if response_mode == "form_post" and redirect_uris.is_web(redirect_uri):
        return _form_post(request, redirect_uri, parameters)
    return leave(
        request,
        redirect_uris.with_parameters(redirect_uri, parameters, in_fragment=response_mode == "fragment"),
        after_form=after_form,
    )


def leave(request: HttpRequest, uri: str, *, after_form: bool) -> HttpResponse:
    """Lead the browser to another site: after a form by a page, which needs no script and has a link besides."""
    if not after_form or request.method != "GET":
        return ClientRedirect(uri)
    page = render(request, "authority/redirect.html", {"uri": uri, "host": redirect_uris.display_host(uri)})
    page["Referrer-Policy"] = "no-referrer"
    page["Cache-Control"] = "no-store"
    return page


def _form_post(request: HttpRequest, redirect_uri: str, parameters: list[tuple[str, str]]) -> HttpResponse:
    """Return a page that posts the response: a script submits the form, a button where scripts are off."""
    context = {"action": redirect_uri, "host": redirect_uris.display_host(redirect_uri), "parameters": parameters}
    page = render(request, "authority/form_post.html", context)
    page["Referrer-Policy"] = "no-referrer"
    page["Cache-Control"] = "no-store"
    return with_form_action(request, [redirect_uris.csp_source(redirect_uri)], page)


def with_form_action(request: HttpRequest, sources: Iterable[str], page: HttpResponse) -> HttpResponse:
    """Let the page's forms lead to these sources: browsers apply form-action to a form's redirects too."""
    policy = settings.SECURE_CSP | {"form-action": list(sources)}
    return csp_override(policy)(lambda _: page)(request)


# The reasons of errors that oauthlib raises by itself.
REASONS: dict[str, Reason] = {
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
    "InvalidClientIdError": "client_id is not an active client: it is unknown or disabled, or its consumer is "
    "suspended.",
    "MissingRedirectURIError": "redirect_uri is missing, and the client has registered several.",
    "InvalidRedirectURIError": "redirect_uri is not an absolute URI.",
    "MismatchingRedirectURIError": "redirect_uri does not exactly match one that is registered for this client.",
}


def error_page(request: HttpRequest, error: OAuth2Error) -> HttpResponse:
    """Show the error on a page of ours, without a redirect (RFC 9700 section 4.11)."""
    record_error(request, error)
    context = {"error": error.error, "advice": ADVICE.get(type(error).__name__, error.description)}
    return render(request, "authority/authorize_error.html", context, status=400)


def record_error(request: HttpRequest, error: OAuth2Error) -> None:
    """Record the error in the client's problem log."""
    if kind := REASONS.get(type(error).__name__):
        request_trace.set_reason(kind)
    request_trace.set_error(error.error, caller_ip(request), description=error.description)
    request_trace.finish(400)
