"""Secrets as things of their own."""

from datetime import timedelta

import pytest
from django.utils import timezone

from consumers.models import Event
from tests.factories import ClientFactory, give_secret

pytestmark = pytest.mark.django_db


def moment(**ahead) -> str:
    return (timezone.now() + timedelta(**ahead)).isoformat()


def test_a_secret_is_added_listed_and_revoked(service, alice, program_of):
    program, path = program_of(alice), f"/admin/clients/{service.client_id}/secrets"
    made = program.post(path, {"name": "Staging", "expires_at": moment(days=30)})
    assert made.status_code == 201, made.text
    assert service.secrets.get().matches(made.json()["client_secret"])
    listed = program.get(path)
    assert [each["hint"] for each in listed.json()] == [made.json()["client_secret"][-4:]]
    assert made.json()["client_secret"] not in listed.text
    assert program.delete(f"{path}/{made.json()['id']}").status_code == 204
    assert program.get(path).json()[0]["state"] == "revoked"
    assert program.delete(f"{path}/{made.json()['id']}").status_code == 409


@pytest.mark.parametrize(
    ("rotation", "state"),
    [
        ({}, "active"),
        ({"previous_expires_at": moment(hours=1)}, "rotating"),
        ({"previous_expires_after_first_use": True}, "rotating"),
        ({"previous_expires_at": moment(seconds=-1)}, "revoked"),
    ],
)
def test_a_rotated_secret_ends_as_asked(rotation, state, service, alice, program_of):
    old, _ = give_secret(service)
    path = f"/admin/clients/{service.client_id}/secrets"
    made = program_of(alice).post(f"{path}/{old.pk}/rotate", rotation)
    assert made.status_code == 201, made.text
    old.refresh_from_db()
    assert old.state == state
    assert made.json()["state"] == "active"


def test_an_end_is_given_and_taken_away(service, alice, program_of):
    secret, _ = give_secret(service)
    program, path = program_of(alice), f"/admin/clients/{service.client_id}/secrets/{secret.pk}"
    assert program.put(path, {"expires_at": moment(days=1)}).json()["expires_at"]
    assert program.put(path, {"expires_at": None}).json()["expires_at"] is None
    assert program.put(path, {"expires_at": moment(days=-1)}).status_code == 400
    assert program.put(path, {"expires_at": "tomorrow"}).status_code == 400
    assert Event.objects.filter(name="client.secret.expiry.changed").count() == 2


def test_only_five_fit(service, alice, program_of):
    program, path = program_of(alice), f"/admin/clients/{service.client_id}/secrets"
    assert [program.post(path, {}).status_code for _ in range(6)] == [201] * 5 + [409]


def test_a_secret_of_another_client_is_not_found(acme, globex, service, alice, program_of):
    program = program_of(alice)
    for consumer in (acme, globex):
        foreign, _ = give_secret(ClientFactory(consumer=consumer))
        for answer in (
            program.delete(f"/admin/clients/{service.client_id}/secrets/{foreign.pk}"),
            program.post(f"/admin/clients/{service.client_id}/secrets/{foreign.pk}/rotate", {}),
        ):
            assert answer.status_code == 404
        foreign.refresh_from_db()
        assert foreign.is_live


def test_a_public_client_has_no_secret_to_rotate(acme, alice, program_of):
    client = ClientFactory(consumer=acme, template="public")
    answer = program_of(alice).post(f"/admin/clients/{client.client_id}/secrets/rotate")
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_client_metadata"
