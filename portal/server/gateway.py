"""Calls a WSGI application (PEP 3333), and returns its response as the server sends it."""

import io
from collections.abc import Callable
from typing import Any

from portal.server.messages import Environ, Headers, Response, Stream, response_head


def call(application: Callable[..., Any], environ: Environ, body: bytes) -> Response | Stream:
    """Return what the application responds to a request with this body. Raises what the application raises."""
    environ["wsgi.input"] = io.BytesIO(body)
    started: list[Any] = []

    def start_response(status: str, headers: Headers, exc_info: Any = None) -> None:
        started[:] = status, headers

    answer = application(environ, start_response)
    status, headers = started
    has_length = any(name.lower() == "content-length" for name, _ in headers)
    if getattr(answer, "streaming", False):
        return Stream(response_head(status, headers), has_length, iter(answer), answer.close)
    try:
        body = b"".join(answer)
    finally:
        answer.close()
    if status.startswith(WITHOUT_BODY):
        headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
    elif not has_length:  # a middleware adds it, unless one before it answers
        headers = [*headers, ("Content-Length", str(len(body)))]
    return Response(response_head(status, headers), body)


# Statuses whose responses have no body. The length that Django gives a 304, none, is not that of what it stands for
# (RFC 9110 sections 6.4.1 and 8.6).
WITHOUT_BODY = ("1", "204", "304")
