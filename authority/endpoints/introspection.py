"""POST /oauth2/introspect: what is this token worth? (RFC 7662)"""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from authority.client_authentication import methods
from authority.client_directory import Entry
from authority.endpoints.decorators import endpoint, read_form
from authority.protocol.errors import InvalidClientError, InvalidRequestError
from authority.tokens import access_tokens, introspection
from core.client_ip import caller_ip


@endpoint("POST")
def introspect(request: HttpRequest) -> HttpResponse:
    """Tell a client about its own tokens. A client that proves nothing learns nothing (section 2.1)."""
    parameters = read_form(request)
    caller = asking(parameters, request.META.get("HTTP_AUTHORIZATION"), caller_ip(request))
    return JsonResponse(introspection.introspect(parameters["token"], caller))


def asking(parameters: Mapping[str, str], authorization: str | None, ip: str | None) -> Entry:
    """Return the client that asks about `token`. Raises OAuth2Error."""
    caller = methods.authenticate(parameters, authorization, ip)
    if caller.client.is_public:
        raise InvalidClientError("A public client cannot introspect, because anybody could claim to be it.")
    if "token" not in parameters:
        raise InvalidRequestError("token is missing.")
    return caller


def is_settled(answer: Mapping[str, Any], token: str) -> bool:
    """Say whether only the end of the token, a revocation or news can change the answer.

    A token that speaks for a person depends on their family of tokens; an opaque one, and one for a test, on its row.
    """
    return (
        answer.get("token_use") == "access_token"
        and "family_id" not in answer
        and not token.startswith(access_tokens.OPAQUE_PREFIX)
    )
