"""Clients that manage themselves with their registration access token (RFC 7592)."""

import json

import pytest

from clients.actions import clients as client_actions
from clients.metadata import ClientMetadata
from clients.models import Client
from clients.policy import portal_policy
from consumers.audit import SYSTEM
from tests.authority.endpoints.test_rfc7591_registration import WANTED, ask, assert_refused, initial_access_token


@pytest.fixture
def mine(client, acme, acme_access):
    """What a client was told that has registered itself."""
    return ask(client, WANTED, initial_access_token(acme, max_uses=None)).json()


def manage(client, told, method, document=None, token=None):
    path = f"/oauth2/register/{told['client_id']}"
    return ask(client, document or {}, token or told["registration_access_token"], method, path)


@pytest.mark.compliance("RFC 7592", "2.1")
def test_client_reads_itself_without_secret_and_token(client, mine):
    read = manage(client, mine, "get").json()
    assert {name: read[name] for name in WANTED} == WANTED
    assert not {"client_secret", "registration_access_token", "metadata"} & read.keys()


@pytest.mark.compliance("RFC 7592", "2.2")
def test_replacing_itself_rotates_the_token(client, mine):
    read = manage(client, mine, "get").json()
    replaced = manage(client, mine, "put", read | {"client_name": "Tracker two"})
    assert replaced.json()["client_name"] == "Tracker two"
    fresh = replaced.json()["registration_access_token"]
    assert_refused(manage(client, mine, "get"), 401, "invalid_token")
    assert manage(client, mine, "get", token=fresh).status_code == 200


@pytest.mark.compliance("RFC 7592", "2.2")
def test_what_get_returned_can_be_put_and_changes_nothing(client, mine):
    before = Client.objects.values().get()
    assert manage(client, mine, "put", manage(client, mine, "get").json()).status_code == 200
    assert Client.objects.values().get() == before


@pytest.mark.compliance("RFC 7592", "2.2")
def test_what_is_left_out_gets_its_default(client, mine):
    told = manage(client, mine, "put", {"redirect_uris": ["https://app.example.com/two"]}).json()
    assert told["redirect_uris"] == ["https://app.example.com/two"]
    assert told["grant_types"] == ["authorization_code"]


@pytest.mark.compliance("RFC 7592", "2.3")
def test_deleted_client_is_gone_and_its_token_with_it(client, mine):
    assert manage(client, mine, "delete").status_code == 204
    assert not Client.objects.exists()
    assert_refused(manage(client, mine, "get"), 401, "invalid_token")


@pytest.mark.compliance("RFC 7592", "2")
def test_token_manages_no_other_client(client, mine, acme):
    other = ask(client, WANTED | {"client_name": "Other"}, initial_access_token(acme)).json()
    assert_refused(manage(client, other, "get", token=mine["registration_access_token"]), 401, "invalid_token")
    assert_refused(manage(client, {"client_id": "cl_nobody"}, "get", token="cdr_x"), 401, "invalid_token")


def test_disabled_client_manages_nothing(client, mine):
    client_actions.disable_client(client=Client.objects.get(), actor=SYSTEM)
    assert_refused(manage(client, mine, "get"), 401, "invalid_token")


def test_token_survives_what_other_doors_change(client, mine):
    row = Client.objects.get()
    changed = ClientMetadata.of(row).replace(client_name="Renamed by people")
    client_actions.update_client(client=row, change=lambda _: changed, policy=portal_policy, actor=SYSTEM)
    assert manage(client, mine, "get").json()["client_name"] == "Renamed by people"


def test_what_people_decided_stays_when_the_client_replaces_itself(client, mine):
    Client.objects.update(skip_consent=True, owner="Team A", metadata={"cost": 1}, access_token_strategy="opaque")
    assert manage(client, mine, "put", WANTED).status_code == 200
    row = Client.objects.get()
    assert (row.skip_consent, row.owner, row.metadata, row.access_token_strategy) == (
        True,
        "Team A",
        {"cost": 1},
        "opaque",
    )


@pytest.mark.parametrize("sent", [{"client_id": "cl_another"}, {"client_secret": "another"}])
def test_client_keeps_its_id_and_secret(client, mine, sent):
    assert_refused(manage(client, mine, "put", WANTED | sent), 400, "invalid_request")


def test_own_secret_may_be_sent_back(client, mine):
    sent = WANTED | {"client_id": mine["client_id"], "client_secret": mine["client_secret"]}
    answer = manage(client, mine, "put", sent)
    assert answer.status_code == 200
    assert "client_secret" not in answer.json()


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_managers_token_is_taken_too(client, mine, manager_token, method):
    assert manage(client, mine, method, WANTED, token=manager_token).status_code in (200, 204)


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_strangers_token_is_not(client, mine, stranger_token, method):
    assert_refused(manage(client, mine, method, WANTED, token=stranger_token), 401, "invalid_token")
    assert json.loads(Client.objects.get().client_name and "true")


@pytest.mark.parametrize("method", ["post", "patch"])
def test_other_methods_are_not_served(client, mine, method):
    assert manage(client, mine, method).status_code == 405


def test_client_cannot_make_more_of_itself_than_its_initial_access_token_allowed(
    client, acme, acme_access, manager_token
):
    narrow = initial_access_token(acme, grant_types=["authorization_code"], scopes=["openid", "shipments:read"])
    told = ask(client, WANTED | {"grant_types": ["authorization_code"]}, narrow).json()
    wider = {
        "redirect_uris": WANTED["redirect_uris"],
        "grant_types": ["authorization_code"],
        "scope": "shipments:write",
    }
    assert_refused(manage(client, told, "put", wider), 400, "invalid_client_metadata")
    more = wider | {"scope": "openid", "grant_types": ["authorization_code", "refresh_token"]}
    assert_refused(manage(client, told, "put", more), 400, "invalid_client_metadata")
    assert manage(client, told, "put", wider | {"scope": "openid"}).status_code == 200
    assert manage(client, told, "put", wider, token=manager_token).status_code == 200  # people may


@pytest.mark.compliance("RFC 6750", "3.1")
def test_request_without_a_token_is_told_how_to_send_one_and_of_no_error(client, mine):
    path = f"/oauth2/register/{mine['client_id']}"
    assert client.get(path)["WWW-Authenticate"] == 'Bearer realm="registration"'
    wrong = client.get(path, headers={"Authorization": "Bearer cdr_x"})
    assert wrong["WWW-Authenticate"] == 'Bearer realm="registration", error="invalid_token"'
