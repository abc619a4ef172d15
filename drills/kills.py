"""Mixed writes through every door, while the processes that serve them are killed at random moments.

What a caller was told is done is a promise. When all is over, each promise is asked for again, over HTTP.
"""

import base64
import hashlib
import random
import re
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

import httpx
import psutil

from tests.forms import Forms
from tests.third_party.person import Person

type Start = Callable[[], AbstractContextManager[int]]  # starts the server, and says which process it is
SECRET = re.compile(r"cdsk_[A-Za-z0-9_-]{20,}")
CLIENT_ID = re.compile(r"/clients/(cl_[A-Za-z0-9_-]+)/")
WEB_KILLS = 4  # of web processes before the server itself is killed; it waits longer and longer to start one again
PAUSE = 0.1  # seconds between the deeds of one caller


class Unanswered(Exception):
    """Nobody knows whether it was done: the server was gone before it could answer, or said that it cannot now."""


@dataclass(frozen=True)
class Promise:
    """What a caller was told is done, and what shows that it is."""

    door: str
    kept: Callable[[httpx.Client], bool]


class Doors:
    """The ways to write, and what was promised by them."""

    def __init__(self, url: str, demo: dict[str, Any]) -> None:
        self.url, self.demo = url, demo
        self.promises: list[Promise] = []
        self.kills = 0
        self.unanswered = 0
        self.refused: Counter[str] = Counter()  # by door, status and text; none should be
        self.manager = {"Authorization": f"Bearer {demo['manager_token']}"}

    def ask(self, http: httpx.Client, door: str, method: str, path: str, **sent: Any) -> httpx.Response:
        """Return what was done, or leads on. Raises Unanswered, and counts a refusal, which no door should give."""
        try:
            answer = http.request(method, path, **sent)
        except httpx.TransportError:
            self.unanswered += 1
            raise Unanswered from None
        if answer.status_code >= 400:
            if answer.status_code == 503 and "Retry-After" in answer.headers:
                self.unanswered += 1
            elif answer.status_code != 429:
                self.refused[f"{door}: {answer.status_code} {answer.text[:200]}"] += 1
            raise Unanswered
        return answer

    def promise(self, door: str, kept: Callable[[httpx.Client], bool]) -> None:
        self.promises.append(Promise(door, kept))

    @property
    def promised(self) -> Counter[str]:
        return Counter(each.door for each in self.promises)

    def broken(self, url: str) -> Counter[str]:
        """Ask a server on the same database for what was promised; return what is not so, by door."""
        with httpx.Client(base_url=url, timeout=30) as http:
            return Counter(each.door for each in self.promises if not each.kept(http))

    # -- The management API -------------------------------------------------------------------------------------------

    def manage(self, http: httpx.Client) -> None:
        """Create a client, rename it, rotate its secret, and delete another."""
        ask = partial(self.ask, http, headers=self.manager)
        wanted: dict[str, Any] = {"consumer": "acme", "client_name": f"Drill {secrets.token_hex(6)}"}
        wanted |= {"grant_types": ["client_credentials"], "scope": "shipments:read"}
        created = ask("create", "POST", "/admin/clients", json=wanted).json()
        client_id = created["client_id"]
        self.promise("create", self._works(client_id, created["client_secret"]))
        name = f"Renamed {secrets.token_hex(6)}"
        change = [{"op": "replace", "path": "/client_name", "value": name}]
        patch = {"Content-Type": "application/json-patch+json"} | self.manager
        self.ask(http, "patch", "PATCH", f"/admin/clients/{client_id}", json=change, headers=patch)
        self.promise("patch", self._reads(f"/admin/clients/{client_id}", "client_name", name))
        (row,) = ask("secrets", "GET", f"/admin/clients/{client_id}/secrets").json()
        rotated = ask("rotate", "POST", f"/admin/clients/{client_id}/secrets/{row['id']}/rotate", json={}).json()
        self.promise("rotate", self._works(client_id, rotated["client_secret"]))
        doomed = ask("create", "POST", "/admin/clients", json=wanted).json()["client_id"]
        ask("delete", "DELETE", f"/admin/clients/{doomed}")
        self.promise("delete", self._is_gone(doomed))

    def invite(self, http: httpx.Client) -> None:
        sent = {"email": f"{secrets.token_hex(6)}@acme.example", "role": "viewer"}
        made = self.ask(http, "invite", "POST", "/admin/consumers/acme/invitations", json=sent, headers=self.manager)
        self.promise("invite", self._reads(made.headers["Location"], "email", sent["email"]))

    # -- Dynamic registration -----------------------------------------------------------------------------------------

    def register(self, http: httpx.Client) -> None:
        """Register with an initial access token, and update by the registration access token."""
        sent: dict[str, Any] = {"client_name": f"Drill {secrets.token_hex(6)}", "grant_types": ["client_credentials"]}
        sent["scope"] = "shipments:read"
        bearer = {"Authorization": f"Bearer {self.demo['initial_access_token']}"}
        made = self.ask(http, "register", "POST", "/oauth2/register", json=sent, headers=bearer).json()
        self.promise("register", self._works(made["client_id"], made["client_secret"]))
        name = f"Renamed {secrets.token_hex(6)}"
        bearer = {"Authorization": f"Bearer {made['registration_access_token']}"}
        sent |= {"client_id": made["client_id"], "client_name": name}
        path = f"/oauth2/register/{made['client_id']}"
        self.ask(http, "update", "PUT", path, json=sent, headers=bearer)
        self.promise("update", self._reads(f"/admin/clients/{made['client_id']}", "client_name", name))

    # -- Pages --------------------------------------------------------------------------------------------------------

    def click(self, person: Person) -> None:
        """Create a client by the form, and read its secret from the page that shows it once."""
        form = self.ask(person.browser, "page", "GET", "/consumers/acme/clients/new")
        fields = next(each for each in Forms(form.text).found if "client_name" in each.names)
        sent = fields.sent | {"client_name": [f"Drill {secrets.token_hex(6)}"], "scope": ["shipments:read"]}
        page = self.ask(person.browser, "page", "POST", "/consumers/acme/clients/new", data=sent)
        found, client = SECRET.search(page.text), CLIENT_ID.search(page.text)
        assert found, page.text
        assert client, page.text
        self.promise("page", self._works(client[1], found[0]))

    # -- The token endpoint -------------------------------------------------------------------------------------------

    def sign_in(self, http: httpx.Client, person: Person) -> None:
        """Spend a code, refresh a few times, and revoke the tokens of another sign-in."""
        token = self._exchange(http, person)
        for _ in range(3):
            spent, token = token, self._refresh(http, token)
        self.promise("refresh", lambda http: self._is_live(http, token) and not self._is_live(http, spent))
        doomed = self._exchange(http, person)
        self.ask(http, "revoke", "POST", "/oauth2/revoke", data={"token": doomed}, auth=self._web)
        self.promise("revoke", lambda http: not self._is_live(http, doomed))

    def token(self, http: httpx.Client) -> None:
        service = self.demo["clients"]["service"]
        credentials = (service["client_id"], service["client_secret"])
        made = self.ask(http, "token", "POST", "/oauth2/token", data=GRANT, auth=credentials).json()
        asked = {"token": made["access_token"]}
        self.promise(
            "token",
            lambda http: bool(http.post("/oauth2/introspect", data=asked, auth=credentials).json()["active"]),
        )

    @property
    def _web(self) -> tuple[str, str]:
        web = self.demo["clients"]["web"]
        return web["client_id"], web["client_secret"]

    def _exchange(self, http: httpx.Client, person: Person) -> str:
        """Return the refresh token of a new sign-in."""
        back, verifier = self.demo["clients"]["web"]["redirect_uris"][0], secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        request = {
            "response_type": "code",
            "client_id": self._web[0],
            "redirect_uri": back,
            "code_challenge": challenge,
        }
        request |= {"code_challenge_method": "S256", "scope": "openid offline_access shipments:read"}
        try:
            led = person.answer("/oauth2/authorize?" + urlencode(request))
        except httpx.TransportError:
            raise Unanswered from None
        code = httpx.URL(led.headers.get("Location", "")).params.get("code")
        if not code:
            raise Unanswered
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
        made = self.ask(http, "code", "POST", "/oauth2/token", data=form, auth=self._web).json()
        return str(made["refresh_token"])

    def _refresh(self, http: httpx.Client, token: str) -> str:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        made = self.ask(http, "refresh", "POST", "/oauth2/token", data=form, auth=self._web).json()
        return str(made["refresh_token"])

    # -- What shows that a promise is kept ----------------------------------------------------------------------------

    def _is_live(self, http: httpx.Client, token: str) -> bool:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        return http.post("/oauth2/token", data=form, auth=self._web).status_code == 200

    def _works(self, client_id: str, secret: str) -> Callable[[httpx.Client], bool]:
        return lambda http: http.post("/oauth2/token", data=GRANT, auth=(client_id, secret)).status_code == 200

    def _reads(self, path: str, member: str, value: str) -> Callable[[httpx.Client], bool]:
        return lambda http: bool(self._read(http, path).json().get(member) == value)

    def _is_gone(self, client_id: str) -> Callable[[httpx.Client], bool]:
        return lambda http: self._read(http, f"/admin/clients/{client_id}").status_code == 404

    def _read(self, http: httpx.Client, path: str) -> httpx.Response:
        """Return the answer to a manager, who waits where there were too many requests."""
        while (answer := http.get(path, headers=self.manager)).status_code == 429:
            time.sleep(float(answer.headers["Retry-After"]))
        return answer


GRANT = {"grant_type": "client_credentials"}


def drill(start: Start, url: str, demo: dict[str, Any], kills: int, seed: int = 1) -> Doors:
    """Write through every door at once, and kill so many processes; return what was promised."""
    doors, chance = Doors(url, demo), random.Random(seed)
    with ExitStack() as stack:
        with start() as pid:
            stack.enter_context(writing(doors))
            doors.kills += kill_some(pid, url, chance, kills)
        while doors.kills < kills:
            with start() as pid:
                doors.kills += kill_some(pid, url, chance, kills - doors.kills)
    return doors


@contextmanager
def writing(doors: Doors) -> Iterator[None]:
    """Write through every door at once, whatever happens to the server, until the block ends."""
    stop, url = threading.Event(), doors.url
    with ExitStack() as stack:
        make_room(doors)
        one, other = (stack.enter_context(signed_in(url, doors.demo)) for _ in range(2))
        deeds: list[Callable[[httpx.Client], None]]
        deeds = [doors.manage, doors.register, doors.invite, doors.token]
        deeds += [lambda _: doors.click(one), lambda http: doors.sign_in(http, other)]
        pool = stack.enter_context(ThreadPoolExecutor(len(deeds)))
        stack.callback(stop.set)  # before the pool waits for them
        writers = [pool.submit(keep_writing, deed, url, stop) for deed in deeds]
        yield
        stop.set()
        for writer in writers:
            writer.result()  # raises what it did


def promises(doors: Mapping[str, Doors], broken: Mapping[str, Counter[str]]) -> list[str]:
    """Return what was promised by each door, and how much of it was broken, as a table in Markdown."""
    lines = ["| written by | acknowledged | lost |", "|---|---|---|"]
    for name, each in doors.items():
        for door, count in each.promised.items():
            lines.append(f"| {f'{name}: {door}' if name else door} | {count} | {broken[name][door]} |")
    refused = {f"{name} {text}".strip(): count for name, each in doors.items() for text, count in each.refused.items()}
    return lines + [line for text, count in refused.items() for line in ("", f"Refused {count} times: `{text}`.")]


@contextmanager
def signed_in(url: str, demo: dict[str, Any]) -> Iterator[Person]:
    """Yield the demo's first manager, signed in."""
    known = demo["managers"][0]
    with httpx.Client(base_url=url, timeout=30, headers={"Referer": url}) as browser:
        yield Person(browser, known["email"], known["password"])


def make_room(doors: Doors) -> None:
    """Let the consumer have as many clients as the drill creates."""
    operator = {"Authorization": f"Bearer {doors.demo['operator_token']}"}
    with httpx.Client(base_url=doors.url, timeout=30, headers=operator) as http:
        change = [{"op": "replace", "path": "/max_clients", "value": 100_000}]
        patch = {"Content-Type": "application/json-patch+json"}
        http.patch("/admin/consumers/acme", json=change, headers=patch).raise_for_status()


def keep_writing(door: Callable[[httpx.Client], None], url: str, stop: threading.Event) -> None:
    while not stop.is_set():
        with httpx.Client(base_url=url, timeout=30) as http, suppress(Unanswered):
            while not stop.wait(PAUSE):
                door(http)
        stop.wait(PAUSE)


def kill_some(pid: int, url: str, chance: random.Random, most: int) -> int:
    """Kill a few web processes, and the server at last, each at a random moment; return how many."""
    server = psutil.Process(pid)
    for number in range(1, min(WEB_KILLS + 1, most) + 1):
        wait_until_served(url)
        time.sleep(chance.uniform(0.05, 0.5))
        if number <= WEB_KILLS:
            chance.choice(web_processes(server)).kill()
        else:
            children = server.children(recursive=True)
            server.kill()
            psutil.wait_procs(children, timeout=20)  # they hold the port until they hear of it
    return number


def web_processes(server: psutil.Process) -> list[psutil.Process]:
    """Return the server's forks; the worker is another program."""
    command = server.cmdline()
    return [each for each in server.children() if each.cmdline() == command]


def wait_until_served(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/health/ready", timeout=5).status_code == 200:
                return
        time.sleep(0.05)
    raise TimeoutError("the server did not come back")
