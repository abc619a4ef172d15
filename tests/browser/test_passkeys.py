"""A passkey, made and used in a real Chromium with a virtual authenticator, under our content security policy."""

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture
def mallory(server, visitor):
    """Mallory at localhost, since a passkey can be bound to a name but not to an address."""
    one = visitor()
    one.base_url = server.url.replace("127.0.0.1", "localhost")
    return with_authenticator(one)


def with_authenticator(one):
    """Give somebody's browser an authenticator that says yes to everything."""
    tools = one.context.new_cdp_session(one.page)
    tools.send("WebAuthn.enable")
    tools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return one


def test_a_passkey_is_added_signs_in_and_is_a_second_step(mallory, server):
    password = server.demo["managers"][0]["password"]
    mallory.sign_in("mallory@globex.example", password)
    page = mallory.open("/account/2fa/")
    page.get_by_role("link", name="Add a passkey").click()
    # Until the page's scripts have run: before that, the form asks no authenticator.
    page.wait_for_url("**/webauthn/add/")
    assert page.get_by_label("Sign in with it alone").is_checked()
    page.get_by_role("button", name="Add").click()
    # Not for its address, which its script takes away: the codes are shown once.
    page.get_by_role("heading", name="Save your recovery codes now").wait_for()
    page.get_by_role("link", name="I have saved them").click()
    assert page.get_by_text("Chrome on Linux").is_visible()

    mallory.open("/account/logout/").get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/account/login/**")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/consumers/globex/")

    page = mallory.open("/consumers/globex/people/")
    assert page.get_by_text("Passkey, password").is_visible()

    mallory.open("/account/logout/").get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/account/login/**")
    mallory.sign_in("mallory@globex.example", password)
    page.get_by_role("heading", name="Second factor").wait_for()
    page.get_by_role("button", name="Use a passkey or security key").click()
    page.wait_for_url("**/consumers/globex/")
