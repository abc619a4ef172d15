"""Coming in, from the invitation to the next sign-in by code, with JavaScript off and on."""

import re

import pytest

from tests.browser.mail import Mailbox

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scripts", [False, True])
def test_somebody_new_is_invited_joins_and_comes_back(server, visitor, scripts):
    address = f"jonas-{'with' if scripts else 'without'}@acme.example"
    mailbox = Mailbox(server.url)
    manager = visitor(scripts=scripts)
    manager.sign_in("alice@acme.example", server.demo["managers"][0]["password"])
    page = manager.open("/consumers/acme/people/")
    page.get_by_role("link", name="Invite someone").click()
    page.get_by_label("Email addresses").fill(address)
    page.get_by_role("button", name="Send invitation").click()
    page.get_by_text(f"Invitation on its way to {address}").wait_for()
    page.get_by_role("row", name=re.compile(address)).wait_for()

    newcomer = visitor(scripts=scripts)
    link = mailbox.link_to(address, "/invitations/")
    page = newcomer.open(link)
    assert page.get_by_role("heading", name="Alice Martin invites you to Acme Logistics").is_visible()
    page.get_by_label("Your name").fill("Jonas Berg")
    page.get_by_role("button", name="Join Acme Logistics").click()
    page.wait_for_url("**/consumers/acme/")
    page = newcomer.open("/consumers/acme/people/invite/")
    assert page.get_by_role("heading", name="Your role does not allow this").is_visible()
    newcomer.open("/account/logout/").get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/account/login/**")
    assert page.get_by_role("button", name="Use a passkey").is_visible() == scripts

    page.get_by_label("Email").first.fill(address)
    page.get_by_role("button", name="Email me a code").click()
    page.get_by_label("Code").fill(mailbox.code_for(address, beyond=1))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/consumers/acme/")
    newcomer.open(link)  # the mail's, once more
    page.wait_for_url("**/consumers/acme/")
    assert visitor().open(link).get_by_role("heading", name="This invitation cannot be used").is_visible()

    page = manager.open("/consumers/acme/activity/")
    assert page.get_by_text("Jonas Berg joined as viewer").first.is_visible()
