"""Clients that manage themselves with their registration access token (RFC 7592)."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from clients.actions import clients as client_actions
from clients.metadata import ClientMetadata
from clients.models import Client, RegistrationAccessToken
from clients.policy import portal_policy
from consumers.actions import consumers as consumer_actions
from consumers.actions.personal_tokens import revoke_token
from consumers.audit import SYSTEM
from consumers.models import Event, Membership, Role
from tests.authority.conftest import management_token
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


# -- When it ends -----------------------------------------------------------------------------------------------------


def test_client_that_a_person_s_token_registers_gets_no_token_of_its_own(client, acme, acme_access, manager_token):
    told = ask(client, WANTED, manager_token).json()
    assert "registration_access_token" not in told
    replaced = manage(client, told, "put", WANTED | {"client_name": "Two"}, token=manager_token)
    assert replaced.status_code == 200
    assert "registration_access_token" not in replaced.json()
    assert not RegistrationAccessToken.objects.exists()


@pytest.fixture
def handed(client, mine, alice):
    """What was told a manager who replaced a client that had registered itself."""
    return manage(client, mine, "put", WANTED, token=management_token(alice)).json()


ENDS = {
    "a viewer": lambda alice: Membership.objects.filter(user=alice).update(role=Role.VIEWER),
    "removed": lambda alice: Membership.objects.filter(user=alice).delete(),
    "deactivated": lambda alice: type(alice).objects.filter(pk=alice.pk).update(is_active=False),
    "without the token": lambda alice: revoke_token(token=alice.personal_tokens.get(), actor=SYSTEM),
    "with an expired token": lambda alice: alice.personal_tokens.update(expires_at=timezone.now()),
}


@pytest.mark.parametrize("how", ENDS)
def test_token_handed_to_a_person_ends_with_their_right(client, mine, handed, alice, how):
    assert_refused(manage(client, mine, "get"), 401, "invalid_token")  # the former
    handed = manage(client, handed, "put", WANTED).json()
    assert RegistrationAccessToken.objects.get().created_by == alice  # replacing it changes nothing of that
    assert manage(client, handed, "get").status_code == 200
    ENDS[how](alice)
    assert_refused(manage(client, handed, "get"), 401, "invalid_token")


def test_token_expires_in_a_year_or_with_the_client(client, mine, acme):
    assert timedelta(days=365) < RegistrationAccessToken.objects.get().expires_at - timezone.now() < timedelta(days=367)
    RegistrationAccessToken.objects.update(expires_at=timezone.now())
    assert_refused(manage(client, mine, "get"), 401, "invalid_token")
    brief = ask(client, WANTED | {"client_name": "Brief"}, initial_access_token(acme, client_lifetime_days=7)).json()
    row = Client.objects.get(client_id=brief["client_id"])
    assert row.registration_access_token.expires_at <= timezone.now() + timedelta(days=7)


def test_revoking_all_tokens_ends_it(client, mine):
    client_actions.revoke_tokens(client=Client.objects.get(), actor=SYSTEM)
    assert_refused(manage(client, mine, "get"), 401, "invalid_token")


def test_revoking_all_tokens_of_the_consumer_ends_it(client, mine, acme, browser_of, alice):
    page = f"/consumers/acme/clients/{mine['client_id']}/secrets/"
    assert "Registration access token" in browser_of(alice).get(page).text
    consumer_actions.revoke_tokens(consumer=acme, actor=SYSTEM)
    assert_refused(manage(client, mine, "get"), 401, "invalid_token")
    assert "Registration access token" not in browser_of(alice).get(page).text


@pytest.mark.compliance("RFC 7592", "2.2")
def test_client_does_not_change_how_it_authenticates(client, mine, manager_token):
    public = WANTED | {"token_endpoint_auth_method": "none"}
    refused = manage(client, mine, "put", public)
    assert_refused(refused, 400, "invalid_client_metadata")
    assert "client_secret_basic" in refused.json()["error_description"]
    assert manage(client, mine, "put", public, token=manager_token).status_code == 200  # people may


@pytest.mark.parametrize("template", ["web", "spa"])
def test_managers_see_it_beside_the_secrets_and_revoke_it(client, mine, browser_of, alice, bob, template):
    if template == "spa":
        Client.objects.update(token_endpoint_auth_method="none")
    row = Client.objects.get()
    page = f"/consumers/acme/clients/{row.client_id}/" + ("secrets/" if template == "web" else "")
    hint = mine["registration_access_token"][-4:]
    revoke = f"/consumers/acme/clients/{row.client_id}/registration-access-token/revoke/"
    assert f"••••{hint}" in browser_of(bob).get(page).text
    assert revoke not in browser_of(bob).get(page).text
    browser = browser_of(alice)
    assert revoke in browser.get(page).text
    assert "no longer change itself" in browser.post(revoke, follow=True).text
    assert_refused(manage(client, mine, "get"), 401, "invalid_token")
    assert hint not in browser.get(page).text
    assert "revoked already" in browser.post(revoke, follow=True).text
    assert Event.objects.filter(name="client.registration_access_token.revoked").count() == 1
