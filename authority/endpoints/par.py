"""POST /oauth2/par: pushed authorization requests (RFC 9126)."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from oauthlib.oauth2.rfc6749.errors import FatalClientError

from authority.authorization import pushed_requests
from authority.client_authentication import dpop, methods
from authority.endpoints.browser_responses import ADVICE
from authority.endpoints.decorators import endpoint, read_form
from authority.endpoints.validate_request import validate_request
from authority.protocol.errors import InvalidClientError, InvalidRequestError, refuse
from core.client_ip import caller_ip


@endpoint("POST")
def push(request: HttpRequest) -> HttpResponse:
    """Validate the request as the authorization endpoint would, and store it until it expires (section 2)."""
    parameters, proof = read_form(request), dpop.read(request)
    caller = methods.authenticate(parameters, request.META.get("HTTP_AUTHORIZATION"), caller_ip(request))
    if "request_uri" in parameters:
        raise InvalidRequestError("A pushed request cannot name another by request_uri.")
    parameters["client_id"] = caller.client.client_id
    if proof is not None:
        parameters["dpop_jkt"] = dpop.bind_code(proof, parameters.get("dpop_jkt"))
    try:
        validate_request(parameters, is_pushed=True)
    except InvalidClientError:
        raise
    except FatalClientError as error:
        return refuse("invalid_request", ADVICE.get(type(error).__name__, error.description))
    request_uri = pushed_requests.push(caller.client, parameters, caller_ip(request))
    return JsonResponse({"request_uri": request_uri, "expires_in": settings.PUSHED_REQUEST_LIFETIME}, status=201)
