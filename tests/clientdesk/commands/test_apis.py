"""Commands for who may sign in to apps that use an API, and for roles by group."""

import uuid

import pytest

from clientdesk.errors import NOT_FOUND, USAGE


@pytest.fixture
def slug(operator_at):
    made = f"c-{uuid.uuid4().hex[:12]}"
    flags = ("--preset", "okta", "--answer", f"domain={made}.okta.com", "--client-id", "us")
    operator_at.json("create", "connection", made, "--name", "Northwind", *flags)
    operator_at.json("update", "connection", made, "--sign-in", "offered")
    yield made
    operator_at.call("delete", "connection", made)


@pytest.fixture
def api(operator_at, slug, tmp_path):
    """The identifier of an API with a role."""
    made, file = f"https://{slug}.example", tmp_path / "api.json"
    file.write_text(f'{{"identifier": "{made}", "name": "Drivers"}}')
    number = operator_at.json("api", "post", "/admin/apis", "--file", str(file))["id"]
    file.write_text('{"roles": [{"value": "driver", "name": "Driver"}]}')
    operator_at.json("api", "put", f"/admin/apis/{number}/roles", "--file", str(file))
    yield made
    operator_at.call("api", "delete", f"/admin/apis/{number}")


def test_operator_says_who_may_sign_in(operator_at, api, slug):
    flags = ("--sign-in-by", "connections", "--connection", slug, "--reauthenticate-after", "3600", "--two-factors")
    changed = operator_at.json("update", "api", api, *flags)
    assert (changed["sign_in"], changed["sign_in_connections"]) == ("connections", [slug])
    assert (changed["reauthenticate_after"], changed["requires_two_factors"]) == (3600, True)
    assert operator_at.json("get", "api", str(changed["id"])) == changed
    assert "Take it out there first" in operator_at.call("delete", "connection", slug).err
    back = operator_at.json("update", "api", api, "--sign-in-by", "members", "--reauthenticate-after", "0")
    assert (back["sign_in"], back["reauthenticate_after"]) == ("members", None)
    assert operator_at.call("update", "api", api).status == USAGE
    assert operator_at.call("get", "api", "https://nowhere.example").status == NOT_FOUND


def test_operator_lets_a_group_give_a_role(operator_at, api, slug):
    flags = ("--connection", slug, "--group", "Drivers", "--role", "driver")
    made = operator_at.json("create", "group-role", api, *flags)
    assert (made["connection"], made["group"], made["role"]) == (slug, "Drivers", "driver")
    assert operator_at.json("list", "group-roles", api) == [made]
    assert operator_at.json("get", "group-role", api, str(made["id"])) == made
    assert operator_at.call("delete", "group-role", api, str(made["id"]), "-q").out == f"{made['id']}\n"
    assert operator_at.json("list", "group-roles", api) == []
