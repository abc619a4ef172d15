"""The requests that Microsoft publishes, as Entra ID sends them (learn.microsoft.com, SCIM endpoint tutorial)."""

import pytest

from connections.models import DirectoryUser
from consumers.models import Event, Membership, User
from tests.connections.scim.conftest import ENTERPRISE, GROUP, USER

pytestmark = pytest.mark.django_db

DORA = {
    "schemas": [USER, ENTERPRISE],
    "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
    "userName": "dora@acme.example",
    "active": True,
    "emails": [{"primary": True, "type": "work", "value": "Dora.Lange@acme.example"}],
    "meta": {"resourceType": "User"},
    "name": {"formatted": "Dora Lange", "familyName": "Lange", "givenName": "Dora"},
    "roles": [],
    "title": "Engineer",
    "addresses": [{"type": "work", "locality": "Hamburg"}],
    "phoneNumbers": [{"type": "mobile", "value": "+49 40 1"}],
    ENTERPRISE: {"department": "Freight", "manager": {"value": "emil"}},
}


@pytest.fixture
def dora(scim):
    return scim.create(**DORA)


def test_entra_tests_the_connection_by_somebody_unknown(scim):
    answer = scim.get("/Users", filter='userName eq "non-existent user"')
    assert answer.status_code == 200
    assert answer.json()["totalResults"] == 0
    assert scim.get("/Users", filter='externalId eq "none"').json()["totalResults"] == 0
    assert scim.get("/Groups", excludedAttributes="members", filter='displayName eq "None"').json()["totalResults"] == 0


def test_entra_creates_a_person_and_only_what_is_needed_is_kept(scim, dora):
    assert User.objects.get().email == "Dora.Lange@acme.example"
    assert dora["name"]["formatted"] == "Dora Lange"
    assert {"title", "addresses", "phoneNumbers", ENTERPRISE}.isdisjoint(dora)
    assert "Hamburg" not in str(DirectoryUser.objects.values().get())


@pytest.mark.parametrize(
    "filter_text",
    [
        'externalId eq "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef"',
        'userName eq "dora@acme.example"',
        'emails[type eq "work"].value eq "dora.lange@acme.example"',
        'emails[type eq "work" and value eq "dora.lange@ACME.example"]',
        'emails.value eq "dora.lange@acme.example"',
    ],
)
def test_entra_matches_a_person_by_a_filter(scim, dora, filter_text):
    answer = scim.get("/Users", filter=filter_text)
    assert [each["id"] for each in answer.json()["Resources"]] == [dora["id"]]


def test_entra_updates_attributes_by_paths_in_capitals(scim, dora):
    answer = scim.patch(
        f"/Users/{dora['id']}",
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "updated@acme.example"},
        {"op": "Replace", "path": "name.familyName", "value": "Meyer"},
        {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Sea"},
        {"op": "Add", "path": 'phoneNumbers[type eq "work"].value', "value": "1"},
        {"op": "Add", "path": 'emails[type eq "home"].value', "value": "dora@home.example"},
    )
    assert answer.status_code == 200
    body = answer.json()
    assert body["name"]["familyName"] == "Meyer"
    assert {each["value"] for each in body["emails"]} == {"updated@acme.example", "dora@home.example"}
    assert User.objects.of_address("updated@acme.example").get() == User.objects.get()


def test_entra_renames_a_person(scim, dora):
    answer = scim.patch(f"/Users/{dora['id']}", {"op": "Replace", "path": "userName", "value": "d.lange@acme.example"})
    assert answer.json()["userName"] == "d.lange@acme.example"


@pytest.mark.parametrize("value", ["False", "false", False])
def test_entra_disables_a_person_by_a_string(scim, dora, acme, value):
    answer = scim.patch(f"/Users/{dora['id']}", {"op": "Replace", "path": "active", "value": value})
    assert answer.json()["active"] is False
    assert not Membership.objects.filter(consumer=acme).exists()
    assert not User.objects.get().is_active
    answer = scim.patch(f"/Users/{dora['id']}", {"op": "Add", "path": "active", "value": "True"})
    assert answer.json()["active"] is True
    assert User.objects.get().is_active


def test_entra_deletes_a_person_and_creates_them_again(scim, dora, acme):
    assert scim.send("DELETE", f"/Users/{dora['id']}").status_code == 204
    assert not User.objects.get().is_active
    assert scim.get(f"/Users/{dora['id']}").status_code == 404
    scim.create(**DORA)
    assert User.objects.get().is_active
    assert Membership.objects.filter(consumer=acme).count() == 1


def test_entra_adds_and_removes_members(scim, dora):
    group = scim.send(
        "POST", "/Groups", {"schemas": [GROUP], "externalId": "8aa1", "displayName": "Engineering"}
    ).json()
    path = f"/Groups/{group['id']}"
    member = [{"$ref": None, "value": dora["id"]}]
    assert scim.patch(path, {"op": "Add", "path": "members", "value": member}).status_code == 204
    assert scim.get(path).json()["members"][0]["$ref"].endswith(f"/scim/v2/acme/Users/{dora['id']}")
    found = scim.get("/Groups", filter=f'id eq "{group["id"]}" and members eq "{dora["id"]}"', attributes="id").json()
    assert found["totalResults"] == 1
    assert scim.patch(path, {"op": "Remove", "path": "members", "value": member}).status_code == 204
    assert "members" not in scim.get(path).json()
    assert scim.patch(path, {"op": "Replace", "path": "displayName", "value": "Builders"}).status_code == 204
    assert (
        scim.get("/Groups", filter='displayName eq "builders"', excludedAttributes="members").json()["totalResults"]
        == 1
    )


def test_what_changes_nothing_is_recorded_nowhere(scim, dora):
    before, version = Event.objects.count(), dora["meta"]["version"]
    answer = scim.send("PUT", f"/Users/{dora['id']}", DORA)
    assert answer.json()["meta"]["version"] == version
    scim.patch(f"/Users/{dora['id']}", {"op": "Replace", "path": "active", "value": "True"})
    scim.patch(f"/Users/{dora['id']}", {"op": "Replace", "path": "title", "value": "Captain"})
    assert Event.objects.count() == before
