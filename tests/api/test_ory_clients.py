"""Ory's client API, request by request."""

from urllib.parse import urlencode

import pytest

from clients.models import Client
from consumers.models import Event
from tests.factories import give_secret

pytestmark = pytest.mark.django_db

SERVICE = {
    "client_name": "Yard planner",
    "grant_types": ["client_credentials"],
    "scope": "shipments:read",
    "token_endpoint_auth_method": "client_secret_basic",
}
WEB = {
    "grant_types": ["authorization_code", "refresh_token"],
    "redirect_uris": ["https://example.com"],
    "scope": "offline openid",
    "token_endpoint_auth_method": "client_secret_post",
}


def test_a_registered_client_is_what_the_answer_says(acme, acme_access, alice, program_of):
    answer = program_of(alice).post("/admin/clients", SERVICE)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    client = Client.objects.get(client_id=made["client_id"])
    assert client.consumer == acme
    assert client.secrets.get().matches(made["client_secret"])
    assert answer["Location"] == f"/admin/clients/{client.client_id}"
    assert answer["Cache-Control"] == "no-store"
    assert made["scope"] == "shipments:read"
    assert made["client_secret_expires_at"] == 0
    event = Event.objects.get(name="client.registered")
    assert event.actor_label == "Alice Martin (token “Test”)"


def test_end_that_the_operator_gives_secrets_is_told(acme, acme_access, alice, program_of):
    acme.secret_days = 90
    acme.save()
    made = program_of(alice).post("/admin/clients", SERVICE).json()
    client = Client.objects.get(client_id=made["client_id"])
    end = int(client.secrets.get().expires_at.timestamp())
    assert made["client_secret_expires_at"] == end
    assert program_of(alice).get(f"/admin/clients/{client.client_id}").json()["client_secret_expires_at"] == end
    (listed,) = program_of(alice).get("/admin/clients").json()
    assert listed["client_secret_expires_at"] == end
    give_secret(client)
    assert program_of(alice).get(f"/admin/clients/{client.client_id}").json()["client_secret_expires_at"] == 0


def test_the_secret_stands_in_the_first_answer_alone(acme_access, alice, program_of):
    program = program_of(alice)
    made = program.post("/admin/clients", SERVICE).json()
    for answer in (
        program.get(f"/admin/clients/{made['client_id']}"),
        program.get("/admin/clients"),
        program.put(f"/admin/clients/{made['client_id']}", made),
    ):
        assert answer.status_code == 200, answer.text
        assert made["client_secret"] not in answer.text
        assert "digest" not in answer.text


def test_a_sign_in_client_as_the_seed_makes_it(acme, alice, program_of):
    answer = program_of(alice).post("/admin/clients", WEB)
    assert answer.status_code == 201, answer.text
    assert answer.json()["scope"] == "offline_access openid"
    assert answer.json()["response_types"] == ["code"]
    assert answer.json()["client_name"] == ""


def test_no_list_is_null(acme_access, alice, program_of):
    made = program_of(alice).post("/admin/clients", SERVICE).json()
    for name in ("redirect_uris", "contacts", "audience", "request_uris", "allowed_cors_origins", "response_types"):
        assert made[name] == []
    assert "jwks" not in made
    assert made["metadata"] == {}


def test_what_get_returns_can_be_put_and_changes_nothing(service, alice, program_of):
    program = program_of(alice)
    path = f"/admin/clients/{service.client_id}"
    before = program.get(path)
    after = program.put(path, before.json())
    assert after.status_code == 200, after.text
    assert after.json() == before.json()
    assert after["ETag"] == before["ETag"]
    assert not Event.objects.filter(name="client.updated").exists()


def test_lifespans_are_written_as_go_writes_them(service, alice, program_of):
    program = program_of(alice)
    path = f"/admin/clients/{service.client_id}"
    for sent, written in {"75s": "1m15s", "3600s": "1h0m0s", "15m": "15m0s", "31h": "31h0m0s"}.items():
        answer = program.put(f"{path}/lifespans", {"client_credentials_grant_access_token_lifespan": sent})
        assert answer.status_code == 200, answer.text
        assert answer.json()["client_credentials_grant_access_token_lifespan"] == written
    service.refresh_from_db()
    assert service.lifespans == {"client_credentials_grant_access_token_lifespan": 111600}
    answer = program.put(f"{path}/lifespans", {})
    assert answer.json()["client_credentials_grant_access_token_lifespan"] is None


def test_a_patch_path_without_its_slash_is_taken_as_with_one(service, alice, program_of):
    path = f"/admin/clients/{service.client_id}"
    answer = program_of(alice).patch(path, [{"op": "replace", "path": "owner", "value": "New owner"}])
    assert answer.status_code == 200, answer.text
    assert answer.json()["owner"] == "New owner"


def test_rotation_makes_a_secret_and_dropping_ends_the_old(service, alice, program_of):
    program, path = program_of(alice), f"/admin/clients/{service.client_id}/secrets/rotate"
    form = {"content_type": "application/x-www-form-urlencoded"}
    answers = [program.post(path, "", **form) for _ in range(7)]
    texts = [answer.json()["client_secret"] for answer in answers]
    assert {answer["ETag"] for answer in answers} == {program.get(f"/admin/clients/{service.client_id}")["ETag"]}
    live = list(service.secrets.live().order_by("created_at"))
    assert len(live) == 5
    assert [secret.matches(text) for secret, text in zip(live, texts[-5:], strict=True)] == [True] * 5
    answer = program.delete(path)
    assert answer.status_code == 200
    assert "client_secret" not in answer.json()
    assert service.secrets.live().get().matches(texts[-1])


def test_a_deleted_client_is_gone(service, alice, program_of):
    program, path = program_of(alice), f"/admin/clients/{service.client_id}"
    answer = program.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert program.get(path).status_code == 404


def test_a_slash_at_the_end_changes_nothing(service, alice, program_of):
    program = program_of(alice)
    assert program.get(f"/admin/clients/{service.client_id}/").status_code == 200
    assert program.get("/admin/clients/").status_code == 200


def test_introspection_names_audiences_in_a_list(acme_access, client, alice, program_of):
    program = program_of(alice)
    made = program.post("/admin/clients", SERVICE | {"token_endpoint_auth_method": "client_secret_post"}).json()
    kind = "application/x-www-form-urlencoded"
    form = {name: made[name] for name in ("client_id", "client_secret")} | {"grant_type": "client_credentials"}
    token = client.post("/oauth2/token", urlencode(form), content_type=kind).json()["access_token"]
    answer = program.post("/admin/oauth2/introspect", f"token={token}", content_type=kind)
    assert answer.json()["active"] is True
    assert isinstance(answer.json()["aud"], list)


def test_disabled_and_enabled(service, alice, program_of):
    program, path = program_of(alice), f"/admin/clients/{service.client_id}"
    assert program.post(f"{path}/disable").json()["disabled"] is True
    assert program.post(f"{path}/enable").json()["disabled"] is False
