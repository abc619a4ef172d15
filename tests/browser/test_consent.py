"""A person lets an app in: the page, the way back in a browser that enforces the policy, and what the app gets."""

import base64
import hashlib
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests import patient

VERIFIER = "a-verifier-that-only-the-app-knows-0123456789"


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False])
def test_person_gives_an_app_less_than_it_asked_for(visitor, server, scripts):
    back = "http://127.0.0.1:8400/signed-in"
    scopes = ("openid", "email", "shipments:read")
    client_id, secret = server.register("web", redirect_uris=(back,), scope=scopes)  # which nobody has let in yet
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    request = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": back,
        "scope": " ".join(scopes),
        "state": "of the app",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    alice = visitor(scripts=scripts)
    manager = server.demo["managers"][0]
    alice.context.route(
        lambda url: url.startswith(back), lambda route: route.fulfill(body="Back at the app", content_type="text/plain")
    )
    alice.sign_in(manager["email"], manager["password"])
    page = alice.open("/oauth2/authorize?" + urlencode(request))
    assert page.get_by_text(urlsplit(back).netloc, exact=True).is_visible()
    assert page.get_by_text(manager["email"]).is_visible()
    page.get_by_label("Read shipments").uncheck()
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(lambda url: url.startswith(back))
    assert page.get_by_text("Back at the app").is_visible()
    answer = {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}
    assert (answer["state"], answer["iss"]) == ("of the app", server.url)

    tokens = patient.post(
        f"{server.url}/oauth2/token",
        data={
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": back,
            "code_verifier": VERIFIER,
        },
        auth=(client_id, secret),
    ).json()
    assert tokens["scope"] == "openid email"
    told = patient.get(f"{server.url}/oauth2/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert told.json()["email"] == manager["email"]

    alice.open("/oauth2/authorize?" + urlencode(request))
    page.get_by_role("button", name="Deny").click()
    page.wait_for_url(lambda url: url.startswith(back))
    assert parse_qs(urlsplit(page.url).query)["error"] == ["access_denied"]


@pytest.mark.browser
def test_request_for_a_foreign_address_leads_nowhere(visitor, server):
    web = server.demo["clients"]["web"]
    request = {"response_type": "code", "client_id": web["client_id"], "redirect_uri": "https://evil.example/"}
    page = visitor().open("/oauth2/authorize?" + urlencode(request))
    assert page.get_by_role("heading", name="Invalid request").is_visible()
    assert page.get_by_text("redirect_uri does not exactly match").is_visible()
    assert page.url.startswith(server.url)
