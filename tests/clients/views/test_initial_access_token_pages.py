"""The pages of initial access tokens: list, create, revoke."""

import json
import re
import shlex
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from clients.actions import registration as registration_actions
from clients.models import Client, InitialAccessToken, OpenRegistration
from consumers.audit import SYSTEM
from consumers.models import Event

pytestmark = pytest.mark.django_db
WANTED = {"name": "Nightly builds", "max_uses": "10", "lifetime": "7", "kind": "service", "client_lifetime_days": "30"}


def path(name="registration", *more) -> str:
    return reverse(f"clients:{name}", args=["acme", *more])


@pytest.fixture
def browser(alice, browser_of, acme_access):
    return browser_of(alice)


@pytest.fixture
def token(acme):
    ends = timezone.now() + timedelta(days=7)
    return registration_actions.create_initial_access_token(
        consumer=acme, name="Installer", expires_at=ends, actor=SYSTEM, max_uses=10
    )[0]


def text_of(page) -> str:
    return re.search(r'<code id="initial-access-token">(cdi_\w+)</code>', page.text)[1]


def test_created_token_has_the_chosen_limits_and_is_shown_once(browser, acme):
    page = browser.post(path("create-initial-access-token"), WANTED | {"scopes": ["shipments:read"]})
    text = text_of(page)
    made = InitialAccessToken.objects.get()
    assert (made.name, made.max_uses, made.client_lifetime_days) == ("Nightly builds", 10, 30)
    assert (made.grant_types, made.scopes) == (["client_credentials"], ["shipments:read"])
    assert "no-store" in page["Cache-Control"]
    assert text not in browser.get(path()).text
    assert text not in str(Event.objects.values())


@pytest.mark.parametrize("scopes", [[], ["shipments:read"]])
@pytest.mark.parametrize("kind", ["any", "service", "sign_in", "device"])
def test_pasted_command_registers_a_client(browser, client, kind, scopes):
    page = browser.post(path("create-initial-access-token"), WANTED | {"kind": kind, "scopes": scopes})
    command = unescape(re.search(r'<code id="code-register">(.*?)</code>', page.text, re.DOTALL)[1])
    words = shlex.split(command.replace("\\\n", " "))
    assert words[0] == "curl"
    assert words[1].endswith("/oauth2/register")
    header, document = words[words.index("--header") + 1], words[words.index("--json") + 1]
    answer = client.post(
        "/oauth2/register",
        document,
        content_type="application/json",
        headers={"Authorization": header.removeprefix("Authorization: ")},
    )
    assert answer.status_code == 201, answer.text
    registered = Client.objects.get(client_id=answer.json()["client_id"])
    assert registered.client_name == json.loads(document)["client_name"] == "Nightly builds"
    assert ("openid" in registered.scopes) == (kind in ("sign_in", "device"))
    assert "shipments:write" not in registered.scopes or not scopes


def test_form_sent_twice_makes_one_token(browser):
    page = browser.get(path("create-initial-access-token")).text
    key = re.search(r'name="key" value="([^"]+)"', page)[1]
    browser.post(path("create-initial-access-token"), WANTED | {"key": key})
    again = browser.post(path("create-initial-access-token"), WANTED | {"key": key}, follow=True)
    assert "already been created" in again.text
    assert InitialAccessToken.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "a\x00b"},
        {"max_uses": "7"},
        {"kind": "root"},
        {"scopes": ["billing"]},
        {"lifetime": "9999"},
    ],
)
def test_refused_form_keeps_what_was_typed(browser, wrong):
    page = browser.post(path("create-initial-access-token"), WANTED | {"client_lifetime_days": "90"} | wrong)
    assert page.status_code == 422
    assert '<option value="90" selected>' in page.text
    assert not InitialAccessToken.objects.exists()


def test_revoked_token_lets_nobody_register(browser, token):
    assert "It has never been used" in browser.get(path("revoke-initial-access-token", token.pk)).text
    page = browser.post(path("revoke-initial-access-token", token.pk), follow=True)
    assert "Clients that were registered with it are kept" in page.text
    token.refresh_from_db()
    assert token.state == "revoked"
    assert "revoked already" in browser.post(path("revoke-initial-access-token", token.pk), follow=True).text


def test_viewer_reads_the_list_and_changes_nothing(bob, browser_of, token):
    browser = browser_of(bob)
    page = browser.get(path())
    assert "Installer" in page.text
    assert path("create-initial-access-token") not in page.text
    assert path("revoke-initial-access-token", token.pk) not in page.text
    assert browser.post(path("create-initial-access-token"), WANTED).status_code == 403
    assert browser.post(path("revoke-initial-access-token", token.pk)).status_code == 403


def test_strangers_find_nothing(mallory, browser_of, token):
    assert browser_of(mallory).get(path()).status_code == 404
    theirs = reverse("clients:revoke-initial-access-token", args=["globex", token.pk])
    assert browser_of(mallory).post(theirs).status_code == 404


def test_list_says_when_anybody_may_register(browser, acme):
    assert "Registration is open" not in browser.get(path()).text
    OpenRegistration.objects.create(consumer=acme)
    assert "Registration is open" in browser.get(path()).text
