"""POST /oauth2/introspect: token introspection (RFC 7662)."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from authority.client_authentication import methods
from authority.client_directory import ClientEntry
from authority.endpoints.decorators import endpoint, read_form
from authority.protocol.errors import InvalidClientError, InvalidRequestError
from authority.tokens import access_tokens, introspection
from core.client_ip import caller_ip


@endpoint("POST")
def introspect(request: HttpRequest) -> HttpResponse:
    """Describe a token to an authenticated client that it belongs to, or is for (section 2.1)."""
    parameters = read_form(request)
    caller = authenticate_caller(parameters, request.META.get("HTTP_AUTHORIZATION"), caller_ip(request))
    return JsonResponse(introspection.introspect(parameters["token"], caller))


def authenticate_caller(parameters: Mapping[str, str], authorization: str | None, ip: str | None) -> ClientEntry:
    """Return the client that introspects `token`. Raises OAuth2Error."""
    caller = methods.authenticate(parameters, authorization, ip)
    if caller.client.is_public:
        raise InvalidClientError("A public client cannot introspect, because anybody could impersonate it.")
    if "token" not in parameters:
        raise InvalidRequestError("token is missing.")
    return caller


def is_cacheable(answer: Mapping[str, Any], token: str) -> bool:
    """Return whether the answer changes only by expiry, revocation, or a change of a client.

    A token that speaks for a person depends on its token family; an opaque token and a test token on their rows.
    """
    return (
        answer.get("token_use") == "access_token"
        and "family_id" not in answer
        and not token.startswith(access_tokens.OPAQUE_PREFIX)
    )
