"""POST /oauth2/device_authorization: the device authorization request (RFC 8628 section 3.1)."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse

from authority.authorization import device_requests, sign_in_rules
from authority.client_authentication import methods
from authority.client_directory import ClientEntry
from authority.endpoints.decorators import endpoint, read_form
from authority.protocol.errors import InvalidScopeError, UnauthorizedClientError
from authority.telemetry import request_trace
from clients.vocabulary import GrantType
from consumers.scopes import PREFIX
from core.client_ip import caller_ip


@endpoint("POST")
def device_authorization(request: HttpRequest) -> HttpResponse:
    """Return the device code and the user code (section 3.2)."""
    parameters = read_form(request)
    ip = caller_ip(request)
    caller = methods.authenticate(parameters, request.META.get("HTTP_AUTHORIZATION"), ip)
    if GrantType.DEVICE_CODE not in caller.client.grant_types:
        request_trace.set_reason("grant_not_registered", grant=GrantType.DEVICE_CODE)
        raise UnauthorizedClientError()
    device_code, user_code = device_requests.create(
        caller,
        _requested_scopes(caller, parameters.get("scope", "")),
        ip=ip,
        user_agent=request.headers.get("User-Agent", ""),
    )
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


def _requested_scopes(caller: ClientEntry, scope: str) -> list[str]:
    """Return the requested scopes; when none is named, the client's API scopes: of the management API, to read."""
    allowed = caller.scopes_for(GrantType.DEVICE_CODE)
    scopes = list(dict.fromkeys(scope.split())) or [value for value in caller.permissions if _is_default(value)]
    if foreign := [value for value in scopes if value not in allowed]:
        request_trace.set_reason("scope_not_granted", scopes=foreign)
        raise InvalidScopeError()
    if not scopes:
        request_trace.set_reason("scope_none")
        raise InvalidScopeError()
    if sign_in_rules.of_scopes(caller, scopes).login_api is not None:
        request_trace.set_reason("device_at_own_login")
        raise InvalidScopeError(
            "People sign in for this API by its own login, which devices cannot use. Use a browser."
        )
    return scopes


def _is_default(scope: str) -> bool:
    return not scope.startswith(PREFIX) or scope.endswith(":read")
