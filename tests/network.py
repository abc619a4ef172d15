"""A network between a server and its PostgreSQL, which may lose, delay and break what it carries."""

import socket
import struct
import threading
import time
from contextlib import suppress
from urllib.parse import urlsplit

from django.db import connection

type Address = str | tuple[str, int]  # a socket's path, or host and port
type Pair = tuple[socket.socket, socket.socket]
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closed so, a connection is broken instead of ended


def database_address() -> Address:
    """Return where the tests' PostgreSQL listens, which may be a socket of its own user's alone."""
    said = connection.get_connection_params()
    host, port = said.get("host") or "/var/run/postgresql", said.get("port") or 5432
    return f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, int(port))


class Network:
    """Carries connections, usually to the tests' PostgreSQL, until they are told to be lost: in silence, for ever."""

    def __init__(self, target: Address | None = None) -> None:
        self.target = target or database_address()
        self.lost: set[Pair] = set()
        self.links: list[Pair] = []
        self.loses_new = False
        self.delay = 0.0  # seconds that everything takes each way
        self.door = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.listen, daemon=True).start()

    def through(self, url: str) -> str:
        """Return the URL of the same database by way of this network."""
        parts = urlsplit(url)
        user = parts.netloc.rpartition("@")[0]
        return parts._replace(netloc=f"{user}@127.0.0.1:{self.port}", query="").geturl()

    @property
    def port(self) -> int:
        return int(self.door.getsockname()[1])

    def listen(self) -> None:
        while True:
            try:
                near, _ = self.door.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX if isinstance(self.target, str) else socket.AF_INET)
            try:
                far.connect(self.target)
            except OSError:
                near.close()
                continue
            pair = (near, far)
            if self.loses_new:
                self.lost.add(pair)
            self.links.append(pair)
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self.carry, args=(pair, one, other), daemon=True).start()

    def carry(self, pair: Pair, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                if self.delay:
                    time.sleep(self.delay)
                if pair in self.lost:
                    continue  # it is received, and goes nowhere
                other.sendall(data)
        if pair not in self.lost:
            with suppress(OSError):
                other.shutdown(socket.SHUT_WR)

    def lose_all(self) -> None:
        self.lost |= set(self.links)

    def break_all(self) -> None:
        """Reset the connections that there are."""
        for pair in self.links[:]:
            self.links.remove(pair)
            for link in pair:
                with suppress(OSError):
                    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    link.shutdown(socket.SHUT_RDWR)  # closing alone would not wake who reads
                    link.close()

    def close(self) -> None:
        self.door.close()
        for pair in self.links:
            for link in pair:
                link.close()
