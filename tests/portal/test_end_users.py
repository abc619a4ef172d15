"""End users: every address of the portal, their own page, and what ends there."""

import re
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from authority.authorization import login_sessions
from authority.models import Consent, LoginSession, TokenFamily
from clients.models import Api, SignInBy
from consumers import emails
from consumers.actions.erasure import erase_person
from consumers.audit import SYSTEM
from consumers.models import Event, User
from core.credentials import token_digest
from core.errors import Refusal
from portal.end_user_gate import OPEN
from tests.authority.conftest import web  # noqa: F401  # a fixture
from tests.authority.signed_in import FIREFOX, end_user, sign_in_at
from tests.factories import EmailAddress, MembershipFactory, sign_in_to
from tests.portal.test_every_address import paths, patterns, read  # noqa: F401  # a fixture
from tests.portal.test_who_may_open_what import address  # noqa: F401  # a fixture

pytestmark = pytest.mark.django_db
WORKSPACE_WORDS = re.compile(r"workspace|operator|members?\b|consumer|access token|email address|management api", re.I)


@pytest.fixture
def ada(db):
    return end_user("Ada Lind", "ada@home.example")


@pytest.fixture
def app(web):  # noqa: F811
    return web.client


@pytest.fixture
def allowed(app, ada):
    """Ada lets the app use her account, in which she is signed in."""
    sign_in_at(app, ada, days=2)
    return Consent.objects.create(client=app, user=ada, scopes=["openid", "email", "shipments:read"])


@pytest.fixture
def own_login(api, settings):
    """Sign a person in by the provider's own login; return their browser and the session."""

    def begin(user, **fields):
        Api.objects.filter(pk=api.pk).update(sign_in=SignInBy.OWN_LOGIN, login_url="https://login.example/")
        key, browser = login_sessions.new_key(), Browser()
        session = LoginSession.objects.create(
            digest=token_digest(key),
            user=user,
            api=api,
            authenticated_at=timezone.now(),
            user_agent=FIREFOX,
            is_remembered=True,
            expires_at=timezone.now() + timedelta(days=1),
        )
        browser.cookies[settings.LOGIN_COOKIE_NAME] = key
        return browser, session

    return begin


# -- What opens -------------------------------------------------------------------------------------------------------


def test_end_user_finds_no_page_of_the_portal(paths, ada):  # noqa: F811
    browser = Browser(raise_request_exception=False)
    sign_in_to(browser, ada)
    for name, path, _ in paths:
        for ask in (browser.get, browser.post):
            if name in OPEN:
                continue
            answer = ask(path)
            read(answer)
            assert answer.status_code == 404, (name, path)
    assert User.objects.get(pk=ada.pk).is_end_user
    found = browser.get("/consumers/acme/").text
    assert "Go to your apps" in found
    assert found.replace("/acme/", "").count("Acme") == 0


def test_gate_knows_the_names_that_it_opens():
    known = {name for name, _, _ in patterns()}
    assert {name for name in OPEN if not name.startswith("mailbox")} - known == set()


def test_home_leads_end_users_to_their_apps_and_pages_have_no_words_of_the_portal(ada, allowed, browser_of):
    browser = browser_of(ada)
    assert browser.get("/")["Location"] == reverse("apps")
    for path in (
        "/account/apps/",
        f"/account/apps/{allowed.pk}/",
        "/account/sessions/everywhere/",
        "/account/sessions/",
    ):
        page = browser.get(path).text
        said = re.sub(r"<[^>]+>", " ", page[page.index("<body") :])
        assert WORKSPACE_WORDS.findall(said) == [], path
        assert not re.search('href="(/consumers/|/operators/|/account/(2fa|email|name|tokens))', page), path


def test_second_factor_pages_open_where_an_api_asks_for_two(ada, api, browser_of):
    assert browser_of(ada).get("/account/2fa/").status_code == 404
    Api.objects.filter(pk=api.pk).update(requires_two_factors=True)
    page = browser_of(ada).get("/account/2fa/")
    assert page.status_code == 200
    assert "Password" not in page.text


def test_member_and_operator_are_no_end_users_any_more(ada, acme, browser_of):
    MembershipFactory(consumer=acme, user=ada)
    ada.refresh_from_db()
    assert browser_of(ada).get("/consumers/acme/").status_code == 200


def test_invitation_stays_open_to_an_end_user(ada, invite, browser_of, acme):
    EmailAddress.objects.create(user=ada, email=ada.email, verified=True, primary=True)
    _, token = invite(ada.email)
    browser = browser_of(ada)
    assert browser.get(f"/invitations/{token}/").status_code == 200
    browser.post(f"/invitations/{token}/")
    assert browser.get("/consumers/acme/").status_code == 200


# -- Their own page ---------------------------------------------------------------------------------------------------


def test_end_user_sees_their_apps_and_revokes_one(app, ada, allowed, browser_of):
    page = browser_of(ada).get("/account/apps/").text
    for words in (
        "Dispatch board",
        "By Acme Logistics",
        "Read shipments",
        "Know who you are",
    ):
        assert words in page, words
    assert "Revoke the access of Dispatch board?" in browser_of(ada).get(f"/account/apps/{allowed.pk}/").text
    browser_of(ada).post(f"/account/apps/{allowed.pk}/")
    assert not Consent.objects.exists()
    assert not TokenFamily.objects.filter(ended_at=None).exists()


def test_app_that_needs_no_consent_is_listed_and_left_by_its_sign_ins(app, ada, browser_of):
    sign_in_at(app, ada)
    address = f"/account/apps/{app.client_id}/sign-out/"  # noqa: F811
    assert address in browser_of(ada).get("/account/apps/").text
    assert browser_of(ada).get(address).status_code == 200
    browser_of(ada).post(address)
    assert not TokenFamily.objects.filter(ended_at=None).exists()
    assert browser_of(ada).get(address).status_code == 404
    assert Event.objects.get(name="client.person.signed_out").actor_id == str(ada.pk)


def test_end_user_ends_another_session_and_nobody_elses(ada, alice, browser_of):
    first, second, foreign = Browser(), Browser(), Browser()
    for browser, person in ((first, ada), (second, ada), (foreign, alice)):
        sign_in_to(browser, person)
        key = browser.session.session_key
        UserSession.objects.get_or_create(
            session_key=key, defaults={"user": person, "ip": "192.0.2.7", "user_agent": ""}
        )
    page = first.get("/account/apps/").text
    ends = re.findall(r'action="(/account/sessions/\d+/end/)"', page)
    assert len(ends) == 1
    assert foreign.post(ends[0]).status_code == 404
    assert first.post(ends[0]).status_code == 302
    assert second.get("/account/apps/").status_code == 302
    assert first.get("/account/apps/").status_code == 200


def test_whom_the_providers_login_signed_in_sees_apps_and_sessions(app, own_login):
    customer = end_user(subject="customer-42")
    browser, session = own_login(customer)
    other, _ = own_login(customer)
    consent = Consent.objects.create(client=app, user=customer, scopes=["openid", "shipments:read"])
    sign_in_at(app, customer)
    page = browser.get("/account/apps/").text
    said = re.sub(r"<[^>]+>", " ", page[page.index("<body") :])
    for words in ("Dispatch board", "Firefox on Linux", "customer-42"):
        assert words in said
    assert WORKSPACE_WORDS.findall(said) == []
    assert "no-address" not in page
    browser.post(f"/account/apps/{consent.pk}/")
    assert not TokenFamily.objects.filter(ended_at=None).exists()
    assert Event.objects.get(name="consent.revoked").actor_id == str(customer.pk)
    ends = re.findall(r'action="(/account/sessions/[0-9a-f-]{36}/end/)"', page)
    assert len(ends) == 2
    assert "You are signed out" in browser.post(f"/account/sessions/{session.pk}/end/").text
    assert browser.get("/account/apps/").status_code == 302
    assert other.get("/account/apps/").status_code == 200


def test_signing_out_everywhere_ends_the_other_sessions_at_the_providers_login(app, own_login):
    customer = end_user(subject="customer-42")
    (here, _), (there, _) = own_login(customer), own_login(customer)
    sign_in_at(app, customer)
    assert "Other sessions" in here.get("/account/sessions/everywhere/").text
    here.post("/account/sessions/everywhere/")
    assert there.get("/account/apps/").status_code == 302
    assert here.get("/account/apps/").status_code == 200
    assert not TokenFamily.objects.filter(ended_at=None).exists()


def test_session_of_a_login_opens_no_page_of_the_portal(own_login, acme):
    browser, _ = own_login(end_user(subject="customer-42"))
    for path in ("/", "/consumers/acme/", "/account/2fa/", "/account/tokens/", "/account/sessions/", "/operators/"):
        assert browser.get(path)["Location"].startswith(("/account/login/", "/operators/login/")), path


# -- Operators --------------------------------------------------------------------------------------------------------


def names(page):
    return re.findall(r'class="field-__str__[^"]*"><a [^>]*>(.*?)</a>', page)


def test_operators_find_end_users_apart(ada, alice, olga, app, browser_of):
    customer = end_user(subject="customer-42")
    sign_in_at(app, customer)
    browser = browser_of(olga)
    people = "/operators/consumers/user/"
    everybody = browser.get(people).text
    assert set(names(everybody)) == {"Alice Martin", "Olga Weber"}
    assert set(names(browser.get(f"{people}?kind=end-users").text)) == {"Ada Lind", "customer-42"}
    for words, found in (("ada@home.example", ["Ada Lind"]), ("customer-42", ["customer-42"]), ("ada", [])):
        assert names(browser.get(people, {"q": words}).text) == found
    assert names(browser.get(people, {"q": "ada", "kind": "end-users"}).text) == ["Ada Lind"]
    page = browser.get(f"{people}{customer.pk}/change/").text
    for words in ("customer-42", "Dispatch board", "None proven", f"manage.py erase_person {customer.pk}"):
        assert words in page, words
    assert "no-address" not in page + browser.get(f"{people}?kind=end-users").text


def test_nothing_is_mailed_to_who_has_no_address(db):
    customer = end_user(subject="customer-42")
    emails.send_new_sign_in(customer, ip=None, user_agent="")
    assert mail.outbox == []


def test_end_user_without_an_address_is_erased_by_their_subject(app, own_login, db):
    customer = end_user(subject="customer-42")
    own_login(customer)
    Consent.objects.create(client=app, user=customer)
    other = end_user("Ann", email="ann@acme.example")
    same = end_user(subject="ann@acme.example")  # as some logins name people
    with pytest.raises(Refusal, match=str(same.pk)):
        erase_person(email="ann@acme.example", actor=SYSTEM)
    erase_person(email=str(same.pk), actor=SYSTEM)
    other.refresh_from_db()
    erase_person(email="customer-42", actor=SYSTEM)
    assert not User.objects.filter(login_subject="customer-42").exists()
    assert not LoginSession.objects.exists()
