"""The OpenAPI 3.1 description of the management API, built of the declarations that dispatch its requests."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from django.conf import settings
from django.urls import URLPattern, URLResolver

from consumers.rest.operations import Operation
from consumers.scopes import MANAGEMENT_SCOPES, PREFIX
from core.rest.schemas import Schema
from portal.api.routes import ROUTES
from portal.health import VERSION

TAGS = {
    "Clients": "Programs that get tokens: Ory’s client API, with a few additions.",
    "Secrets": "Client secrets and federation rules. A secret is returned once, in the response that created it.",
    "Consumers": "Customers, partners and services, each with its own workspace.",
    "People": "The members of a workspace.",
    "Connections": "Identity providers by which people sign in, and who joins by them.",
    "Directories": "Who keeps a consumer’s people by SCIM, and which roles its groups give.",
    "APIs": "The audiences of tokens, and the scopes that consumers may use.",
    "Roles": "What people are in an API, and what else its access tokens say.",
    "Logins": "The provider’s own login: Ory’s login, consent and logout requests, and the sessions that they began.",
    "Tokens": "Introspection, revocation, and test tokens.",
    "Registration": "Dynamic client registration.",
    "Activity": "Who did what, and how much is used.",
}
REFUSALS = {
    400: "The request is malformed, or breaks a rule; error_description says what to do.",
    401: "The token is missing, unknown or has expired.",
    403: "The token lacks the scope, or its person the right.",
    404: "Not found, or not accessible with this token.",
    409: "It conflicts with the current state.",
    412: "It has changed since it was read (If-Match).",
    413: "The body is too large.",
    415: "The media type of the body is not supported.",
    429: "Too many requests; Retry-After says how long to wait.",
    503: "The database is not available; Retry-After says how long to wait.",
}
ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["error", "error_description"],
    "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
    "examples": [{"error": "invalid_client_metadata", "error_description": "Choose at least one grant type."}],
}


# What answers carry in their headers, by name (RFC 9110, RFC 8288, RFC 6750).
HEADERS: dict[str, dict[str, Any]] = {
    "ETag": {
        "description": "Names the state that the answer shows. Send it back as If-Match or If-None-Match.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Link": {
        "description": "The first page of the list, and the next one while there is one (rel=next).",
        "required": True,
        "schema": {"type": "string"},
    },
    "Location": {"description": "Where the new thing is.", "required": True, "schema": {"type": "string"}},
    "Retry-After": {
        "description": "How many seconds to wait.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
    "WWW-Authenticate": {
        "description": "Which token is needed.",
        "required": True,
        "schema": {"type": "string"},
    },
}
OF_REFUSALS = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag that you have read: change this state alone, else 412.",
    "schema": {"type": "string"},
}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag that you have: answer 304 while it is the state.",
    "schema": {"type": "string"},
}


def operations() -> Iterator[tuple[str, str, Operation]]:
    """Yield template, method and operation of every address of the management API."""

    def walk(patterns: list[Any]) -> Iterator[tuple[str, str, Operation]]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns)
            elif isinstance(pattern, URLPattern) and hasattr(pattern, "template"):
                for method, operation in pattern.callback.operations.items():  # type: ignore[attr-defined]
                    yield pattern.template, method, operation

    return walk(ROUTES)


@cache
def description() -> dict[str, Any]:
    """Return the whole document."""
    schemas: dict[str, Any] = {"Error": ERROR}
    paths: dict[str, Any] = {}
    for template, method, operation in operations():
        paths.setdefault(template, {})[method.lower()] = _describe(template, method, operation, schemas)
    scopes = {f"{PREFIX}{name}": words for name, (_, words) in MANAGEMENT_SCOPES.items()}
    flow = {"tokenUrl": f"{settings.PUBLIC_URL}/oauth2/token", "scopes": scopes}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{settings.PORTAL_NAME} management API",
            "version": VERSION,
            "description": "Everything that people do on the portal’s pages, for programs.",
        },
        "servers": [{"url": settings.PUBLIC_URL}],
        "tags": [{"name": name, "description": words} for name, words in TAGS.items()],
        "security": [{"token": []}],
        "paths": paths | _token_endpoint(),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "headers": HEADERS,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A personal access token (cdp_…), created on your account’s page.",
                },
                "client": {"type": "http", "scheme": "basic", "description": "Client ID and client secret."},
                "oauth": {"type": "oauth2", "flows": {"clientCredentials": flow}},
            },
        },
    }


def _describe(template: str, method: str, operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": part[1:-1], "in": "path", "required": True, "schema": {"type": "string"}}
        for part in template.split("/")
        if part.startswith("{")
    ]
    for name, schema in operation.query.items():
        words = {"description": schema["description"]} if "description" in schema else {}
        parameters.append({"name": name, "in": "query", "schema": dict(schema)} | words)
    answers = {
        str(status): _answer(schema, schemas) | _headers(_names(status, operation))
        for status, schema in operation.answers.items()
    }
    if operation.takes_if_match:
        parameters.append(IF_MATCH)
    if method == "GET" and "ETag" in _names(200, operation):
        parameters.append(IF_NONE_MATCH)
        answers["304"] = {"description": "It is as you have it."} | _headers(_names(200, operation))
    statuses = {400, 401, 403, 429, 503, *operation.refusals, *({413, 415} if operation.body is not None else ())}
    refused = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
    answers |= {
        str(status): {"description": REFUSALS[status]} | refused | _headers(OF_REFUSALS.get(status, ()))
        for status in sorted(statuses)
    }
    described: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": operation.description,
        "tags": [operation.tag],
        "security": [{"token": []}, {"oauth": [f"{PREFIX}{operation.scope}"]}],
        "x-scope": operation.scope,
        "parameters": parameters,
        "responses": answers,
    }
    if operation.body is not None:
        content: dict[str, Any] = {"schema": _shared(operation.body, schemas)}
        if operation.example is not None:
            content["example"] = operation.example
        described["requestBody"] = {"required": True, "content": dict.fromkeys(operation.media_types, content)}
    return described


def _names(status: int, operation: Operation) -> tuple[str, ...]:
    """Return the names of the headers that the operation's answer of this status has."""
    names = []
    if operation.shows_state and not isinstance(operation.answers[status], str):
        names.append("ETag")
    if status == 201:
        names.append("Location")
    if "page_token" in operation.query:
        names.append("Link")
    return tuple(names)


def _headers(names: Iterable[str]) -> dict[str, Any]:
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    return {"headers": headers} if headers else {}


def _answer(schema: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    if isinstance(schema, str):
        return {"description": schema}
    return {"description": "Done.", "content": {"application/json": {"schema": _shared(schema, schemas)}}}


def _shared(schema: Schema, schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the schema with each that has a title by its name among those that the document shares."""
    found: dict[str, Any] = {}
    for name, value in schema.items():
        if name == "items":
            found[name] = _shared(value, schemas)
        elif name == "properties":
            found[name] = {member: _shared(each, schemas) for member, each in value.items()}
        else:
            found[name] = value
    if "title" not in schema:
        return found
    schemas[schema["title"]] = found
    return {"$ref": f"#/components/schemas/{schema['title']}"}


def _token_endpoint() -> dict[str, Any]:
    """Describe how a program gets a token of its own; discovery describes the rest of the authority."""
    form = {
        "type": "object",
        "required": ["grant_type"],
        "properties": {"grant_type": {"type": "string", "const": "client_credentials"}, "scope": {"type": "string"}},
    }
    token = {
        "type": "object",
        "properties": {
            "access_token": {"type": "string"},
            "token_type": {"type": "string"},
            "expires_in": {"type": "integer"},
            "scope": {"type": "string"},
        },
    }
    refused = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
    operation = {
        "operationId": "oauth2TokenExchange",
        "summary": "Get a token",
        "description": "RFC 6749 section 4.4. Authenticate with HTTP Basic, the client ID and the client secret.",
        "tags": ["Tokens"],
        "security": [{"client": []}],
        "parameters": [],
        "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": form}}},
        "responses": {
            "200": {"description": "A token.", "content": {"application/json": {"schema": token}}},
            "400": {"description": REFUSALS[400]} | refused,
            "401": {"description": "The client is unknown, or its credentials are wrong."} | refused,
            "503": {"description": REFUSALS[503]} | refused,
        },
    }
    return {"/oauth2/token": {"post": operation}}
