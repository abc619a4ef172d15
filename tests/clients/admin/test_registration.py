"""The admin of metadata sources."""

import pytest

from clients.models import DocumentHost, SoftwareIssuer

pytestmark = pytest.mark.django_db

PUBLISHERS = "/operators/clients/softwareissuer/add/"
HOSTS = "/operators/clients/documenthost/add/"


def test_publisher_without_keys_is_refused_in_words_and_loses_nothing(browser_of, olga):
    page = browser_of(olga).post(PUBLISHERS, {"issuer": "https://publisher.example.com", "jwks_uri": "", "jwks": ""})
    text = page.content.decode()
    assert "one of the two" in text
    assert 'value="https://publisher.example.com"' in text
    assert "Constraint" not in text
    assert ">null<" not in text
    assert not SoftwareIssuer.objects.exists()


@pytest.mark.parametrize("uri", ["http://publisher.example.com/keys", "https://10.0.0.1/keys"])
def test_jwks_uri_of_a_software_issuer_must_be_fetchable(browser_of, olga, uri):
    page = browser_of(olga).post(PUBLISHERS, {"issuer": "https://publisher.example.com", "jwks_uri": uri, "jwks": ""})
    assert page.status_code == 200
    assert not SoftwareIssuer.objects.exists()


def test_publisher_is_trusted(browser_of, olga):
    form = {"issuer": "https://publisher.example.com", "jwks_uri": "https://publisher.example.com/keys", "jwks": ""}
    assert browser_of(olga).post(PUBLISHERS, form).status_code == 302
    assert SoftwareIssuer.objects.get().jwks is None


def test_limits_of_a_document_host_are_within_its_consumer_s_access(browser_of, olga, acme):
    form = {"host": "apps.example.com", "consumer": str(acme.pk), "grant_types": "", "scopes": "other:read"}
    page = browser_of(olga).post(HOSTS, form)
    assert "may not use the permission" in page.content.decode()
    assert not DocumentHost.objects.exists()
    assert browser_of(olga).post(HOSTS, form | {"scopes": ""}).status_code == 302
