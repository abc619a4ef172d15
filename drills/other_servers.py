"""Other servers that are dead, slow or lie: the Redis that counts, and a trusted issuer that publishes keys."""

import asyncio
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from typing import Any

import httpx
import psutil

from drills import database, kills
from drills.database import Request
from drills.kills import Doors
from drills.site import URL, CannotRun, Site, site
from tests.forms import Forms
from tests.platforms import RULES, Outside
from tests.publisher import Publisher, publishing
from tests.publisher import answer as http_answer
from tests.signing import TYPE, KeyPair

REDIS_PORT = 7741


# -- Redis ------------------------------------------------------------------------------------------------------------


@contextmanager
def redis() -> Iterator[psutil.Process]:
    program = shutil.which("redis-server")
    if program is None:
        raise CannotRun("redis-server is not installed here")
    with tempfile.TemporaryDirectory() as place:
        command = [program, "--port", str(REDIS_PORT), "--bind", "127.0.0.1", "--save", "", "--dir", place]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            while True:
                with suppress(OSError), socket.create_connection(("127.0.0.1", REDIS_PORT), timeout=1):
                    break
                time.sleep(0.05)
            yield psutil.Process(process.pid)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()


@contextmanager
def stopped(process: psutil.Process) -> Iterator[None]:
    process.suspend()
    try:
        yield
    finally:
        process.resume()


def sign_in_request() -> dict[str, Any]:
    """Return a try to sign in as somebody whom nobody knows, which is counted."""
    with httpx.Client(base_url=URL, timeout=30) as http:
        page = http.get("/account/login/")
        form = next(form for form in Forms(page.text).found if {"login", "password"} <= form.names)
        cookies = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
    typed = {"login": "nobody@acme.example", "password": "a wrong password"}
    headers = {"Cookie": cookies, "Referer": f"{URL}/account/login/", "Origin": URL}
    return {"method": "POST", "url": "/account/login/", "data": form.sent | typed, "headers": headers}


def redis_drill(seconds: float) -> list[str]:
    """Return what was seen of a Redis that is stopped, and of one that is killed. Raises CannotRun."""
    with redis() as process, site(REDIS_URL=f"redis://127.0.0.1:{REDIS_PORT}/0") as its, its.serving():
        doors = Doors(URL, its.demo)
        more: dict[str, tuple[int, Request]] = {"signing in": (2, sign_in_request())}
        with kills.writing(doors):
            slow = asyncio.run(database.drill(its.target, stopped(process), seconds, more))
            process.kill()
            gone = asyncio.run(database.drill(its.target, nullcontext(), seconds, more))
        its.require_invariants()
        broken = doors.broken(URL)
    return [
        "### Redis stopped (`SIGSTOP`)",
        "",
        *database.table(slow),
        "",
        "### Redis killed, and never back",
        "",
        *database.table(gone),
        "",
        f"{doors.unanswered} writes had no answer, or 503. Of what was acknowledged:",
        "",
        *kills.promises({"": doors}, {"": broken}),
    ]


# -- A trusted issuer -------------------------------------------------------------------------------------------------


class Federated:
    """A client that authenticates with tokens of an issuer that the demo's operator trusts."""

    def __init__(self, its: Site, publisher: Publisher, keys: Any) -> None:
        self.outside, self.publisher, self.audience = Outside("github", publisher), publisher, its.demo["issuer"]
        publisher.publish("/github/keys", keys)
        operator, manager = (
            {"Authorization": f"Bearer {its.demo[name]}"} for name in ("operator_token", "manager_token")
        )
        name = f"Drill {publisher.port}"
        trusted = {"name": name, "platform": "github", "issuer": self.outside.issuer}
        rule = {"issuer": self.outside.issuer, "audience": self.audience, "claims": RULES["github"]}
        wanted = {"consumer": "acme", "client_name": name, "grant_types": ["client_credentials"]}
        wanted |= {"scope": "shipments:read", "token_endpoint_auth_method": TYPE}
        with httpx.Client(base_url=URL, timeout=30) as http:
            http.post("/admin/trusted-issuers", json=trusted, headers=operator).raise_for_status()
            made = http.post("/admin/clients", json=wanted, headers=manager).raise_for_status().json()
            self.client_id = made["client_id"]
            path = f"/admin/clients/{self.client_id}/trust-rules"
            http.post(path, json=rule, headers=manager).raise_for_status()

    def token_request(self) -> dict[str, Any]:
        """Return a request with a new token of the issuer."""
        form = {"grant_type": "client_credentials", "client_id": self.client_id, "client_assertion_type": TYPE}
        form["client_assertion"] = self.outside.token(self.audience)
        return {"method": "POST", "url": "/oauth2/token", "data": form}

    def publish_honest_keys(self) -> None:
        self.publisher.publish("/github/keys", self.outside.key.jwks)

    def seconds_until_it_works(self) -> float:
        begun = time.monotonic()
        with httpx.Client(base_url=URL, timeout=30) as http:
            while (answer := http.request(**self.token_request())).status_code != 200:
                assert time.monotonic() < begun + 120, answer.text
                time.sleep(1)
        return time.monotonic() - begun


def refuse(link: socket.socket) -> None:
    """Hang up, at once."""


def say_nothing(link: socket.socket) -> None:
    time.sleep(60)


def drip(link: socket.socket) -> None:
    link.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(60):
        link.sendall(b" ")
        time.sleep(1)


def send_much(link: socket.socket) -> None:
    link.sendall(http_answer(b'{"keys": [' + b" " * 10_000_000 + b"]}"))


def go_on_sending(link: socket.socket) -> None:
    link.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        link.sendall(b"1000\r\n" + b" " * 4096 + b"\r\n")


LIES: dict[str, Callable[[socket.socket], None] | dict[str, Any]] = {
    "hangs up": refuse,
    "says nothing": say_nothing,
    "sends a byte a second": drip,
    "sends 10 MB": send_much,
    "goes on sending": go_on_sending,
    "publishes another's keys": KeyPair("RS256", "somebody else").jwks,
}
ISSUERS, ASKING = 4, 8  # at once: twice as many as a process has threads for such waits, and as it has threads


def issuer_drill(seconds: float) -> list[str]:
    """Return what was seen of everybody, and of clients of issuers that do each of LIES."""
    lines = [
        f"{ASKING} callers ask at once with tokens of {ISSUERS} issuers that operators trust, whose keys have not been",
        "read yet. Where its keys should be, each of these issuers:",
        "",
        "| | slowest, theirs | answers, theirs | slowest token, others | slowest page | answers, others | back after |",
        "|---|---|---|---|---|---|---|",
    ]
    with site(FETCH_LOCAL_HOSTS="127.0.0.1") as its, its.serving():
        kills.make_room(Doors(URL, its.demo))
        for lie, page in LIES.items():
            with ExitStack() as stack:
                theirs = [Federated(its, stack.enter_context(publishing()), page) for _ in range(ISSUERS)]
                more: dict[str, tuple[int, Request]] = {
                    each.client_id: (ASKING // ISSUERS, each.token_request) for each in theirs
                }
                seen = asyncio.run(database.drill(its.target, nullcontext(), seconds, more, after=0))
                for each in theirs:
                    each.publish_honest_keys()
                back = max(each.seconds_until_it_works() for each in theirs)
            refused = [seen.pop(name) for name in more]
            slowest, statuses = max(one.slowest for one in refused), {each for one in refused for each in one.statuses}
            others = {status for each in seen.values() for status in each.statuses}
            lines.append(
                f"| {lie} | {slowest:.2f} s | {_list(statuses)} | {seen['token'].slowest:.2f} s "
                f"| {seen['page'].slowest:.2f} s | {_list(others)} | {back:.0f} s |"
            )
        its.require_invariants()
    return lines


def _list(statuses: set[int]) -> str:
    return ", ".join(str(status) if status else "none" for status in sorted(statuses))
