"""An operation of the management API: its declaration, which also describes it, and the door in front of it."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from django.core.serializers.json import DjangoJSONEncoder
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from consumers.models import Consumer, ConsumerQuerySet, Role
from consumers.rest.callers import Caller, authenticate
from consumers.scopes import MANAGEMENT_SCOPES
from core.errors import Refusal
from core.rest import schemas
from core.rest.bodies import read_json
from core.rest.errors import (
    AccessDenied,
    InsufficientScope,
    InvalidRequest,
    InvalidToken,
    MethodNotAllowed,
    MissingToken,
    NotFound,
    TooManyRequests,
)
from core.rest.schemas import Schema

logger = logging.getLogger(__name__)
AT_FAULT = "Something went wrong here. If it stays, tell the operator the X-Request-Id of this answer."


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What a method of an address does, who may ask for it, and what goes in and out."""

    id: str
    summary: str
    tag: str
    scope: str
    model: str  # whose permission lets an operator do it everywhere, such as clients.client
    action: str = "view"  # view, add, change or delete, as Django's permissions say
    description: str = ""
    query: Mapping[str, Schema] = field(default_factory=dict)
    body: Schema | None = None
    media_types: tuple[str, ...] = ("application/json",)
    bad_body: type[Refusal] = InvalidRequest
    answers: Mapping[int, Any] = field(default_factory=dict)  # status: schema, or a sentence where there is no body
    example: Any = None
    refusals: tuple[int, ...] = ()
    handler: Callable[..., HttpResponseBase] = HttpResponse

    @property
    def role(self) -> Role:
        return Role.VIEWER if self.action == "view" else Role.MANAGER

    def permission(self, action: str) -> str:
        app, _, model = self.model.partition(".")
        return f"{app}.{action}_{model}"


@dataclass
class Call:
    """One request for an operation, by a caller whose token has its scope."""

    request: HttpRequest
    operation: Operation
    caller: Caller
    token_key: str
    query: dict[str, Any]

    @property
    def is_operator(self) -> bool:
        """Say whether the caller may do this to every consumer."""
        return self.caller.is_operator(self.operation.permission(self.operation.action))

    @cached_property
    def body(self) -> Any:
        """Return the body as the operation describes it. Raises Refusal."""
        value = read_json(self.request, self.operation.media_types)
        if self.operation.body is not None:
            schemas.check(value, self.operation.body, self.operation.bad_body)
        return value

    def readable(self) -> ConsumerQuerySet:
        """Return the consumers whose things the caller may read."""
        return self.caller.consumers(self.operation.permission("view"), Role.VIEWER)

    def writable(self) -> ConsumerQuerySet:
        """Return the consumers whose things the caller may do this to."""
        return self.caller.consumers(self.operation.permission(self.operation.action), self.operation.role)

    def require_writable(self, consumer: Consumer) -> None:
        """Refuse who may read and not do this. Raises AccessDenied."""
        if self.operation.role == Role.MANAGER and not self.writable().filter(pk=consumer.pk).exists():
            raise AccessDenied(f"This needs a manager of {consumer}, or an operator who may do it.")

    def require_operator(self) -> None:
        if not self.is_operator:
            raise AccessDenied("Only operators of this portal may do this.")


Handler = TypeVar("Handler", bound=Callable[..., HttpResponseBase])


def operation(**declared: Any) -> Callable[[Callable[..., HttpResponseBase]], Operation]:
    """Make an operation of a function that takes the call and the ids of the address."""

    def decorate(handler: Callable[..., HttpResponseBase]) -> Operation:
        assert declared["scope"] in MANAGEMENT_SCOPES
        return Operation(handler=handler, description=(handler.__doc__ or "").strip(), **declared)

    return decorate


def door(operations: Mapping[str, Operation]) -> Callable[..., HttpResponseBase]:
    """Return the view of an address, by method."""

    @csrf_exempt  # no cookie opens it
    def view(request: HttpRequest, **ids: str) -> HttpResponseBase:
        try:
            response = _carry_out(request, operations, ids)
        except Refusal as refusal:
            response = refuse(refusal, operations)
        except (OperationalError, InterfaceError):
            logger.exception("the database does not answer")
            response = answer({"error": "temporarily_unavailable", "error_description": "Try again soon."}, 503)
            response["Retry-After"] = "5"
        except Exception:  # programs read JSON, also when we are at fault
            logger.exception("a fault at %s", request.path)
            response = answer({"error": "server_error", "error_description": AT_FAULT}, 500)
        response["Cache-Control"] = "no-store"
        return response

    view.operations = operations  # type: ignore[attr-defined]  # the description walks the URL map
    return view


def _carry_out(request: HttpRequest, operations: Mapping[str, Operation], ids: dict[str, str]) -> HttpResponseBase:
    chosen = operations.get("GET" if request.method == "HEAD" else request.method or "")
    caller, key = authenticate(request)
    if chosen is None:
        raise MethodNotAllowed(f"Use {' or '.join(operations)}.")
    if chosen.scope not in caller.scopes:
        raise InsufficientScope(f"This token lacks the scope {chosen.scope}. Make one that has it.")
    if any("\0" in value for value in ids.values()):
        raise NotFound
    call = Call(request, chosen, caller, key, _read_query(request, chosen))
    return chosen.handler(call, **ids)


def _read_query(request: HttpRequest, chosen: Operation) -> dict[str, Any]:
    """Return the parameters of the URL, each once and known. Raises InvalidRequest."""
    try:
        pairs = parse_qsl(
            request.META.get("QUERY_STRING", ""), keep_blank_values=True, errors="strict", max_num_fields=50
        )
    except ValueError:
        raise InvalidRequest("The query of the address cannot be read. Encode it as UTF-8.") from None
    found: dict[str, Any] = {}
    for name, value in pairs:
        schema = chosen.query.get(name)
        if schema is None:
            known = f" Known are {', '.join(chosen.query)}." if chosen.query else ""
            raise InvalidRequest(f"The parameter {name[:60]!a} is not known here.{known}")
        if name in found:
            raise InvalidRequest(f"The parameter {name} stands there twice.")
        if "\0" in value:
            raise InvalidRequest(f"The parameter {name} holds a NUL character.")
        if value:
            found[name] = _converted(value, schema, name)
            schemas.check(found[name], schema, at=name)
    return found


def _converted(value: str, schema: Schema, name: str) -> Any:
    if schema.get("type") == "integer":
        if not value.lstrip("-").isdecimal() or not value.isascii() or len(value) > 15:
            raise InvalidRequest(f"{name} must be a whole number.", field=name)
        return int(value)
    if schema.get("type") == "boolean":
        if value not in ("true", "false"):
            raise InvalidRequest(f"{name} must be true or false.", field=name)
        return value == "true"
    return value


# -- Answers ----------------------------------------------------------------------------------------------------------


def answer(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return the document as JSON."""
    body = json.dumps(document, cls=DjangoJSONEncoder, separators=(",", ":"))
    return HttpResponse(body, status=status, content_type="application/json", headers=dict(headers or {}))


def nothing() -> HttpResponse:
    """Return 204: it is done, and there is nothing to say."""
    response = HttpResponse(status=204)
    del response["Content-Type"]
    return response


def refuse(refusal: Refusal, operations: Mapping[str, Operation]) -> HttpResponse:
    """Return the refusal as RFC 6749 section 5.2 shapes it, with every sentence of those that came together."""
    said = dict.fromkeys(each.for_programs for each in (refusal, *refusal.others))
    response = answer({"error": refusal.code, "error_description": " ".join(said)}, refusal.status)
    if isinstance(refusal, MissingToken):
        response["WWW-Authenticate"] = 'Bearer realm="management"'
    elif isinstance(refusal, InvalidToken):
        response["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    elif isinstance(refusal, InsufficientScope):
        response["WWW-Authenticate"] = 'Bearer error="insufficient_scope"'
    elif isinstance(refusal, MethodNotAllowed):
        response["Allow"] = ", ".join(operations)
    elif isinstance(refusal, TooManyRequests):
        response["Retry-After"] = str(refusal.seconds)
    return response
