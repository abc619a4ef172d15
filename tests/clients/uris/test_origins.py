"""Allowed CORS origins: registration, and the origins that follow from redirect URIs."""

import pytest

from clients.actions import clients as client_actions
from clients.errors import InvalidClientMetadata
from clients.metadata import TEMPLATES, ClientMetadata
from clients.models import Client
from clients.policy import portal_policy
from clients.uris.origins import check_origin, origin_of
from consumers.audit import SYSTEM
from consumers.models import Event
from portal.demo.data import allow_pages
from tests.factories import ClientFactory

NEW = "/consumers/acme/clients/new"
TYPED = {
    "template": "public",
    "client_name": "Tracker",
    "scope": ["shipments:read"],
    "redirect_uris": "https://app.example.com:443/cb\nhttps://app.example.com/again\ncom.example.app:/cb\nhttp://127.0.0.1:8401/cb",
    "key": "one",
}
ORIGINS = ["https://app.example.com", "http://127.0.0.1:8401"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example.com",
        "https://app.example.com:8443",
        "https://xn--bcher-kva.example",
        "http://localhost:3000",
        "http://127.0.0.1",
        "http://[::1]:8400",
        "https://localhost",
    ],
)
def test_origins_as_browsers_send_them_may_be_registered(origin):
    check_origin(origin)
    assert origin_of(f"{origin}/cb?tenant=acme") == origin


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "*",
        "null",
        "app.example.com",
        "//app.example.com",
        "https://",
        "https://*.example.com",
        "https://app.example.com/",
        "https://app.example.com/path",
        "https://app.example.com?x",
        "https://app.example.com?",
        "https://app.example.com#",
        "https://app.example.com:443",
        "http://127.0.0.1:80",
        "https://app.example.com:",
        "https://app.example.com:0",
        "https://app.example.com:65536",
        "http://app.example.com",
        "HTTPS://app.example.com",
        "https://APP.example.com",
        "https://user@app.example.com",
        "https://app.example.com, https://evil.example",
        "https://app.example.com\r\nX: y",
        "https://app.example.com\x00",
        "https://bücher.example",
        "https://intranet",
        "https://10.0.0.1",
        "https://[::1",
        "com.example.app:/cb",
        "file://",
    ],
)
def test_what_no_browser_sends_is_refused_with_a_reason(origin):
    with pytest.raises(InvalidClientMetadata) as refusal:
        check_origin(origin)
    assert (refusal.value.code, refusal.value.field) == ("invalid_client_metadata", "allowed_cors_origins")
    assert refusal.value.description.isprintable()
    assert refusal.value.description.endswith(".")


@pytest.mark.parametrize(
    "origins",
    [
        ("https://app.example.com/",),
        ("https://app.example.com", "https://app.example.com"),
        tuple(f"https://a{number}.example.com" for number in range(51)),
    ],
)
def test_the_policy_checks_origins(acme, acme_access, origins):
    metadata = TEMPLATES["service"].replace(
        client_name="Yard planner", scope=("shipments:read",), allowed_cors_origins=origins
    )
    with pytest.raises(InvalidClientMetadata) as refusal:
        portal_policy(metadata, acme)
    assert refusal.value.field == "allowed_cors_origins"


def test_registering_a_public_client_allows_the_pages_at_its_redirect_uris(alice, acme_access, browser_of):
    browser = browser_of(alice)
    browser.post(NEW, TYPED)
    client = Client.objects.get()
    assert client.allowed_cors_origins == ORIGINS
    page = " ".join(browser.get(client.get_absolute_url()).text.split())
    assert (
        "Pages on <code>https://app.example.com</code> and <code>http://127.0.0.1:8401</code> "
        "may call the token endpoint" in page
    )


def test_registering_a_web_app_allows_no_page(alice, acme_access, browser_of):
    browser_of(alice).post(NEW, TYPED | {"template": "web"})
    assert Client.objects.get().allowed_cors_origins == []


def test_refused_redirect_uris_are_refused_once(alice, acme_access, browser_of):
    answer = browser_of(alice).post(NEW, TYPED | {"redirect_uris": "https://[::1/cb\nhttp://app.example.com/cb"})
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"redirect_uris"}


def test_origins_follow_the_redirect_uris_and_others_stay():
    before = TEMPLATES["public"].replace(
        redirect_uris=("https://old.example.com/cb", "https://app.example.com/cb"),
        allowed_cors_origins=("https://old.example.com", "https://app.example.com", "https://docs.example.com"),
    )
    after = before.with_redirect_uris(("https://app.example.com/cb", "https://new.example.com/cb"))
    assert after.allowed_cors_origins == (
        "https://app.example.com",
        "https://new.example.com",
        "https://docs.example.com",
    )


def test_demo_allows_the_pages_of_a_client_that_it_made_earlier(acme, acme_access):
    client = ClientFactory(consumer=acme, template="public")
    allow_pages(client)
    client.refresh_from_db()
    assert client.allowed_cors_origins == ["https://app.example.com"]
    updates = Event.objects.filter(target_id=str(client.pk)).count()
    allow_pages(client)
    assert Event.objects.filter(target_id=str(client.pk)).count() == updates == 1


def test_saving_the_same_redirect_uris_changes_nothing(acme, acme_access):
    metadata = (
        TEMPLATES["public"]
        .replace(client_name="Tracker", scope=("openid",))
        .with_redirect_uris(("https://app.example.com/cb",))
    )
    client, _ = client_actions.register_client(consumer=acme, metadata=metadata, policy=portal_policy, actor=SYSTEM)
    assert ClientMetadata.of(client).with_redirect_uris(("https://app.example.com/cb",)) == ClientMetadata.of(client)
