"""The event loop of a web process: connections on one side, Django's threads on the other."""

import asyncio
import errno
import logging
import signal
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from email.utils import formatdate

import uvloop

from portal.server.connections import MAX_PER_ADDRESS, Connections
from portal.server.http1 import Connection
from portal.server.messages import BASE_ENVIRON, Environ, Request, Response, Stream, response_head
from portal.server.threads import Threads

logger = logging.getLogger(__name__)

CHECK_EVERY = 0.25  # seconds
STOP_WITHIN = 10.0  # seconds in which a process ends what it has begun, once it is told to stop


class Application(ABC):
    """What a server asks of the application."""

    @abstractmethod
    def respond_at_once(self, environ: Environ, body: bytes) -> Response | None:
        """Respond in the event loop, without waiting for anything, or return None.

        `environ` has what the request says, and nothing about the server yet.
        """

    @abstractmethod
    def respond(self, environ: Environ, body: bytes) -> Response | Stream:
        """Respond in a thread."""

    @abstractmethod
    def respond_busy(self, environ: Environ) -> Response:
        """Respond in the event loop to a request for which no thread has become free."""

    # Notes that a request was answered, with this head and in all so many bytes; None where nobody wants to know.
    log: Callable[[Environ, bytes, int], None] | None = None


class Server:
    """One web process's server."""

    def __init__(self, application: Application, loop: asyncio.AbstractEventLoop, *, per_address: int | None) -> None:
        self.application = application
        self.log = application.log
        self.loop = loop
        self.connections: Connections[Connection] = Connections(per_address=per_address)
        self.threads = Threads(loop.call_soon_threadsafe)
        # What is the same for all requests. Nothing that is answered at once reads it.
        self.environ = dict(BASE_ENVIRON)
        self.is_stopping = False
        self.written: list[tuple[Connection, bytes]] = []
        self.date = b""
        self._keep_time()

    # -- Requests -----------------------------------------------------------------------------------------------------

    def handle(self, connection: Connection, request: Request) -> None:
        """Respond to a complete request, here or in a thread."""
        try:
            response = self.application.respond_at_once(request.environ, request.body)
        except Exception:
            logger.exception("a request could not be answered at once")
            response = None
        if response is not None:
            connection.respond(request, response)
            return
        request.environ.update(self.environ)

        def refuse() -> None:
            connection.respond(request, self.application.respond_busy(request.environ))

        self.threads.submit(lambda: self._run(connection, request), refuse)

    def _run(self, connection: Connection, request: Request) -> None:
        """Run the application, in a thread."""
        if connection.is_closed:
            return
        response: Response | Stream
        try:
            response = self.application.respond(request.environ, request.body)
        except Exception:
            logger.exception("the application failed")
            response = Response(response_head("500 Internal Server Error", [("Content-Length", "0")]), b"")
        if response.head.startswith(b"503"):
            self.threads.mark_stress()
        if isinstance(response, Response):
            self.loop.call_soon_threadsafe(connection.respond, request, response)
        else:
            self.loop.call_soon_threadsafe(connection.respond_with, request, response)

    def make_piece(self, connection: Connection, stream: Stream) -> None:
        """Have the next piece of a body made in a thread."""

        def make() -> None:
            try:
                piece = stream.piece()
            except Exception:
                logger.exception("a response broke off")  # without an end, so that the client can tell
                self.loop.call_soon_threadsafe(connection.break_off)
            else:
                self.loop.call_soon_threadsafe(connection.write_piece, piece)

        self.threads.submit(make)

    def run_later(self, function: Callable[[], None]) -> None:
        self.threads.submit(function)

    def write(self, connection: Connection, data: bytes) -> None:
        """Write a whole response at the end of this turn of the loop.

        All together, since each write may wake a program on another core, which costs more when it sleeps again between
        them.
        """
        if not self.written:
            self.loop.call_soon(self._write)
        self.written.append((connection, data))

    def _write(self) -> None:
        written, self.written = self.written, []
        for connection, data in written:
            connection.finish(data)

    # -- Time ---------------------------------------------------------------------------------------------------------

    def _keep_time(self) -> None:
        """Write the header Date (RFC 9110 section 6.6.1), and end what takes too long."""
        self.date = f"Date: {formatdate(usegmt=True)}\r\n".encode()
        now = self.loop.time()
        for connection in self.connections:
            connection.check(now)
        self.threads.refuse_late()
        self.threads.interrupt_late()
        self.loop.call_later(CHECK_EVERY, self._keep_time)

    # -- From the start to the end ------------------------------------------------------------------------------------

    async def serve(self, listener: socket.socket, stop: asyncio.Event) -> None:
        """Serve until `stop` is set, and then until what has begun is done, STOP_WITHIN at most."""
        name, port = listener.getsockname()[:2]
        self.environ |= {"SERVER_NAME": name, "SERVER_PORT": str(port)}
        accepting = self.loop.create_task(self._accept(listener))
        await stop.wait()
        self.is_stopping = True
        accepting.cancel()
        listener.close()
        for connection in self.connections:
            if connection.state == Connection.IDLE:
                connection.transport.close()
        until = time.monotonic() + STOP_WITHIN
        while (len(self.connections) or not self.threads.is_idle()) and time.monotonic() < until:
            await asyncio.sleep(0.02)
        self.threads.stop()

    async def _accept(self, listener: socket.socket) -> None:
        """Accept one connection in each turn of the loop, so that processes that share a listener share its clients."""
        while True:
            try:
                accepted, _ = await self.loop.sock_accept(listener)
                await self.loop.connect_accepted_socket(lambda: Connection(self), accepted)
            except OSError as error:  # whoever connected has gone, or no more files may be opened
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    logger.warning("no connection can be accepted: %s", error.strerror)
                    await asyncio.sleep(CHECK_EVERY)


def run(application: Application, listener: socket.socket, *, is_behind_proxy: bool) -> None:
    """Serve in this process until SIGTERM."""

    async def main() -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        per_address = None if is_behind_proxy else MAX_PER_ADDRESS  # all come from the proxy
        await Server(application, loop, per_address=per_address).serve(listener, stop)

    uvloop.run(main())
