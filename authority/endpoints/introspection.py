"""POST /oauth2/introspect: what is this token worth? (RFC 7662)"""

from django.http import HttpRequest, HttpResponse, JsonResponse

from authority import client_authentication, introspection
from authority.endpoints.protocol import caller_ip, endpoint, read_form
from authority.errors import InvalidClientError, InvalidRequestError


@endpoint("POST")
def introspect(request: HttpRequest) -> HttpResponse:
    """Tell a client about its own tokens. A client that proves nothing learns nothing (section 2.1)."""
    parameters = read_form(request)
    caller = client_authentication.authenticate(parameters, request.META.get("HTTP_AUTHORIZATION"), caller_ip(request))
    if caller.client.is_public:
        raise InvalidClientError("A public client cannot introspect, because anybody could claim to be it.")
    if "token" not in parameters:
        raise InvalidRequestError("token is missing.")
    return JsonResponse(introspection.introspect(parameters["token"], caller))
