"""HTTP/1.1 connections on the event loop (RFC 9112).

A request is collected here, head and body, before a thread hears of it, and a response is delivered here, so no client
keeps a thread waiting. httptools, which wraps the parser of Node.js, splits what arrives into messages.
"""

import asyncio
import json
import socket
import struct
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from portal.server.connections import Connections
from portal.server.messages import (
    ONCE,
    PIECE,
    Environ,
    RefusedRequestError,
    Request,
    Response,
    Stream,
    environ_key,
    response_head,
    split_absolute,
)

MAX_HEAD = 32 * 1024  # bytes of request line and headers
MAX_HEADERS = 100
MAX_TARGET = 16 * 1024  # bytes
MAX_BODY = 256 * 1024  # bytes; views refuse what is longer, so no more of it is collected

# Seconds. A request must be complete within READ_DEADLINE, and after GRACE it must have come at RATE or faster; the
# same rate holds for reading a response.
IDLE_SECONDS = 65.0
FIRST_REQUEST_SECONDS = 15.0
GRACE, RATE, READ_DEADLINE = 10.0, 1000, 30.0  # RATE in bytes a second
LINGER_SECONDS = 2.0


class Server(Protocol):
    """What a connection asks of its server (portal/server/event_loop.py)."""

    loop: asyncio.AbstractEventLoop
    connections: "Connections[Connection]"
    date: bytes  # the header
    is_stopping: bool

    log: Callable[[Environ, bytes, int], None] | None

    def handle(self, connection: "Connection", request: Request) -> None: ...
    def write(self, connection: "Connection", data: bytes) -> None: ...
    def make_piece(self, connection: "Connection", stream: Stream) -> None: ...
    def run_later(self, function: Callable[[], None]) -> None: ...


class Connection(asyncio.Protocol):
    """One client's connection. It is in one of four states, each with a time since which it is."""

    IDLE, READING, RESPONDING, LINGERING = range(4)

    def __init__(self, server: Server) -> None:
        self.server = server
        self.parser = HttpRequestParser(self)
        self.state, self.since = self.IDLE, server.loop.time()
        self.is_new = True  # no request has come yet
        self.received = 0  # bytes of the request that is being read
        self.requests: deque[Request] = deque()  # complete, the first being answered
        self.unparsed = b""  # what arrived while a request was being answered
        self.stream: Stream | None = None
        self.is_full = False  # the client does not read as fast as we write
        self.is_held = False  # until the client has read, before its next request is looked at
        self.sent = self.sent_before = 0  # bytes handed to the transport, in all and before this response
        self.drained_at_check, self.checked_at = 0, 0.0
        self.is_half_closed = False  # the client sends no more
        self.is_closed = False

    # -- asyncio.Protocol ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        peer = transport.get_extra_info("peername")
        self.address: str = peer[0] if peer else ""
        transport.set_write_buffer_limits(PIECE)
        if not self.server.connections.admit(self, self.since):
            transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self.is_closed = True
        self.server.connections.discard(self)
        self.requests.clear()
        if self.stream is not None:
            self._end_stream()

    def data_received(self, data: bytes) -> None:
        if self.state == self.LINGERING:
            return
        if self.requests or self.unparsed:
            self.unparsed += data
            self.transport.pause_reading()
            return
        was_idle = self.state == self.IDLE
        if was_idle:
            self.state, self.is_new = self.READING, False
        self.received += len(data)
        try:
            self.parser.feed_data(data)
            if not self.headers_are_complete and self.received > MAX_HEAD:
                raise _head_too_long()
        except HttpParserUpgrade:
            pass  # RFC 9110 section 7.8: a server may ignore it; the parser is of no more use, so the connection ends
        except HttpParserError as error:
            cause = error.__context__ if isinstance(error.__context__, RefusedRequestError) else None
            self._refuse(cause or RefusedRequestError(HTTPStatus.BAD_REQUEST, "This is no request of HTTP/1.1."))
        except RefusedRequestError as refusal:
            self._refuse(refusal)
        if was_idle and self.state == self.READING:  # most requests come whole, and read no clock here
            self._enter(self.READING)

    def eof_received(self) -> bool:
        """Keep the connection open for the response to a client that has only closed its own side."""
        self.is_half_closed = bool(self.requests)
        return self.is_half_closed

    def pause_writing(self) -> None:
        self.is_full = True

    def resume_writing(self) -> None:
        self.is_full = False
        if self.stream is not None:
            self.server.make_piece(self, self.stream)
        elif self.is_held:
            self.is_held = False
            self.finish()

    # -- The parser's events ------------------------------------------------------------------------------------------

    headers_are_complete = True

    def on_message_begin(self) -> None:
        if self.is_shut:
            raise RefusedRequestError(HTTPStatus.BAD_REQUEST, "Nothing may follow the last request.")
        self.environ: Environ = {"HTTP_HOST": None}
        self.target = b""
        self.number_of_headers = self.head_length = 0
        self.headers_are_complete = False
        self.body: list[bytes] = []
        self.body_length = 0
        self.is_too_long = False

    def on_url(self, part: bytes) -> None:
        self.target += part
        if len(self.target) > MAX_TARGET:
            raise RefusedRequestError(HTTPStatus.REQUEST_URI_TOO_LONG, f"The URL is longer than {MAX_TARGET} bytes.")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.headers_are_complete:
            return  # a trailer, which RFC 9110 section 6.5.1 lets us discard
        self.number_of_headers += 1
        self.head_length += len(name) + len(value) + 4
        if self.number_of_headers > MAX_HEADERS or self.head_length > MAX_HEAD:
            raise _head_too_long()
        key = environ_key(name)
        known = self.environ.get(key)
        if known is None:
            self.environ[key] = value.decode("latin-1")
        elif key in ONCE:
            raise RefusedRequestError(HTTPStatus.BAD_REQUEST, f"The header {name.decode('latin-1')} came twice.")
        else:  # RFC 9110 section 5.3; RFC 6265 section 5.4 for cookies
            self.environ[key] = f"{known}{'; ' if key == 'HTTP_COOKIE' else ','}{value.decode('latin-1')}"

    def on_headers_complete(self) -> None:
        self.headers_are_complete = True
        environ, parser = self.environ, self.parser
        version = parser.get_http_version()
        if version not in ("1.0", "1.1"):
            raise RefusedRequestError(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "Only HTTP/1.1 and 1.0 are spoken here.")
        self.is_http_1_0 = version == "1.0"
        self.keep_alive = parser.should_keep_alive() and not parser.should_upgrade() and not self.server.is_stopping
        environ["REQUEST_METHOD"] = parser.get_method().decode("ascii")
        environ["SERVER_PROTOCOL"] = "HTTP/1.0" if self.is_http_1_0 else "HTTP/1.1"
        self._read_target()
        if environ["HTTP_HOST"] is None:
            del environ["HTTP_HOST"]
            if not self.is_http_1_0:  # RFC 9112 section 3.2
                raise RefusedRequestError(HTTPStatus.BAD_REQUEST, "The header Host is missing.")
        encoding = environ.get("HTTP_TRANSFER_ENCODING")
        if encoding is not None and (self.is_http_1_0 or encoding.lower() != "chunked"):  # RFC 9112 section 6.1
            raise RefusedRequestError(HTTPStatus.NOT_IMPLEMENTED, "The only transfer coding that is known is chunked.")
        self.is_too_long = encoding is None and int(environ.get("CONTENT_LENGTH") or 0) > MAX_BODY
        expected = environ.get("HTTP_EXPECT")
        if self.is_too_long:
            self._complete()
        elif expected is not None:
            if expected.lower() != "100-continue":
                raise RefusedRequestError(HTTPStatus.EXPECTATION_FAILED, "Expect may only say 100-continue.")
            if not self.is_http_1_0 and not self.requests:
                self._write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        if self.is_too_long:
            return
        self.body.append(part)
        self.body_length += len(part)
        if self.body_length > MAX_BODY:
            self.is_too_long = True
            self._complete()

    def on_message_complete(self) -> None:
        if not self.is_too_long:
            self._complete()

    # -- A request, from the last byte read to the last byte written --------------------------------------------------

    is_shut = False  # no further request is read

    def _read_target(self) -> None:
        """Split the request target (RFC 9112 section 3.2)."""
        environ, target = self.environ, self.target
        if not target.startswith(b"/"):
            parts = split_absolute(target)
            if parts is not None:
                target, environ["HTTP_HOST"] = parts
            elif target != b"*":
                raise RefusedRequestError(HTTPStatus.BAD_REQUEST, "The request names no path.")
        path, _, query = target.partition(b"?")
        environ["PATH_INFO"] = (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1")
        environ["QUERY_STRING"] = query.decode("latin-1")

    def _complete(self) -> None:
        """Hand the request on. One that is too long goes as it is, for its view has the words to refuse it."""
        body = b"".join(self.body)
        environ = self.environ
        if "HTTP_TRANSFER_ENCODING" in environ:
            environ["CONTENT_LENGTH"] = str(len(body))
        if self.is_too_long:
            self.keep_alive, self.is_shut = False, True
        environ["REMOTE_ADDR"] = self.address
        self.received = 0
        self.requests.append(Request(environ, body, self.keep_alive, self.is_http_1_0))
        if not self.keep_alive:
            self.is_shut = True
        if len(self.requests) == 1:
            self._enter(self.RESPONDING)
            self.server.handle(self, self.requests[0])

    def respond(self, request: Request, response: Response) -> None:
        """Write the response. What the connections of one turn of the loop have to say is written at its end."""
        if self.is_closed:
            return
        head, body = response
        request.head = head
        if request.environ["REQUEST_METHOD"] == "HEAD":
            body = b""
        self.server.write(self, b"".join((b"HTTP/1.1 ", head, self.server.date, _persistence(request), body)))

    def respond_with(self, request: Request, stream: Stream) -> None:
        """Write the head of a response, and its body as fast as the client takes it."""
        if self.is_closed:
            self.server.run_later(stream.close)
            return
        self.stream = stream
        request.head = stream.head
        self.is_chunked = not stream.has_length and not request.is_http_1_0
        if not stream.has_length and request.is_http_1_0:
            request.keep_alive = False  # its end is the connection's (RFC 9112 section 6.3)
        framing = b"Transfer-Encoding: chunked\r\n" if self.is_chunked else b""
        self._write(b"".join((b"HTTP/1.1 ", stream.head, framing, self.server.date, _persistence(request))))
        if request.environ["REQUEST_METHOD"] == "HEAD":
            self._end_stream()
            self.finish()
        elif not self.is_full:
            self.server.make_piece(self, stream)

    def write_piece(self, piece: bytes) -> None:
        """Write the next piece of a body; an empty one ends it."""
        if self.stream is None or self.is_closed:
            return
        if piece:
            self._write(b"%x\r\n%b\r\n" % (len(piece), piece) if self.is_chunked else piece)
            if not self.is_full:
                self.server.make_piece(self, self.stream)
            return
        if self.is_chunked:
            self._write(b"0\r\n\r\n")
        self._end_stream()
        self.finish()

    def _end_stream(self) -> None:
        stream, self.stream = self.stream, None
        assert stream is not None
        self.server.run_later(stream.close)

    def _write(self, data: bytes) -> None:
        self.sent += len(data)
        self.transport.write(data)

    def finish(self, data: bytes = b"") -> None:
        """Write the last of a response, and go on to the next request, if there is one."""
        if self.is_closed:
            return
        if data:
            self._write(data)
        if self.is_full:  # what follows would only fill our memory
            self.is_held = True
            return
        request = self.requests.popleft()
        if self.server.log is not None:
            self.server.log(request.environ, request.head, self.sent - self.sent_before)
        self.sent_before = self.sent
        if not request.keep_alive:
            self._close()
            return
        if self.requests:
            # Not at once: others come first, whose requests were not sent all together.
            self._enter(self.RESPONDING)
            self.server.loop.call_soon(self._handle_next)
            return
        self._enter(self.IDLE)
        if self.unparsed:
            self.server.loop.call_soon(self._go_on)
        elif self.server.is_stopping or self.is_half_closed:
            self._close()

    def _go_on(self) -> None:
        """Read what arrived while a request was being answered."""
        if self.is_closed:
            return
        data, self.unparsed = self.unparsed, b""
        self.transport.resume_reading()
        self.data_received(data)
        if self.is_half_closed and not self.requests:
            self._close()

    def _handle_next(self) -> None:
        if self.requests:
            self.server.handle(self, self.requests[0])

    def _refuse(self, refusal: RefusedRequestError) -> None:
        """Answer what is no request that can be handed on, after those that were complete, and hang up."""
        if self.requests:
            self.requests[-1].keep_alive = False
            self.is_shut = True
            return
        self.requests.append(Request({"REQUEST_METHOD": ""}, b"", keep_alive=False, is_http_1_0=False))
        self.is_shut = True
        body = json.dumps({"error": "invalid_request", "error_description": str(refusal)}).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        status = f"{refusal.status.value} {refusal.status.phrase}"
        self._enter(self.RESPONDING)
        self.respond(self.requests[0], Response(response_head(status, headers), body))

    def _close(self) -> None:
        """Close our side, and the rest once the client has read: a reset would take the response from it."""
        self._enter(self.LINGERING)
        if self.is_shut and self.transport.can_write_eof():
            self.transport.write_eof()
            self.transport.resume_reading()
        else:
            self.transport.close()

    def _enter(self, state: int) -> None:
        self.state, self.since = state, self.server.loop.time()
        self.drained_at_check, self.checked_at = self.sent, self.since
        if state == self.IDLE:
            self.received = 0
            self.server.connections.became_idle(self)

    def hang_up(self) -> None:
        self.transport.abort()

    def break_off(self) -> None:
        """End a response in its middle, by a reset, which nobody takes for its end."""
        if not self.is_closed:
            link = self.transport.get_extra_info("socket")
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()

    # -- Deadlines ----------------------------------------------------------------------------------------------------

    def check(self, now: float) -> None:
        """End the connection when its client is too slow. Called several times a second."""
        age = now - self.since
        if self.state == self.IDLE:
            if age > (FIRST_REQUEST_SECONDS if self.is_new else IDLE_SECONDS):
                self.transport.close()
        elif self.state == self.READING:
            if age > READ_DEADLINE or (age > GRACE and self.received < age * RATE):
                self._refuse(RefusedRequestError(HTTPStatus.REQUEST_TIMEOUT, "The request came too slowly."))
        elif self.state == self.LINGERING and age > LINGER_SECONDS and not self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self._check_reader(now)

    def _check_reader(self, now: float) -> None:
        """Hang up when the client has read too little of its response since the last look."""
        waiting = self.transport.get_write_buffer_size()
        if waiting and now - self.checked_at < GRACE:
            return
        drained = self.sent - waiting
        if waiting and drained - self.drained_at_check < GRACE * RATE:
            self.transport.abort()
        self.drained_at_check, self.checked_at = drained, now


def _persistence(request: Request) -> bytes:
    if not request.keep_alive:
        return b"Connection: close\r\n\r\n"
    return b"Connection: keep-alive\r\n\r\n" if request.is_http_1_0 else b"\r\n"


def _head_too_long() -> RefusedRequestError:
    reason = f"The headers are longer than {MAX_HEAD} bytes, or more than {MAX_HEADERS}."
    return RefusedRequestError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, reason)
