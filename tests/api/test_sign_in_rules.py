"""Who may sign in to apps that use an API, and roles by group, in the management API."""

import pytest

from clients.models import Api, ApiRole, GroupRole
from connections.models import Connection
from consumers.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def okta(db):
    return Connection.objects.create(
        slug="okta", name="Okta", issuer="https://okta.example", client_id="us", sign_in="offered"
    )


def patched(program, api, **members):
    return program.patch(
        f"/admin/apis/{api.pk}",
        [{"op": "replace", "path": f"/{name}", "value": value} for name, value in members.items()],
    )


def test_operator_says_who_may_sign_in(api, acme_access, okta, olga, alice, program_of):
    operator = program_of(olga)
    path = f"/admin/apis/{api.pk}"
    answer = patched(
        operator, api, sign_in="connections", sign_in_connections=["okta"], reauthenticate_after=3600, name="Freight"
    )
    assert answer.status_code == 200, answer.text
    document = operator.get(path).json()
    assert document == answer.json()
    assert (document["sign_in"], document["sign_in_connections"]) == ("connections", ["okta"])
    assert (document["name"], document["reauthenticate_after"]) == ("Freight", 3600)
    names = set(Event.objects.filter(target_id=str(api.pk)).values_list("name", flat=True))
    assert names == {"api.updated", "api.sign_in.changed"}
    assert operator.put(path, document).json() == document  # as it was read
    assert Event.objects.filter(name="api.sign_in.changed").count() == 1
    by_id = patched(operator, api, sign_in_connections=[str(okta.pk)])
    assert by_id.json()["sign_in_connections"] == ["okta"]
    older = {name: document[name] for name in ("identifier", "name", "scopes")}
    assert operator.put(path, older).json()["sign_in"] == "connections"  # by a program that knows nothing of it
    assert operator.get("/admin/apis").json()[-1]["sign_in"] in ("connections", "members")

    manager = program_of(alice)
    seen = manager.get(path).json()
    assert "sign_in" not in seen
    assert "login_url" not in seen
    assert patched(manager, api, sign_in="members").status_code == 403


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"sign_in": "own_login"}, "login_url"),
        ({"sign_in": "connections"}, "sign_in_connections"),
        ({"sign_in": "everybody"}, "sign_in"),
        ({"sign_in_connections": ["nowhere"]}, "sign_in_connections"),
        ({"reauthenticate_after": 5}, "reauthenticate_after"),
        ({"login_url": "http://login.example.com"}, "login_url"),
        ({"requires_two_factors": None}, "requires_two_factors"),
    ],
)
def test_rule_that_cannot_work_is_refused_as_a_whole(api, okta, olga, program_of, members, field):
    answer = patched(program_of(olga), api, name="Freight", **members)
    assert answer.status_code == 400, answer.text
    assert field in answer.text
    assert Api.objects.get(pk=api.pk).name == "Shipments"


def test_api_is_made_with_its_rule(okta, olga, program_of):
    body = {"identifier": "https://one.example", "name": "One", "sign_in": "connections"}
    operator = program_of(olga)
    assert operator.post("/admin/apis", body).status_code == 400
    assert not Api.objects.filter(name="One").exists()
    made = operator.post("/admin/apis", body | {"sign_in_connections": ["okta"]})
    assert made.status_code == 201
    assert made.json()["sign_in_connections"] == ["okta"]
    refused = operator.delete("/admin/connections/okta")
    assert (refused.status_code, "One" in refused.json()["error_description"]) == (409, True)


def test_groups_give_roles(api, acme_access, okta, olga, alice, program_of):
    ApiRole.objects.create(api=api, value="driver", name="Driver")
    operator, path = program_of(olga), f"/admin/apis/{api.pk}/group-roles"
    rule = {"connection": "okta", "group": "Drivers", "role": "driver"}
    made = operator.post(path, rule)
    assert made.status_code == 201, made.text
    assert made.json() == rule | {"id": GroupRole.objects.get().pk}
    assert operator.get(path).json() == [made.json()]
    assert operator.get(made["Location"]).json() == made.json()
    assert operator.post(path, rule).status_code == 409
    for wrong, field in (
        ({"connection": "nowhere"}, "connection"),
        ({"role": "chief"}, "role"),
        ({"group": " "}, "group"),
        ({"group": "a\u202eb"}, "group"),
    ):
        answer = operator.post(path, rule | wrong)
        assert (answer.status_code, answer.json().get("field", field)) == (400, field), answer.text
    assert program_of(alice).get(path).status_code == 403
    assert operator.delete(made["Location"]).status_code == 204
    assert operator.get(made["Location"]).status_code == 404
    assert not GroupRole.objects.exists()
