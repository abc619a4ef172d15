"""What people read when something is wrong: what it was, what to do, and a number to quote; nothing else."""

import re

import pytest
from django.test import Client as Browser

from portal import views

pytestmark = pytest.mark.django_db

TELLING = re.compile(r"Django|Python/|Traceback|/site-packages/|\.py\b|\b\d+\.\d+\.\d+\b(?!\.)")


def check(answer, status, *words):
    text = answer.content.decode()
    assert answer.status_code == status
    assert answer["X-Request-Id"] in text
    assert not TELLING.search(re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL))
    assert all(word in text for word in words)


def test_an_unknown_page(client):
    check(client.get("/no/such/page/"), 404, "There is nothing here for you", "Sign in")


def test_a_page_for_another_role_says_why(browser_of, bob):
    check(browser_of(bob).get("/consumers/acme/people/invite/"), 403, "Only managers may do this", "Ask a manager")


def test_a_form_that_is_out_of_date_says_what_to_do():
    answer = Browser(enforce_csrf_checks=True).post("/account/login/", {"login": "a@b.example"})
    check(answer, 403, "out of date", "reload the page", "cookies")


def test_a_request_for_another_host(client):
    check(client.get("/", headers={"Host": "evil.example"}), 400, "could not read this request")


def test_too_many_fields(client):
    check(client.post("/account/login/", {f"f{n}": "" for n in range(600)}), 400, "could not read this request")


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
