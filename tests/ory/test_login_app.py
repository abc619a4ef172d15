"""A login application written for Ory Hydra with its package, in front of the running server: examples/login-app."""

import base64
import hashlib
import json
import os
import secrets
import threading
import uuid
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.conf import settings
from django.utils import timezone

from clients.models import Api, ApiRole, Client, Scope, SignInBy
from consumers.actions.personal_tokens import create_token
from consumers.audit import SYSTEM
from consumers.models import Consumer, User
from tests.factories import AccessFactory
from tests.forms import Forms
from tests.node import node_with_packages
from tests.servers import free_port, running

HERE = settings.BASE_DIR / "examples" / "login-app"
DANA = {"email": "dana@example.com", "password": "open sesame"}


@pytest.fixture(scope="module")
def place(server):
    """An API with its own login, a client of it, and the login application that runs for it."""
    node, port = node_with_packages(HERE), free_port()
    app, name = f"http://127.0.0.1:{port}", uuid.uuid4().hex[:8]
    with server.database():
        api = Api.objects.create(
            identifier=f"https://api.example.com/{name}",
            name=f"Parcels {name}",
            sign_in=SignInBy.OWN_LOGIN,
            login_url=f"{app}/login",
            consent_url=f"{app}/consent",
            logout_url=f"{app}/logout",
        )
        scope = Scope.objects.create(api=api, value=f"parcels:{name}", name="Parcels")
        ApiRole.objects.create(api=api, value="dispatcher", name="Dispatcher")
        acme = Consumer.objects.get(slug="acme")
        AccessFactory(consumer=acme, scope=scope)
        operator = User.objects.get(is_superuser=True)
        _, token = create_token(
            user=operator,
            name="Login",
            scopes=["logins:read", "logins:write"],
            expires_at=timezone.now() + timedelta(days=1),
            actor=SYSTEM,
        )
    client_id, secret = server.register(
        "web", redirect_uris=("http://127.0.0.1/back",), scope=("openid", "profile", scope.value)
    )
    with server.database():
        Client.objects.filter(client_id=client_id).update(post_logout_redirect_uris=["http://127.0.0.1/bye"])
    environ = dict(os.environ) | {"PORTAL": server.url, "PORTAL_TOKEN": token, "PORT": str(port)}
    with running([node, "app.js"], f"{app}/", environ, HERE):
        yield SimpleNamespace(url=server.url, app=app, client=(client_id, secret), scope=scope.value, server=server)


class Person:
    """A browser, without scripts, that follows where it is led until the client's own address."""

    def __init__(self, place):
        self.place, self.browser = place, httpx.Client(timeout=60)
        self.verifier = secrets.token_urlsafe(32)

    def open(self, **parameters):
        digest = hashlib.sha256(self.verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self.place.client[0],
            "redirect_uri": "http://127.0.0.1/back",
            "scope": f"openid profile {self.place.scope}",
            "state": "a state",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return self.follow("GET", f"{self.place.url}/oauth2/authorize", params=asked | parameters)

    def follow(self, method, address, **sent):
        page = self.browser.request(method, address, **sent)
        while page.is_redirect and not page.headers["Location"].startswith("http://127.0.0.1/"):
            page = self.browser.get(page.url.join(page.headers["Location"]))
        return page

    def send(self, page, label, **typed):
        """Fill in the form of the page, and press the button of that label."""
        [form] = Forms(page.text).found
        button = next(each for each in form.buttons if each.label == label)
        return self.follow("POST", page.url.join(form.action or str(page.url)), data=form.filled_in(button, **typed))

    def tokens(self, page):
        form = {
            "grant_type": "authorization_code",
            "code": told(page)["code"],
            "redirect_uri": "http://127.0.0.1/back",
            "code_verifier": self.verifier,
        }
        answer = httpx.post(f"{self.place.url}/oauth2/token", data=form, auth=self.place.client, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def person(place):
    """Make a person at the place, with a browser of their own."""
    with ExitStack() as opened:

        def make():
            found = Person(place)
            opened.enter_context(found.browser)
            return found

        yield make


def told(page):
    assert page.is_redirect, page.text
    return {name: values[0] for name, values in parse_qs(urlsplit(page.headers["Location"]).query).items()}


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@contextmanager
def listener():
    """Listen for one logout token; yield the address and what came."""
    came, done = [], threading.Event()

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            came.append(parse_qs(body)["logout_token"][0])
            self.send_response(200)
            self.end_headers()
            done.set()

        def log_message(self, *words):
            pass

    http = HTTPServer(("127.0.0.1", free_port()), Listener)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{http.server_port}/", came, done
    finally:
        http.shutdown()
        http.server_close()


def test_login_application_signs_people_in_lets_them_consent_and_signs_them_out(place, person):
    dana = person()
    with listener() as (address, came, done):
        with place.server.database():
            Client.objects.filter(client_id=place.client[0]).update(backchannel_logout_uri=address)
        login = dana.open(login_hint="dana@example.com")
        assert str(login.url).startswith(f"{place.app}/login?login_challenge=")
        assert "Sign in to Test" in login.text
        assert 'value="dana@example.com"' in login.text
        assert "That is not right" in dana.send(login, "Sign in", **DANA | {"password": "wrong"}).text
        consent = dana.send(login, "Sign in", **DANA, remember="1")
        assert str(consent.url).startswith(f"{place.app}/consent?consent_challenge=")
        tokens = dana.tokens(dana.send(consent, "Allow"))
        access_token, id_token = claims(tokens["access_token"]), claims(tokens["id_token"])
        assert access_token["sub"] == id_token["sub"] == "user-4711"
        assert access_token["ext"] == {"plan": "gold"}
        assert access_token["roles"] == ["dispatcher"]
        assert (id_token["acr"], id_token["amr"], id_token["name"]) == ("urn:example:password", ["pwd"], "Dana Fox")
        asked = httpx.post(
            f"{place.url}/oauth2/introspect", data={"token": tokens["access_token"]}, auth=place.client, timeout=60
        ).json()
        assert (asked["active"], asked["sub"], asked["ext"]) == (True, "user-4711", {"plan": "gold"})

        again = dana.tokens(dana.open(prompt="none"))  # skipped and consented before: nobody is asked
        assert claims(again["id_token"])["sid"] == id_token["sid"]

        leaving = {
            "id_token_hint": tokens["id_token"],
            "post_logout_redirect_uri": "http://127.0.0.1/bye",
            "state": "x",
        }
        asked = dana.follow("GET", f"{place.url}/oauth2/logout", params=leaving)
        assert "Sign out, Dana Fox?" in asked.text
        assert "You are still signed in" in dana.send(asked, "No").text
        assert claims(dana.tokens(dana.open(prompt="none"))["id_token"])["sid"] == id_token["sid"]
        asked = dana.follow("GET", f"{place.url}/oauth2/logout", params=leaving)
        gone = dana.send(asked, "Sign out")
        assert gone.headers["Location"] == "http://127.0.0.1/bye?state=x"
        assert done.wait(30)
        heard = claims(came[0])
        assert (heard["sub"], heard["sid"]) == ("user-4711", id_token["sid"])
        assert told(dana.open(prompt="none"))["error"] == "login_required"


def test_login_application_says_no_for_the_person(person):
    noah = person()
    refused = told(noah.send(noah.open(), "No"))
    assert (refused["error"], refused["error_description"]) == ("access_denied", "Nobody signed in.")
    consent = noah.send(noah.open(), "Sign in", **DANA | {"email": "noah@example.com"})
    assert told(noah.send(consent, "No"))["error_description"] == "The person did not allow it."


def test_form_of_the_login_application_works_in_its_own_browser_alone(place, person):
    noah, other = person(), person()
    login = noah.open()
    other.open()
    assert other.send(login, "Sign in", **DANA).status_code == 403
    noah.send(login, "Sign in", **DANA)
    again = noah.browser.get(login.url)  # answered: back to where the request begins
    assert again.headers["Location"].startswith(f"{place.url}/oauth2/authorize?")


def test_example_is_as_short_as_it_says():
    assert len((HERE / "app.js").read_text().splitlines()) <= 145
