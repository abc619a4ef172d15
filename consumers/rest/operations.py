"""An operation of the management API: its declaration, which also describes it, and the view that dispatches to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from consumers.models import Consumer, ConsumerQuerySet, Role
from consumers.rest.callers import ApiCaller, authenticate
from consumers.scopes import MANAGEMENT_SCOPES
from core.errors import PreconditionFailed, Refusal
from core.rest import etags, responses, schemas
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
    shows_state: bool = True  # its answers are things of ours, whose state an ETag names
    locks_itself: bool = False  # the handler compares If-Match, not the door
    most: int | None = None  # requests of one token in the window of the door, of all operations together
    handler: Callable[..., HttpResponseBase] = HttpResponse

    @property
    def takes_if_match(self) -> bool:
        return PreconditionFailed.status in self.refusals

    @property
    def role(self) -> Role:
        return Role.VIEWER if self.action == "view" else Role.MANAGER

    def permission(self, action: str) -> str:
        app, _, model = self.model.partition(".")
        return f"{app}.{action}_{model}"


@dataclass
class ApiRequest:
    """One request for an operation, by a caller whose token has its scope."""

    request: HttpRequest
    operation: Operation
    caller: ApiCaller
    token_key: str
    query: dict[str, Any]
    is_change: bool = False  # of the one thing at the address

    def locked[M: Model](self, rows: QuerySet[M]) -> QuerySet[M]:
        """Return the rows locked until the change is done, where the call is one."""
        return rows.select_for_update(of=("self",), no_key=True) if self.is_change else rows

    @property
    def is_operator(self) -> bool:
        """Say whether the caller may do this to every consumer."""
        return self.caller.is_operator(self.operation.permission(self.operation.action))

    @cached_property
    def body(self) -> Any:
        """Return the body as the operation describes it. Raises Refusal."""
        value = read_json(self.request, self.operation.media_types)
        if self.operation.body is not None:
            schemas.validate(value, self.operation.body, self.operation.bad_body)
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


def view_for(operations: Mapping[str, Operation]) -> Callable[..., HttpResponseBase]:
    """Return the view of an address, by method."""

    @csrf_exempt  # no cookie opens it
    def view(request: HttpRequest, **ids: str) -> HttpResponseBase:
        try:
            response = _dispatch(request, operations, ids)
        except Refusal as refusal:
            response = refuse(refusal, operations)
        except Exception as exception:
            response = responses.fault(exception, request.path, _error)
        response["Cache-Control"] = "no-store"
        return response

    view.operations = operations  # type: ignore[attr-defined]  # the description walks the URL map
    return view


def _dispatch(request: HttpRequest, operations: Mapping[str, Operation], ids: dict[str, str]) -> HttpResponseBase:
    chosen = operations.get("GET" if request.method == "HEAD" else request.method or "")
    caller, key = authenticate(request, most=chosen.most if chosen is not None else None)
    if chosen is None:
        raise MethodNotAllowed(f"Use {' or '.join(operations)}.")
    if chosen.scope not in caller.scopes:
        raise InsufficientScope(f"This token lacks the scope {chosen.scope}. Create one that has it.")
    if any("\0" in value for value in ids.values()):
        raise NotFound
    call = ApiRequest(request, chosen, caller, key, _read_query(request, chosen))
    reading = operations.get("GET")
    if chosen is reading:
        return _unless_known(request, chosen.handler(call, **ids))
    if reading is None or not chosen.takes_if_match or chosen.locks_itself or request.method == "POST":
        response = chosen.handler(call, **ids)
        if not chosen.shows_state:
            del response["ETag"]
        return response
    call.is_change = True
    with transaction.atomic():
        _require_unchanged(replace(call, operation=reading), ids)
        return chosen.handler(call, **ids)


def _unless_known(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Answer 304 where the caller has this state already (RFC 9110 section 13.1.2)."""
    known = request.headers.get("If-None-Match")
    if known is None or "ETag" not in response or not etags.is_known(known, response["ETag"]):
        return response
    headers = {name: response[name] for name in ("ETag", "Link") if name in response}
    return _empty(HttpResponse(status=304, headers=headers))


def _require_unchanged(reading: ApiRequest, ids: dict[str, str]) -> None:
    """Refuse to change what is no longer as the caller read it, and hold it until the change is done.

    Raises PreconditionFailed (RFC 9110 section 13.1.1), and what reading raises.
    """
    wanted = reading.request.headers.get("If-Match")
    if wanted is not None and not etags.is_unchanged(
        wanted, etags.revision_of(reading.operation.handler(reading, **ids)["ETag"])
    ):
        raise PreconditionFailed


def _read_query(request: HttpRequest, chosen: Operation) -> dict[str, Any]:
    """Return the parameters of the URL, each once and known. Raises InvalidRequest."""
    try:
        pairs = parse_qsl(
            request.META.get("QUERY_STRING", ""), keep_blank_values=True, errors="strict", max_num_fields=50
        )
    except ValueError:
        raise InvalidRequest("The query string cannot be decoded. Encode it as UTF-8.") from None
    found: dict[str, Any] = {}
    for name, value in pairs:
        schema = chosen.query.get(name)
        if schema is None:
            known = f" Known are {', '.join(chosen.query)}." if chosen.query else ""
            raise InvalidRequest(f"The parameter {name[:60]!a} is not known here.{known}")
        if name in found:
            raise InvalidRequest(f"The parameter {name} is repeated.")
        if "\0" in value:
            raise InvalidRequest(f"The parameter {name} holds a NUL character.")
        if value or schema.get("format") == "date-time":  # left empty, the others count as left out
            found[name] = _converted(value, schema, name)
            schemas.validate(found[name], schema, at=name)
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


def json_response(
    document: Any,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    *,
    once: Mapping[str, str] | None = None,
    revision: str = "",
) -> HttpResponse:
    """Return the document as JSON, with the tag of its state.

    `once` are members for this answer alone, such as the text of a new secret. No tag is made of them.
    """
    tagged = {"ETag": etags.etag(document, revision)} if status in (200, 201) else {}
    return responses.document(document | once if once else document, status, tagged | dict(headers or {}))


def no_content() -> HttpResponse:
    """Return 204: it is done, and there is nothing to say."""
    return _empty(HttpResponse(status=204))


def _empty(response: HttpResponse) -> HttpResponse:
    """Return the answer without the type of a body that it lacks."""
    del response["Content-Type"]
    return response


def refuse(refusal: Refusal, operations: Mapping[str, Operation]) -> HttpResponse:
    """Return the refusal as RFC 6749 section 5.2 shapes it, with every sentence of those that came together."""
    response = _error(refusal.code, responses.sentences(refusal), refusal.status)
    if isinstance(refusal, MissingToken):
        response["WWW-Authenticate"] = responses.challenge(realm="management")
    elif isinstance(refusal, InvalidToken | InsufficientScope):
        response["WWW-Authenticate"] = responses.challenge(error=refusal.code)
    elif isinstance(refusal, MethodNotAllowed):
        response["Allow"] = ", ".join(operations)
    elif isinstance(refusal, TooManyRequests):
        response["Retry-After"] = str(refusal.seconds)
    return response


def _error(code: str, description: str, status: int) -> HttpResponse:
    return json_response({"error": code, "error_description": description}, status)
