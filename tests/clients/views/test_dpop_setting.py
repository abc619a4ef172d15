"""The DPoP setting of a client, and its effect on the client's pages."""

import pytest
from django.urls import reverse

from clients.onboarding.snippets import snippets

pytestmark = pytest.mark.django_db


@pytest.fixture
def pages(service):
    args = [service.consumer.slug, service.client_id]
    return {name: reverse(f"clients:{name}", args=args) for name in ("settings", "detail")}


def save(browser, pages, service, **changes):
    service.refresh_from_db()
    form = {"client_name": service.client_name, "description": "", "scope": service.scopes}
    return browser.post(pages["settings"], form | {"version": service.updated.isoformat()} | changes)


def test_manager_requires_a_key_and_lets_it_go_again(browser_of, alice, service, pages):
    browser = browser_of(alice)
    assert save(browser, pages, service, dpop_bound_access_tokens="on").status_code == 302
    service.refresh_from_db()
    assert service.dpop_bound_access_tokens is True
    assert " checked" in browser.get(pages["settings"]).content.decode().split("dpop_bound_access_tokens", 1)[1][:90]
    assert (
        "tokens bound to a key"
        in browser.get(reverse("clients:activity", args=[service.consumer.slug, service.client_id])).content.decode()
    )
    assert save(browser, pages, service).status_code == 302
    service.refresh_from_db()
    assert service.dpop_bound_access_tokens is False


def test_connect_says_what_the_program_must_prove(browser_of, alice, service, pages):
    browser = browser_of(alice)
    assert "Sender-constrained tokens" not in browser.get(pages["detail"]).content.decode()
    save(browser, pages, service, dpop_bound_access_tokens="on")
    service.refresh_from_db()
    page = browser.get(pages["detail"]).content.decode()
    assert "Sender-constrained tokens" in page
    assert "cnf.jkt" in page
    assert snippets(service) == [], "a plain command would be refused"


def test_a_concurrent_change_is_shown_and_not_overwritten(browser_of, alice, service, pages):
    browser = browser_of(alice)
    seen = service.updated.isoformat()
    save(browser, pages, service, dpop_bound_access_tokens="on")
    answer = save(browser, pages, service, version=seen)
    assert answer.status_code == 409
    assert "Require DPoP, as saved" in answer.content.decode()
    service.refresh_from_db()
    assert service.dpop_bound_access_tokens is True
