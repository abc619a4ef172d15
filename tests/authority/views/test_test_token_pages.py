"""Test tokens in the portal: the form, the one showing, the list."""

import re

import pytest

from authority.models import TestToken
from authority.tokens import test_tokens
from authority.tokens.test_tokens import TestTokenRequest
from clients.models import Api
from consumers.models import Event
from tests.factories import ClientFactory, actor_for

pytestmark = pytest.mark.django_db
LIST = "/consumers/acme/test-tokens/"
FORM = {
    "grant_type": "client_credentials",
    "scope": "shipments:read",
    "expires_in": "600",
    "claims": "{}",
    "roles": "",
    "user_id": "",
    "reason": "Trying the new API",
}


@pytest.fixture(autouse=True)
def allowed(acme_access):
    Api.objects.update(allows_test_tokens=True)


@pytest.fixture
def address(service):
    return f"/consumers/acme/clients/{service.client_id}/test-token/"


def test_token_is_shown_once_with_its_claims_and_a_command(address, browser_of, alice, program):
    browser = browser_of(alice)
    form = FORM | {"key": re.search(r'name="key" value="([^"]+)"', browser.get(address).text)[1]}
    answer = browser.post(address, form)
    assert "no-store" in answer["Cache-Control"]
    token = re.search(r"Authorization: Bearer (ey[\w.-]+)", answer.text)[1]
    assert program.introspect(token)["token_use"] == "test"
    assert "curl &#x27;https://api.example.com/shipments&#x27;" in answer.text
    assert "A person created it as a test token" in answer.text
    again = browser.post(address, form, follow=True)
    assert "has already been created" in again.text
    assert token not in again.text
    assert TestToken.objects.count() == 1
    assert token.rsplit(".", 1)[1] not in browser.get(LIST).text


def test_person_roles_audience_and_claims_come_from_the_form(address, browser_of, alice, acme, program):
    acme.test_token_claims = ["department"]
    acme.save()
    form = FORM | {
        "grant_type": "authorization_code",
        "user_id": "jane",
        "roles": "planner admin",
        "claims": '{"department": "Rail"}',
        "audience": "https://api.example.com/shipments",
    }
    token = re.search(r"Bearer (ey[\w.-]+)", browser_of(alice).post(address, form).text)[1]
    told = program.introspect(token)
    assert (told["sub"], told["roles"], told["department"]) == ("jane", ["planner", "admin"], "Rail")


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("expires_in", "4000", "Choose between 60 and 3,600 seconds"),
        ("expires_in", "soon", "Enter a whole number"),
        ("scope", "invoices:read", "invoices:read"),
        ("claims", '{"sub": "me"}', "Remove sub"),
        ("claims", "{", "Enter a valid JSON"),
        ("claims", "[]", "Write a JSON object"),
        ("user_id", "jane", "client_credentials has no user"),
        ("roles", "x" * 101, "Shorten each role"),
        ("reason", "", "What is it for?"),
        ("reason", "nul\0", "Null characters"),
        ("audience", "https://other.example", "https://other.example"),
        ("grant_type", "password", "password"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(address, browser_of, alice, field, typed, said):
    answer = browser_of(alice).post(address, FORM | {"roles": "planner", field: typed})
    assert answer.status_code == 422
    assert said in answer.text
    assert 'id="errors"' in answer.text
    assert field == "roles" or 'value="planner"' in answer.text
    assert not TestToken.objects.exists()


def test_list_tells_everybody_who_made_it_and_why_and_managers_revoke(service, browser_of, alice, bob, program):
    wanted = TestTokenRequest(scopes=("shipments:read",), expires_in=600, reason="Trying <b>it</b>")
    row, token = test_tokens.create(client=service, requested=wanted, actor=actor_for(alice))
    told = browser_of(bob).get(LIST).text
    assert "Trying &lt;b&gt;it&lt;/b&gt;" in told
    assert "Alice Martin" in told
    assert "Works" in told
    answer = browser_of(alice).post(f"{LIST}{row.jti}/revoke/", follow=True)
    assert "The test token is revoked" in answer.text
    assert "Revoked" in answer.text
    assert program.introspect(token) == {"active": False}
    assert "already expired or been revoked" in browser_of(alice).post(f"{LIST}{row.jti}/revoke/", follow=True).text
    assert Event.objects.filter(name="client.test_token.revoked").count() == 1


def test_a_neighbours_test_token_is_not_found(globex, browser_of, alice, mallory, service):
    wanted = TestTokenRequest(scopes=("shipments:read",), expires_in=600, reason="Secret plan")
    row, _ = test_tokens.create(client=service, requested=wanted, actor=actor_for(alice))
    answer = browser_of(mallory).post(f"/consumers/globex/test-tokens/{row.jti}/revoke/")
    assert answer.status_code == 404
    assert "Secret plan" not in browser_of(mallory).get("/consumers/globex/test-tokens/").text
    assert TestToken.objects.live().exists()


def test_without_such_apis_the_pages_say_whom_to_ask(address, browser_of, alice, settings):
    settings.OPERATOR_CONTACT = "help@provider.example"
    Api.objects.update(allows_test_tokens=False)
    assert "Ask" in browser_of(alice).get(LIST).text
    assert address not in browser_of(alice).get(LIST).text
    assert "may use allows test tokens. Ask the operator" in browser_of(alice).get(address).text
    assert browser_of(alice).post(address, FORM).status_code == 422


def test_only_clients_with_such_permissions_are_offered(address, browser_of, alice, acme):
    ClientFactory(consumer=acme, client_name="Elsewhere", scopes=["openid"])
    told = browser_of(alice).get(LIST).text
    assert address in told
    assert "Elsewhere" not in told
