"""The pages of a client: tabs, settings, disable, enable, delete."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import urlencode, urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone

from clients.actions import apis as api_actions
from clients.actions import clients as client_actions
from clients.actions import locks
from clients.metadata import ClientMetadata
from clients.models import Client
from clients.policy import portal_policy
from consumers.audit import SYSTEM
from consumers.models import Event
from tests.authority.conftest import FORM, basic
from tests.conftest import person
from tests.factories import ClientFactory, actor_for, give_secret

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(alice, acme_access, browser_of):
    return browser_of(alice)


def path(name, client) -> str:
    return reverse(f"clients:{name}", args=["acme", client.client_id])


def form_of(client, **changes) -> dict:
    return {
        "client_name": client.client_name,
        "description": client.description,
        "scope": [value for value in client.scopes if ":" in value],
        "identity": [value for value in client.scopes if ":" not in value],
        "redirect_uris": "\n".join(client.redirect_uris),
        "version": client.updated.isoformat(),
    } | changes


def test_connect_names_what_a_program_needs_as_discovery_does(browser, service, settings):
    page = unescape(browser.get(service.get_absolute_url()).text)
    discovered = browser.get("/.well-known/openid-configuration").json()
    for name in ("issuer", "token_endpoint", "jwks_uri"):
        assert f"<code>{discovered[name]}</code>" in page or f">{discovered[name]}</code>" in page
    assert '--user "$CLIENT_ID:$CLIENT_SECRET"' in page
    assert "https://api.example.com/shipments" in page
    assert "cdsk_" not in page


def post(browser, address, form, program):
    """Send a form as the program, which gets a secret for it."""
    header = {"authorization": basic(program.client_id, give_secret(program)[1])}
    return browser.post(address, urlencode(form), content_type=FORM, headers=header).json()


@pytest.mark.compliance("RFC 7662", "2")
def test_connect_tells_how_an_api_checks_the_tokens_that_the_client_gets(browser, client, service, api, settings):
    """What it says of opaque tokens is what the introspection endpoint answers to the API's own client."""
    page = browser.get(path("detail", service)).text
    assert "JWT access token (RFC 9068)" in page
    assert "introspection endpoint" not in page
    service.access_token_strategy = "opaque"
    service.save()
    page = browser.get(path("detail", service)).text
    assert "JWT access token" not in page
    url = re.search(r"POST (\S+)</code> with <code>token=", page)[1]
    assert url == settings.PUBLIC_URL + "/oauth2/introspect"
    keeper = ClientFactory(consumer=service.consumer)
    api_actions.set_resource_servers(api=api, clients=[keeper], actor=SYSTEM)
    form = {"grant_type": "client_credentials", "scope": "shipments:read"}
    token = post(client, "/oauth2/token", form, service)["access_token"]
    told = post(client, urlsplit(url).path, {"token": token}, keeper)
    assert "." not in token
    assert (told["active"], told["aud"], told["scope"]) == (True, api.identifier, "shipments:read")
    for claim in ("active", "aud", "scope"):
        assert f"<code>{claim}</code>" in page


def test_permissions_no_longer_allowed_are_not_asked_for(browser, acme, service):
    acme.access.filter(scope__value="shipments:write").delete()
    assert "shipments:write" not in browser.get(service.get_absolute_url()).text
    page = browser.get(path("settings", service))
    assert "may no longer use <code>shipments:write</code>" in " ".join(page.text.split())
    browser.post(path("settings", service), form_of(service, scope=["shipments:read"]))
    service.refresh_from_db()
    assert service.scopes == ["shipments:read"]


def test_settings_change_what_is_registered(browser, service):
    form = form_of(service, client_name="Invoices", description="Line one\r\nLine two", scope=["shipments:read"])
    page = browser.post(path("settings", service), form, follow=True)
    assert "Saved." in page.text
    service.refresh_from_db()
    assert (service.client_name, service.description) == ("Invoices", "Line one\nLine two")
    assert service.scopes == ["shipments:read"]
    assert Event.objects.get().detail["fields"] == ["client_name", "description", "scope"]


def test_saving_nothing_new_records_nothing(browser, acme):
    web = ClientFactory(consumer=acme, template="web", scopes=["openid", "shipments:read"])
    browser.post(path("settings", web), form_of(web))
    assert not Event.objects.exists()


def test_invalid_settings_are_shown_again_as_entered(browser, service):
    page = browser.post(path("settings", service), form_of(service, client_name="", scope=[], description="Kept"))
    assert page.status_code == 422
    assert "Two things to correct" in page.text
    assert "Kept</textarea>" in page.text


def test_settings_keep_what_this_page_does_not_offer(browser, acme):
    web = ClientFactory(
        consumer=acme,
        template="web",
        scopes=["openid"],
        contacts=["ops@acme.example"],
        post_logout_redirect_uris=["https://app.example.com/bye"],
        lifespans={"authorization_code_grant_access_token_lifespan": 600},
    )
    before = ClientMetadata.of(web)
    browser.post(path("settings", web), form_of(web, client_name="Board"))
    web.refresh_from_db()
    assert ClientMetadata.of(web) == before.replace(client_name="Board")


def test_second_of_two_editors_sees_what_the_first_saved_and_loses_nothing(browser, acme, service):
    carol = person("Carol King", "carol@acme.example")
    seen = form_of(service, description="What Alice typed")
    client_actions.update_client(
        client=service,
        change=lambda metadata: metadata.replace(description="What Carol saved"),
        policy=portal_policy,
        actor=actor_for(carol),
    )
    page = browser.post(path("settings", service), seen)
    assert page.status_code == 409
    assert "Carol King changed this client" in page.text
    assert "What Carol saved" in page.text
    assert "What Alice typed</textarea>" in page.text
    service.refresh_from_db()
    assert service.description == "What Carol saved"
    assert f'value="{service.updated.isoformat()}"' in unescape(page.text)
    browser.post(path("settings", service), seen | {"version": service.updated.isoformat()})
    service.refresh_from_db()
    assert service.description == "What Alice typed"


def test_editor_sees_who_disabled_the_client_meanwhile(browser, service):
    carol = person("Carol King", "carol@acme.example")
    seen = form_of(service, description="What Alice typed")
    client_actions.disable_client(client=service, actor=actor_for(carol))
    page = browser.post(path("settings", service), seen)
    assert page.status_code == 409
    assert "Carol King changed this client" in page.text


@pytest.mark.parametrize("version", ["", "yesterday", "2026-13-45T00:00:00", "2026-01-01T00:00:00", "x" * 100])
def test_settings_without_a_readable_version_do_not_overwrite(browser, service, version):
    page = browser.post(path("settings", service), form_of(service, client_name="Other", version=version))
    assert page.status_code in (409, 422)
    service.refresh_from_db()
    assert service.client_name == "Billing sync"


def test_disabled_client_looks_so_everywhere_until_it_is_enabled(browser, service):
    give_secret(service)
    Client.objects.filter(pk=service.pk).update(last_used_at=timezone.now() - timedelta(minutes=3))
    asked = browser.get(path("disable", service)).text
    assert "last used" in asked
    assert "one active secret" in asked
    browser.post(path("disable", service))
    for address in (
        service.get_absolute_url(),
        path("secrets", service),
        "/consumers/acme/",
        "/consumers/acme/clients/",
    ):
        page = browser.get(address).text
        assert '<span class="state" data-state="disabled">Disabled</span>' in page
        assert "data-off" in page
    assert "Billing sync is disabled" in browser.get(service.get_absolute_url()).text
    browser.post(path("enable", service))
    assert 'data-state="active"' in browser.get(service.get_absolute_url()).text


@pytest.mark.parametrize("typed", ["", "billing sync", "Billing", "Billing sync x"])
def test_client_is_not_deleted_before_its_name_is_typed(browser, service, typed):
    page = browser.post(path("delete", service), {"name": typed})
    assert page.status_code == 422
    assert "Type “Billing sync” to delete this client." in page.text
    assert Client.objects.filter(pk=service.pk).exists()


def test_client_is_deleted_by_its_name(browser, service):
    page = browser.post(path("delete", service), {"name": " Billing sync "}, follow=True)
    assert "Billing sync is deleted" in page.text
    assert not Client.objects.exists()
    assert browser.get(path("detail", service)).status_code == 404


def test_activity_tells_what_was_done_to_this_client_alone(browser, acme, alice, service):
    other = ClientFactory(consumer=acme, client_name="Another one")
    client_actions.disable_client(client=other, actor=actor_for(alice))
    client_actions.disable_client(client=service, actor=actor_for(alice))
    page = browser.get(path("activity", service)).text
    assert "disabled" in page
    assert "Another one" not in page


def test_activity_goes_back_page_by_page(browser, acme, alice, service):
    for _ in range(30):
        client_actions.disable_client(client=service, actor=actor_for(alice))
        client_actions.enable_client(client=service, actor=actor_for(alice))
    first = browser.get(path("activity", service)).text
    assert first.count('class="dot"') == 50
    oldest = Event.objects.order_by("-id")[49].pk
    assert f"?before={oldest}" in first
    second = browser.get(f"{path('activity', service)}?before={oldest}").text
    assert second.count('class="dot"') == 10
    for odd in ("x", "-1", "٣", "9" * 30, "%00"):
        assert browser.get(f"{path('activity', service)}?before={odd}").status_code == 200


def test_action_on_a_client_that_is_deleted_meanwhile_answers_409(browser, service, monkeypatch):
    """The row goes between the look-up and the lock."""
    real = locks.lock_client

    def deleted_before(client):
        Client.objects.filter(pk=client.pk).delete()
        return real(client)

    monkeypatch.setattr(client_actions, "lock_client", deleted_before)
    page = browser.post(path("disable", service))
    assert page.status_code == 409
    assert "has already been deleted" in page.text
