"""OpenID Connect Core 3.1.2.1: what the client wants the person to be asked, or not."""

import re
import time
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from django.core import mail
from django.test import Client as Browser
from django.utils import timezone

from authority.models import SignIn, SigningKey
from clients.models import Client
from tests.authority.endpoints.test_oidc import id_token_claims
from tests.authority.flows import Flow, returned
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
SECTION = pytest.mark.compliance("OpenID Connect Core", "3.1.2.1")


def sign_in(browser, person):
    answer = browser.post("/account/login/", {"login": person.email, "password": PASSWORD})
    assert answer.status_code == 302, answer.content


@pytest.fixture
def browser(alice):
    browser = Browser()
    sign_in(browser, alice)
    return browser


@pytest.fixture
def asked(web, browser):
    """Return a flow with these parameters, of a person who has allowed the client before."""
    returned(Flow(web, browser).decide())
    return lambda **parameters: Flow(web, browser, **parameters)


def error(response):
    back = returned(response)
    assert back["iss"]
    assert back["state"] == "a state"
    return back["error"]


@SECTION
def test_none_answers_at_once_when_nothing_is_left_to_ask(asked):
    assert returned(asked(prompt="none").open())["code"]


@SECTION
@pytest.mark.compliance("OpenID Connect Core", "3.1.2.6")
def test_none_is_told_what_is_missing(asked, web, browser):
    assert error(Flow(web, Browser(), prompt="none").open()) == "login_required"
    more = asked(prompt="none", scope="openid shipments:read shipments:write")
    assert error(more.open()) == "consent_required"
    assert error(asked(prompt="none", max_age="0").open()) == "login_required"
    assert error(asked(prompt="none login").open()) == "invalid_request"
    assert error(asked(prompt="register").open()) == "invalid_request"


@SECTION
def test_consent_is_asked_again_when_the_client_wants_it(asked):
    assert asked(prompt="consent").open().status_code == 200
    assert returned(asked(prompt="consent").decide("deny"))["error"] == "access_denied"


@SECTION
def test_login_is_really_done_again_by_password(asked, alice, time_machine):
    time_machine.move_to(timezone.now() + timedelta(minutes=5), tick=False)
    flow = asked(prompt="login")
    there = flow.open()
    assert there["Location"].startswith("/account/reauthenticate/?next=")
    assert flow.browser.get(there["Location"]).status_code == 200
    done = flow.browser.post(there["Location"], {"password": PASSWORD})
    back = returned(flow.browser.get(done["Location"]))
    _, claims = id_token_claims(flow.program.http, flow.exchange(back["code"]).json()["id_token"])
    assert claims["auth_time"] == int(time.time())
    assert claims["amr"] == ["pwd"]
    assert claims["acr"] == "urn:clientdesk:one-factor"


@SECTION
def test_whoever_goes_on_without_signing_in_again_is_led_there_again(asked):
    flow = asked(prompt="login")
    there = flow.open()
    next_address = unescape(there["Location"].partition("next=")[2])
    again = flow.browser.get(unquote(next_address))
    assert again["Location"].startswith("/account/reauthenticate/")


def mailed_code():
    return re.search(r"code: ([A-Z]{4}-[A-Z]{4})", mail.outbox[-1].body)[1]


@SECTION
def test_people_without_a_password_confirm_by_a_code_that_we_mail(web, alice):
    alice.set_unusable_password()
    alice.save()
    browser = Browser()
    browser.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    flow = Flow(web, browser, prompt="login")
    step = browser.get(flow.open()["Location"])
    assert step["Location"].startswith("/account/reauthenticate/code/?next=")
    at = step["Location"]
    assert b"Email me a code" in browser.get(at).content
    next_address = re.search(r'name="next" value="([^"]+)"', browser.get(at).content.decode())[1]
    browser.post(at, {"action": "send", "next": unescape(next_address)})
    assert b"not the code" in browser.post(at, {"code": "000000x", "next": unescape(next_address)}).content
    done = browser.post(at, {"code": mailed_code(), "next": unescape(next_address)})
    assert done.status_code == 302
    assert done["Location"].startswith("/oauth2/authorize?")
    assert browser.get(done["Location"]).status_code == 200  # the page that asks


def test_three_wrong_codes_end_the_code(web, alice):
    browser = Browser()
    browser.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    browser.post("/account/reauthenticate/code/", {"action": "send"})
    code = mailed_code()
    for _ in range(3):
        browser.post("/account/reauthenticate/code/", {"code": "x"})
    sent = len(mail.outbox)
    browser.post("/account/reauthenticate/code/", {"code": code})  # no longer under way, so that another is mailed
    assert len(mail.outbox) == sent + 1


@SECTION
def test_max_age_asks_for_a_fresh_sign_in(asked, time_machine):
    assert returned(asked(max_age="600").open())["code"]
    time_machine.move_to(timezone.now() + timedelta(seconds=601), tick=False)
    assert asked(max_age="600").open()["Location"].startswith("/account/reauthenticate/")
    assert returned(asked(max_age="3600").open())["code"]
    assert error(asked(max_age="ten").open()) == "invalid_request"


@pytest.mark.compliance("OpenID Connect Registration", "2")
def test_client_may_have_a_max_age_of_its_own(asked, web, time_machine):
    web.client.default_max_age = 60
    web.client.save()
    time_machine.move_to(timezone.now() + timedelta(seconds=61), tick=False)
    assert asked().open()["Location"].startswith("/account/reauthenticate/")
    assert returned(asked(max_age="600").open())["code"]


@SECTION
def test_person_may_choose_the_account(asked, browser):
    page = asked(prompt="select_account").open()
    assert page.status_code == 200
    assert b"alice@acme.example" in page.content
    go_on = unescape(re.search(r'href="(/oauth2/authorize\?[^"]+)"', page.content.decode())[1])
    assert returned(browser.get(go_on))["code"]


@SECTION
def test_choosing_another_account_signs_out_first(asked, browser, bob):
    page = asked(prompt="select_account").open()
    switch = unescape(re.search(r'action="(/oauth2/authorize/switch[^"]+)"', page.content.decode())[1])
    there = browser.post(switch)
    assert there["Location"].startswith("/account/login/?next=")
    assert "_auth_user_id" not in browser.session
    sign_in(browser, bob)
    page = browser.get(parse_qs(urlsplit(there["Location"]).query)["next"][0])
    assert b"bob@acme.example" in page.content  # asked for consent, not for an account again


@SECTION
def test_hint_of_another_person_is_never_answered_for_this_one(asked, web, bob):
    theirs = Browser()
    sign_in(theirs, bob)
    hint = Flow(web, theirs).tokens()["id_token"]
    assert error(asked(prompt="none", id_token_hint=hint).open()) == "login_required"
    page = asked(id_token_hint=hint).open()
    assert b"expects another account" in page.content
    assert b"Go on as" not in page.content


@SECTION
def test_hint_holds_when_it_has_ended_and_its_key_is_retired(asked, web, browser, time_machine):
    hint = asked().tokens()["id_token"]
    time_machine.move_to(timezone.now() + timedelta(days=2))
    SigningKey.objects.filter(algorithm="RS256").update(
        state=SigningKey.State.RETIRED, serve_until=timezone.now() - timedelta(hours=1)
    )
    assert returned(asked(prompt="none", id_token_hint=hint).open())["code"]
    assert error(asked(id_token_hint="x.y.z").open()) == "invalid_request"


@SECTION
def test_sign_in_page_names_the_app_that_asks(web):
    sign_in = Flow(web, Browser()).open()["Location"]
    named = (
        f"<strong>{web.client.name}</strong> asks you to sign in. It belongs to <strong>{web.client.consumer}</strong>."
    )
    assert named in " ".join(Browser().get(sign_in).content.decode().split())
    refused = Browser().post(
        "/account/login/code/", {"email": "nobody", "next": parse_qs(urlsplit(sign_in).query)["next"]}
    )
    assert named in " ".join(refused.content.decode().split())
    Client.objects.update(disabled_at=timezone.now())
    elsewhere = [
        "",
        "/",
        "//[",
        "/oauth2/authorize",
        "/oauth2/authorize?client_id=%00",
        "/oauth2/authorize?client_id=cl_no",
    ]
    for target in [*elsewhere, f"/oauth2/authorize?client_id={web.client.client_id}"]:
        page = Browser().get("/account/login/", {"next": target})
        assert page.status_code == 200
        assert "asks you to sign in" not in page.content.decode()


@SECTION
def test_login_hint_is_typed_in_already(web):
    flow = Flow(web, Browser(), login_hint="maya@acme.example")
    page = flow.browser.get(flow.open()["Location"]).content.decode()
    assert page.count('value="maya@acme.example"') == 2
    flow = Flow(web, Browser(), login_hint='"><script>alert(1)</script>@x')
    assert "<script>alert" not in flow.browser.get(flow.open()["Location"]).content.decode()


@SECTION
@pytest.mark.parametrize(
    "parameters",
    [
        *(
            {"display": "page"},
            {"display": "popup"},
            {"ui_locales": "de fr"},
            {"claims_locales": "de"},
            {"acr_values": "a b"},
        ),
        *({"claims": "{not json"}, {"unknown": "x"}, {"ticket": "forged"}),
    ],
    ids=str,
)
def test_what_we_do_not_serve_is_no_error(asked, parameters):
    assert returned(asked(**parameters).open())["code"]


@pytest.mark.compliance("OpenID Connect Core", "12.2")
def test_refreshed_id_token_tells_of_the_first_sign_in(asked, time_machine):
    flow = asked()
    tokens = flow.tokens()
    _, first = id_token_claims(flow.program.http, tokens["id_token"])
    time_machine.move_to(timezone.now() + timedelta(minutes=10))
    _, second = id_token_claims(flow.program.http, flow.refresh(tokens["refresh_token"]).json()["id_token"])
    assert first["auth_time"] == second["auth_time"]
    assert first["sid"] == second["sid"]
    assert SignIn.objects.filter(sid=first["sid"]).exists()
