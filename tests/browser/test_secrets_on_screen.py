"""A new secret on the screen, and what the script adds to the client pages."""

import re
import time

import pytest

pytestmark = pytest.mark.browser

CLIENTS = "/consumers/acme/clients/"


@pytest.fixture
def arrive(visitor, server):
    """Alice, signed in, in a browser of her own."""

    def sign_in(**options):
        alice = visitor(**options)
        known = next(person for person in server.demo["managers"] if person["email"].startswith("alice"))
        alice.sign_in(known["email"], known["password"])
        return alice

    return sign_in


def register(alice, name: str) -> str:
    """Register a service; return its secret."""
    page = alice.open(f"{CLIENTS}new")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Read shipments").check()
    page.get_by_role("button", name="Create client").click()
    page.get_by_role("heading", name="Save its secret now").wait_for()
    return page.locator("#client-secret").inner_text()


def test_secret_is_copied_and_gone_after_reload_back_and_forward(arrive):
    alice = arrive()
    secret = register(alice, f"Seen once {time.time_ns()}")
    page = alice.page
    assert alice.copy("Copy client secret") == secret
    home = page.url
    page.reload()
    assert page.url == home
    assert "/new" not in home
    assert secret not in page.content()
    for step in (page.go_back, page.go_forward, page.go_back):
        step(wait_until="load")
        assert secret not in page.content()
    assert secret not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, history.state])")


def test_file_is_downloaded_while_the_secret_stays_on_the_screen(arrive):
    alice = arrive()
    secret = register(alice, f"Filed {time.time_ns()}")
    with alice.page.expect_download() as download:
        alice.page.get_by_role("button", name="Download .env").click()
    assert f"CLIENT_SECRET={secret}\n" in download.value.path().read_text()
    assert alice.page.locator("#client-secret").inner_text() == secret


def test_rotation_opens_in_a_dialog_that_the_keyboard_closes(arrive):
    alice = arrive()
    old = register(alice, f"Turned {time.time_ns()}")
    page = alice.page
    page.get_by_role("link", name=re.compile("I have saved it")).click()
    page.get_by_role("link", name="Secrets").click()
    page.wait_for_url("**/secrets/")  # and for the scripts, which open dialogs
    rotate = page.get_by_role("link", name="Rotate")
    rotate.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name=f"Rotate ••••{old[-4:]}")
    dialog.wait_for()
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert page.evaluate("document.activeElement.textContent.trim()") == f"Rotate ••••{old[-4:]}"
    page.keyboard.press("Enter")
    date = dialog.get_by_label("Date and time")
    assert not date.is_visible()
    dialog.get_by_label("On a date").check()
    assert date.is_visible()
    dialog.get_by_label("In a day", exact=False).first.check()
    dialog.get_by_role("button", name="Create secret").click()
    page.get_by_role("heading", name="Save the new secret").wait_for()
    assert page.locator("#client-secret").inner_text() != old


def test_list_answers_while_one_types(arrive):
    alice = arrive()
    page = alice.open(CLIENTS)
    page.get_by_label("Search").press_sequentially("driver", delay=20)
    page.wait_for_url(re.compile("q=driver$|q=driver&"))  # before that it answers to fewer letters
    page.get_by_text("One client of").wait_for()
    assert page.locator("tbody tr").count() == 1
    page.get_by_label("Search").fill("nobody has this name")
    page.get_by_text("No matching clients").wait_for()


def test_everything_works_without_scripts(arrive):
    alice = arrive(scripts=False)
    secret = register(alice, f"Plain {time.time_ns()}")
    page = alice.page
    assert not page.get_by_role("button", name="Copy client secret").is_visible()
    page.get_by_role("link", name=re.compile("I have saved it")).click()
    page.wait_for_url(lambda url: not url.endswith("/new"))
    assert secret not in page.content()
    page.get_by_role("link", name="Secrets").click()
    page.get_by_role("link", name="Revoke").click()
    page.get_by_role("button", name="Revoke secret").click()
    page.get_by_role("status").filter(has_text="is revoked").wait_for()
    page.get_by_role("link", name="Settings").click()
    name = page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("link", name="Delete client").click()
    page.get_by_label("Name of the client").fill(name)
    page.get_by_role("button", name="Delete client").click()
    page.get_by_role("status").filter(has_text=f"{name} is deleted").wait_for()
