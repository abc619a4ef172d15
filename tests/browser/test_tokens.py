"""Tokens in a real browser: a secret tested with one click, a test token made and revoked, a token inspected."""

import time

import pytest

from tests.browser.test_accessibility import complaints

pytestmark = pytest.mark.browser
CLIENTS = "/consumers/acme/clients/"


@pytest.fixture
def arrive(visitor, server):
    """Alice, signed in, in a browser of her own."""

    def sign_in(**options):
        alice = visitor(**options)
        alice.sign_in(server.demo["managers"][0]["email"], server.demo["managers"][0]["password"])
        return alice

    return sign_in


def make_test_token(alice, service: str, reason: str) -> str:
    page = alice.open(f"{CLIENTS}{service}/test-token/")
    page.get_by_label("A user").check()
    page.get_by_role("textbox", name="User ID").fill("jane.doe")
    page.get_by_label("Read shipments").check()
    page.get_by_label("What is it for?").fill(reason)
    page.get_by_role("button", name="Create test token").click()
    page.get_by_role("heading", name="Copy the test token now").wait_for()
    return page.locator("#token").inner_text().strip()


@pytest.mark.parametrize("scripts", [True, False])
def test_one_click_tests_a_new_secret_and_it_stays_on_the_page(arrive, scripts):
    alice = arrive(scripts=scripts)
    page = alice.open(f"{CLIENTS}new")
    page.get_by_label("Name", exact=True).fill(f"Tried {time.time_ns()}")
    page.get_by_label("Read shipments").check()
    page.get_by_role("button", name="Create client").click()
    secret = page.locator("#client-secret").inner_text()
    page.get_by_role("button", name="Test it now").click()
    page.get_by_text("It works: a token in").wait_for()
    page.get_by_role("row", name="scope").get_by_text("Read shipments").wait_for()
    assert page.locator("#client-secret").inner_text() == secret
    if scripts:
        assert complaints(page, "tested secret") == []
        page.reload()
        assert secret not in page.content()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_test_token_is_made_inspected_and_revoked(arrive, server, theme, width):
    alice, service = arrive(theme=theme, width=width), server.demo["clients"]["service"]["client_id"]
    reason = f"Trying {time.time_ns()}"
    token = make_test_token(alice, service, reason)
    found = complaints(alice.page, "test token")
    if width == 1280:
        assert alice.copy("Copy the test token") == token

    page = alice.open("/consumers/acme/inspect/")
    page.get_by_label("Token or error").fill(token)
    page.get_by_role("button", name="Inspect").click()
    page.get_by_role("heading", name="A test token. It is valid").wait_for()
    found += complaints(page, "inspected")
    assert token not in page.url

    page = alice.open("/consumers/acme/test-tokens/")
    found += complaints(page, "list of test tokens")
    page.get_by_role("button", name=f"Revoke the one for {reason}").click()
    page.get_by_text("The test token is revoked").wait_for()
    page = alice.open("/consumers/acme/inspect/")
    page.get_by_label("Token or error").fill(token)
    page.get_by_role("button", name="Inspect").click()
    page.get_by_role("heading", name="It was revoked").wait_for()
    assert found == []


def test_token_is_gone_after_reload_and_back(arrive, server):
    alice = arrive()
    token = make_test_token(alice, server.demo["clients"]["service"]["client_id"], f"Seen once {time.time_ns()}")
    page = alice.page
    page.reload()
    assert page.url.endswith("/test-tokens/")
    page.go_back(wait_until="load")
    assert token not in page.content()


def test_way_off_secrets_can_be_clicked_although_the_row_leads_elsewhere(arrive):
    page = arrive().open(f"{CLIENTS}secrets/")
    page.get_by_role("link", name="Use a private key").first.click(timeout=5000)
    page.get_by_role("heading", name="Authentication method").wait_for()
    assert page.url.endswith("/authentication/")
