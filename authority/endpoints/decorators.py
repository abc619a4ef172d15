"""What the endpoints that programs call have in common: form in, JSON out, nothing cached."""

import logging
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from authority import client_directory
from authority.client_authentication import dpop
from authority.client_authentication import methods as client_authentication
from authority.protocol.errors import InvalidRequestError, InvalidTargetError, OAuth2Error, answer, refuse
from authority.telemetry import metrics, request_trace
from clients.models import Client
from core import throttling
from core.client_ip import caller_ip

logger = logging.getLogger(__name__)
FORM = "application/x-www-form-urlencoded"
AT_FAULT = "Something went wrong here. If it stays, tell the operator the X-Request-Id of this answer."
View = Callable[..., HttpResponse]


def endpoint(*methods: str) -> Callable[[View], View]:
    """Open a view to programs: by these methods alone, errors as JSON, never cached (RFC 6749 section 5.1)."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            inquiry = request_trace.begin(view.__name__)
            if request.method not in methods:
                response: HttpResponse = method_not_allowed(methods)
            else:
                try:
                    response = view(request, *args, **kwargs)
                except OAuth2Error as error:
                    response = answer(error)
                except (OperationalError, InterfaceError):
                    logger.exception("the database does not answer")
                    response = unavailable()
                except Exception:  # programs read JSON, also when we are at fault
                    logger.exception("a fault at %s", request.path)
                    response = refuse("server_error", AT_FAULT, 500)
            if inquiry.unproven is not None:
                throttling.note(*inquiry.unproven)
            elif response.status_code == 429:
                metrics.limited(inquiry.endpoint)
                # Django would write a line for each; core/throttling.py writes one for all.
                response._has_been_logged = True  # type: ignore[attr-defined]
            elif inquiry.error and inquiry.client is None:
                request_trace.about(_named_client(request))
            inquiry.ip = caller_ip(request) if inquiry.error else None
            request_trace.conclude(response.status_code)
            if dpop.HEADER in request.META:
                response["DPoP-Nonce"] = dpop.nonce()
            response["Cache-Control"] = "no-store"
            response["Pragma"] = "no-cache"
            return response

        return door

    return decorate


def unavailable() -> JsonResponse:
    """Ask to come back, while the database is away."""
    response = refuse("temporarily_unavailable", "The service is restarting. Try again in a few seconds.", 503)
    response["Retry-After"] = "5"
    return response


def method_not_allowed(methods: tuple[str, ...]) -> JsonResponse:
    response = JsonResponse(
        {"error": "invalid_request", "error_description": f"Use {' or '.join(methods)}."}, status=405
    )
    response["Allow"] = ", ".join(methods)
    return response


def read_form(request: HttpRequest) -> dict[str, str]:
    """Return the parameters of a request that a client sends as a form.

    Raises InvalidRequestError for anything in the URL, where credentials would be logged (RFC 6749 section 2.3.1), for
    other content types, for repeated parameters and for NUL. Parameters without a value count as absent (section 3.2).
    """
    if request.META.get("QUERY_STRING"):
        request_trace.because("parameters_in_url")
        raise InvalidRequestError("Send every parameter in the request body, none in the URL.")
    if request.content_type != FORM:
        request_trace.because("body_no_form", sent=request.content_type or "no content type")
        raise InvalidRequestError(f"Send the parameters as {FORM}.")
    try:
        return once(request.POST.lists())
    except (SuspiciousOperation, BadRequest):
        raise InvalidRequestError("The request body is too large or not encoded as UTF-8.") from None


REPEATABLE = "resource"  # RFC 8707 section 2; its values go on joined by spaces, which no URI holds


def once(lists: Iterable[tuple[str, list[str]]]) -> dict[str, str]:
    """Return each parameter's only value. Raises InvalidRequestError when one is repeated, holds NUL or is no UTF-8."""
    parameters: dict[str, str] = {}
    for name, given in lists:
        values = [value for value in given if value] if name == REPEATABLE else given
        if (len(values) > 1 or name in parameters) and name != REPEATABLE:
            request_trace.because("parameter_repeated", name=name)
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
    """Return the client that a request names whose form was refused before anybody asked who sends it.

    Looking it up costs as much as a wrong secret does, so it is counted alike.
    """
    try:
        parameters = {name: request.POST[name] for name in ("client_id",) if name in request.POST}
        credentials = client_authentication.read(parameters, request.META.get("HTTP_AUTHORIZATION"))
        ip, name = caller_ip(request), f"form of {credentials.client_id}"
        if throttling.seconds_to_wait(ip, name):
            return None
        throttling.note(ip, name)
        entry = client_directory.find(credentials.client_id)
    except (OAuth2Error, SuspiciousOperation, BadRequest, DatabaseError):
        return None
    return entry.client if entry else None
