"""Commands for the directory of a consumer."""

import httpx
import pytest

from clientdesk.errors import USAGE


@pytest.fixture
def made(operator_at):
    answer = operator_at.json("create", "directory", "globex", "--name", "Globex Okta")
    yield answer
    operator_at.call("delete", "directory", "globex")


def test_a_directory_is_created_changed_rotated_and_deleted(operator_at, made):
    assert made["token"].startswith("cds_")
    assert made["base_url"].endswith("/scim/v2/globex")
    found = operator_at.json("get", "directory", "globex")
    assert (found["name"], found["default_role"], found["people"]) == ("Globex Okta", "viewer", 0)
    assert "token" not in found
    assert operator_at.json("update", "directory", "globex", "--role", "manager")["default_role"] == "manager"
    assert operator_at.call("update", "directory", "globex").status == USAGE
    rotated = operator_at.json("rotate", "directory", "globex")
    assert rotated["token"] != made["token"]
    assert operator_at.call("delete", "directory", "globex").status == 0
    assert operator_at.call("get", "directory", "globex").status == 4


def test_people_and_groups_are_listed_and_a_group_gets_a_role(operator_at, made):
    headers = {"Authorization": f"Bearer {made['token']}", "Content-Type": "application/scim+json"}
    people = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "p@globex.example"}
    assert httpx.post(f"{made['base_url']}/Users", json=people, headers=headers).status_code == 201
    leads = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Leads"}
    assert httpx.post(f"{made['base_url']}/Groups", json=leads, headers=headers).status_code == 201
    (person,) = operator_at.json("list", "directory-users", "globex")
    assert (person["user_name"], person["state"]) == ("p@globex.example", "invited")
    assert operator_at.json("update", "directory-group", "globex", "Leads", "--role", "manager")["role"] == "manager"
    assert operator_at.json("list", "directory-groups", "globex")[0]["role"] == "manager"
    assert operator_at.call("update", "directory-group", "globex", "Nobody", "--role", "viewer").status == 4


def test_managers_do_none_of_it(alice_at):
    assert alice_at.call("create", "directory", "acme", "--name", "Mine").status != 0
