"""A device shows a code; a person types it in their browser, reads who asks, and answers."""

import pytest

from tests import patient

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False])
def test_person_types_the_code_and_the_device_goes_on(visitor, server, scripts):
    device = server.demo["clients"]["device"]
    named = {"client_id": device["client_id"]}
    asked = patient.post(
        f"{server.url}/oauth2/device_authorization", data=named | {"scope": "openid shipments:read"}
    ).json()
    alice, manager = visitor(scripts=scripts), server.demo["managers"][0]
    alice.sign_in(manager["email"], manager["password"])
    page = alice.open("/device")
    page.get_by_label("Code").fill("BBBB-BBBB")
    page.keyboard.press("Enter")
    page.get_by_text("This code is unknown or has expired.").wait_for()
    page.get_by_label("Code").fill(asked["user_code"].lower())
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Yard terminal").wait_for()
    page.get_by_text(asked["user_code"]).wait_for()
    page.get_by_role("button", name="Allow").click()
    page.get_by_role("heading", name="Yard terminal is connected").wait_for()

    form = named | {"grant_type": GRANT, "device_code": asked["device_code"]}
    tokens = patient.post(f"{server.url}/oauth2/token", data=form).json()
    assert tokens["scope"] == "openid shipments:read"
    assert page.goto(f"{server.url}/account/apps/").status == 200
    page.get_by_text("Yard terminal").first.wait_for()
