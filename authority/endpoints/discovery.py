"""The JWKS, and the metadata of RFC 8414 and OpenID Connect Discovery."""

import hashlib
import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.views.decorators.csrf import csrf_exempt

from authority.authorization.request import PROMPTS, RESPONSE_MODES
from authority.endpoints.decorators import method_not_allowed
from authority.keys import signing_keys, workload_issuer
from authority.people import browser_authentication, id_tokens
from authority.protocol import cors
from authority.protocol.errors import refuse
from authority.server.server import server
from clients.models import DocumentHost
from clients.vocabulary import CONFIDENTIAL_METHODS, IDENTITY_SCOPES, AuthMethod
from core.jose.algorithms import ALGORITHMS, SigningAlgorithm
from core.rest import responses

View = Callable[..., HttpResponse]

CACHE_CONTROL = (  # RFC 5861
    f"public, max-age={signing_keys.JWKS_MAX_AGE.seconds}, stale-while-revalidate={signing_keys.JWKS_STALE.seconds}"
)


def cacheable(document: Callable[..., dict[str, Any]]) -> View:
    """Serve the document to everybody, with an ETag."""

    @csrf_exempt  # a method that is not served is refused as such
    @wraps(document)
    def view(request: HttpRequest, **place: Any) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return method_not_allowed(("GET", "HEAD"))
        try:
            body = json.dumps(document(**place), separators=(",", ":")).encode()
        except Exception as exception:
            return responses.fault(exception, request.path, refuse)
        response = HttpResponse(body, content_type="application/json")
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        response["ETag"] = etag
        response["Cache-Control"] = CACHE_CONTROL
        return get_conditional_response(request, etag=etag, response=response) or response

    return view


def to_every_origin(view: View) -> View:
    """Let every page read the document: one that is about to register itself has no origin of its own yet."""

    @wraps(view)
    def open_view(request: HttpRequest, **place: Any) -> HttpResponse:
        preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        response = cors.preflight_response(("GET", "HEAD")) if preflight else view(request, **place)
        response["Access-Control-Allow-Origin"] = "*"
        if preflight:
            response["Access-Control-Allow-Headers"] = "MCP-Protocol-Version"  # which makes browsers ask first
        response["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    return open_view


@cacheable
def jwks() -> dict[str, Any]:
    """The public keys (RFC 7517)."""
    return {"keys": signing_keys.published_keys()}


@cacheable
def oauth_metadata() -> dict[str, Any]:
    """Authorization server metadata (RFC 8414), which OpenID Connect Discovery reads too: one truth for both."""
    return {
        "issuer": settings.ISSUER,
        "authorization_endpoint": _endpoint_url("authorize"),
        "token_endpoint": _endpoint_url("token"),
        "device_authorization_endpoint": _endpoint_url("device-authorization"),
        "jwks_uri": _endpoint_url("jwks"),
        "workload_issuer": workload_issuer.issuer(),  # ours: where identity tokens come from
        "userinfo_endpoint": _endpoint_url("userinfo"),
        "pushed_authorization_request_endpoint": _endpoint_url("par"),
        "require_pushed_authorization_requests": False,
        "introspection_endpoint": _endpoint_url("introspect"),
        "revocation_endpoint": _endpoint_url("revoke"),
        "registration_endpoint": _endpoint_url("register"),
        "client_id_metadata_document_supported": DocumentHost.objects.exists(),
        "end_session_endpoint": _endpoint_url("end-session"),
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "scopes_supported": list(IDENTITY_SCOPES),
        "response_types_supported": list(server().response_types),
        "response_modes_supported": list(RESPONSE_MODES),
        "prompt_values_supported": list(PROMPTS),
        "acr_values_supported": list(browser_authentication.ACR_VALUES),
        "ui_locales_supported": [settings.LANGUAGE_CODE],
        "grant_types_supported": list(server().grant_types),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [*CONFIDENTIAL_METHODS, AuthMethod.NONE],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "introspection_endpoint_auth_methods_supported": list(CONFIDENTIAL_METHODS),
        "introspection_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": [*CONFIDENTIAL_METHODS, AuthMethod.NONE],
        "revocation_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "authorization_response_iss_parameter_supported": True,
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(SigningAlgorithm),
        "userinfo_signing_alg_values_supported": list(SigningAlgorithm),
        "claims_supported": list(id_tokens.CLAIMS),
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }


def _endpoint_url(name: str) -> str:
    return settings.ISSUER + reverse(name)
