"""The workload issuer, below /v1/client-auth/auth_…: its metadata, JWKS, and two endpoints for identity tokens."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from authority.client_authentication import methods
from authority.client_directory import ClientEntry
from authority.endpoints.decorators import endpoint, read_form, single_values
from authority.endpoints.discovery import cacheable, to_every_origin
from authority.keys import signing_keys, workload_issuer
from authority.protocol.errors import InvalidRequestError, InvalidTokenError, error_response, refuse
from authority.workloads import identity_tokens
from clients.vocabulary import CONFIDENTIAL_METHODS
from core.client_ip import caller_ip
from core.jose.algorithms import ALGORITHMS
from core.rest import responses

View = Callable[..., HttpResponse]


def _of_issuer(view: View) -> View:
    """Open a view below this installation's own issuer alone."""

    @wraps(view)
    def wrapper(request: HttpRequest, auth_id: str) -> HttpResponse:
        if auth_id != workload_issuer.issuer_name():
            return refuse("invalid_request", "There is no such issuer.", 404)
        return view(request)

    return wrapper


@_of_issuer
@to_every_origin
@cacheable
def jwks() -> dict[str, Any]:
    """The public keys of identity tokens (RFC 7517)."""
    return {"keys": signing_keys.published_keys(identity_tokens.PURPOSE)}


@_of_issuer
@to_every_origin
@cacheable
def metadata() -> dict[str, Any]:
    """What clouds and libraries read before they trust identity tokens (OpenID Connect Discovery section 3)."""
    return {
        "issuer": workload_issuer.issuer(),
        "jwks_uri": workload_issuer.endpoint_url("workload-jwks"),
        "token_endpoint": workload_issuer.endpoint_url("workload-token"),
        "token_endpoint_auth_methods_supported": list(CONFIDENTIAL_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [identity_tokens.ALGORITHM.value],
        "scopes_supported": ["openid"],
        "claims_supported": list(identity_tokens.CLAIMS),
    }


@_of_issuer
@endpoint("POST")
def identity(request: HttpRequest) -> HttpResponse:
    """Give the client that authenticates an identity token for the audience that it names."""
    parameters = {} if _has_no_body(request) else read_form(request)
    caller = methods.authenticate(parameters, request.META.get("HTTP_AUTHORIZATION"), caller_ip(request))
    return _as_json(identity_tokens.issue(caller.client, parameters.get("audience")))


def _has_no_body(request: HttpRequest) -> bool:
    """Say whether a request has neither parameters nor a body, as with `curl -X POST`: audience is optional."""
    empty = request.META.get("CONTENT_LENGTH") in (None, "", "0") and not request.META.get("QUERY_STRING")
    return empty and not request.content_type


@_of_issuer
@endpoint("GET")
def identity_token(request: HttpRequest) -> HttpResponse:
    """Answer in the two shapes that URL-sourced credentials of Google's libraries read: the bare token, or JSON."""
    parameters = single_values(request.GET.lists())
    if unknown := parameters.keys() - {"audience", "format"}:
        raise InvalidRequestError(f"Send audience and format alone, not {len(unknown)} more: addresses are logged.")
    accepted = request.get_preferred_type(["text/plain", "application/json"])
    response_format = parameters.get("format") or ("json" if accepted == "application/json" else "text")
    if response_format not in ("json", "text"):
        raise InvalidRequestError("Ask for the format text or json.")
    try:
        issued = identity_tokens.issue(_authenticate(request).client, parameters.get("audience"))
    except InvalidTokenError as error:
        response = error_response(error)
        response["WWW-Authenticate"] = responses.challenge(realm="workloads", error="invalid_token")
        return response
    return _as_json(issued) if response_format == "json" else HttpResponse(issued.text, content_type="text/plain")


def _authenticate(request: HttpRequest) -> ClientEntry:
    """Return the client of the request: it shows Basic credentials, or an access token that it got for this."""
    authorization = request.META.get("HTTP_AUTHORIZATION", "")
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return identity_tokens.authenticate_bearer(credentials.strip())
    return methods.authenticate({}, authorization or None, caller_ip(request))


def _as_json(issued: identity_tokens.IdentityToken) -> JsonResponse:
    return JsonResponse({"id_token": issued.text, "token_type": "Bearer", "expires_in": issued.seconds})
