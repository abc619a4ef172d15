"""From stranger to first token, as three people walk it: one asks, one decides, and one asks for more."""

import json
import subprocess
import uuid

import pytest

from tests.browser.mail import Mailbox

pytestmark = pytest.mark.browser


def test_stranger_gets_a_workspace_a_token_and_then_another_permission(server, visitor):
    mailbox, name = Mailbox(server.url), f"Kite {uuid.uuid4().hex[:8]}"
    address = f"jo@{name.lower().replace(' ', '-')}.example"
    operator = server.demo["operator"]

    # The stranger asks, confirms the address, and sees where the request is.
    jo = visitor()
    page = jo.open("/account/login/")
    page.get_by_role("link", name="Request access").click()
    page.get_by_label("Organisation").fill(name)
    page.get_by_label("Your name").fill("Jo Park")
    page.get_by_label("Email").fill(address)
    page.get_by_label("Read shipments").check()
    page.get_by_label("What do you want to build?").fill("We push proof of delivery.")
    page.get_by_role("button", name="Send request").click()
    page.get_by_role("heading", name="Look into your mail").wait_for()
    olga = visitor()
    olga.sign_in(operator["email"], operator["password"])
    page = olga.open("/operators/requests/")
    assert page.get_by_text(name).count() == 0
    page = jo.open(mailbox.link_to(address, "/request-access/"))
    page.get_by_role("button", name="Confirm and send the request").click()
    page.get_by_role("heading", name="Your request is being looked at").wait_for()

    # The operator asks back, gets the answer, and approves.
    page = olga.open("/operators/requests/")
    card = page.locator("section.request", has_text=name)
    card.get_by_label("To them").fill("Which of our customers do you serve?")
    card.get_by_role("button", name="Ask back").click()
    page.get_by_text("Your question is on its way.").wait_for()
    page = jo.open(mailbox.link_to(address, "/request-access/", beyond=1))
    page.get_by_text("Which of our customers do you serve?").wait_for()
    page.get_by_label("Your answer").fill("Acme Logistics")
    page.get_by_role("button", name="Send answer").click()
    page.get_by_role("heading", name="Your request is being looked at").wait_for()
    page = olga.open("/operators/requests/")
    card = page.locator("section.request", has_text=name)
    assert "Acme Logistics" in card.inner_text()
    card.get_by_role("button", name="Approve").click()
    page.get_by_text("The workspace is open").wait_for()

    # The stranger joins, creates a client, and gets a first token.
    page = jo.open(mailbox.link_to(address, "/invitations/", beyond=2))
    page.get_by_label("Your name").fill("Jo Park")
    page.get_by_role("button", name=f"Join {name}").click()
    page.wait_for_url("**/consumers/kite-*/")
    home = page.url
    page = jo.open(f"{home}clients/new")
    page.get_by_role("textbox", name="Name", exact=True).fill("Courier")
    page.get_by_label("Read shipments").check()
    page.get_by_role("button", name="Create client").click()
    page.get_by_role("button", name="Copy the curl example").wait_for()
    told = subprocess.run(["sh", "-c", jo.copy("Copy the curl example")], capture_output=True, text=True, check=True)
    assert json.loads(told.stdout)["scope"] == "shipments:read"

    # And asks for another permission, which a second operator's page gives until a date.
    page = jo.open(f"{home}clients/permissions/")
    page.get_by_role("row", name="shipments:write").get_by_role("link").click()
    page.get_by_label("What is it for?").fill("We book pick-ups, too.")
    page.get_by_role("button", name="Send request").click()
    page.get_by_text("is on its way").wait_for()
    page = olga.open("/operators/requests/")
    card = page.locator("section.request", has_text=f"shipments:write for {name}")
    card.get_by_label("Until").fill("2035-06-01")
    card.get_by_role("button", name="Approve").click()
    page.get_by_text("Approved: shipments:write").wait_for()
    assert "1 Jun 2035" in jo.open(f"{home}clients/permissions/").locator("main").inner_text()
