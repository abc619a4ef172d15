"""Clients whose ID is the address of their metadata (draft-ietf-oauth-client-id-metadata-document)."""

from datetime import timedelta
from urllib.parse import urlencode, urlsplit

import pytest
from django.utils import timezone

from clients.models import Client, DocumentHost, SelfRegistration
from consumers.models import Event
from core.http_fetch import documents

DRAFT = "draft-ietf-oauth-client-id-metadata-document"
BACK = "https://app.example.com/signed-in"


@pytest.fixture
def host(acme, acme_access, publisher, settings):
    settings.FETCH_LOCAL_HOSTS = ["127.0.0.1"]
    named = ["openid", "shipments:read"]
    return DocumentHost.objects.create(host=urlsplit(publisher.url).netloc, consumer=acme, scopes=named)


def publish(publisher, path="/client.json", **members):
    url = f"{publisher.url}{path}"
    documents.forget(url)
    document = {"client_id": url, "client_name": "Assistant", "redirect_uris": [BACK], "scope": "openid shipments:read"}
    return publisher.publish(path, document | members)


def ask(browser, client_id, **changes):
    request = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": BACK,
        "scope": "openid shipments:read",
        "state": "s",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    } | changes
    return browser.get("/oauth2/authorize?" + urlencode(request))


@pytest.fixture
def browser(browser_of, alice):
    return browser_of(alice)


@pytest.mark.compliance(DRAFT, "4")
def test_document_of_an_allowed_host_is_a_client(browser, publisher, host, acme):
    url = publish(publisher)
    page = ask(browser, url)
    assert page.status_code == 200
    assert "Assistant" in page.text
    row = Client.objects.get(client_id=url)
    assert (row.consumer, row.token_endpoint_auth_method) == (acme, "none")
    assert row.self_registration.method == "document"


@pytest.mark.compliance(DRAFT, "3")
def test_client_id_may_be_as_long_as_any(browser, publisher, host):
    path = "/" + "c" * (254 - len(publisher.url))
    url = publish(publisher, path, client_name="N" * 100)
    assert len(url) == 255
    assert ask(browser, url).status_code == 200
    assert Event.objects.get(name="client.registered").actor_id == url


def test_second_request_asks_the_host_no_more(browser, publisher, host):
    url = publish(publisher)
    ask(browser, url)
    ask(browser, url)
    assert publisher.asked == ["/client.json"]
    assert Client.objects.filter(client_id=url).count() == 1


def test_changed_document_changes_the_client_when_it_is_old(browser, publisher, host):
    url = publish(publisher)
    ask(browser, url)
    publish(publisher, client_name="Assistant two")
    SelfRegistration.objects.update(fetched_at=timezone.now() - timedelta(hours=2))
    assert "Assistant two" in ask(browser, url).text


def test_what_it_said_last_holds_while_the_host_is_away(browser, publisher, host):
    url = publish(publisher)
    ask(browser, url)
    documents.forget(url)
    publisher.pages.clear()
    SelfRegistration.objects.update(fetched_at=timezone.now() - timedelta(hours=2))
    assert ask(browser, url).status_code == 200


@pytest.mark.compliance(DRAFT, "6")
def test_host_that_nobody_allows_is_never_asked(browser, publisher, acme, settings):
    settings.FETCH_LOCAL_HOSTS = ["127.0.0.1"]
    assert ask(browser, publish(publisher)).status_code == 400
    assert publisher.asked == []


BAD = {
    "another client_id": {"client_id": "https://elsewhere.example/client.json"},
    "a secret": {"client_secret": "s"},
    "a method with a secret": {"token_endpoint_auth_method": "client_secret_basic"},
    "no redirect URI": {"redirect_uris": []},
    "a redirect URI that is code": {"redirect_uris": ["javascript:alert(1)"]},
    "a permission of others": {"scope": "billing:write"},
    "a list for a name": {"client_name": ["a"]},
}


@pytest.mark.compliance(DRAFT, "4.1")
@pytest.mark.parametrize("what", BAD)
def test_document_that_describes_no_client_leads_nowhere(browser, publisher, host, what):
    answer = ask(browser, publish(publisher, **BAD[what]))
    assert answer.status_code == 400
    assert "Location" not in answer
    assert not Client.objects.exists()


@pytest.mark.compliance(DRAFT, "3")
@pytest.mark.parametrize("path", ["", "/", "/a/../client.json", "/./client.json", "/client.json#x", "/client.json?x=1"])
def test_address_that_reads_in_two_ways_is_no_client(browser, publisher, host, path):
    assert ask(browser, publisher.url + path).status_code == 400
    assert not Client.objects.exists()


def test_document_gets_no_grant_and_no_scope_that_nobody_named(browser, publisher, host):
    DocumentHost.objects.update(scopes=[])
    assert ask(browser, publish(publisher)).status_code == 400
    assert ask(browser, publish(publisher, scope="openid"), scope="openid").status_code == 200
    device = ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"]
    url = publish(publisher, "/tv.json", scope="openid", grant_types=device)
    assert ask(browser, url, scope="openid").status_code == 400
    assert not Client.objects.filter(client_id=url).exists()


def test_redirect_uri_must_be_in_the_document(browser, publisher, host):
    answer = ask(browser, publish(publisher), redirect_uri="https://evil.example/")
    assert answer.status_code == 400
    assert "Location" not in answer


def test_discovery_says_whether_documents_work(client, host):
    found = client.get("/.well-known/oauth-authorization-server").json()
    assert found["client_id_metadata_document_supported"] is True
