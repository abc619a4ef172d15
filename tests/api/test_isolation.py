"""Every address of the management API against a neighbour: what is theirs looks like what does not exist."""

import json

import pytest

from clients.models import Client
from consumers.actions.invitations import invite_manager
from consumers.models import Event, Membership
from portal.api.openapi import operations
from tests.factories import ClientFactory, actor_for, give_secret

pytestmark = pytest.mark.django_db

ONE = [pytest.param(*each, id=each[2].id) for each in operations() if "{" in each[0]]
NOWHERE = {
    "client_id": "cl_none",
    "consumer": "no-such-consumer",
    "secret_id": "00000000-0000-4000-8000-000000000000",
    "member_id": "999999999",
    "invitation_id": "999999999",
    "request_id": "00000000-0000-4000-8000-000000000000",
    "portal_link_id": "00000000-0000-4000-8000-000000000000",
    "api_id": "999999999",
    "grant_id": "999999999",
    "issuer_id": "999999999",
    "source_id": "999999999",
    "jti": "0" * 32,
    "subject": "0" * 32,
    "rule_id": "00000000-0000-4000-8000-000000000000",
    "connection": "no-such-connection",
    "domain": "nowhere.example",
    "token_id": "00000000-0000-4000-8000-000000000000",
    "group_id": "00000000-0000-4000-8000-000000000000",
}


@pytest.fixture
def theirs(globex, mallory):
    """Things of Globex, named so that nobody overlooks them."""
    client = ClientFactory(consumer=globex, client_name="TENANT-B-client", owner="TENANT-B-owner")
    secret, _ = give_secret(client, name="TENANT-B-secret")
    invitation = invite_manager(consumer=globex, email="TENANT-B@globex.example", actor=actor_for(mallory))
    return {
        "client_id": client.client_id,
        "consumer": "globex",
        "secret_id": str(secret.pk),
        "member_id": str(Membership.objects.get(user=mallory).pk),
        "invitation_id": str(invitation.pk),
    }


def send(program, method, template, operation, ids):
    body = operation.example if operation.body is not None else None
    kind = operation.media_types[0]
    if kind == "application/x-www-form-urlencoded":
        body = "token=unknown"
    return program.send(method, template.format(**NOWHERE | ids), body, content_type=kind)


@pytest.mark.parametrize(("template", "method", "operation"), ONE)
def test_what_is_a_neighbours_looks_like_what_does_not_exist(
    template, method, operation, theirs, acme_access, alice, program_of
):
    program = program_of(alice)
    real = send(program, method, template, operation, theirs)
    unreal = send(program, method, template, operation, {})
    assert real.status_code == unreal.status_code
    assert real.status_code in (403, 404), real.text  # 403 is the operators' own, whatever is asked for
    assert real.content == unreal.content
    client = Client.objects.get(client_name="TENANT-B-client")
    assert client.secrets.live().count() == 1
    assert not client.is_disabled


def test_no_answer_to_a_neighbour_tells_of_them(theirs, acme_access, alice, program_of, monkeypatch):
    monkeypatch.setattr("consumers.rest.callers.PER_TOKEN", 1000)
    program = program_of(alice)
    for template, method, operation in operations():
        for ids in ({}, theirs):
            answer = send(program, method, template, operation, ids)
            text = b"".join(answer.streaming_content).decode() if answer.streaming else answer.text
            assert "TENANT-B" not in text, operation.id
            assert answer.status_code < 500, operation.id


def test_every_address_asks_for_a_token(client):
    for template, method, operation in operations():
        answer = client.generic(method, template.format(**NOWHERE))
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token"), operation.id


def test_viewers_change_nothing(service, bob, program_of, monkeypatch):
    monkeypatch.setattr("consumers.rest.callers.PER_TOKEN", 1000)
    secret, _ = give_secret(service)
    ids = {"client_id": service.client_id, "consumer": "acme", "secret_id": str(secret.pk)}
    program = program_of(bob)
    before = Event.objects.count()
    for template, method, operation in operations():
        if operation.action != "view":
            answer = send(program, method, template, operation, ids)
            assert answer.status_code in (400, 403, 404), f"{operation.id}: {answer.text}"
    assert Event.objects.count() == before


def test_foreign_ids_in_a_body_change_nothing(theirs, service, globex, alice, program_of):
    program, path = program_of(alice), f"/admin/clients/{service.client_id}"
    got = program.get(path).json()
    for changes in ({"consumer": "globex"}, {"consumer": str(globex.pk)}, {"client_id": theirs["client_id"]}):
        assert program.put(path, got | changes).status_code == 400
        assert program.post("/admin/clients", {"grant_types": ["client_credentials"]} | changes).status_code == 400
        name = next(iter(changes))
        patch = [{"op": "replace", "path": f"/{name}", "value": changes[name]}]
        assert program.patch(path, patch).status_code == 400
    assert json.loads(program.get(path).content) == got
    assert Client.objects.filter(consumer=globex).count() == 1


def test_filters_cannot_ask_about_a_neighbour(theirs, alice, program_of):
    program = program_of(alice)
    for query in ("consumer=globex", "owner=TENANT-B-owner", "q=TENANT", "client_name=TENANT-B-client"):
        assert program.get(f"/admin/clients?{query}").json() == []
    assert program.get("/admin/activity?consumer=globex").json() == []
    assert program.get("/admin/usage?consumer=globex").json() == []
