"""POST /oauth2/introspect: what is this token worth? (RFC 7662)"""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from authority import client_authentication, introspection
from authority.endpoints.protocol import endpoint, read_form
from authority.errors import InvalidClientError, InvalidRequestError
from consumers.addresses import caller_ip


@endpoint("POST")
def introspect(request: HttpRequest) -> HttpResponse:
    """Tell a client about its own tokens. A client that proves nothing learns nothing (section 2.1)."""
    return JsonResponse(asked(read_form(request), request.META.get("HTTP_AUTHORIZATION"), caller_ip(request)))


def asked(parameters: Mapping[str, str], authorization: str | None, ip: str | None) -> dict[str, Any]:
    """Return the answer. Raises OAuth2Error."""
    caller = client_authentication.authenticate(parameters, authorization, ip)
    if caller.client.is_public:
        raise InvalidClientError("A public client cannot introspect, because anybody could claim to be it.")
    if "token" not in parameters:
        raise InvalidRequestError("token is missing.")
    return introspection.introspect(parameters["token"], caller)
