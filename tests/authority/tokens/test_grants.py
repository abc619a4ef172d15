"""RFC 6749 section 4 and RFC 7591 section 2: a client has the grants that it registered, each of them, and no other."""

import pytest

from authority.models import TokenFamily
from clients.vocabulary import GrantType
from tests.authority.conftest import Program
from tests.authority.endpoints.test_rfc8628_device_grant import Device
from tests.authority.flows import Flow, leads_to
from tests.factories import ClientFactory, give_secret

pytestmark = pytest.mark.django_db
ALL = [str(value) for value in GrantType.values]
REFUSED = (400, "unauthorized_client")


@pytest.fixture
def many(acme, acme_access):
    """A client with every grant."""
    client = ClientFactory(
        consumer=acme, template="web", grant_types=ALL, scopes=["openid", "offline_access", "shipments:read"]
    )
    return Program(client, give_secret(client)[1])


def result(answer):
    return answer.status_code, answer.json().get("error")


def asked_for(many, browser):
    """Ask for tokens by each grant; return what came of it, with codes and a refresh token given while all was well."""
    flow, device = Flow(many, browser), Device(many, browser)
    registered = many.client.grant_types
    many.client.grant_types = ALL
    many.client.save()
    code, refresh_token = flow.code(), flow.tokens()["refresh_token"]
    device.begin(scope="openid shipments:read")
    device.decide()
    many.client.grant_types = registered
    many.client.save()
    return {
        "client_credentials": result(many.token()),
        "authorization_code": result(flow.exchange(code)),
        "refresh_token": result(flow.refresh(refresh_token)),
        GrantType.DEVICE_CODE.value: result(device.poll()),
    }


def test_each_of_several_grants_works(many, browser_of, alice):
    assert asked_for(many, browser_of(alice)) == dict.fromkeys(ALL, (200, None))


@pytest.mark.compliance("RFC 6749", "5.2")
@pytest.mark.parametrize("missing", ALL)
def test_the_one_that_is_missing_is_refused_and_the_others_work(many, browser_of, alice, missing):
    many.client.grant_types = [value for value in ALL if value != missing]
    many.client.save()
    assert asked_for(many, browser_of(alice)) == dict.fromkeys(ALL, (200, None)) | {missing: REFUSED}


@pytest.mark.compliance("RFC 6749", "4.1.2.1")
def test_grant_that_begins_elsewhere_is_refused_there(many, browser_of, alice):
    many.client.grant_types = ["client_credentials"]
    many.client.save()
    assert "error=unauthorized_client" in leads_to(Flow(many, browser_of(alice)).open())
    assert result(Device(many).ask(scope="openid")) == REFUSED


def test_without_the_grant_to_refresh_there_is_no_refresh_token(many, browser_of, alice):
    many.client.grant_types = [value for value in ALL if value != "refresh_token"]
    many.client.save()
    flow, device = Flow(many, browser_of(alice), scope="openid offline_access"), Device(many, browser_of(alice))
    device.begin(scope="openid offline_access")
    device.decide()
    for tokens in (flow.tokens(), device.poll().json(), many.token().json()):
        assert tokens["access_token"]
        assert "refresh_token" not in tokens
    assert not TokenFamily.objects.filter(refresh_tokens__isnull=False).exists()
