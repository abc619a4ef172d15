"""RFC 9126: requests that are pushed beforehand."""

import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from authority import tasks
from authority.models import PushedRequest
from core.encryption import fernet
from tests.authority.conftest import basic
from tests.authority.flows import Flow, returned

pytestmark = pytest.mark.django_db


def push(flow, **parameters):
    return flow.program.post("/oauth2/par", flow.request | parameters)


@pytest.fixture
def pushed(flow):
    """The flow, whose browser comes with nothing but the request_uri."""
    answer = push(flow)
    assert answer.status_code == 201, answer.content
    flow.request = {"client_id": flow.program.client.client_id, "request_uri": answer.json()["request_uri"]}
    flow.redirect_uri = "https://app.example.com/signed-in"
    return flow


def opened(flow):
    """Follow the browser to the page that asks."""
    first = flow.browser.get(flow.address)
    assert first.status_code == 303, first.content
    flow.request = dict(pair.split("=", 1) for pair in first["Location"].partition("?")[2].split("&"))
    flow.at = first["Location"]
    return flow.browser.get(flow.at)


@pytest.mark.compliance("RFC 9126", "2.2")
def test_pushed_request_gets_a_name_for_a_minute(flow):
    answer = push(flow)
    assert answer.json()["request_uri"].startswith("urn:ietf:params:oauth:request_uri:")
    assert answer.json()["expires_in"] == 60
    assert answer["Cache-Control"] == "no-store"


def test_what_was_pushed_rests_encrypted_under_a_digest(flow):
    request_uri = push(flow, client_secret="", login_hint="alice@acme.example").json()["request_uri"]
    row = PushedRequest.objects.get()
    assert row.digest not in request_uri
    assert b"alice" not in bytes(row.encrypted_parameters)
    kept = json.loads(fernet().decrypt(bytes(row.encrypted_parameters)))
    assert kept["login_hint"] == "alice@acme.example"
    assert "client_secret" not in kept


@pytest.mark.compliance("RFC 9126", "4")
def test_person_allows_a_pushed_request_once(pushed):
    page = opened(pushed)
    assert "Dispatch board" in page.content.decode()
    pushed.open = lambda: pushed.browser.get(pushed.at)
    back = returned(pushed.decide())
    assert back["state"] == "a state"
    pushed.request["redirect_uri"] = pushed.redirect_uri
    assert pushed.exchange(back["code"]).status_code == 200
    assert pushed.browser.get(pushed.at).status_code == 400  # answered


@pytest.mark.compliance("RFC 9126", "7.3")
def test_second_browser_cannot_open_what_a_first_one_has(pushed):
    address = pushed.address
    opened(pushed)
    assert pushed.browser.get(address).status_code == 400


@pytest.mark.compliance("RFC 9126", "2.2")
def test_after_its_end_it_cannot_be_opened(pushed, time_machine):
    time_machine.move_to(timezone.now() + timedelta(seconds=61))
    assert pushed.browser.get(pushed.address).status_code == 400


def test_person_may_take_their_time_once_it_is_opened(pushed, time_machine):
    opened(pushed)
    time_machine.move_to(timezone.now() + timedelta(minutes=30))
    assert pushed.browser.get(pushed.at).status_code == 200


@pytest.mark.compliance("RFC 9126", "2.2")
def test_request_uri_is_bound_to_its_client(pushed, spa):
    pushed.request["client_id"] = spa.client.client_id
    assert pushed.browser.get(pushed.address).status_code == 400


@pytest.mark.compliance("RFC 9126", "4")
def test_parameters_beside_the_request_uri_count_for_nothing(pushed):
    pushed.request |= {"scope": "openid email", "redirect_uri": "https://evil.example/", "state": "other"}
    page = opened(pushed)
    assert "not your name or email address" in page.content.decode()


@pytest.mark.compliance("RFC 9126", "2.3")
@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "unknown"}, "invalid_scope"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"id_token_hint": "x.y.z"}, "invalid_request"),
        ({"response_mode": "jwt"}, "invalid_request"),
        ({"resource": "https://nobody.example"}, "invalid_target"),
        ({"request": "x.y.z"}, "request_not_supported"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
    ],
    ids=str,
)
def test_what_would_be_refused_later_is_refused_at_once(flow, parameters, error):
    answer = push(flow, **parameters)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert not PushedRequest.objects.exists()


@pytest.mark.compliance("RFC 9126", "2")
def test_client_authenticates_as_at_the_token_endpoint(flow, stranger):
    wrong = flow.program.post(
        "/oauth2/par", flow.request, Authorization=basic(flow.program.client.client_id, "not the secret")
    )
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert stranger.post("/oauth2/par", flow.request).json()["error"] == "invalid_request"  # client_id is another's
    assert flow.program.http.get("/oauth2/par").status_code == 405


@pytest.mark.compliance("RFC 9126", "5")
def test_client_that_must_push_is_refused_otherwise(flow):
    flow.program.client.require_pushed_authorization_requests = True
    flow.program.client.save()
    assert returned(flow.open())["error"] == "invalid_request"
    assert push(flow).status_code == 201


@pytest.mark.compliance("RFC 9126", "5")
def test_discovery_names_the_endpoint(client):
    document = client.get("/.well-known/oauth-authorization-server").json()
    assert document["pushed_authorization_request_endpoint"].endswith("/oauth2/par")
    assert document["require_pushed_authorization_requests"] is False


def test_public_client_pushes_with_its_name_alone(spa, browser_of, alice):
    flow = Flow(spa, browser_of(alice), scope="openid")
    assert push(flow).status_code == 201


@pytest.mark.parametrize(
    "request_uri", ["urn:ietf:params:oauth:request_uri:" + "x" * 43, "urn:ietf:params:oauth:request_uri:"]
)
def test_made_up_request_uri_stays_on_our_page(flow, request_uri):
    query = urlencode({"client_id": flow.program.client.client_id, "request_uri": request_uri})
    page = flow.browser.get(f"/oauth2/authorize?{query}")
    assert page.status_code == 400
    assert b"invalid_request_uri" in page.content


def test_swept_when_nobody_can_come_back(pushed, time_machine):
    tasks.delete_expired()
    assert PushedRequest.objects.exists()
    time_machine.move_to(timezone.now() + timedelta(minutes=2))
    tasks.delete_expired()
    assert not PushedRequest.objects.exists()
