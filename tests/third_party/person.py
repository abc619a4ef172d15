"""A person with a browser, as far as an authorization request needs one: signs in, reads the page, presses Allow."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx

from tests import patient
from tests.forms import Forms

if TYPE_CHECKING:  # the drills know a server of their own, and no Django
    from tests.live import Server


class Person:
    def __init__(self, browser: httpx.Client, email: str, password: str) -> None:
        self.browser = browser
        self.email = email
        self.password = password
        self.stay_signed_in()

    def stay_signed_in(self) -> None:
        """Sign in, where that has not been done or did not last."""
        page = self.browser.get("/account/login/")
        if page.status_code == 200:  # who is signed in is led on
            answer = self.send(page, login=self.email, password=self.password)
            assert answer.status_code == 302, answer.text

    def send(self, page: httpx.Response, **typed: str) -> httpx.Response:
        """Fill in the page's form that asks for this, and send it."""
        form = next(form for form in Forms(page.text).found if form.names >= typed.keys())
        return self.browser.post(urljoin(str(page.url), form.action), data=form.sent | typed)

    def allow(self, address: str) -> str:
        """Open an authorization request and allow it; return the address that the browser is sent back to."""
        answer = self.answer(address)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def bring(self, address: str) -> dict[str, Any]:
        """Do the same, and say what the browser brings along: a form's fields, where the client asked for a form."""
        answer = self.answer(address)
        if answer.status_code == 303:
            return {"returned": answer.headers["Location"]}
        form = next(form for form in Forms(answer.text).found if "code" in form.names)
        return {"returned": form.action, "posted": {name: values[0] for name, values in form.sent.items()}}

    def answer(self, address: str) -> httpx.Response:
        """Return the page, or the redirect, that leads to the client; sign in again where it asks for that."""
        answer = self.follow(self.browser.get(address))
        if any("password" in form.names for form in Forms(answer.text).found):
            answer = self.follow(self.send(answer, password=self.password))
        if any("decision" in form.names for form in Forms(answer.text).found):
            answer = self.send(answer, decision="allow")
        return answer

    def follow(self, answer: httpx.Response) -> httpx.Response:
        while answer.headers.get("Location", "").startswith("/"):  # a pushed request goes on at an address of its own
            answer = self.browser.get(answer.headers["Location"])
        return answer

    def let_in(self, address: str) -> None:
        """Open the address that a device shows, and let the device in."""
        page = self.send(self.browser.get(address), user_code=parse_qs(urlsplit(address).query)["user_code"][0])
        assert self.send(page, decision="allow").status_code == 200

    def leave(self, address: str) -> str:
        """Open a request to sign out; return where the browser is sent then."""
        answer = self.browser.get(address)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]


@contextmanager
def alice_of(server: "Server") -> Iterator[Person]:
    """Yield the Alice of the server's demo, signed in."""
    known = server.demo["managers"][0]
    with patient.Client(base_url=server.url, headers={"Referer": server.url}) as browser:
        yield Person(browser, known["email"], known["password"])
