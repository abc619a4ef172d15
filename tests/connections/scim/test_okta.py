"""The requests that Okta publishes, as it sends them (developer.okta.com, SCIM 2.0 protocol reference)."""

import pytest

from connections.models import DirectoryUser
from consumers.models import Membership, User
from tests.connections.scim.conftest import GROUP, LIST, PATCH, USER

pytestmark = pytest.mark.django_db

DORA = {
    "schemas": [USER],
    "userName": "dora@acme.example",
    "name": {"givenName": "Dora", "familyName": "Lange"},
    "emails": [{"primary": True, "value": "dora@acme.example", "type": "work"}],
    "displayName": "Dora Lange",
    "locale": "en-US",
    "externalId": "00ujl29u0le5T6Aj10h7",
    "groups": [],
    "password": "1mz050nq",
    "active": True,
}


def test_okta_looks_for_a_person_before_it_creates_them(scim):
    answer = scim.get("/Users", filter='userName eq "dora@acme.example"', startIndex=1, count=100)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/scim+json"
    assert (
        answer.json()
        == {
            "schemas": [LIST],
            "totalResults": 0,
            "startIndex": 1,
            "itemsPerPage": 0,
            "Resources": [],
        }
        or "Resources" not in answer.json()
    )


def test_okta_creates_a_person(scim, acme):
    answer = scim.send("POST", "/Users", DORA)
    assert answer.status_code == 201
    body = answer.json()
    assert answer["Location"] == body["meta"]["location"]
    assert body["userName"] == "dora@acme.example"
    assert body["active"] is True
    assert "password" not in body
    dora = User.objects.get(email="dora@acme.example")
    assert dora.name == "Dora Lange"
    assert not dora.has_usable_password()
    membership = Membership.objects.get(user=dora, consumer=acme)
    assert (membership.role, membership.source, membership.source_label) == (
        "viewer",
        "directory",
        "Acme Logistics directory",
    )
    found = scim.get("/Users", filter='userName eq "DORA@acme.example"', startIndex=1, count=100).json()
    assert [each["id"] for each in found["Resources"]] == [body["id"]]


def test_okta_reads_a_person(scim):
    made = scim.create(**DORA)
    assert scim.get(f"/Users/{made['id']}").json() == made


def test_okta_updates_a_person_by_put(scim):
    made = scim.create(**DORA)
    changed = DORA | {
        "id": made["id"],
        "displayName": "Dora Meyer",
        "name": {"givenName": "Dora", "familyName": "Meyer"},
    }
    answer = scim.send("PUT", f"/Users/{made['id']}", changed)
    assert answer.status_code == 200
    assert answer.json()["name"] == {"familyName": "Meyer", "givenName": "Dora"}
    assert User.objects.get(email="dora@acme.example").name == "Dora Meyer"


def test_okta_deactivates_and_reactivates_a_person(scim, acme):
    made = scim.create(**DORA)
    answer = scim.send(
        "PATCH",
        f"/Users/{made['id']}",
        {"schemas": [PATCH], "Operations": [{"op": "replace", "value": {"active": False}}]},
    )
    assert answer.status_code == 200
    assert answer.json()["active"] is False
    assert not Membership.objects.filter(consumer=acme, user__email="dora@acme.example").exists()
    assert not User.objects.get(email="dora@acme.example").is_active
    assert scim.switch(made, True).json()["active"] is True
    assert Membership.objects.filter(consumer=acme, user__email="dora@acme.example", user__is_active=True).exists()


def test_okta_reads_groups_without_their_members(scim):
    group = scim.create_group("Engineering", scim.create())
    body = scim.get("/Groups", startIndex=1, count=100).json()
    assert [each["displayName"] for each in body["Resources"]] == ["Engineering"]
    body = scim.get("/Groups", excludedAttributes="members", startIndex=1, count=100).json()
    assert "members" not in body["Resources"][0]
    assert len(scim.get(f"/Groups/{group['id']}").json()["members"]) == 1


def test_okta_pushes_a_group_and_its_members(scim):
    dora, emil = scim.create(), scim.create("emil@acme.example")
    answer = scim.send("POST", "/Groups", {"schemas": [GROUP], "displayName": "Engineering", "members": []})
    assert answer.status_code == 201
    path = f"/Groups/{answer.json()['id']}"
    value = [{"value": each["id"], "display": each["userName"]} for each in (dora, emil)]
    assert scim.patch(path, {"op": "add", "path": "members", "value": value}).status_code == 204
    assert {each["value"] for each in scim.get(path).json()["members"]} == {dora["id"], emil["id"]}
    assert scim.patch(path, {"op": "remove", "path": f'members[value eq "{dora["id"]}"]'}).status_code == 204
    assert [each["value"] for each in scim.get(path).json()["members"]] == [emil["id"]]
    assert (
        scim.patch(path, {"op": "replace", "value": {"id": answer.json()["id"], "displayName": "Builders"}}).status_code
        == 204
    )
    assert scim.get(path).json()["displayName"] == "Builders"
    assert scim.patch(path, {"op": "replace", "path": "members", "value": [{"value": dora["id"]}]}).status_code == 204
    assert [each["value"] for each in scim.get(path).json()["members"]] == [dora["id"]]
    assert scim.get(f"/Users/{dora['id']}").json()["groups"][0]["display"] == "Builders"
    assert scim.send("DELETE", path).status_code == 204
    assert scim.get(path).status_code == 404


def test_okta_replaces_a_group_by_put(scim):
    dora = scim.create()
    group = scim.create_group("Engineering", dora)
    path = f"/Groups/{group['id']}"
    renamed = scim.send("PUT", path, {"schemas": [GROUP], "displayName": "Builders"})
    assert renamed.json()["displayName"] == "Builders"
    assert len(renamed.json()["members"]) == 1
    assert (
        "members" not in scim.send("PUT", path, {"schemas": [GROUP], "displayName": "Builders", "members": []}).json()
    )


def test_second_person_of_the_same_name_is_a_conflict(scim):
    scim.create(**DORA)
    answer = scim.send("POST", "/Users", DORA | {"userName": "Dora@Acme.example"})
    assert answer.status_code == 409
    assert answer.json()["scimType"] == "uniqueness"
    assert DirectoryUser.objects.count() == 1
