"""OpenID Connect Core and RP-Initiated Logout: ID tokens, userinfo, signing out."""

import base64
import hashlib
import json
import time
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone
from jwcrypto.jwk import JWKSet
from jwcrypto.jwt import JWT

from authority import jose
from authority.models import SigningKey
from tests.authority.flows import Flow

pytestmark = pytest.mark.django_db


def id_token_claims(http, token):
    keys = JWKSet.from_json(http.get("/.well-known/jwks.json").content.decode())
    jwt = JWT(jwt=token, key=keys, algs=["RS256"])
    return json.loads(jwt.header), json.loads(jwt.claims)


@pytest.mark.compliance("OpenID Connect Core", "2")
def test_id_token_says_who_signed_in_where_and_for_whom(flow, alice, settings):
    tokens = flow.tokens()
    header, claims = id_token_claims(flow.program.http, tokens["id_token"])
    assert header["alg"] == "RS256"
    assert header["kid"] == SigningKey.objects.get(algorithm="RS256").kid
    assert claims["iss"] == settings.ISSUER
    assert claims["sub"] == str(alice.pk)
    assert claims["aud"] == flow.program.client.client_id
    assert claims["nonce"] == "a nonce"
    assert claims["exp"] > time.time() >= claims["iat"]
    assert claims["auth_time"] <= claims["iat"]
    digest = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert "email" not in claims
    assert "name" not in claims


@pytest.mark.compliance("OpenID Connect Core", "5.4")
def test_scopes_decide_what_is_told(web, browser_of, alice):
    flow = Flow(web, browser_of(alice), scope="openid profile email")
    _, claims = id_token_claims(web.http, flow.tokens()["id_token"])
    assert claims["name"] == "Alice Martin"
    assert (claims["email"], claims["email_verified"]) == ("alice@acme.example", True)
    EmailAddress.objects.filter(user=alice).update(verified=False)
    _, claims = id_token_claims(web.http, flow.tokens()["id_token"])
    assert claims["email_verified"] is False


@pytest.mark.compliance("OpenID Connect Core", "3.1.2.1")
def test_without_openid_there_is_no_id_token(web, browser_of, alice):
    assert "id_token" not in Flow(web, browser_of(alice), scope="shipments:read").tokens()


def test_openid_is_never_assumed(web, browser_of, alice):
    tokens = Flow(web, browser_of(alice), scope=None).tokens()
    assert tokens["scope"] == "shipments:read shipments:write"
    assert "id_token" not in tokens


@pytest.mark.compliance("OpenID Connect Core", "12.2")
def test_refreshed_id_token_names_the_same_person_and_no_nonce(flow, alice):
    tokens = flow.refresh(flow.tokens()["refresh_token"]).json()
    _, claims = id_token_claims(flow.program.http, tokens["id_token"])
    assert claims["sub"] == str(alice.pk)
    assert "nonce" not in claims


def test_identity_without_apis_is_for_ourselves(web, browser_of, alice, settings):
    token = Flow(web, browser_of(alice), scope="openid").tokens()["access_token"]
    assert web.introspect(token)["aud"] == settings.ISSUER


# -- Userinfo ---------------------------------------------------------------------------------------------------------


def userinfo(http, token, method="get"):
    return getattr(http, method)("/oauth2/userinfo", headers={"Authorization": f"Bearer {token}"})


@pytest.mark.compliance("OpenID Connect Core", "5.3")
@pytest.mark.parametrize("method", ["get", "post"])
def test_userinfo_tells_what_the_scopes_allow(web, browser_of, alice, method):
    token = Flow(web, browser_of(alice), scope="openid profile email").tokens()["access_token"]
    answer = userinfo(web.http, token, method)
    assert answer.json() == {
        "sub": str(alice.pk),
        "name": "Alice Martin",
        "email": "alice@acme.example",
        "email_verified": True,
    }
    assert answer["Cache-Control"] == "no-store"
    token = Flow(web, browser_of(alice), scope="openid").tokens()["access_token"]
    assert userinfo(web.http, token, method).json() == {"sub": str(alice.pk)}


@pytest.mark.compliance("RFC 6750", "3.1")
def test_userinfo_refuses_in_the_words_of_bearer_tokens(web, program, browser_of, alice):
    none = web.http.get("/oauth2/userinfo")
    assert none.status_code == 401
    assert none["WWW-Authenticate"].startswith('Bearer realm="userinfo", DPoP ')
    wrong = userinfo(web.http, "x.y.z")
    assert wrong.status_code == 401
    assert 'error="invalid_token"' in wrong["WWW-Authenticate"]
    machine = userinfo(web.http, program.token().json()["access_token"])
    assert machine.status_code == 403
    assert 'error="insufficient_scope"' in machine["WWW-Authenticate"]
    tokens = Flow(web, browser_of(alice), scope="shipments:read").tokens()
    assert userinfo(web.http, tokens["access_token"]).status_code == 403
    tokens = Flow(web, browser_of(alice)).tokens()
    assert userinfo(web.http, tokens["id_token"]).status_code == 401
    assert userinfo(web.http, tokens["refresh_token"]).status_code == 401


def test_token_in_the_url_is_not_read(flow):
    token = flow.tokens()["access_token"]
    assert flow.program.http.get(f"/oauth2/userinfo?access_token={token}").status_code == 401


def test_disabled_person_and_client_end_userinfo(flow, alice):
    token = flow.tokens()["access_token"]
    assert userinfo(flow.program.http, token).status_code == 200
    flow.program.client.disabled_at = timezone.now()
    flow.program.client.save()
    assert userinfo(flow.program.http, token).status_code == 401
    flow.program.client.disabled_at = None
    flow.program.client.save()
    alice.is_active = False
    alice.save()
    assert userinfo(flow.program.http, token).status_code == 401


# -- Signing out ------------------------------------------------------------------------------------------------------

GONE = "https://app.example.com/signed-out"


@pytest.fixture
def leaving(flow):
    flow.program.client.post_logout_redirect_uris = [GONE]
    flow.program.client.save()
    flow.hint = flow.tokens()["id_token"]
    return flow


def logout(flow, **parameters):
    return flow.browser.get("/oauth2/logout", parameters)


def signed_in(browser):
    return "_auth_user_id" in browser.session


@pytest.mark.compliance("OpenID Connect RP-Initiated Logout", "2")
def test_genuine_hint_signs_out_at_once_and_leads_back_with_state(leaving):
    response = logout(leaving, id_token_hint=leaving.hint, post_logout_redirect_uri=GONE, state="s p")
    assert response.status_code == 303
    assert response["Location"] == GONE + "?state=s+p"
    assert not signed_in(leaving.browser)


def test_hint_still_works_when_it_has_ended_and_its_key_is_retired(leaving, time_machine):
    time_machine.move_to(timezone.now() + timedelta(days=2))
    SigningKey.objects.filter(algorithm="RS256").update(
        state=SigningKey.State.RETIRED, serve_until=timezone.now() - timedelta(hours=1)
    )
    assert logout(leaving, id_token_hint=leaving.hint, post_logout_redirect_uri=GONE).status_code == 303


@pytest.mark.compliance("OpenID Connect RP-Initiated Logout", "2")
def test_without_a_hint_the_person_is_asked(leaving):
    page = logout(leaving, client_id=leaving.program.client.client_id, post_logout_redirect_uri=GONE)
    assert page.status_code == 200
    assert b"app.example.com" in page.content
    assert signed_in(leaving.browser)
    address = f"/oauth2/logout?client_id={leaving.program.client.client_id}&post_logout_redirect_uri={GONE}"
    assert leaving.browser.post(address, {"decision": "sign-out"})["Location"] == GONE
    assert not signed_in(leaving.browser)


def test_hint_of_another_person_asks_too(leaving, browser_of, bob):
    browser_of(bob)
    assert logout(leaving, id_token_hint=leaving.hint).status_code == 200
    assert signed_in(leaving.browser)


@pytest.mark.compliance("OpenID Connect RP-Initiated Logout", "3")
@pytest.mark.parametrize(
    "uri",
    ["https://evil.example/", GONE + "/", "//evil.example", "\\\\evil.example", "javascript:alert(1)", GONE + "\r\n"],
)
def test_nobody_is_sent_to_an_address_that_is_not_registered(leaving, uri):
    response = logout(leaving, id_token_hint=leaving.hint, post_logout_redirect_uri=uri)
    assert (response.status_code, "Location" in response) == (400, False)
    assert signed_in(leaving.browser)


def test_forged_and_mismatched_hints_are_refused(leaving):
    other = jose.Signer(kid="x", algorithm="RS256", private_key=jose.generate("RS256"))
    forged = jose.encode({"sub": "x", "iss": "y", "aud": "z"}, other, typ="JWT")
    assert logout(leaving, id_token_hint=forged).status_code == 400
    assert logout(leaving, id_token_hint=leaving.tokens()["access_token"]).status_code == 400
    assert logout(leaving, id_token_hint=leaving.hint, client_id="cl_other").status_code == 400
    assert logout(leaving, client_id="cl_\0", post_logout_redirect_uri=GONE).status_code == 400
    assert logout(leaving, post_logout_redirect_uri=GONE).status_code == 400
    assert signed_in(leaving.browser)


def test_without_anything_the_person_is_asked_and_lands_at_home(leaving):
    assert logout(leaving).status_code == 200
    assert leaving.browser.post("/oauth2/logout", {"decision": "sign-out"})["Location"] == "/"


def test_page_that_asks_may_lead_back_to_the_client(leaving):
    page = logout(leaving, client_id=leaving.program.client.client_id, post_logout_redirect_uri=GONE)
    assert "form-action 'self' https://app.example.com" in page["Content-Security-Policy"]
