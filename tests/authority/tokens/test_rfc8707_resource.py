"""RFC 8707: for which APIs a token is."""

import pytest

from tests.authority.flows import Flow, returned
from tests.factories import AccessFactory, ApiFactory, ScopeFactory

pytestmark = pytest.mark.django_db
SHIPMENTS = "https://api.example.com/shipments"
BILLING = "https://api.example.com/billing"


@pytest.fixture
def billing(acme):
    api = ApiFactory(identifier=BILLING, name="Billing")
    scope = ScopeFactory(api=api, value="billing:read", name="Read invoices")
    return AccessFactory(consumer=acme, scope=scope)


@pytest.fixture
def both(program, acme_access, billing):
    program.client.scopes = ["shipments:read", "shipments:write", "billing:read"]
    program.client.save()
    return program


def told(program, **parameters):
    answer = program.token(**parameters)
    assert answer.status_code == 200, answer.content
    claims = program.introspect(answer.json()["access_token"])
    assert claims["scope"] == answer.json()["scope"]
    return claims["aud"], claims["scope"]


@pytest.mark.compliance("RFC 8707", "2")
def test_audience_and_scopes_are_those_of_the_resource(both):
    assert told(both) == ([SHIPMENTS, BILLING], "shipments:read shipments:write billing:read")
    assert told(both, resource=BILLING) == (BILLING, "billing:read")
    assert told(both, resource=SHIPMENTS, scope="shipments:read billing:read") == (SHIPMENTS, "shipments:read")


@pytest.mark.compliance("RFC 8707", "2")
def test_resource_may_be_repeated(both):
    body = f"grant_type=client_credentials&resource={BILLING}&resource={SHIPMENTS}"
    claims = both.introspect(both.post("/oauth2/token", body).json()["access_token"])
    assert claims["aud"] == [BILLING, SHIPMENTS]


@pytest.mark.compliance("RFC 8707", "2")
@pytest.mark.parametrize(
    "resource",
    [
        *("https://nobody.example", "https://api.example.com/shipments#x", "https://api.example.com/shipments/"),
        *(
            "/shipments",
            "shipments",
            "https://",
            "https://[",
            f"{SHIPMENTS} {BILLING}",
            "x" * 3000,
            "https://ü.example",
        ),
    ],
)
def test_other_resources_are_refused(both, resource):
    answer = both.token(resource=resource)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_target")


def test_api_without_a_scope_of_the_client_cannot_be_named(program, billing):
    assert program.token(resource=BILLING).json()["error"] == "invalid_target"
    program.client.audience = [BILLING]  # listed, but it is an API of ours, which opens through its scopes alone
    program.client.save()
    assert program.token(resource=BILLING).json()["error"] == "invalid_target"


def test_resource_without_any_of_the_scopes_is_refused(both):
    assert both.token(resource=BILLING, scope="shipments:read").json()["error"] == "invalid_target"


def test_resource_that_the_registration_lists_needs_no_scope(program):
    program.client.audience = ["https://legacy.example/api"]
    program.client.save()
    assert told(program, resource="https://legacy.example/api") == ("https://legacy.example/api", "")


def test_client_may_have_to_name_a_resource(both):
    both.client.require_resource = True
    both.client.save()
    assert both.token().json()["error"] == "invalid_target"
    assert both.token(resource=BILLING).status_code == 200


@pytest.fixture
def broad(web, browser_of, alice, billing):
    web.client.scopes = [*web.client.scopes, "billing:read"]
    web.client.save()
    return Flow(web, browser_of(alice), scope="openid shipments:read billing:read", resource=[SHIPMENTS, BILLING])


def allow(flow):
    return returned(flow.decide(scope=("shipments:read", "billing:read")))["code"]


@pytest.mark.compliance("RFC 8707", "2.2")
def test_code_is_exchanged_for_a_part_and_refreshed_for_another(broad):
    tokens = broad.exchange(allow(broad), resource=SHIPMENTS).json()
    assert tokens["scope"] == "openid shipments:read"
    tokens = broad.refresh(tokens["refresh_token"], resource=BILLING).json()
    assert tokens["scope"] == "openid billing:read"
    assert BILLING in broad.program.introspect(tokens["access_token"])["aud"]
    tokens = broad.refresh(tokens["refresh_token"]).json()
    assert set(tokens["scope"].split()) == {"openid", "shipments:read", "billing:read"}


@pytest.mark.compliance("RFC 8707", "2.2")
def test_nothing_is_got_beyond_what_was_granted(broad):
    broad.request["resource"] = SHIPMENTS
    broad.request["scope"] = "openid shipments:read billing:read"
    code = allow(broad)
    assert broad.exchange(code, resource=BILLING).json()["error"] == "invalid_target"
    tokens = broad.exchange(code).json()
    assert tokens["scope"] == "openid shipments:read"
    assert broad.refresh(tokens["refresh_token"], resource=BILLING).json()["error"] == "invalid_target"


@pytest.mark.compliance("RFC 8707", "2.1")
def test_authorization_request_for_another_resource_is_sent_back(broad):
    broad.request["resource"] = "https://nobody.example"
    back = returned(broad.open())
    assert (back["error"], back["state"]) == ("invalid_target", "a state")
