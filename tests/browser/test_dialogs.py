"""Deeds in dialogs: what refuses them stays in the dialog, and what they lead to takes the whole page."""

import time

import pytest

from clients.models import Client
from tests.browser.test_accessibility import complaints

pytestmark = pytest.mark.browser


@pytest.fixture
def service(server):
    """A service of Acme's, with one secret."""
    return server.register("service", scope=("shipments:read",))


@pytest.fixture
def arrive(visitor, server, service):
    """Alice in a browser of her own, at a tab of the service."""

    def open_tab(tab="settings", **options):
        alice = visitor(**options)
        alice.sign_in(server.demo["managers"][0]["email"], server.demo["managers"][0]["password"])
        return alice, alice.open(f"/consumers/acme/clients/{service[0]}/{tab}/")

    return open_tab


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 320)])
def test_refused_form_comes_back_in_its_dialog(arrive, theme, width):
    _, page = arrive(theme=theme, width=width)
    address = page.url
    page.get_by_role("link", name="Delete client").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name of the client").fill("Another name")
    dialog.get_by_role("button", name="Delete client").click()
    dialog.locator("#errors:focus").wait_for()
    assert page.url == address
    assert page.locator("h1").count() == 1
    field = dialog.get_by_label("Name of the client")
    assert field.input_value() == "Another name"
    assert field.get_attribute("aria-invalid") == "true"
    assert complaints(page, "refused in its dialog") == []
    dialog.locator("#errors a").press("Enter")
    assert field.evaluate("field => field === document.activeElement")
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    page.get_by_role("link", name="Delete client").click()
    field.wait_for()
    assert field.input_value() == ""


def test_refused_form_can_be_corrected_in_the_dialog(arrive, service):
    alice, page = arrive("secrets")
    page.get_by_role("link", name="Rotate").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("On a date").check()
    dialog.get_by_role("button", name="Create secret").click()
    dialog.locator("#errors:focus").wait_for()
    dialog.get_by_label("In an hour").check()
    dialog.get_by_role("button", name="Create secret").click()
    page.get_by_role("heading", name="Save the new secret").wait_for()
    assert page.evaluate("document.activeElement.id") == "main"
    assert page.title().startswith("Save the secret of")
    assert page.get_by_role("dialog").count() == 0
    secret = page.locator("#client-secret").inner_text()
    assert secret != service[1]
    assert alice.copy("Copy client secret") == secret
    assert complaints(page, "secret shown once") == []
    page.get_by_role("button", name="Test it now").click()
    page.get_by_role("region", name="Test result").wait_for()
    page.reload()
    assert page.url.endswith("/secrets/")
    for step in (page.go_back, page.go_forward):
        step(wait_until="load")
        assert secret not in page.content()


def test_deed_in_a_dialog_says_that_it_is_done(arrive):
    _, page = arrive("secrets")
    page.get_by_role("link", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke secret").click()
    page.get_by_role("status").filter(has_text="is revoked").wait_for()
    assert page.url.endswith("/secrets/")
    assert page.locator("main").count() == 1


def test_other_refusals_take_the_whole_page(server, arrive, service):
    _, page = arrive()
    page.get_by_role("link", name="Disable client").click()
    page.get_by_role("dialog").wait_for()
    with server.database():
        Client.objects.filter(client_id=service[0]).update(client_id=f"cl_moved{time.time_ns()}")
    page.get_by_role("dialog").get_by_role("button", name="Disable client").click()
    page.get_by_role("heading", level=1).filter(has_text="Page not found").wait_for()
    assert page.get_by_role("dialog").count() == 0
    assert page.locator("main").count() == 1


def test_dialog_of_somebody_who_was_signed_out_leads_to_the_sign_in(arrive):
    alice, page = arrive()
    alice.context.clear_cookies()
    page.get_by_role("link", name="Disable client").click()
    page.wait_for_url("**/account/login/**")
    assert page.locator("dialog").count() == 0


def test_refused_form_works_without_scripts(arrive):
    _, page = arrive(scripts=False)
    page.get_by_role("link", name="Delete client").click()
    page.get_by_role("button", name="Delete client").click()
    page.locator("#errors").wait_for()
    assert page.url.endswith("/delete/")
