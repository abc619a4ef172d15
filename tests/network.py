"""A network between a server and the tests' PostgreSQL, which may listen at a socket of its own user's alone."""

import socket
import threading
from contextlib import suppress

from django.db import connection


class Network:
    """Carries connections to PostgreSQL's socket, until they are told to be lost: then in silence, for ever."""

    def __init__(self):
        said = connection.get_connection_params()
        host, port = said.get("host") or "/var/run/postgresql", said.get("port") or 5432
        is_local = host.startswith("/")
        self.family = socket.AF_UNIX if is_local else socket.AF_INET
        self.target = f"{host}/.s.PGSQL.{port}" if is_local else (host, int(port))
        self.lost = set()
        self.links = []
        self.door = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.listen, daemon=True).start()

    @property
    def port(self):
        return self.door.getsockname()[1]

    def listen(self):
        with suppress(OSError):
            while True:
                near, _ = self.door.accept()
                far = socket.socket(self.family)
                far.connect(self.target)
                pair = (near, far)
                self.links.append(pair)
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self.carry, args=(pair, one, other), daemon=True).start()

    def carry(self, pair, one, other):
        with suppress(OSError):
            while data := one.recv(65536):
                if pair in self.lost:
                    continue  # it is received, and goes nowhere
                other.sendall(data)
        if pair not in self.lost:
            with suppress(OSError):
                other.shutdown(socket.SHUT_WR)

    def lose_all(self):
        self.lost |= set(self.links)

    def close(self):
        self.door.close()
        for pair in self.links:
            for link in pair:
                link.close()
