"""POST /oauth2/revoke: token revocation (RFC 7009)."""

from django.http import HttpRequest, HttpResponse

from authority.client_authentication import methods
from authority.endpoints.decorators import endpoint, read_form
from authority.protocol.errors import InvalidRequestError
from authority.tokens import revocation
from core.client_ip import caller_ip


@endpoint("POST")
def revoke(request: HttpRequest) -> HttpResponse:
    """Revoke the token; the answer is 200 also when there is none (section 2.2). The type hint is not needed."""
    parameters = read_form(request)
    caller = methods.authenticate(parameters, request.META.get("HTTP_AUTHORIZATION"), caller_ip(request))
    if "token" not in parameters:
        raise InvalidRequestError("token is missing.")
    revocation.revoke(parameters["token"], caller.client)
    return HttpResponse(content_type="application/json")
