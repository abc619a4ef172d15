"""Links from the provider's own application: who may make them, what they open, and what stays closed."""

import threading
from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connections
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from authority.models import Consent
from clients.models import ClientSecret
from consumers.actions import portal_links as portal_link_actions
from consumers.actions.personal_tokens import create_token
from consumers.models import Event, Membership, PersonalToken, PortalLink, Role, User
from consumers.scopes import MANAGEMENT_SCOPES
from core.errors import Conflict, Refusal
from portal.bound_session_gate import OPEN
from tests.api.conftest import Program
from tests.factories import MembershipFactory, UserFactory, actor_for, hold_second_factor
from tests.forms import Forms

pytestmark = pytest.mark.django_db

APP = "https://app.provider.example"
WANTED = {"email": "dana@acme.example", "name": "Dana Fox", "role": "manager", "return_to": f"{APP}/settings"}
LINKS = "/admin/consumers/acme/portal-links"


def program(user, **options):
    """Return a program that holds a token of the person's."""
    wanted = {"name": "Test", "scopes": MANAGEMENT_SCOPES, "expires_at": timezone.now() + timedelta(days=1)} | options
    return Program(create_token(user=user, actor=actor_for(user), **wanted)[1])


@pytest.fixture
def link(acme, olga):
    """Make a link into Acme as the operator: `link(email=…)`; return its row and its address."""

    def make(consumer=acme, **changes):
        wanted = WANTED | changes
        row, token = portal_link_actions.create_portal_link(consumer=consumer, actor=actor_for(olga), **wanted)
        return row, f"/portal-links/{token}/"

    return make


@pytest.fixture
def arrived(client, link, acme_access):
    """Come by a link; return the browser: `arrived(email=…)`."""

    def come(**changes):
        answer = client.post(link(**changes)[1])
        assert (answer.status_code, answer.headers["Location"]) == (302, "/consumers/acme/")
        return client

    return come


# -- Making one -------------------------------------------------------------------------------------------------------


def test_operators_program_makes_a_link_and_sees_whether_it_was_used(acme, olga, client):
    mine = program(olga, scopes=["portal-links:write"])
    answer = mine.post(LINKS, WANTED)
    assert answer.status_code == 201
    made = answer.json()
    assert made["url"].startswith("http://127.0.0.1:8000/portal-links/cdpl_")
    row = PortalLink.objects.get()
    assert made["url"].split("/")[-2] not in str(row.__dict__)
    assert row.expires_at - row.created_at <= timedelta(minutes=5, seconds=1)
    read = mine.get(answer.headers["Location"]).json()
    assert (read["state"], "url" in read) == ("open", False)
    client.post(made["url"])
    assert mine.get(answer.headers["Location"]).json()["state"] == "used"


def test_managers_and_operators_without_the_right_make_none(acme, alice):
    assert program(alice).post(LINKS, WANTED).status_code == 403
    operator = hold_second_factor(UserFactory(is_staff=True))
    assert program(operator).post(LINKS, WANTED).status_code == 403
    operator.user_permissions.add(Permission.objects.get(codename="add_portallink"))
    assert program(operator, scopes=["consumers:write"]).post(LINKS, WANTED).status_code == 403
    assert program(operator).post("/admin/consumers/nowhere/portal-links", WANTED).status_code == 404
    assert program(operator).post(LINKS, WANTED).status_code == 201


def test_token_for_one_consumer_makes_none_for_another(acme, globex, olga):
    assert program(olga, consumer=globex).post(LINKS, WANTED).status_code == 404


@pytest.mark.parametrize(
    "url",
    [
        "http://app.provider.example/",
        "http://127.0.0.1:3000/",  # this is no demo
        "https://app.provider.example@evil.example/",
        "https:app.provider.example",
        "javascript:alert(1)",
        "https://intranet/",
        "https://app.provider.example/\u202e",
        "https://[::1",
        "//app.provider.example/",
        "",
    ],
)
def test_back_leads_to_https_of_a_named_host(url, link):
    with pytest.raises(Refusal):
        link(return_to=url)


@pytest.mark.parametrize("rights", [{"is_staff": True}, {"is_superuser": True}])
def test_no_link_is_made_for_an_operator(rights, link):
    UserFactory(email="dana@acme.example", **rights)
    with pytest.raises(Conflict, match="second factor"):
        link()


def test_no_link_is_made_for_who_is_shut_out_or_into_a_suspended_workspace(link, acme):
    person = UserFactory(email="dana@acme.example", is_active=False)
    with pytest.raises(Conflict, match="not active"):
        link()
    person.delete()
    acme.suspended_at = timezone.now()
    with pytest.raises(Conflict, match="suspended"):
        link()


def test_managers_hear_of_a_link_for_somebody_new_and_not_of_one_for_a_member(link, alice):
    link()
    assert sorted(sent.to for sent in mail.outbox if "dana@acme.example" in sent.body) == [
        ["alice@acme.example"],
        ["olga@provider.example"],
    ]
    mail.outbox.clear()
    link(email="alice@acme.example")
    assert mail.outbox == []


# -- Using one --------------------------------------------------------------------------------------------------------


def test_looking_uses_nothing_up_and_one_button_does(client, link, acme):
    row, url = link()
    for look in (client.head, client.get, client.get):
        assert look(url).status_code == 200
    page = client.get(url).text
    assert [button.label for form in Forms(page).found for button in form.buttons] == ["Continue to Acme Logistics"]
    assert "_auth_user_id" not in client.session
    row.refresh_from_db()
    assert row.state == "open"
    assert client.post(url).headers["Location"] == "/consumers/acme/"
    person = User.objects.get(email="dana@acme.example")
    assert (person.name, person.has_usable_password()) == ("Dana Fox", False)
    assert person.memberships.get().role == Role.MANAGER
    assert not EmailAddress.objects.get(user=person).verified  # the mailbox showed nothing
    names = list(Event.objects.order_by("pk").values_list("name", flat=True))
    assert names == ["portal_link.created", "manager.joined", "portal_link.used", "person.signed_in"]
    assert person.signed_in_by == "Link from app.provider.example"


def test_link_works_once_and_for_five_minutes(client, link):
    _, url = link()
    assert client.post(url).status_code == 302
    other = Browser()
    assert (other.get(url).status_code, other.post(url).status_code) == (404, 404)
    _, url = link()
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        PortalLink.objects.filter(used_at=None).update(expires_at=timezone.now() - timedelta(days=365))
        assert other.post(url).status_code == 404
    assert "_auth_user_id" not in other.session


@pytest.mark.django_db(transaction=True)
def test_two_browsers_at_once_get_one_session(link):
    _, url = link()
    browsers, barrier = [Browser(), Browser()], threading.Barrier(2)

    def use(browser):
        barrier.wait()
        browser.post(url)
        connections.close_all()

    threads = [threading.Thread(target=use, args=(browser,)) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted("_auth_user_id" in browser.session for browser in browsers) == [False, True]


def test_who_became_an_operator_since_gets_no_session(client, link):
    person = UserFactory(email="dana@acme.example")
    row, url = link()
    User.objects.filter(pk=person.pk).update(is_staff=True)
    answer = client.post(url)
    assert answer.status_code == 409
    assert "second factor" in answer.text
    assert "_auth_user_id" not in client.session
    row.refresh_from_db()
    assert row.state == "open"


def test_member_keeps_their_role_and_somebody_with_an_account_becomes_a_member(client, link, bob, mallory, acme):
    client.post(link(email="bob@acme.example", role="manager")[1])
    assert bob.memberships.get().role == Role.VIEWER
    client.post(link(email="mallory@globex.example", role="viewer")[1])
    assert mallory.memberships.get(consumer=acme).role == Role.VIEWER
    assert [sent.to for sent in mail.outbox if "sign-in" in sent.subject.lower()] == [["mallory@globex.example"]]


def test_session_that_was_there_ends(browser_of, link, mallory):
    browser = browser_of(mallory)
    before = browser.session.session_key
    _, url = link()
    assert "mallory@globex.example" in browser.get(url).text
    browser.post(url)
    assert browser.session.session_key != before
    assert not Session.objects.filter(pk=before).exists()


def test_address_is_confirmed_by_the_first_code_that_reaches_it(arrived):
    arrived()
    browser = Browser()
    browser.post("/account/login/code/", {"email": "dana@acme.example"})
    code = next(word for word in mail.outbox[-1].body.split() if len(word) == 9 and word[4] == "-")
    browser.post("/account/login/code/confirm/", {"code": code})
    assert browser.get("/consumers/acme/").status_code == 200
    assert EmailAddress.objects.get(email="dana@acme.example").verified


# -- What it opens ----------------------------------------------------------------------------------------------------


def test_every_page_leads_back_and_none_of_its_links_leads_out(arrived, service):
    browser = arrived()
    for path in ("/consumers/acme/", "/consumers/acme/clients/", "/consumers/acme/nowhere/", "/account/logout/"):
        page = browser.get(path).text
        assert f'href="{APP}/settings"' in page
        assert "Back to app.provider.example" in page
    page = browser.get("/consumers/acme/").text
    assert reverse("mfa_index") not in page
    assert f'href="{reverse("consumers:choose")}"' not in page
    assert browser.get("/").headers["Location"] == "/consumers/acme/"


def test_nothing_else_opens(subtests, arrived, globex, alice, address_of_everything):
    MembershipFactory(consumer=globex, user=alice)
    browser = arrived(email="alice@acme.example")
    for name, path in address_of_everything.items():
        for ask in (browser.get, browser.post):
            with subtests.test(name, method=ask.__name__):
                answer = ask(path)
                assert answer.status_code == 403
                assert "You came here for one workspace" in answer.text or "fresh start" in answer.text
    assert not PersonalToken.objects.exists()
    assert not Consent.objects.exists()


def test_gate_knows_the_names_that_it_opens():
    parts = {"consumers:portal-link": ["a"], "connections:login": ["a"], "connections:callback": ["a"]}
    for name in OPEN:
        reverse(name, args=parts.get(name, []))


@pytest.fixture
def address_of_everything():
    plain = [
        *("mfa_index", "account_email", "account_change_password", "account_set_password", "usersessions_list"),
        *("mfa_activate_totp", "mfa_add_webauthn", "mfa_view_recovery_codes", "account_reauthenticate"),
        *("consumers:reauthenticate-by-code", "consumers:name", "consumers:tokens", "consumers:create-token"),
        *("consumers:choose", "apps", "sign-out-everywhere", "device", "authorize", "admin:index", "admin:security"),
        *("account_login", "account_request_login_code"),
    ]
    named = {name: reverse(name) for name in plain}
    workspaces = {
        f"{slug} {end}": f"/consumers/{slug}/{end}" for slug in ("globex", "nowhere") for end in ("", "people/")
    }
    return named | workspaces | {"invitation": "/invitations/abcdefgh/"}


def test_session_ends_after_some_hours_whatever_is_done_in_it(arrived):
    browser = arrived()
    begun = timezone.now()
    for hours in (1, 3.9):
        with time_machine.travel(begun + timedelta(hours=hours)):
            assert browser.get("/consumers/acme/").status_code == 200
            browser.post("/consumers/acme/people/invite/", {"emails": "x", "role": "viewer"})  # writes the session
    with time_machine.travel(begun + timedelta(hours=4, minutes=1)):
        assert browser.get("/consumers/acme/").status_code == 302


def test_session_ends_when_its_person_becomes_an_operator(arrived):
    browser = arrived()
    User.objects.filter(email="dana@acme.example").update(is_superuser=True)
    assert browser.get("/consumers/acme/").headers["Location"].startswith("/account/login/")
    assert "_auth_user_id" not in browser.session


def test_session_opens_nothing_once_the_membership_ended(arrived):
    browser = arrived()
    Membership.objects.all().delete()
    assert browser.get("/consumers/acme/").status_code == 403


# -- Sensitive operations ---------------------------------------------------------------------------------------------


def new_secret(browser, service, key="1"):
    path = f"/consumers/acme/clients/{service.client_id}/secrets/new/"
    return browser.post(path, {"name": "Staging", "lifetime": "90", "key": key}, follow=True)


def test_sensitive_operation_takes_a_link_of_the_last_minutes(arrived, service, acme):
    browser = arrived()
    assert new_secret(browser, service).status_code == 200
    assert ClientSecret.objects.count() == 1
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        refused = new_secret(browser, service, "2")
    assert refused.status_code == 403
    assert "This takes a fresh start from app.provider.example" in refused.text
    assert ClientSecret.objects.count() == 1


def test_link_is_no_second_factor(arrived, service, alice):
    hold_second_factor(alice)
    browser = arrived(email="alice@acme.example")
    refused = new_secret(browser, service)
    assert refused.status_code == 403
    assert "This takes your second factor" in refused.text
    assert not ClientSecret.objects.exists()


def test_old_links_are_deleted(link):
    link()
    portal_link_actions.delete_old()
    assert PortalLink.objects.count() == 1
    PortalLink.objects.update(expires_at=timezone.now() - timedelta(days=2))
    portal_link_actions.delete_old()
    assert not PortalLink.objects.exists()
