"""JSON answers to programs: documents, and refusals in the shape of RFC 6749 section 5.2 and RFC 6750 section 3."""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse, JsonResponse

from core.db import outages
from core.errors import Refusal

logger = logging.getLogger(__name__)

_AT_FAULT = (
    "Something went wrong on our side. If it happens again, give the operator the X-Request-Id of this response."
)
SOON = {"Retry-After": "5"}  # seconds
_AWAY = "The service is restarting. Try again in a few seconds."


def document(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return the content as JSON without blanks."""
    body = json.dumps(content, cls=DjangoJSONEncoder, separators=(",", ":"))
    return HttpResponse(body, status=status, content_type="application/json", headers=dict(headers or {}))


def error(code: str, description: str, status: int = 400, headers: Mapping[str, str] | None = None) -> JsonResponse:
    """Return an error answer (RFC 6749 section 5.2)."""
    return JsonResponse({"error": code, "error_description": description}, status=status, headers=headers)


def sentences(refusal: Refusal) -> str:
    """Return what a refusal says to a program, and what came together with it, each sentence once."""
    return " ".join(dict.fromkeys(each.for_programs for each in (refusal, *refusal.others)))


def challenge(*, realm: str = "", error: str = "") -> str:
    """Return the Bearer challenge of a WWW-Authenticate header (RFC 6750 section 3)."""
    parameters = {"realm": realm, "error": error}
    return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parameters.items() if value)


def fault(exception: Exception, path: str, answer: Callable[[str, str, int], HttpResponse]) -> HttpResponse:
    """Log a fault of ours, and return what `answer` makes of code, description and status: programs read JSON."""
    if outages.is_outage(exception):
        return unavailable(exception, path, answer("temporarily_unavailable", _AWAY, 503))
    logger.error("a fault at %s", path, exc_info=exception)
    return answer("server_error", _AT_FAULT, 500)


def unavailable(exception: BaseException, path: str, response: HttpResponse) -> HttpResponse:
    """Report an outage of the database, and let the response say when to come back (RFC 9110 section 15.6.4)."""
    outages.report(exception, path)
    response["Retry-After"] = SOON["Retry-After"]
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django would log a line for each
    return response
