"""A production server behind a proxy that ends TLS, as docs/deploy.md sets it up."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from django.conf import settings

from tests import patient
from tests.factories import PASSWORD, app_code
from tests.forms import Forms
from tests.live import copy_database, drop_database, migrated_database
from tests.servers import free_port, running
from tests.test_deploy import INHERITED, PRODUCTION

BEHIND_TLS = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
HOST = urlsplit(PRODUCTION["PUBLIC_URL"]).netloc
PEOPLE = f"""
from tests.factories import *
acme = ConsumerFactory(name="Acme", slug="acme")
alice = UserFactory(name="Alice", email="alice@acme.example")
olga = hold_second_factor(UserFactory(name="Olga", email="olga@provider.example", is_staff=True, is_superuser=True))
MembershipFactory(consumer=acme, user=alice)
for user in (alice, olga):
    user.set_password("{PASSWORD}")
    user.save()
print(ClientFactory(consumer=acme, template="web", scopes=["openid"]).client_id)
"""


@pytest.fixture(scope="module")
def portal(production) -> httpx.Client:
    """A client of the server, that names the public host as every visitor does."""
    return production[0]


@pytest.fixture(scope="module")
def production(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[tuple[httpx.Client, str]]:
    """A client of the server; and the ID of a web client, in a database that knows a manager and an operator."""
    template, port = migrated_database(django_db_blocker), free_port()
    name = f"{template}_production"
    environ = INHERITED | PRODUCTION
    environ |= {
        "DATABASE_URL": urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl(),
        "DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "STATIC_ROOT": str(tmp_path_factory.mktemp("static")),  # other tests read the usual one meanwhile
        "TRUSTED_PROXY_COUNT": "1",
        "PORT": str(port),
    }
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "collectstatic", "--noinput", "-v0"], cwd=settings.BASE_DIR, env=environ, check=True)
    copy_database(template, name, django_db_blocker)
    try:
        command = [*manage, "shell", "-v0", "--command", PEOPLE]
        made = subprocess.run(
            command, cwd=settings.BASE_DIR, env=environ, check=True, stdout=subprocess.PIPE, text=True
        )
        with (
            running(
                [*manage, "serve", "--workers", "1", "--no-work"], f"http://127.0.0.1:{port}/health/alive", environ
            ),
            patient.Client(base_url=f"http://127.0.0.1:{port}", headers={"Host": HOST}) as client,
        ):
            yield client, made.stdout.split()[-1]
        assert os.listdir(environ["DATA_DIR"]) == []
    finally:
        drop_database(name, django_db_blocker)


def test_plain_http_is_led_to_https(portal):
    answer = portal.get("/account/login/")
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"{PRODUCTION['PUBLIC_URL']}/account/login/"


def test_health_is_answered_without_tls_because_the_proxy_asks(portal):
    assert portal.get("/health/ready").status_code == 200


class Browser:
    """A browser behind the proxy, which keeps cookies though the proxy's own connection is without TLS."""

    def __init__(self, portal: httpx.Client) -> None:
        self.portal = portal
        self.cookies: dict[str, str] = {}
        self.set_cookies: list[str] = []

    def ask(self, method: str, path: str, **options) -> httpx.Response:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {**BEHIND_TLS, "Cookie": cookies, "Origin": PRODUCTION["PUBLIC_URL"]}
        answer = self.portal.request(method, path, headers=headers, cookies=None, **options)
        for line in answer.headers.get_list("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
            self.set_cookies.append(line)
        return answer

    def post(self, path: str, page: httpx.Response, **typed: str) -> httpx.Response:
        csrf = Forms(page.text).found[0].sent["csrfmiddlewaretoken"]
        return self.ask("POST", path, data={**typed, "csrfmiddlewaretoken": csrf[0]})

    def sign_in(self, email: str) -> None:
        page = self.ask("GET", "/account/login/")
        answer = self.post("/account/login/", page, login=email, password=PASSWORD)
        if answer.headers["Location"] == "/account/2fa/authenticate/":
            page = self.ask("GET", "/account/2fa/authenticate/")
            answer = self.post("/account/2fa/authenticate/", page, code=app_code())
        assert (answer.status_code, answer.headers["Location"]) == (302, "/")


@pytest.fixture
def browser(portal):
    return Browser(portal)


CONSENT = {
    "response_type": "code",
    "redirect_uri": "https://app.example.com/signed-in",
    "scope": "openid",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
}
PAGES = {  # who opens it, and the status
    "/account/login/": ("", 200),
    "/nowhere/": ("", 404),
    "/account/logout/": ("alice@acme.example", 200),
    "/consumers/acme/": ("alice@acme.example", 200),
    "/oauth2/authorize?client_id={}": ("alice@acme.example", 200),
    "/oauth2/authorize": ("alice@acme.example", 400),
    "/operators/login/": ("alice@acme.example", 403),
    "/operators/": ("olga@provider.example", 200),
}


@pytest.mark.parametrize("path", PAGES)
def test_page_has_every_header_that_mozillas_observatory_rewards(production, browser, path):
    """The rules of https://developer.mozilla.org/en-US/observatory/docs/tests_and_scoring, each at its best score."""
    who, status = PAGES[path]
    if who:
        browser.sign_in(who)
    path = path.format(production[1]) + ("&" + urlencode(CONSENT) if "{}" in path else "")
    answer = browser.ask("GET", path)
    headers = answer.headers
    assert answer.status_code == status
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";") if part.strip())
    away = " https://app.example.com" if "client_id" in path else ""
    assert policy.pop("default-src") == policy.pop("frame-ancestors") == policy.pop("base-uri") == "'none'"
    assert policy.pop("form-action") == f"'self'{away}"
    assert set(policy.values()) == {"'self'"}, "nothing unsafe, no data, no other host"
    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] in ("same-origin", "no-referrer")
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers
    assert "no-store" in headers["Cache-Control"]
    scripts = re.findall(r'<script[^>]* src="([^"]+)"', answer.text)
    assert scripts
    assert all(script.startswith("/static/") for script in scripts)


def test_cookies_belong_to_this_host_alone(browser):
    browser.sign_in("alice@acme.example")
    assert browser.cookies.keys() == {"__Host-csrf", "__Host-session", "__Host-known"}
    for cookie in browser.set_cookies:
        assert cookie.startswith("__Host-"), cookie
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
        assert "domain" not in cookie.lower()
        assert len(cookie) < 4096


def test_session_gets_another_id_when_somebody_signs_in_and_ends_when_they_sign_out(browser):
    browser.post("/account/password/reset/", browser.ask("GET", "/account/password/reset/"), email="x@acme.example")
    before = browser.cookies["__Host-session"]
    browser.sign_in("alice@acme.example")
    held = browser.cookies["__Host-session"]
    assert held != before
    browser.post("/account/logout/", browser.ask("GET", "/account/logout/"))
    browser.cookies["__Host-session"] = held
    assert browser.ask("GET", "/consumers/acme/").status_code == 302


def test_another_host_is_refused_and_the_issuer_does_not_follow_it(portal):
    evil = {**BEHIND_TLS, "Host": "evil.example"}
    assert portal.get("/account/login/", headers=evil).status_code == 400
    assert "evil" not in portal.get("/.well-known/openid-configuration", headers=evil).text
    document = portal.get("/.well-known/openid-configuration", headers=BEHIND_TLS).json()
    assert document["issuer"] == PRODUCTION["PUBLIC_URL"]


def test_static_files_may_be_kept_for_ever_under_names_that_change_with_them(portal):
    page = portal.get("/account/login/", headers=BEHIND_TLS).text
    stylesheet = page.split('rel="stylesheet" href="')[1].split('"')[0]
    assert stylesheet != "/static/css/portal.css"
    assert "immutable" in portal.get(stylesheet, headers=BEHIND_TLS).headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/demo/mail/", "/demo/mail/anything/"])
def test_the_demo_has_no_door_in_production(portal, path):
    assert portal.get(path, headers=BEHIND_TLS).status_code == 404
