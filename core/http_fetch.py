"""Asks other servers for what they publish: keys, discovery documents, clients' own metadata.

Whoever may name an address must not make us knock at our own network (server-side request forgery). So an address is
https to a public domain name; its IP addresses are judged after the one resolution that the connection uses, so that
DNS cannot answer twice; nothing is redirected; and time and size end what a hostile server drags out. Hosts that the
operator names in FETCH_LOCAL_HOSTS are exempt: an identity provider inside the company, or a test's own.
"""

import io
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from clients.uris.redirect_uris import DOMAIN, PRIVATE_DOMAINS, characters

SECONDS = 5.0  # for everything: resolving, connecting, TLS, sending and reading
MAX_BODY = 64 * 1024
MAX_HEAD = 16 * 1024
KEEP = 600.0  # seconds that a document counts as fresh
AGAIN = 60.0  # seconds after which a document may be read anew because it lacked something
PAUSE = 15.0  # seconds in which a server that failed is not asked again
MOST = 100  # documents in memory
PLACES = 2  # threads of a process that may wait for other servers at once; the others serve whoever needs none
PATIENCE = 1.0  # seconds to wait for a place, or for what another thread is about to bring


class FetchError(Exception):
    """Another server gave nothing that we take. `reason` is for programs, the text for people."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Target:
    """An address that may be asked, in its parts."""

    host: str
    port: int
    path: str
    secure: bool
    is_local: bool


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content_type: str
    body: bytes = field(repr=False)


# -- May this address be asked? ---------------------------------------------------------------------------------------


def target(url: str) -> Target:
    """Return the address in its parts, unresolved. Raises FetchError ("address") for one that is never asked."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise FetchError("address", "Its host or port cannot be read.") from None
    host = parts.hostname or ""
    is_local = bool({host, f"{host}:{port}"} & set(settings.FETCH_LOCAL_HOSTS))
    if problem := characters(url):
        problem = problem[:1].upper() + problem[1:]
    elif "#" in url or "@" in parts.netloc:
        problem = "Leave out user name, password and fragment."
    elif parts.scheme != "https" and not (is_local and parts.scheme == "http"):
        problem = "Use https."
    elif not is_local and (not DOMAIN.fullmatch(host) or host.endswith(PRIVATE_DOMAINS)):
        problem = "Name a public domain, not an IP address or a host of a private network."
    elif port == 0:
        problem = "Name a real port, or none."
    if problem:
        raise FetchError("address", problem)
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(host, port or (443 if secure else 80), path, secure, is_local)


def is_public(text: str) -> bool:
    """Say whether an IP address belongs to the public network, and to no other address in disguise."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and not is_plain(address):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def is_plain(address: ipaddress.IPv6Address) -> bool:
    """Refuse IPv6 addresses that carry an IPv4 one: mapped, compatible, NAT64, 6to4 and Teredo are not in 2000::/3."""
    unicast = ipaddress.ip_network("2000::/3")
    return address in unicast and address.sixtofour is None and address.teredo is None


_resolvers = ThreadPoolExecutor(max_workers=16, thread_name_prefix="resolve")  # the system's resolver knows no deadline


def resolve(host: str, port: int) -> list[str]:
    """Return the host's IP addresses."""
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


def addresses(at: Target, deadline: float) -> list[str]:
    """Return where to connect. Raises FetchError when even one address is not public: no honest domain has such."""
    found = _resolvers.submit(resolve, at.host, at.port).result(timeout=left(deadline))
    if not at.is_local and not all(is_public(address) for address in found):
        raise FetchError("address", f"{at.host} leads to an address that is not public.")
    return found[:3]


class Places:
    """Keeps servers that answer slowly, or on purpose never, from holding up every thread that we have."""

    def __init__(self) -> None:
        self.free = threading.BoundedSemaphore(PLACES)
        self.taken_until = float("-inf")

    @contextmanager
    def one(self) -> Iterator[None]:
        """Wait for other servers meanwhile. Raises FetchError at once while the places are taken for long."""
        patient = time.monotonic() >= self.taken_until
        if not self.free.acquire(timeout=PATIENCE if patient else 0):
            if patient:
                self.taken_until = time.monotonic() + SECONDS
            raise busy()
        try:
            yield
        finally:
            self.free.release()


_places = Places()


def busy() -> FetchError:
    return FetchError("busy", "Other servers keep us waiting. Try again in a few seconds.")


# -- One request ------------------------------------------------------------------------------------------------------


def fetch(url: str, *, body: bytes | None = None, content_type: str = "application/json") -> Answer:
    """GET the address, or POST the body to it; return whatever answer it gives but a redirect. Raises FetchError."""
    at = target(url)
    try:
        with _places.one():
            deadline = time.monotonic() + SECONDS
            with connect(at, deadline) as link:
                link.settimeout(left(deadline))
                link.sendall(request(at, body, content_type))
                return read(link, deadline, "GET" if body is None else "POST")
    except TimeoutError:
        raise FetchError("timeout", f"{at.host} did not answer within {SECONDS:.0f} seconds.") from None
    except ssl.SSLError:
        raise FetchError("tls", f"{at.host} shows no certificate that we trust.") from None
    except (OSError, HTTPException, UnicodeError):
        raise FetchError("connection", f"{at.host} cannot be reached, or speaks no HTTP.") from None


def left(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def connect(at: Target, deadline: float) -> socket.socket:
    """Connect to one of the addresses that were judged; the name is resolved no second time."""
    failed: OSError = OSError("no address")
    for address in addresses(at, deadline):
        try:
            link = socket.create_connection((address, at.port), timeout=left(deadline))
        except OSError as error:
            failed = error
            continue
        if not at.secure:
            return link
        try:
            return tls().wrap_socket(link, server_hostname=at.host)
        except BaseException:
            link.close()
            raise
    raise failed


@cache
def tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def request(at: Target, body: bytes | None, content_type: str) -> bytes:
    usual = 443 if at.secure else 80
    head = [
        f"{'GET' if body is None else 'POST'} {at.path} HTTP/1.1",
        f"Host: {at.host}" + ("" if at.port == usual else f":{at.port}"),
        "User-Agent: Clientdesk",
        "Accept: application/json, */*;q=0.5",
        "Accept-Encoding: identity",  # nothing to unpack, so nothing that grows when unpacked
        "Connection: close",
    ]
    if body is not None:
        head += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, "", ""]).encode("ascii") + (body or b"")


class Limited(io.RawIOBase):
    """A socket's bytes, as many as we take and as long as we wait: a server that drips one a second ends too."""

    def __init__(self, link: socket.socket, deadline: float) -> None:
        self.link = link
        self.deadline = deadline
        self.rest = MAX_HEAD + 2 * MAX_BODY  # chunked, a body takes more than its length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.link.settimeout(left(self.deadline))
        count = self.link.recv_into(buffer)
        self.rest -= count
        if self.rest < 0:
            raise too_large()
        return count

    def makefile(self, mode: str) -> io.BufferedReader:
        """What http.client asks of a socket."""
        return io.BufferedReader(self)


def read(link: socket.socket, deadline: float, method: str) -> Answer:
    with HTTPResponse(Limited(link, deadline), method=method) as response:  # type: ignore[arg-type]
        response.begin()
        if 300 <= response.status < 400:
            raise FetchError("redirect", "It leads elsewhere. Give the address that it leads to.")
        if response.getheader("Content-Encoding", "identity").lower() != "identity":
            raise FetchError("encoding", "It answers compressed although we asked for plain bytes.")
        body = response.read(MAX_BODY + 1)
        if len(body) > MAX_BODY:
            raise too_large()
        if response.length:
            raise FetchError("connection", "The answer ended early.")
        return Answer(response.status, response.getheader("Content-Type", ""), body)


def too_large() -> FetchError:
    return FetchError("too_large", f"The answer is longer than {MAX_BODY // 1024} kB.")


# -- Documents, kept --------------------------------------------------------------------------------------------------


class Slot:
    """One document, when it was read, and how the latest try went."""

    def __init__(self) -> None:
        self.lock = threading.Lock()  # one thread asks, the others wait for its answer
        self.document: dict[str, Any] | None = None
        self.error: FetchError | None = None
        self.read_at = self.tried_at = float("-inf")

    def fresh(self) -> dict[str, Any] | None:
        return self.document if time.monotonic() - self.read_at < KEEP else None

    def patience(self) -> float:
        """Return how long to wait for a thread that asks already: the longer it takes, the less."""
        return max(0.05, self.tried_at + PATIENCE - time.monotonic())


_slots: OrderedDict[str, Slot] = OrderedDict()
_guard = threading.Lock()


def document(url: str, *, again: bool = False) -> dict[str, Any]:
    """Return the JSON object at the address, read within the last KEEP seconds. Raises FetchError.

    `again` asks anew because the document lacked something, such as a key; within AGAIN seconds of the last try it
    returns the one that is known, so that unknown key names cannot make us call another server over and over.
    """
    slot = slot_for(url)
    if not again and (known := slot.fresh()) is not None:
        return known
    if not slot.lock.acquire(timeout=slot.patience()):
        raise busy()
    try:
        now = time.monotonic()
        known = slot.fresh()
        if known is not None and (not again or now - slot.tried_at < AGAIN):
            return known
        if slot.error is None or now - slot.tried_at >= PAUSE:
            slot.tried_at = now
            try:
                slot.document, slot.error = parse(fetch(url)), None
                slot.read_at = now
            except FetchError as error:
                if error.reason == "busy":  # which says nothing about this server
                    raise
                slot.error = error
        if slot.error is not None:
            raise FetchError(slot.error.reason, str(slot.error))
        assert slot.document is not None
        return slot.document
    finally:
        slot.lock.release()


def slot_for(url: str) -> Slot:
    with _guard:
        slot = _slots.setdefault(url, Slot())
        _slots.move_to_end(url)
        if len(_slots) > MOST:
            _slots.popitem(last=False)
        return slot


def forget(url: str) -> None:
    """Read the document anew when it is needed next."""
    with _guard:
        _slots.pop(url, None)


def parse(answer: Answer) -> dict[str, Any]:
    if answer.status != 200:
        raise FetchError("status", f"It answers with status {answer.status}.")
    return json_object(answer.body)


def json_object(body: bytes) -> dict[str, Any]:
    """Return the body as a JSON object. Raises FetchError also for what Python's parser gives up on."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise FetchError("json", "It answers with no JSON object.")
    return found
