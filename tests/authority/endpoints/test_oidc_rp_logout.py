"""OpenID Connect RP-Initiated Logout: a client asks to sign a person out."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
from django.test import Client as Browser
from django.utils import timezone

from authority.models import SigningKey
from core.jose import jws
from tests.authority.conftest import FORM

pytestmark = pytest.mark.django_db
GONE = "https://app.example.com/signed-out"


@pytest.fixture
def leaving(flow):
    flow.program.client.post_logout_redirect_uris = [GONE]
    flow.program.client.save()
    flow.hint = flow.tokens()["id_token"]
    return flow


def logout(flow, **parameters):
    return flow.browser.get("/oauth2/logout", parameters)


def confirm(flow, page):
    action = re.search(r'action="(/oauth2/logout/decision[^"]*)"', page.content.decode())[1]
    return flow.browser.post(unescape(action))


def signed_in(browser):
    return "_auth_user_id" in browser.session


@pytest.mark.compliance("OpenID Connect RP-Initiated Logout", "2")
def test_genuine_hint_signs_out_at_once_and_leads_back_with_state(leaving):
    response = logout(leaving, id_token_hint=leaving.hint, post_logout_redirect_uri=GONE, state="s p")
    assert response.status_code == 303
    assert response["Location"] == GONE + "?state=s+p"
    assert not signed_in(leaving.browser)


@pytest.mark.compliance("OpenID Connect RP-Initiated Logout", "2")
def test_without_a_state_none_is_made_up(leaving):
    assert logout(leaving, id_token_hint=leaving.hint, post_logout_redirect_uri=GONE)["Location"] == GONE


@pytest.mark.compliance("OpenID Connect RP-Initiated Logout", "2")
def test_without_an_address_the_person_stays_with_us(leaving):
    assert logout(leaving, id_token_hint=leaving.hint, state="x")["Location"] == "/"
    assert not signed_in(leaving.browser)


@pytest.mark.compliance("OpenID Connect RP-Initiated Logout", "2")
def test_state_alone_asks_the_person_and_leads_nowhere(leaving):
    page = logout(leaving, state="x")
    assert page.status_code == 200
    assert confirm(leaving, page)["Location"] == "/"
    assert not signed_in(leaving.browser)


@pytest.mark.compliance("OpenID Connect RP-Initiated Logout", "4")
@pytest.mark.parametrize("part", [0, 1, 2], ids=["header", "claims", "signature"])
def test_hint_that_was_changed_is_refused(leaving, part):
    parts = leaving.hint.split(".")
    parts[part] = parts[part][:10] + ("A" if parts[part][10] != "A" else "B") + parts[part][11:]
    response = logout(leaving, id_token_hint=".".join(parts), post_logout_redirect_uri=GONE)
    assert (response.status_code, "Location" in response) == (400, False)
    assert signed_in(leaving.browser)


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
    assert confirm(leaving, page)["Location"] == GONE
    assert not signed_in(leaving.browser)


def test_hint_of_another_person_asks_too(leaving, browser_of, bob):
    browser_of(bob)
    assert logout(leaving, id_token_hint=leaving.hint).status_code == 200
    assert signed_in(leaving.browser)


@pytest.mark.compliance("OpenID Connect RP-Initiated Logout", "3")
@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/",
        GONE + "/",
        GONE + "?added=1",
        "//evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        GONE + "\r\n",
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_registered(leaving, uri):
    response = logout(leaving, id_token_hint=leaving.hint, post_logout_redirect_uri=uri)
    assert (response.status_code, "Location" in response) == (400, False)
    assert signed_in(leaving.browser)


def test_forged_and_mismatched_hints_are_refused(leaving):
    other = jws.Signer(kid="x", algorithm="RS256", private_key=jws.generate("RS256"))
    forged = jws.encode({"sub": "x", "iss": "y", "aud": "z"}, other, typ="JWT")
    assert logout(leaving, id_token_hint=forged).status_code == 400
    assert logout(leaving, id_token_hint=leaving.tokens()["access_token"]).status_code == 400
    assert logout(leaving, id_token_hint=leaving.hint, client_id="cl_other").status_code == 400
    assert logout(leaving, client_id="cl_\0", post_logout_redirect_uri=GONE).status_code == 400
    assert logout(leaving, post_logout_redirect_uri=GONE).status_code == 400
    assert signed_in(leaving.browser)


def test_without_anything_the_person_is_asked_and_lands_at_home(leaving):
    assert confirm(leaving, logout(leaving))["Location"] == "/"


def test_page_that_asks_may_lead_back_to_the_client(leaving):
    page = logout(leaving, client_id=leaving.program.client.client_id, post_logout_redirect_uri=GONE)
    assert "form-action 'self' https://app.example.com" in page["Content-Security-Policy"]


# -- Requests from elsewhere ------------------------------------------------------------------------------------------


@pytest.mark.compliance("OpenID Connect RP-Initiated Logout", "2")
def test_request_by_post_from_another_site_is_served(leaving):
    strict = Browser(enforce_csrf_checks=True)
    form = urlencode({"id_token_hint": leaving.hint, "post_logout_redirect_uri": GONE, "x": "y"})
    answer = strict.post("/oauth2/logout", form, content_type=FORM)
    assert answer.status_code == 303
    assert leaving.browser.get(answer["Location"])["Location"] == GONE
    assert not signed_in(leaving.browser)


def test_answer_needs_our_own_form(leaving, alice):
    strict = Browser(enforce_csrf_checks=True)
    strict.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert strict.post("/oauth2/logout/decision").status_code == 403
    assert signed_in(strict)


@pytest.mark.parametrize("method", ["put", "delete", "patch", "head"])
@pytest.mark.parametrize(
    "path", ["/oauth2/logout", "/oauth2/authorize", "/.well-known/openid-configuration", "/.well-known/jwks.json"]
)
def test_other_methods_are_refused_as_such(method, path):
    answer = getattr(Browser(enforce_csrf_checks=True), method)(path)
    assert answer.status_code == (200 if method == "head" and "well-known" in path else 405)


@pytest.mark.compliance("OpenID Connect RP-Initiated Logout", "3")
def test_loopback_address_may_have_any_port(leaving):
    leaving.program.client.post_logout_redirect_uris = ["http://127.0.0.1/bye"]
    leaving.program.client.save()
    there = logout(leaving, id_token_hint=leaving.hint, post_logout_redirect_uri="http://127.0.0.1:51004/bye")
    assert there["Location"] == "http://127.0.0.1:51004/bye"


def test_operators_may_vouch_for_a_client_that_then_needs_no_question(leaving):
    mine = {"client_id": leaving.program.client.client_id, "post_logout_redirect_uri": GONE}
    assert logout(leaving, **mine).status_code == 200
    leaving.program.client.skip_logout_consent = True
    leaving.program.client.save()
    assert logout(leaving, client_id=mine["client_id"]).status_code == 200  # leads nowhere of its own
    leaving.program.client.disabled_at = timezone.now()
    leaving.program.client.save()
    assert logout(leaving, **mine).status_code == 200  # no longer
    leaving.program.client.disabled_at = None
    leaving.program.client.save()
    assert logout(leaving, **mine)["Location"] == GONE


def test_repeated_parameters_are_refused(leaving):
    page = leaving.browser.get(f"/oauth2/logout?id_token_hint={leaving.hint}&state=a&state=b")
    assert page.status_code == 400
    assert signed_in(leaving.browser)
