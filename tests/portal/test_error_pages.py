"""What people read when something is wrong: what it was, what to do, and a number to quote; nothing else."""

import re

import pytest
from django.db import OperationalError, connection
from django.test import Client as Browser

from authority.tokens import access_tokens
from core import cache
from portal import views
from tests.authority.conftest import management_token

pytestmark = pytest.mark.django_db

TELLING = re.compile(r"Django|Python/|Traceback|/site-packages/|\.py\b|\b\d+\.\d+\.\d+\b(?!\.)")


def check(answer, status, *words):
    text = " ".join(answer.content.decode().split())
    assert answer.status_code == status
    assert answer["X-Request-Id"] in text
    assert not TELLING.search(re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL))
    assert all(word in text for word in words)


def test_an_unknown_page(client):
    check(client.get("/no/such/page/"), 404, "Page not found", "Sign in")


def test_a_page_for_another_role_says_why(browser_of, bob):
    check(browser_of(bob).get("/consumers/acme/people/invite/"), 403, "Only managers may do this", "Ask a manager")


def test_a_form_that_is_out_of_date_says_what_to_do():
    answer = Browser(enforce_csrf_checks=True).post("/account/login/", {"login": "a@b.example"})
    check(answer, 403, "out of date", "reload the page", "cookies")


def test_a_request_for_another_host(client):
    check(client.get("/", headers={"Host": "evil.example"}), 400, "could not read this request")


def test_too_many_fields(client):
    check(client.post("/account/login/", {f"f{n}": "" for n in range(600)}), 400, "could not read this request")


def away(*args, **kwargs):
    raise OperationalError("connection to server at 10.0.0.1 refused")


@pytest.mark.parametrize("path", ["/", "/operators/", "/account/apps/"])
def test_while_the_database_is_away_pages_ask_to_come_back(browser_of, alice, monkeypatch, path):
    browser = browser_of(alice)
    browser.raise_request_exception = False
    monkeypatch.setattr(connection, "cursor", away)
    answer = browser.get(f"{path}?x=<1>")
    check(answer, 503, "We will be back in a moment", "Try again", f'href="{path}?x=%3C1%3E"')
    assert answer["Retry-After"] == "5"
    assert "no-store" in answer["Cache-Control"]
    assert answer["Content-Security-Policy"]
    assert "10.0.0.1" not in answer.content.decode()
    assert "Set-Cookie" not in answer.headers, "who was signed in stays so"


def test_while_the_database_is_away_a_form_says_to_look_first(client, monkeypatch):
    client.raise_request_exception = False
    monkeypatch.setattr(connection, "cursor", away)
    answer = client.post("/account/login/", {"login": "alice@acme.example", "password": "x" * 12})
    check(answer, 503, "check whether your last step was carried out", "Go to the start")
    assert answer["Retry-After"] == "5"


@pytest.mark.parametrize(
    "path", ["/admin/clients", "/oauth2/userinfo", "/.well-known/openid-configuration", "/health/ready"]
)
def test_while_the_database_is_away_programs_read_json(client, alice, monkeypatch, path):
    cache.invalidate_all()
    token = management_token(alice) if path.startswith("/admin") else access_tokens.OPAQUE_PREFIX + "x" * 43
    monkeypatch.setattr(connection, "cursor", away)
    answer = client.get(path, headers={"Authorization": f"Bearer {token}", "Accept": "text/html"})
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert "error" in answer.text
    assert answer["Content-Type"] == "application/json"
    assert client.get("/health/alive").status_code == 200


def test_a_fault_of_ours_needs_neither_session_nor_database(client, monkeypatch, django_assert_num_queries):
    def fail(request):
        raise RuntimeError("a secret: hunter2")

    client.raise_request_exception = False
    monkeypatch.setattr(views, "home", fail)
    from django.urls import get_resolver

    pattern = next(item for item in get_resolver().url_patterns if getattr(item, "name", "") == "home")
    monkeypatch.setattr(pattern, "callback", fail)
    with django_assert_num_queries(0):
        answer = client.get("/")
    check(answer, 500, "Something went wrong on our side", "Check first whether your last step was carried out")
    assert "hunter2" not in answer.content.decode()
