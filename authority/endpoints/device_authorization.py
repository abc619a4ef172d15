"""POST /oauth2/device_authorization: a device asks to be let in by a person elsewhere (RFC 8628 section 3.1)."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse

from authority.authorization import device_requests
from authority.client_authentication import methods
from authority.client_directory import Entry
from authority.endpoints.decorators import endpoint, read_form
from authority.protocol.errors import InvalidScopeError, UnauthorizedClientError
from authority.telemetry import request_trace
from clients.actions import cli_client
from clients.vocabulary import GrantType
from core.client_ip import caller_ip


@endpoint("POST")
def device_authorization(request: HttpRequest) -> HttpResponse:
    """Answer with the code that the device polls with, and the one that it shows (section 3.2)."""
    parameters = read_form(request)
    if parameters.get("client_id") == cli_client.CLIENT_ID:
        cli_client.ensure()
    caller = methods.authenticate(parameters, request.META.get("HTTP_AUTHORIZATION"), caller_ip(request))
    if GrantType.DEVICE_CODE not in caller.client.grant_types:
        request_trace.because("grant_not_registered", grant=GrantType.DEVICE_CODE)
        raise UnauthorizedClientError()
    device_code, user_code = device_requests.ask(caller, _wanted(caller, parameters.get("scope", "")))
    address = settings.PUBLIC_URL + reverse("device")
    return JsonResponse(
        {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": address,
            "verification_uri_complete": f"{address}?user_code={user_code}",
            "expires_in": device_requests.LIFETIME,
            "interval": device_requests.INTERVAL,
        }
    )


def _wanted(caller: Entry, scope: str) -> list[str]:
    """Return the scopes that the device asks for; when it names none, all that APIs grant its client."""
    allowed = caller.scopes_for(GrantType.DEVICE_CODE)
    scopes = list(dict.fromkeys(scope.split())) or list(caller.permissions)
    if foreign := [value for value in scopes if value not in allowed]:
        request_trace.because("scope_not_granted", scopes=foreign)
        raise InvalidScopeError()
    if not scopes:
        request_trace.because("scope_none")
        raise InvalidScopeError()
    return scopes
