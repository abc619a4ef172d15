"""The authorization code flow with PKCE, nonce and the issuer's name in the response, as relying party.

django-allauth keeps the state and makes the request; what comes back is verified here, by OpenID Connect Core section
3.1, RFC 7636 and RFC 9207.
"""

import secrets
from typing import Any
from urllib.parse import urlencode

from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Client
from allauth.socialaccount.providers.oauth2.utils import generate_code_challenge
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from connections.models import Connection
from connections.relying_party import client_authentication, id_tokens, metadata
from connections.relying_party.claims import Person, describe, find, is_of_domain
from connections.relying_party.failures import Reason, SignInFailed
from connections.relying_party.lines import place
from core import foreign_json
from core.http_fetch import transport
from core.http_fetch.target import FetchError

FORM = "application/x-www-form-urlencoded"
MAX_CODE = 4096  # characters
CANCELLED = ("access_denied", "login_required", "interaction_required")


class OAuth2Adapter(OpenIDConnectOAuth2Adapter):
    """allauth's request of a code, with endpoints that are fetched by our rules."""

    def __init__(self, request: HttpRequest, provider: "Provider") -> None:
        super().__init__(request, provider.app.provider_id)
        self.provider = provider

    def get_provider(self) -> "Provider":
        return self.provider

    @property
    def openid_config(self) -> dict[str, Any]:
        found = metadata.read(self.provider.connection.issuer)
        return {"authorization_endpoint": found.authorization_endpoint, "token_endpoint": found.token_endpoint}

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return callback_url(self.provider.connection)

    def get_client(self, request: HttpRequest, app: SocialApp) -> OAuth2Client:
        return OAuth2Client(
            request, app.client_id, "", "POST", self.access_token_url, self.get_callback_url(request, app)
        )


class Provider(OpenIDConnectProvider):
    """A connection, as allauth's provider."""

    def __init__(self, request: HttpRequest, connection: Connection) -> None:
        self.connection = connection
        app = SocialApp(
            provider=OpenIDConnectProvider.id,
            provider_id=connection.slug,
            name=connection.name,
            client_id=connection.client_id,
            settings={"server_url": connection.issuer, "scope": connection.scopes},
        )
        super().__init__(request, app=app)

    def get_oauth2_adapter(self, request: HttpRequest) -> OAuth2Adapter:
        return OAuth2Adapter(request, self)

    def get_pkce_params(self) -> dict[str, Any]:
        """Always use PKCE: a provider that does not know it ignores it (RFC 7636 section 5)."""
        challenge: dict[str, Any] = generate_code_challenge()
        return challenge


def callback_url(connection: Connection) -> str:
    """Return the redirect URI. Each connection has its own, so that no answer is taken for another's."""
    return settings.PUBLIC_URL + reverse("connections:callback", args=[connection.slug])


def begin(
    request: HttpRequest,
    connection: Connection,
    *,
    process: str,
    next_url: str = "",
    login_hint: str = "",
    fresh: bool = False,
    data: object = None,
) -> HttpResponse:
    """Send the browser to the provider. Raises SignInFailed.

    `process` says what the sign-in is for, when it comes back, and `data` goes with it. `fresh` asks the person to
    authenticate there again, whatever session they have (OpenID Connect Core section 3.1.2.1).
    """
    metadata.read(connection.issuer)  # fails here, where the reason can be told
    nonce = secrets.token_urlsafe(24)
    params = {"nonce": nonce}
    if login_hint:
        params["login_hint"] = login_hint
    max_age = 0 if fresh else connection.max_age
    if max_age is not None:
        params["max_age"] = str(max_age)
    if fresh:
        params["prompt"] = "login"
    redirect: HttpResponseRedirect = Provider(request, connection).redirect(
        request, process, next_url or None, data, auth_params=params, nonce=nonce, max_age=max_age
    )
    return redirect if request.method == "GET" and not fresh else _continue_page(request, connection, redirect.url)


def _continue_page(request: HttpRequest, connection: Connection, address: str) -> HttpResponse:
    """Return a page that leads on: browsers apply a page's form-action to the redirects of its forms too."""
    page = render(request, "connections/leave.html", {"address": address, "connection": connection})
    page.headers["Referrer-Policy"] = "no-referrer"
    page.headers["Cache-Control"] = "no-store"
    return page


def complete(request: HttpRequest, connection: Connection, state: dict[str, Any]) -> Person:
    """Return the person whom the authorization response is about. Raises SignInFailed."""
    provider = metadata.read(connection.issuer)
    _judge_response_issuer(request, provider)
    error = request.GET.get("error")
    if error:
        detail = f"{error[:60]}: {request.GET.get('error_description', '')[:200]}"
        raise SignInFailed("cancelled" if error in CANCELLED else "refused", detail)
    code = request.GET.get("code", "")
    if not 0 < len(code) <= MAX_CODE:
        raise SignInFailed("refused", "The response has neither code nor error.")
    tokens = _redeem(connection, provider.token_endpoint, code, str(state["pkce_code_verifier"]))
    # Asked for at once, a sign-in is as old as the way back takes: some seconds, or the minutes that a person needs.
    max_age = 600 if state["max_age"] == 0 else state["max_age"]
    claims = id_tokens.verify(
        _text(tokens, "id_token"),
        issuer=connection.issuer,
        client_id=connection.client_id,
        jwks_uri=provider.jwks_uri,
        nonce=str(state["nonce"]),
        max_age=max_age,
    )
    if provider.userinfo_endpoint and _lacks(connection, claims):
        claims = (
            _userinfo(
                provider.userinfo_endpoint,
                _text(tokens, "access_token"),
                subject=claims["sub"],
                issuer=connection.issuer,
            )
            | claims
        )
    if not is_of_domain(connection, claims):
        raise SignInFailed("domain", f"{connection.domain_claim} is {str(find(claims, connection.domain_claim))[:100]}")
    return describe(connection, claims)


def _judge_response_issuer(request: HttpRequest, provider: metadata.ProviderMetadata) -> None:
    """Require that the answer comes from the provider that was asked (RFC 9207 section 2.4)."""
    issuer = request.GET.get("iss")
    if issuer is None and not provider.sends_issuer:
        return
    if issuer != provider.issuer:
        raise SignInFailed("response_issuer", f"iss is {str(issuer)[:200]}.")


def _redeem(connection: Connection, token_endpoint: str, code: str, verifier: str) -> dict[str, Any]:
    """Return the token response to the code (RFC 6749 section 4.1.3, RFC 7636 section 4.5)."""
    authentication, headers = client_authentication.authenticate(connection, token_endpoint)
    body = urlencode(
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": callback_url(connection),
            "code_verifier": verifier,
            **authentication,
        }
    )
    try:
        answer = transport.fetch(
            token_endpoint, body=body.encode(), content_type=FORM, headers=headers, place=place(connection.issuer)
        )
    except FetchError as error:
        raise _away(error, "token endpoint") from None
    if answer.status >= 500:
        raise SignInFailed("unreachable", f"Its token endpoint answers with status {answer.status}.")
    found = _object(answer, "token")
    if answer.status != 200:
        # An invented or used code says nothing about the connection.
        reason: Reason = "refused" if found.get("error") == "invalid_grant" else "token"
        raise SignInFailed(reason, f"{str(found.get('error'))[:60]}: {str(found.get('error_description', ''))[:200]}")
    return found


def _lacks(connection: Connection, claims: dict[str, Any]) -> bool:
    """Say whether a claim that the connection reads is not in the ID token."""
    wanted = (connection.name_claim, connection.email_claim, connection.verified_claim, connection.groups_claim)
    return any(name and find(claims, name) is None for name in wanted)


def _away(error: FetchError, what: str) -> SignInFailed:
    """Return what to say of a provider that gave no answer; that we are busy says nothing about it."""
    return SignInFailed("busy" if error.reason == "busy" else "unreachable", f"Its {what}: {error}")


def _userinfo(endpoint: str, access_token: str, *, subject: str, issuer: str) -> dict[str, Any]:
    """Return the claims of the UserInfo endpoint, about the same subject (OpenID Connect Core section 5.3.2)."""
    if not access_token.isascii() or not access_token.isprintable():
        raise SignInFailed("token", "The access token has characters that none has (RFC 6750 section 2.1).")
    try:
        answer = transport.fetch(endpoint, headers={"Authorization": f"Bearer {access_token}"}, place=place(issuer))
    except FetchError as error:
        raise _away(error, "UserInfo endpoint") from None
    if answer.status != 200:
        raise SignInFailed("userinfo", f"The UserInfo endpoint answers with status {answer.status}.")
    claims = _object(answer, "userinfo")
    if claims.get("sub") != subject:
        raise SignInFailed("userinfo", "sub is another than in the ID token.")
    return claims


def _object(answer: transport.Answer, reason: Any) -> dict[str, Any]:
    try:
        found = foreign_json.loads(answer.body, max_bytes=transport.MAX_BODY)
    except foreign_json.InvalidJSON:
        found = None
    if not isinstance(found, dict):
        raise SignInFailed(reason, f"The response, with status {answer.status}, is no JSON object.")
    return found


def _text(tokens: dict[str, Any], name: str) -> str:
    value = tokens.get(name)
    if not isinstance(value, str) or not value:
        raise SignInFailed("id_token", f"The token response has no {name}.")
    return value
