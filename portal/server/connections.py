"""The connections that a process holds, how many it takes, and whom it lets go when there are too many."""

import ipaddress
import resource
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Protocol

MAX_CONNECTIONS = 4096
MAX_PER_ADDRESS = 256  # of one IPv4 address, or one /64 of IPv6
RESERVED_FILES = 128  # for databases, logs and modules
YOUNG = 2.0  # seconds during which a connection that has sent a part of a request keeps its place


class Held(Protocol):
    """What is known here of a connection."""

    IDLE: int
    READING: int
    state: int
    since: float
    address: str

    def hang_up(self) -> None: ...


class Connections[C: Held]:
    """The connections of one process, in the order in which they became idle or were accepted.

    Where there are too many, of an address or in all, the one that has been idle longest goes for a new one, or the one
    that has been sending its request longest; those that are being answered stay.
    """

    def __init__(self, *, per_address: int | None) -> None:
        self.most = min(MAX_CONNECTIONS, raise_file_limit() - RESERVED_FILES)
        self.per_address = per_address
        self.groups: dict[C, str] = {}
        self.counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self.groups)

    def __iter__(self) -> Iterator[C]:
        return iter(list(self.groups))

    def admit(self, connection: C, now: float) -> bool:
        """Take a new connection, for which another may have to go; return whether there is room."""
        group = _group_of(connection.address)
        if self.per_address is not None and self.counts[group] >= self.per_address:
            is_room = self._hang_up_one(now, group)
        else:
            is_room = len(self.groups) < self.most or self._hang_up_one(now)
        if is_room:
            self.groups[connection] = group
            self.counts[group] += 1
        return is_room

    def discard(self, connection: C) -> None:
        group = self.groups.pop(connection, None)
        if group is not None:
            self.counts[group] -= 1
            if not self.counts[group]:
                del self.counts[group]

    def became_idle(self, connection: C) -> None:
        """Put a connection that waits for its next request behind the others."""
        group = self.groups.pop(connection, None)
        if group is not None:
            self.groups[connection] = group

    def _hang_up_one(self, now: float, group: str | None = None) -> bool:
        slow: C | None = None
        for connection, its_group in self.groups.items():
            if group is not None and its_group != group:
                continue
            if connection.state == connection.IDLE:
                slow = connection
                break
            if slow is None and connection.state == connection.READING and now - connection.since > YOUNG:
                slow = connection
        if slow is None:
            return False
        self.discard(slow)
        slow.hang_up()
        return True


def _group_of(address: str) -> str:
    if ":" not in address:
        return address
    with suppress(ValueError):
        return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))
    return address


def raise_file_limit() -> int:
    """Let this process open as many files as it may, and return how many these are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + RESERVED_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
