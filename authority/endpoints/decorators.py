"""What the endpoints for clients have in common: a form in, JSON out, never cached."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from authority import client_directory
from authority.client_authentication import dpop, methods
from authority.protocol.errors import InvalidRequestError, InvalidTargetError, OAuth2Error, error_response, refuse
from authority.telemetry import metrics, request_trace
from clients.models import Client
from core import throttling
from core.client_ip import caller_ip
from core.rest import responses

FORM_CONTENT_TYPE = "application/x-www-form-urlencoded"
View = Callable[..., HttpResponse]


def endpoint(*allowed: str) -> Callable[[View], View]:
    """Make a view an endpoint: these methods alone, errors as JSON, never cached (RFC 6749 section 5.1)."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            trace = request_trace.start(view.__name__)
            if request.method not in allowed:
                response: HttpResponse = method_not_allowed(allowed)
            else:
                try:
                    response = view(request, *args, **kwargs)
                except OAuth2Error as error:
                    response = error_response(error)
                except Exception as exception:
                    response = responses.fault(exception, request.path, refuse)
            if trace.failed_auth is not None:
                throttling.record_failure(*trace.failed_auth)
            elif response.status_code == 429:
                metrics.count_throttled(trace.endpoint)
                # Django would log a line for each; core/throttling.py logs one for all.
                response._has_been_logged = True  # type: ignore[attr-defined]
            elif trace.error and trace.client is None:
                request_trace.set_client(_named_client(request))
            trace.ip = caller_ip(request) if trace.error else None
            request_trace.finish(response.status_code)
            if dpop.HEADER in request.META:
                response["DPoP-Nonce"] = dpop.nonce()
            response["Cache-Control"] = "no-store"
            response["Pragma"] = "no-cache"
            return response

        return wrapper

    return decorate


def method_not_allowed(allowed: tuple[str, ...]) -> JsonResponse:
    """RFC 9110 section 15.5.6."""
    return responses.error("invalid_request", f"Use {' or '.join(allowed)}.", 405, {"Allow": ", ".join(allowed)})


def read_form(request: HttpRequest) -> dict[str, str]:
    """Return the parameters of a request that a client sends as a form.

    Raises InvalidRequestError for anything in the URL, where credentials would be logged (RFC 6749 section 2.3.1), for
    other content types, for repeated parameters and for NUL. Parameters without a value count as absent (section 3.2).
    """
    if request.META.get("QUERY_STRING"):
        request_trace.set_reason("parameters_in_url")
        raise InvalidRequestError("Send every parameter in the request body, none in the URL.")
    if request.content_type != FORM_CONTENT_TYPE:
        request_trace.set_reason("body_no_form", sent=request.content_type or "no content type")
        raise InvalidRequestError(f"Send the parameters as {FORM_CONTENT_TYPE}.")
    try:
        return single_values(request.POST.lists())
    except (SuspiciousOperation, BadRequest):
        raise InvalidRequestError("The request body is too large or not encoded as UTF-8.") from None


REPEATABLE = "resource"  # RFC 8707 section 2; its values go on joined by spaces, which no URI holds


def single_values(lists: Iterable[tuple[str, list[str]]]) -> dict[str, str]:
    """Return each parameter's only value. Raises InvalidRequestError when one is repeated, holds NUL or is no UTF-8."""
    parameters: dict[str, str] = {}
    for name, given in lists:
        values = [value for value in given if value] if name == REPEATABLE else given
        if (len(values) > 1 or name in parameters) and name != REPEATABLE:
            request_trace.set_reason("parameter_repeated", name=name)
            raise InvalidRequestError("A parameter is repeated. Send each once.")
        if "\0" in name or any("\0" in value for value in values):
            raise InvalidRequestError("A parameter holds a NUL character.")
        if "\ufffd" in name or any("\ufffd" in value for value in values):  # what Django puts for undecodable bytes
            raise InvalidRequestError("A parameter is not encoded as UTF-8 (RFC 6749 appendix B).")
        if name == REPEATABLE and any(len(value.split()) != 1 for value in values):
            raise InvalidTargetError("resource must be an absolute URI without a fragment.")
        if text := " ".join(values):
            parameters[name] = text
    return parameters


def _named_client(request: HttpRequest) -> Client | None:
    """Return the client that a request claims whose form was refused before authentication.

    The lookup costs as much as a wrong secret, so it is throttled alike.
    """
    try:
        parameters = {name: request.POST[name] for name in ("client_id",) if name in request.POST}
        credentials = methods.read_credentials(parameters, request.META.get("HTTP_AUTHORIZATION"))
        ip, name = caller_ip(request), f"form of {credentials.client_id}"
        if throttling.retry_after(ip, name):
            return None
        throttling.record_failure(ip, name)
        entry = client_directory.find(credentials.client_id)
    except (OAuth2Error, SuspiciousOperation, BadRequest, DatabaseError):
        return None
    return entry.client if entry else None
