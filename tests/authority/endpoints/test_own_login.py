"""The provider's own login and consent, by Ory's challenges: what a browser and the provider's server do in turn."""

from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.conf import settings
from django.test import Client as Browser
from django.utils import timezone

from authority.authorization import challenges, login_sessions
from authority.keys import signing_keys
from authority.models import Challenge, Consent, LoginSession, LogoutNotice, SignIn
from authority.tasks import delete_expired
from clients.models import ApiRole, SignInBy
from consumers.actions.people import update_person
from consumers.audit import SYSTEM
from consumers.models import User
from core.jose import jws
from tests.authority.conftest import FORM
from tests.authority.flows import BACK, Flow, leads_to, returned
from tests.authority.own_login import CONSENT, LOGIN, challenge_of, path_of
from tests.factories import AccessFactory, ApiFactory, ClientFactory, ScopeFactory, give_secret

pytestmark = pytest.mark.django_db
ALL = ("openid", "shipments:read")
REMEMBERED = {"remember": True, "remember_for": 3600}


def claims_of(token, typ="at+jwt"):
    return jws.decode(token, signing_keys.verification_key, typ=typ)


def exchanged(flow, response):
    answer = flow.exchange(returned(response)["code"])
    assert answer.status_code == 200, answer.content
    return answer.json()


def wait(time_machine, time):
    time_machine.move_to(timezone.now() + time)


def error_of(response):
    told = returned(response)
    return told["error"], told.get("error_description", "")


# -- From the first page to the tokens --------------------------------------------------------------------------------


def test_login_and_consent_of_the_provider_make_tokens_that_say_what_they_said(own, login, own_api):
    ApiRole.objects.create(api=own_api, value="dispatcher", name="Dispatcher")
    own.request["login_hint"], own.request["ui_locales"] = "dana@acme.example", "de en"
    challenge = challenge_of(own.open(), LOGIN)
    asked = login.request("login", challenge).json()
    assert asked["challenge"] == challenge
    assert (asked["skip"], asked["subject"]) == (False, "")
    assert asked["requested_scope"] == ["openid", "shipments:read"]
    assert asked["requested_access_token_audience"] == []
    assert asked["client"]["client_id"] == own.program.client.client_id
    assert "client_secret" not in asked["client"]
    assert asked["oidc_context"] == {
        "acr_values": [],
        "display": "",
        "id_token_hint_claims": {},
        "login_hint": "dana@acme.example",
        "ui_locales": ["de", "en"],
    }
    assert path_of(asked["request_url"]).startswith("/oauth2/authorize?")
    assert own.request["state"].replace(" ", "+") in asked["request_url"]

    said = {"acr": "urn:example:mfa", "amr": ["pwd", "mfa"], "context": {"from": "the login"}}
    page = own.browser.get(own.browser.get(login.accept_login(challenge, **said))["Location"])
    consent = challenge_of(page, CONSENT)
    wanted = login.request("consent", consent).json()
    assert (
        wanted.items()
        >= {
            "challenge": consent,
            "skip": False,
            "subject": "user-4711",
            "login_challenge": challenge,
            "login_session_id": asked["session_id"],
            "device_challenge_id": "",
            **said,
        }.items()
    )

    session = {"access_token": {"plan": "gold", "roles": ["dispatcher"]}, "id_token": {"locale": "de", "name": "Dana"}}
    tokens = exchanged(own, own.browser.get(login.accept_consent(consent, session=session)))
    access_token, id_token = claims_of(tokens["access_token"]), claims_of(tokens["id_token"], "JWT")
    assert access_token["sub"] == id_token["sub"] == "user-4711"
    assert access_token["ext"] == {"plan": "gold"}
    assert access_token["roles"] == ["dispatcher"]
    assert (
        id_token.items()
        >= {
            "acr": "urn:example:mfa",
            "amr": ["pwd", "mfa"],
            "locale": "de",
            "sid": asked["session_id"],
        }.items()
    )
    assert own.program.introspect(tokens["access_token"])["ext"] == {"plan": "gold"}
    userinfo = own.browser.get("/oauth2/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert userinfo.json().items() >= {"sub": "user-4711", "locale": "de", "name": "Dana"}.items()

    person = User.objects.get(login_subject="user-4711")
    assert (person.is_end_user, person.has_address) == (True, False)
    assert "_auth_user_id" not in own.browser.session


def test_refresh_carries_the_claims_of_the_login_on(own, login):
    own.program.client.grant_types = ["authorization_code", "refresh_token"]
    own.program.client.save()
    own.request["scope"] = "openid offline_access shipments:read"
    own.program.client.scopes = [*own.program.client.scopes, "offline_access"]
    own.program.client.save()
    session = {"access_token": {"plan": "gold"}, "id_token": {"locale": "de"}}
    granted = ("openid", "offline_access", "shipments:read")
    tokens = exchanged(own, login.sign_in(own, grant_scope=granted, session=session))
    fresh = own.refresh(tokens["refresh_token"]).json()
    assert claims_of(fresh["access_token"])["ext"] == {"plan": "gold"}
    assert claims_of(fresh["id_token"], "JWT")["locale"] == "de"


def test_only_the_granted_scopes_and_audiences_are_in_the_token(own, login, acme, own_api):
    tokens = exchanged(own, login.sign_in(own, grant_scope=("shipments:read",)))
    assert claims_of(tokens["access_token"])["scope"] == "shipments:read"
    assert "id_token" not in tokens
    assert error_of(login.sign_in(own, grant_scope=())) == ("access_denied", "None of the scopes was allowed.")
    own.request["resource"] = own_api.identifier
    login.sign_in(own)
    assert SignIn.objects.count() == 2


def test_the_first_sign_in_makes_the_person_and_later_ones_do_not(own, login):
    login.sign_in(own)
    login.sign_in(Flow(own.program, Browser()))
    assert User.objects.filter(login_subject="user-4711").count() == 1


@pytest.mark.parametrize("mode", ["form_post", "fragment"])
def test_response_modes_lead_back_alike(own, login, mode):
    own.request["response_mode"] = mode
    page = login.sign_in(own)
    assert b"code" in page.content if mode == "form_post" else returned(page, "fragment")["code"]


def test_pushed_requests_go_the_same_way(own, login):
    pushed = own.program.post("/oauth2/par", own.request).json()["request_uri"]
    own.request = {"client_id": own.program.client.client_id, "request_uri": pushed, "redirect_uri": BACK}
    opened = own.open()
    page = own.browser.get(opened["Location"])
    back = own.browser.get(login.accept_login(challenge_of(page, LOGIN)))
    done = login.accept_consent(challenge_of(own.browser.get(back["Location"]), CONSENT))
    assert exchanged(own, own.browser.get(done))["id_token"]
    assert b"request_uri" in own.browser.get(done).content  # it was answered


# -- What the login may say no to -------------------------------------------------------------------------------------


def test_rejections_reach_the_client_without_what_is_for_developers(own, login):
    said = {
        "error": "access_denied",
        "error_description": 'Locked: "until\nnoon" – so',
        "error_hint": "Ask us.",
        "error_debug": "row 7 of accounts",
        "status_code": 403,
    }
    for kind, address in (("login", LOGIN), ("consent", CONSENT)):
        page = own.open() if kind == "login" else login.begin(own)
        answered = login.answer(kind, "reject", challenge_of(page, address), said)
        response = own.browser.get(path_of(answered.json()["redirect_to"]))
        told = returned(response)
        assert (told["error"], told["state"]) == ("access_denied", "a state")
        assert told["error_description"] == "Locked: 'until noon' ? so Ask us."
        assert "accounts" not in leads_to(response)


def test_without_words_a_rejection_says_request_denied(own, login):
    answered = login.answer("login", "reject", challenge_of(own.open(), LOGIN), {})
    assert error_of(own.browser.get(path_of(answered.json()["redirect_to"])))[0] == "request_denied"


# -- The verifier -----------------------------------------------------------------------------------------------------


def test_a_verifier_serves_one_browser_once_for_its_own_request(own, login, web):
    challenge = challenge_of(own.open(), LOGIN)
    back = login.accept_login(challenge)
    victim = Browser()  # led here by an attacker, whom the victim would then be signed in as
    assert error_of(victim.get(back))[0] == "access_denied"
    with_own = Flow(web, victim)
    challenge_of(with_own.open(), LOGIN)  # with a cookie of the victim's own
    assert error_of(victim.get(back))[0] == "access_denied"
    other = Flow(web, own.browser, state="another")
    verifier = parse_qs(urlsplit(back).query)["login_verifier"][0]
    stolen = own.browser.get(f"{other.address}&login_verifier={verifier}")
    assert error_of(stolen) == ("access_denied", "The answer of the login is of another request.")
    assert not LoginSession.objects.exists()
    assert own.browser.get(back).status_code == 303
    assert error_of(own.browser.get(back))[0] == "access_denied"
    assert error_of(own.browser.get(f"{own.address}&login_verifier=cdcv_nothing"))[0] == "access_denied"


def test_a_verifier_of_another_clients_request_is_refused(own, login, acme):
    other = ClientFactory(consumer=acme, template="web", scopes=["openid", "shipments:read"])
    theirs = Flow(type(own.program)(other, give_secret(other)[1]), own.browser)
    back = login.accept_login(challenge_of(theirs.open(), LOGIN))
    verifier = parse_qs(urlsplit(back).query)["login_verifier"][0]
    assert error_of(own.browser.get(f"{own.address}&login_verifier={verifier}"))[0] == "access_denied"


def test_challenges_and_verifiers_end_after_half_an_hour(own, login, time_machine):
    first, second = challenge_of(own.open(), LOGIN), challenge_of(own.open(), LOGIN)
    back = login.accept_login(second)
    wait(time_machine, timedelta(minutes=31))
    assert login.request("login", first).status_code == 404
    assert error_of(own.browser.get(back))[0] == "access_denied"
    delete_expired()
    assert not Challenge.objects.exists()


def test_a_consent_of_another_person_or_browser_is_refused(own, login):
    consent = challenge_of(login.begin(own), CONSENT)
    back = login.accept_consent(consent)
    assert leads_to(Browser().get(back)).startswith(LOGIN)
    login.begin(own, subject="somebody-else")  # in another tab
    assert leads_to(own.browser.get(back)).startswith(LOGIN), "whoever is there now is asked again"
    assert not Consent.objects.exists()


# -- What is remembered -----------------------------------------------------------------------------------------------


def test_a_remembered_login_is_skipped_and_keeps_its_session(own, login):
    challenge = challenge_of(own.open(), LOGIN)
    sid = login.request("login", challenge).json()["session_id"]
    own.browser.get(login.accept_login(challenge, acr="urn:example:mfa", amr=["mfa"], **REMEMBERED))
    assert own.browser.cookies[settings.LOGIN_COOKIE_NAME]["max-age"] == 3600
    session = LoginSession.objects.get()
    challenge = challenge_of(own.open(), LOGIN)
    asked = login.request("login", challenge).json()
    assert (asked["skip"], asked["subject"], asked["session_id"]) == (True, "user-4711", sid)
    refused = login.answer("login", "accept", challenge, {"subject": "somebody-else"})
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    page = own.browser.get(own.browser.get(login.accept_login(challenge))["Location"])  # as Ory's samples answer it
    tokens = exchanged(own, own.browser.get(login.accept_consent(challenge_of(page, CONSENT))))
    told = claims_of(tokens["id_token"], "JWT")
    assert (told["acr"], told["sid"]) == ("urn:example:mfa", sid)
    assert told["auth_time"] == int(session.authenticated_at.timestamp())
    kept = LoginSession.objects.get()
    assert (kept.pk, kept.expires_at, kept.is_remembered) == (session.pk, session.expires_at, True)


def test_a_skipped_login_can_make_the_session_last_longer(own, login, time_machine):
    login.begin(own, **REMEMBERED)
    wait(time_machine, timedelta(minutes=50))
    longer = {"extend_session_lifespan": True, "remember_for": 3600}
    own.browser.get(login.accept_login(challenge_of(own.open(), LOGIN), **longer))
    assert own.browser.cookies[settings.LOGIN_COOKIE_NAME]["max-age"] == 3600
    wait(time_machine, timedelta(minutes=50))
    assert login.request("login", challenge_of(own.open(), LOGIN)).json()["skip"]
    wait(time_machine, timedelta(minutes=20))
    assert not login.request("login", challenge_of(own.open(), LOGIN)).json()["skip"]


def test_what_is_not_remembered_serves_one_request(own, login):
    login.sign_in(own)
    assert not login.request("login", challenge_of(own.open(), LOGIN)).json()["skip"]
    own.request["prompt"] = "none"
    assert error_of(own.open())[0] == "login_required"


@pytest.mark.parametrize(
    "asked", [{"prompt": "login"}, {"prompt": "select_account"}, {"max_age": "60"}, {"prompt": "login", "max_age": "0"}]
)
def test_requests_that_want_a_fresh_login_get_one(own, login, time_machine, asked):
    login.begin(own, **REMEMBERED)
    wait(time_machine, timedelta(seconds=120))
    own.request |= asked
    challenge = challenge_of(own.open(), LOGIN)
    assert not login.request("login", challenge).json()["skip"]
    page = own.browser.get(own.browser.get(login.accept_login(challenge))["Location"])
    assert challenge_of(page, CONSENT)
    own.request["prompt"] = "none"
    if "max_age" in asked:
        wait(time_machine, timedelta(seconds=120))
        assert error_of(own.open())[0] == "login_required"


def test_the_person_of_a_hint_signs_in_and_nobody_else(own, login):
    hint = exchanged(own, login.sign_in(own, REMEMBERED))["id_token"]
    own.request["id_token_hint"] = hint
    challenge = challenge_of(own.open(), LOGIN)
    asked = login.request("login", challenge).json()
    assert (asked["skip"], asked["oidc_context"]["id_token_hint_claims"]["sub"]) == (True, "user-4711")
    login.begin(Flow(own.program, own.browser, state="another"), subject="user-4711")
    del own.request["id_token_hint"]
    own.request["prompt"] = "login"
    login.begin(own, subject="somebody-else", **REMEMBERED)
    own.request |= {"id_token_hint": hint}
    del own.request["prompt"]
    challenge = challenge_of(own.open(), LOGIN)
    assert not login.request("login", challenge).json()["skip"]
    assert error_of(own.browser.get(login.accept_login(challenge, subject="a-third")))[0] == "login_required"


def test_prompt_none_asks_the_login_where_it_is_remembered_and_nobody_where_not(own, login):
    own.request["prompt"] = "none"
    assert error_of(own.open())[0] == "login_required"
    del own.request["prompt"]
    login.begin(own, **REMEMBERED)
    own.request["prompt"] = "none"
    page = login.begin(own)
    assert error_of(page)[0] == "consent_required"
    del own.request["prompt"]
    login.sign_in(own, remember=True)
    own.request["prompt"] = "none"
    consent = challenge_of(login.begin(own), CONSENT)
    assert login.request("consent", consent).json()["skip"]
    assert exchanged(own, own.browser.get(login.accept_consent(consent)))["id_token"]
    consent = challenge_of(login.begin(own), CONSENT)
    assert login.request("consent", consent).json()["skip"], "accepting what was skipped forgets nothing"


@pytest.mark.parametrize(
    ("said", "after", "skip"),
    [
        ({"remember": True}, timedelta(days=900), True),
        ({"remember": True, "remember_for": 60}, timedelta(seconds=30), True),
        ({"remember": True, "remember_for": 60}, timedelta(seconds=90), False),
        ({}, timedelta(0), False),
    ],
)
def test_a_consent_is_remembered_as_long_as_it_says(own, login, time_machine, said, after, skip):
    login.sign_in(own, **said)
    wait(time_machine, after)
    consent = challenge_of(login.begin(own), CONSENT)
    assert login.request("consent", consent).json()["skip"] is skip


# -- Persons, sessions and what is not theirs --------------------------------------------------------------------------


def test_another_person_in_the_browser_ends_the_session_of_the_first(own, login):
    own.program.client.backchannel_logout_uri = "https://app.example.com/backchannel"
    own.program.client.save()
    login.sign_in(own, REMEMBERED)
    own.request["prompt"] = "login"
    login.begin(own, subject="somebody-else")
    assert [each.user.subject for each in LoginSession.objects.all()] == ["somebody-else"]
    assert LogoutNotice.objects.get().client == own.program.client


def test_a_deactivated_person_is_refused_and_signed_out(own, login, olga):
    login.sign_in(own, REMEMBERED)
    person = User.objects.get(login_subject="user-4711")
    update_person(person=person, values={"is_active": False}, actor=SYSTEM)
    assert not LoginSession.objects.exists()
    challenge = challenge_of(own.open(), LOGIN)
    assert not login.request("login", challenge).json()["skip"]
    assert error_of(own.browser.get(login.accept_login(challenge)))[0] == "access_denied"


def test_who_is_signed_in_to_the_portal_stays_so_and_is_not_taken_for_anybody(own, login, browser_of, alice):
    browser_of(alice)
    exchanged(own, login.sign_in(own))
    assert own.browser.session["_auth_user_id"] == str(alice.pk)
    assert Consent.objects.get().user.subject == "user-4711"


def test_our_consent_page_takes_the_claims_of_the_login(own, login, own_api):
    own_api.consent_url = ""
    own_api.save()
    session = {"access_token": {"plan": "gold"}, "id_token": {"locale": "de"}}
    page = login.begin(own, session=session, **REMEMBERED)
    assert b"Allow" in page.content
    own.open, opened = lambda: page, own.open
    tokens = exchanged(own, own.decide())
    assert claims_of(tokens["access_token"])["ext"] == {"plan": "gold"}
    own.open = opened
    assert "ext" not in claims_of(exchanged(own, login.begin(own))["access_token"]), "skipped, and nothing was said"
    tokens = exchanged(own, login.begin(own, session=session))
    assert claims_of(tokens["id_token"], "JWT")["locale"] == "de"


def test_what_the_login_says_for_one_request_stays_out_of_another_in_the_same_browser(own, login, acme, own_api):
    other = ClientFactory(consumer=acme, template="web", scopes=["openid", "shipments:read"])
    theirs = Flow(type(own.program)(other, give_secret(other)[1]), own.browser)
    said = {name: {"context": name, "session": {"access_token": {"for": name}}} for name in ("first", "second")}
    page = own.browser.get(login.accept_login(challenge_of(own.open(), LOGIN), **said["first"]))
    login.begin(theirs, **said["second"])  # in another tab, before the first goes on
    consent = challenge_of(own.browser.get(page["Location"]), CONSENT)
    assert login.request("consent", consent).json()["context"] == "first"
    tokens = exchanged(own, own.browser.get(login.accept_consent(consent)))
    assert claims_of(tokens["access_token"])["ext"] == {"for": "first"}


def test_our_consent_page_can_be_refused(own, login, own_api):
    own_api.consent_url = ""
    own_api.save()
    page = login.begin(own)
    own.open = lambda: page
    assert error_of(own.decide("deny"))[0] == "access_denied"


def test_apis_with_different_people_are_refused_together(own, acme):
    other = ApiFactory(identifier="https://api.example.com/billing", name="Billing")
    AccessFactory(consumer=acme, scope=ScopeFactory(api=other, value="billing:read"))
    own.program.client.scopes = [*own.program.client.scopes, "billing:read"]
    own.program.client.save()
    own.request["scope"] = "openid shipments:read billing:read"
    assert error_of(own.open())[0] == "invalid_scope"


def test_devices_are_not_signed_in_by_the_login(own_api, acme, acme_access):
    device = ClientFactory(consumer=acme, template="device", scopes=["openid", "shipments:read"])
    asked = {"client_id": device.client_id, "scope": "openid shipments:read"}
    answer = Browser().post("/oauth2/device_authorization", urlencode(asked), FORM)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


def test_members_lose_what_they_had_when_the_api_changes_to_its_own_login(flow, own_api):
    own_api.sign_in = SignInBy.MEMBERS
    own_api.save()
    flow.program.client.scopes = [*flow.program.client.scopes, "offline_access"]
    flow.program.client.grant_types = ["authorization_code", "refresh_token"]
    flow.program.client.save()
    flow.request["scope"] = "openid offline_access shipments:read"
    refresh_token = flow.tokens()["refresh_token"]
    own_api.sign_in = SignInBy.OWN_LOGIN
    own_api.save()
    assert flow.refresh(refresh_token).json()["error"] == "invalid_grant"


def test_erasing_a_person_ends_their_session(own, login):
    login.sign_in(own, REMEMBERED)
    User.objects.get(login_subject="user-4711").delete()
    assert not LoginSession.objects.exists()
    assert not login.request("login", challenge_of(own.open(), LOGIN)).json()["skip"]


def test_a_session_of_another_login_is_not_taken(own, login, acme):
    login.begin(own, **REMEMBERED)
    elsewhere = "https://login.example/other"
    other = ApiFactory(
        identifier="https://api.example.com/billing", name="Billing", sign_in=SignInBy.OWN_LOGIN, login_url=elsewhere
    )
    AccessFactory(consumer=acme, scope=ScopeFactory(api=other, value="billing:read"))
    own.program.client.scopes = [*own.program.client.scopes, "billing:read"]
    own.program.client.save()
    own.request["scope"] = "openid billing:read"
    location = leads_to(own.open())
    assert location.startswith(f"{elsewhere}?login_challenge=")
    asked = login.request("login", parse_qs(urlsplit(location).query)["login_challenge"][0]).json()
    assert not asked["skip"]


def test_a_key_that_was_planted_in_the_browser_is_replaced_at_the_login(own, login):
    planted = login_sessions.new_key()
    own.browser.cookies[settings.LOGIN_COOKIE_NAME] = planted
    login.begin(own, **REMEMBERED)
    assert own.browser.cookies[settings.LOGIN_COOKIE_NAME].value != planted
    attacker = Browser()
    attacker.cookies[settings.LOGIN_COOKIE_NAME] = planted
    assert not login.request("login", challenge_of(Flow(own.program, attacker).open(), LOGIN)).json()["skip"]


def test_strangers_open_only_so_many_sign_ins(own, login, monkeypatch):
    login.begin(own, **REMEMBERED)
    monkeypatch.setattr(challenges, "PER_NETWORK", 2)
    stranger = Flow(own.program, Browser())
    assert challenge_of(stranger.open(), LOGIN)
    assert error_of(stranger.open())[0] == "temporarily_unavailable"
    assert challenge_of(own.open(), LOGIN), "whoever is signed in is not counted by network"


def test_the_oldest_of_too_many_open_sign_ins_make_room(own, login, monkeypatch):
    monkeypatch.setattr(challenges, "MAX_OPEN", 2)
    monkeypatch.setattr(challenges, "LOOKED_AT", 1)
    first, *others = (challenge_of(own.open(), LOGIN) for _ in range(4))
    assert login.request("login", first).status_code == 404
    assert login.request("login", others[-1]).status_code == 200


def test_challenge_names_no_person_in_the_database(own, login):
    login.begin(own, context={"secret": "of the login"})
    assert timezone.now() < Challenge.objects.first().expires_at
    for row in Challenge.objects.all():
        kept = bytes(row.encrypted_request) + bytes(row.encrypted_answer)
        assert b"user-4711" not in kept
        assert b"of the login" not in kept
