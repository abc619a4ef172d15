"""Whatever lets somebody in later asks an old session who it is, at every page, and is told by mail."""

import pytest
from django.core import mail
from django.urls import reverse

from clients.models import Client, ClientSecret, InitialAccessToken, TrustedIssuer, TrustRule
from consumers.models import Event, Invitation, Membership, PersonalToken, User
from tests.api.conftest import Program
from tests.authority.conftest import management_token
from tests.factories import PASSWORD, ClientFactory, MembershipFactory, UserFactory, give_secret, record_methods
from tests.signing import KeyPair

pytestmark = pytest.mark.django_db

OLD = 16 * 60  # seconds since somebody signed in
RECENT = 14 * 60


@pytest.fixture
def second_manager(acme):
    return MembershipFactory(consumer=acme, user=UserFactory(name="Ann Reed", email="ann@acme.example")).user


@pytest.fixture
def session_of(browser_of):
    """Sign a person in, with a password, so many seconds ago."""

    def sign_in(user, age):
        browser = browser_of(user)
        record_methods(browser, user, "password", age=age)
        return browser

    return sign_in


@pytest.fixture
def web(acme, acme_access):
    return ClientFactory(consumer=acme, client_name="Board", template="web", scopes=["shipments:read"])


@pytest.fixture
def signs(acme, acme_access):
    return ClientFactory(
        consumer=acme,
        client_name="Signer",
        token_endpoint_auth_method="private_key_jwt",
        client_jwks=KeyPair().jwks,
    )


@pytest.fixture
def federated(acme, acme_access):
    return ClientFactory(
        consumer=acme,
        client_name="Pipeline",
        token_endpoint_auth_method="urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    )


@pytest.fixture
def issuer(db):
    return TrustedIssuer.objects.create(
        name="CI", issuer="https://ci.example.com", platform="oidc", jwks_uri="https://ci.example.com/jwks"
    )


def at(name, client, *more):
    return reverse(f"clients:{name}", args=["acme", client.client_id, *more])


def settings_form(client, **changes):
    return {
        "client_name": client.client_name,
        "description": "",
        "scope": client.scopes,
        "redirect_uris": "\n".join(client.redirect_uris),
        "version": client.updated.isoformat(),
    } | changes


@pytest.fixture
def operations(acme, service, web, signs, federated, issuer, bob):
    """Return by name: the page, the form, and what it makes, as something that differs once it is done."""
    secret, _ = give_secret(service)
    member = Membership.objects.get(user=bob)
    return {
        "register a client": (
            reverse("clients:create", args=["acme"]),
            {"template": "service", "client_name": "New", "scope": ["shipments:read"], "key": "1"},
            lambda: Client.objects.filter(client_name="New").count(),
        ),
        "create a secret": (
            at("create-secret", service),
            {"name": "Second", "lifetime": "90", "key": "1"},
            service.secrets.count,
        ),
        "rotate a secret": (
            at("rotate-secret", service, secret.pk),
            {"ends": "now", "lifetime": "never", "key": "1"},
            service.secrets.count,
        ),
        "change a redirect URI": (
            at("settings", web),
            settings_form(web, redirect_uris="https://new.example.com/"),
            lambda: Client.objects.get(pk=web.pk).redirect_uris,
        ),
        "create a key": (
            at("generate-key", signs),
            {"key": "1"},
            lambda: Client.objects.get(pk=signs.pk).client_jwks,
        ),
        "create a rule": (
            at("create-rule", federated, issuer.pk),
            {"audience": "http://testserver", "claims": "sub = job:42", "knowingly": "yes"},
            TrustRule.objects.count,
        ),
        "delete a client": (
            at("delete", web),
            {"name": web.client_name},
            lambda: Client.objects.filter(pk=web.pk).count(),
        ),
        "invite a manager": (
            reverse("consumers:invite", args=["acme"]),
            {"emails": "new@acme.example", "role": "manager"},
            Invitation.objects.count,
        ),
        "make a viewer a manager": (
            reverse("consumers:member", args=["acme", member.pk]),
            {"role": "manager", "action": "role"},
            lambda: Membership.objects.get(pk=member.pk).role,
        ),
        "create a personal access token": (
            reverse("consumers:create-token"),
            {"name": "CI", "scopes": ["clients:read"], "lifetime": "30", "consumer": "", "key": "1"},
            PersonalToken.objects.count,
        ),
        "create an initial access token": (
            reverse("clients:create-initial-access-token", args=["acme"]),
            {
                "name": "CI",
                "kind": "service",
                "lifetime": "7",
                "max_uses": "1",
                "client_lifetime_days": "never",
                "key": "1",
            },
            InitialAccessToken.objects.count,
        ),
    }


NAMES = [
    "register a client",
    "create a secret",
    "rotate a secret",
    "change a redirect URI",
    "create a key",
    "create a rule",
    "delete a client",
    "invite a manager",
    "make a viewer a manager",
    "create a personal access token",
    "create an initial access token",
]


@pytest.mark.parametrize("name", NAMES)
def test_an_old_session_is_asked_and_then_carries_on(session_of, alice, second_manager, operations, name):
    path, form, state = operations[name]
    browser, before, events = session_of(alice, OLD), state(), Event.objects.count()
    asked = browser.post(path, form)
    assert (asked.status_code, asked["Location"].split("?")[0]) == (302, reverse("account_reauthenticate")), asked.text
    assert (state(), Event.objects.count(), mail.outbox) == (before, events, [])
    done = browser.post(asked["Location"], {"password": PASSWORD})
    assert done.status_code in (200, 302), done.text
    assert state() != before
    told = {message.to[0] for message in mail.outbox}
    expected = {"alice@acme.example"} if "personal" in name else {"alice@acme.example", "ann@acme.example"}
    assert told - {"new@acme.example", "bob@acme.example"} == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_session_of_a_quarter_of_an_hour_is_not_asked(session_of, alice, operations, name):
    path, form, state = operations[name]
    before = state()
    answer = session_of(alice, RECENT).post(path, form)
    assert not answer.headers.get("Location", "").startswith(reverse("account_reauthenticate"))
    assert state() != before


def test_in_a_dialog_the_whole_page_asks(session_of, alice, operations):
    path, form, state = operations["create a secret"]
    browser = session_of(alice, OLD)
    asked = browser.post(path, form, headers={"HX-Request": "true", "HX-Target": "dialog"})
    assert asked["HX-Redirect"].startswith(reverse("account_reauthenticate"))
    page = browser.post(asked["HX-Redirect"], {"password": PASSWORD}).text
    assert state() == 2
    assert "cdsk_" in page
    assert "<html" in page  # not the part of a page that the dialog would have shown


def test_what_lets_nobody_in_is_not_asked(session_of, alice, web, service):
    secret, _ = give_secret(service)
    browser = session_of(alice, OLD)
    renamed = browser.post(at("settings", web), settings_form(web, client_name="Renamed"))
    assert renamed["Location"] == at("settings", web)
    browser.post(at("revoke-secret", service, secret.pk))
    browser.post(at("disable", service))
    assert ClientSecret.objects.get().revoked_at
    assert Client.objects.get(pk=service.pk).is_disabled


def test_operators_are_asked_for_their_second_factor(browser_of, olga):
    browser = browser_of(olga)
    record_methods(browser, olga, "password", "mfa", age=OLD)
    form = {"email": "new@provider.example", "name": "New", "is_active": "on", "is_staff": "on"}
    asked = browser.post("/operators/consumers/user/add/", form)
    assert asked["Location"].startswith(reverse("mfa_reauthenticate"))
    assert not User.objects.filter(email="new@provider.example").exists()


def test_programs_cause_one_mail_an_hour_for_each_kind(alice, second_manager, acme_access):
    program = Program(management_token(alice))
    document = {"grant_types": ["client_credentials"], "scope": "shipments:read"}
    mail.outbox.clear()
    for number in range(3):
        assert program.post("/admin/clients", document | {"client_name": f"Job {number}"}).status_code == 201
    assert {message.to[0] for message in mail.outbox} == {"alice@acme.example", "ann@acme.example"}
    assert len(mail.outbox) == 2
    client = Client.objects.get(client_name="Job 0")
    renamed = [{"op": "replace", "path": "/client_name", "value": "Renamed"}]
    assert program.patch(f"/admin/clients/{client.client_id}", renamed).status_code == 200
    assert len(mail.outbox) == 2  # which lets nobody in, and hides no change that does
    change = [{"op": "replace", "path": "/token_endpoint_auth_method", "value": "client_secret_post"}]
    assert program.patch(f"/admin/clients/{client.client_id}", change).status_code == 200
    assert len(mail.outbox) == 4


def test_a_mail_says_who_did_what_and_from_where(session_of, alice, second_manager, operations):
    path, form, _ = operations["create a secret"]
    session_of(alice, RECENT).post(path, form, headers={"User-Agent": "Mozilla/5.0 Firefox/140.0"})
    message = next(message for message in mail.outbox if message.to == ["ann@acme.example"])
    assert message.subject == "Alice Martin created a secret of Billing sync"
    for said in ("Acme Logistics", "127.0.0.1", "Firefox", "sign out everywhere", "/consumers/acme/activity/"):
        assert said in message.body
    assert "cdsk_" not in message.body
