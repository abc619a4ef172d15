"""Roles and claims in the management API."""

import pytest

from clients.models import ApiRole, RoleGrant

pytestmark = pytest.mark.django_db
API = "https://api.example.com/shipments"


@pytest.fixture
def roles(api, acme_access):
    ApiRole.objects.create(api=api, value="dispatcher", name="Dispatcher")
    ApiRole.objects.create(api=api, value="driver", name="Driver", managers_may_give=True)


@pytest.fixture
def members(acme, bob):
    return f"/admin/consumers/acme/members/{acme.memberships.get(user=bob).pk}/roles"


def named(answer):
    assert answer.status_code == 200, answer.text
    return [(each["role"], each["source"]) for each in answer.json()["roles"]]


def test_operator_sets_the_roles_of_an_api_and_whoever_may_use_it_reads_them(
    api, acme_access, olga, alice, mallory, program_of
):
    path = f"/admin/apis/{api.pk}/roles"
    rows = [{"value": "driver", "name": "Driver"}, {"value": "chief", "name": "Chief", "managers_may_give": True}]
    assert program_of(olga).put(path, {"roles": rows}).status_code == 200
    told = program_of(alice).get(path).json()["roles"]
    assert [(each["value"], each["managers_may_give"]) for each in told] == [("driver", False), ("chief", True)]
    assert program_of(mallory).get(path).status_code == 404
    assert program_of(alice).put(path, {"roles": []}).status_code == 403
    assert program_of(olga).put(path, {"roles": rows[:1]}).json()["roles"][0]["value"] == "driver"
    assert program_of(olga).put(path, {"roles": rows[:1] * 2}).status_code == 400


def test_operator_sets_the_claims_of_an_api(api, acme_access, olga, alice, program_of):
    path = f"/admin/apis/{api.pk}/claims"
    claims = [
        {"name": "tier", "source": "metadata", "path": "plan.tier"},
        {"name": "version", "source": "constant", "value": 0},
        {"name": "mail", "source": "email", "consent": "Your email address"},
    ]
    sent = program_of(olga).put(path, {"claims": claims})
    assert sent.status_code == 200
    told = program_of(olga).get(path).json()
    assert told == sent.json()
    assert program_of(olga).put(path, told).json() == told  # as it was read
    assert told["claims"][1] == {"name": "version", "source": "constant", "consent": "", "value": 0}
    refused = program_of(olga).put(path, {"claims": [{"name": "iss", "source": "user_id"}]})
    assert (refused.status_code, "iss" in refused.json()["error_description"]) == (400, True)
    assert program_of(olga).get(path).json() == told
    assert program_of(alice).get(path).status_code == 403


def test_manager_sets_what_managers_give_and_leaves_the_rest(api, roles, members, bob, olga, alice, program_of):
    operator, manager = program_of(olga), program_of(alice)
    given = {"roles": [{"api": API, "role": "dispatcher"}]}
    assert named(operator.put(members, given)) == [("dispatcher", "operator")]
    read = manager.get(members).json()
    assert named(manager.put(members, {"roles": [*read["roles"], {"api": API, "role": "driver"}]})) == [
        ("dispatcher", "operator"),
        ("driver", "manager"),
    ]
    assert named(manager.put(members, {"roles": []})) == [("dispatcher", "operator")]
    assert named(operator.put(members, {"roles": []})) == []


def test_manager_gives_no_role_that_the_operator_keeps(api, roles, members, bob, alice, program_of):
    refused = program_of(alice).put(members, {"roles": [{"api": API, "role": "dispatcher"}]})
    assert (refused.status_code, refused.json()["error"]) == (403, "access_denied")
    unknown = program_of(alice).put(members, {"roles": [{"api": API, "role": "nobody"}]})
    assert (unknown.status_code, unknown.json()["error"]) == (400, "invalid_request")
    assert not RoleGrant.objects.exists()


def test_operator_gives_roles_to_anybody_and_lists_them(api, roles, mallory, bob, acme, olga, alice, program_of):
    operator = program_of(olga)
    made = operator.post("/admin/role-grants", {"email": mallory.email, "api": API, "role": "driver"})
    assert (made.status_code, made.json()["consumer"], made.json()["source"]) == (201, None, "operator")
    operator.post("/admin/role-grants", {"email": bob.email, "api": API, "role": "driver", "consumer": "acme"})
    assert len(operator.get("/admin/role-grants").json()) == 2
    for query, email in ((f"email={mallory.email}", mallory.email), ("consumer=acme", bob.email)):
        assert [each["email"] for each in operator.get(f"/admin/role-grants?{query}").json()] == [email]
    assert operator.get("/admin/role-grants?api=https://nowhere.example").json() == []
    for wrong in ({"email": "nobody@example.com"}, {"role": "nobody"}, {"api": "x"}, {"consumer": "nobody"}):
        body = {"email": bob.email, "api": API, "role": "driver"} | wrong
        assert operator.post("/admin/role-grants", body).status_code == 400
    assert operator.delete(made["Location"]).status_code == 204
    assert operator.get(made["Location"]).status_code == 404
    assert program_of(alice).get("/admin/role-grants").status_code == 403
