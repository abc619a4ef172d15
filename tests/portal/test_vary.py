"""Each answer names the headers that it depends on (RFC 9110 section 12.5.5), and no other."""

import pytest
from django.urls import reverse

from tests.factories import give_secret

pytestmark = pytest.mark.django_db
DIALOG = {"HX-Request": "true", "HX-Target": "dialog"}


def vary(answer):
    return {part.strip() for part in answer.headers.get("Vary", "").split(",")} - {""}


@pytest.fixture
def browser(alice, browser_of):
    return browser_of(alice)


@pytest.mark.parametrize(
    ("name", "target", "own"), [("clients:index", "clients", False), ("clients:delete", "dialog", True)]
)
def test_a_page_whose_part_can_be_swapped(browser, service, name, target, own):
    address = reverse(name, args=["acme", service.client_id] if own else ["acme"])
    page, part = browser.get(address), browser.get(address, headers={"HX-Target": target})
    assert (page.status_code, part.status_code) == (200, 200)
    assert "<html" in page.text
    assert "<html" not in part.text
    assert vary(page) == vary(part) == {"Cookie", "HX-Target"}


def test_a_redirect_that_leads_out_of_a_dialog(browser, service):
    secrets = [give_secret(service)[0] for _ in range(2)]
    inside, outside = (
        browser.post(reverse("clients:revoke-secret", args=["acme", service.client_id, secret.pk]), headers=headers)
        for secret, headers in zip(secrets, (DIALOG, {}), strict=True)
    )
    assert (inside.status_code, outside.status_code) == (200, 302)
    assert inside.headers["HX-Redirect"] == outside.headers["Location"]
    assert "Location" not in inside.headers
    assert vary(inside) == vary(outside) == {"Cookie", "HX-Target"}


def test_a_page_that_is_always_whole(browser):
    assert vary(browser.get(reverse("consumers:activity", args=["acme"]))) == {"Cookie"}


def test_an_answer_that_is_for_everybody(client, db):
    assert not vary(client.get("/.well-known/jwks.json")) & {"Cookie", "HX-Target"}
