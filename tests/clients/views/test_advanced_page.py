"""The advanced settings of a client."""

from html import unescape

import pytest
from django.urls import reverse

from clients.forms.advanced import AdvancedForm, display_duration
from clients.metadata import ClientMetadata, field_names
from clients.models import Client
from consumers.models import Event
from tests.factories import ClientFactory
from tests.portal.test_odd_input import fields_of

pytestmark = pytest.mark.django_db
# What other pages of the portal set, operators alone, or programs: free data of theirs.
ELSEWHERE = {
    *("client_name", "description", "scope", "dpop_bound_access_tokens"),  # the settings
    *("token_endpoint_auth_method", "token_endpoint_auth_signing_alg", "jwks", "jwks_uri"),  # authentication
    *("project", "deployment", "environment_type", "identity_token_audience"),  # of workloads
    *("skip_consent", "skip_logout_consent"),
    *("owner", "metadata", "localized"),
    *("response_types", "lifespans"),  # which follow from others
}


@pytest.fixture
def browser(alice, acme_access, browser_of):
    return browser_of(alice)


@pytest.fixture
def web(acme, acme_access):
    return ClientFactory(consumer=acme, template="web", scopes=["openid", "shipments:read"])


def path(client, name="advanced"):
    return reverse(f"clients:{name}", args=["acme", client.client_id])


def typed(client, **changes):
    """Return the form as the page shows it, and what is changed in it."""
    form = AdvancedForm(client=client)
    shown = {field.name: field.value() for field in form}
    shown |= {
        name: "\n".join(value) for name, value in shown.items() if isinstance(value, tuple) and name != "grant_types"
    }
    return {name: value for name, value in (shown | changes).items() if value not in (None, False)}


def metadata(client):
    return ClientMetadata.of(Client.objects.get(pk=client.pk))


def test_every_member_can_be_set_somewhere_in_the_portal():
    assert set(AdvancedForm.base_fields) - {"version"} == set(field_names()) - ELSEWHERE


@pytest.mark.parametrize("template", ["service", "web", "public", "device", "workload"])
def test_saving_what_is_shown_changes_nothing(browser, acme, acme_access, template):
    client = ClientFactory(consumer=acme, template=template)
    before = metadata(client)
    answer = browser.post(path(client), typed(client))
    assert answer.status_code == 302, answer.text
    assert metadata(client) == before


def test_page_offers_what_means_something_to_the_client(browser, acme, web, service):
    device = ClientFactory(consumer=acme, template="device")
    fields = {client.pk: set(fields_of(browser.get(path(client)))) for client in (web, service, device)}
    assert "refresh_token_grant_refresh_token_lifespan" in fields[web.pk]
    assert "redirect_uris" not in fields[web.pk]  # its settings have them
    assert "client_credentials_grant_access_token_lifespan" in fields[service.pk]
    assert not fields[service.pk] & {"post_logout_redirect_uris", "refresh_token_grace", "allowed_cors_origins"}
    assert "device_authorization_grant_access_token_lifespan" in fields[device.pk]
    assert "require_pushed_authorization_requests" not in fields[device.pk]


def test_all_that_a_web_app_may_want(browser, web):
    changes = {
        "grant_types": ["client_credentials", "authorization_code", "refresh_token"],
        "access_token_strategy": "opaque",
        "authorization_code_grant_access_token_lifespan": "1h 30m",
        "refresh_token_grace": "5",
        "allowed_cors_origins": "https://app.example.com\r\nhttps://next.example.com\r\n",
        "default_max_age": "600",
        "require_pushed_authorization_requests": "on",
        "id_token_signed_response_alg": "ES256",
        "post_logout_redirect_uris": "https://app.example.com/bye",
        "backchannel_logout_uri": "https://app.example.com/told",
        "policy_uri": "https://app.example.com/privacy",
        "contacts": "team@acme.example",
    }
    answer = browser.post(path(web), typed(web, **changes), follow=True)
    assert "Saved." in answer.text
    saved = metadata(web)
    assert saved.grant_types == ("authorization_code", "refresh_token", "client_credentials")
    assert saved.lifespans == {"authorization_code_grant_access_token_lifespan": 5400}
    assert saved.allowed_cors_origins == ("https://app.example.com", "https://next.example.com")
    assert (saved.access_token_strategy, saved.refresh_token_grace, saved.default_max_age) == ("opaque", 5, 600)
    assert saved.require_pushed_authorization_requests
    assert saved.contacts == ("team@acme.example",)
    assert 'value="1h30m"' in answer.text
    event = Event.objects.filter(name="client.updated").first()
    assert set(event.detail["fields"]) >= {"allowed_cors_origins", "lifespans", "policy_uri"}


def test_other_lifetimes_stay(browser, web):
    web.lifespans = {"client_credentials_grant_access_token_lifespan": 60}
    web.save()
    browser.post(path(web), typed(web, authorization_code_grant_id_token_lifespan="15m"))
    assert metadata(web).lifespans == {
        "client_credentials_grant_access_token_lifespan": 60,
        "authorization_code_grant_id_token_lifespan": 900,
    }


def test_service_begins_to_sign_people_in_and_stops(browser, service):
    kinds = ["client_credentials", "authorization_code"]
    answer = browser.post(path(service), typed(service, grant_types=kinds))
    assert answer.status_code == 422
    assert 'id="id_redirect_uris_error"' in answer.text
    browser.post(path(service), typed(service, grant_types=kinds, redirect_uris="https://app.example.com/back"))
    service.refresh_from_db()
    assert metadata(service).response_types == ("code",)
    assert metadata(service).redirect_uris == ("https://app.example.com/back",)
    browser.post(path(service), typed(service, grant_types=["client_credentials"]))
    assert (metadata(service).response_types, metadata(service).redirect_uris) == ((), ())


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("authorization_code_grant_access_token_lifespan", "soon", "Write a duration, such as 1h30m or 900s."),
        ("authorization_code_grant_access_token_lifespan", "1.5s", "Use whole seconds."),
        ("authorization_code_grant_access_token_lifespan", "99999h", "between a second and 400 days"),
        ("refresh_token_grace", "31", "Choose between 0 and 30 seconds."),
        ("default_max_age", "-1", "Choose a number of seconds, 0 or more."),
        ("backchannel_logout_uri", "http://10.0.0.1/", "https"),
        ("allowed_cors_origins", "https://app.example.com/path", "app.example.com/path"),
        ("client_uri", "javascript:alert(1)", "javascript:alert(1)"),
        ("grant_types", [], "Choose at least one grant type."),
        ("access_token_strategy", "paper", "paper"),
    ],
)
def test_invalid_value_is_reported_at_its_field_and_nothing_entered_is_lost(browser, web, name, value, sentence):
    before = metadata(web)
    answer = browser.post(path(web), typed(web, tos_uri="https://app.example.com/terms", **{name: value}))
    assert answer.status_code == 422
    assert sentence in unescape(answer.text)
    assert f'id="id_{name}_error"' in answer.text
    assert "https://app.example.com/terms" in answer.text
    assert metadata(web) == before


def test_whoever_saved_meanwhile_is_not_overwritten_in_silence(browser, web):
    mine = typed(web, policy_uri="https://app.example.com/mine", require_auth_time="on")
    browser.post(path(web), typed(web, policy_uri="https://app.example.com/theirs"))
    answer = browser.post(path(web), mine)
    assert answer.status_code == 409
    assert "Alice Martin changed this client while you were editing" in answer.text
    assert "https://app.example.com/theirs" in answer.text
    assert "https://app.example.com/mine" in answer.text
    assert metadata(web).policy_uri == "https://app.example.com/theirs"
    version = AdvancedForm(client=Client.objects.get(pk=web.pk)).initial["version"]
    assert browser.post(path(web), mine | {"version": version}).status_code == 302
    assert metadata(web).policy_uri == "https://app.example.com/mine"


def test_viewer_reads_what_is_set_and_changes_nothing(web, bob, browser_of):
    web.post_logout_redirect_uris = ["https://app.example.com/bye"]
    web.lifespans = {"refresh_token_grant_access_token_lifespan": 900}
    web.save()
    viewer = browser_of(bob)
    page = viewer.get(path(web)).text
    assert "https://app.example.com/bye" in page
    assert "<dd>15m</dd>" in page
    assert "Save changes" not in page
    assert viewer.post(path(web), typed(web)).status_code == 403


@pytest.mark.parametrize(("seconds", "text"), [(3600, "1h"), (5400, "1h30m"), (600, "10m"), (61, "1m1s"), (5, "5s")])
def test_lifetimes_are_written_shortly(seconds, text):
    assert display_duration(seconds) == text
