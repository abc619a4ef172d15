"""Consumers, managers, activity and registration from the command line."""

import json
import uuid

import httpx


def test_operator_makes_and_suspends_a_consumer(operator_at):
    slug = f"cli-{uuid.uuid4().hex[:8]}"
    assert operator_at.json("consumers", "create", slug, "--name", "From a terminal")["slug"] == slug
    assert operator_at.json("consumers", "suspend", slug)["suspended"] is True
    assert operator_at.json("consumers", "resume", slug)["suspended"] is False
    assert slug in [row["slug"] for row in operator_at.json("consumers", "list")]


def test_manager_sees_their_own_consumer_alone(alice_at):
    assert [row["slug"] for row in alice_at.json("consumers", "list")] == ["acme"]
    assert alice_at.run("consumers", "get", "globex").status == 4
    assert alice_at.run("consumers", "create", "mine", "--name", "Mine").status == 3


def test_managers_are_invited_and_listed(alice_at):
    email = f"new-{uuid.uuid4().hex[:8]}@acme.example"
    alice_at.json("managers", "invite", "acme", email, "--role", "viewer")
    rows = {row["email"]: row for row in alice_at.json("managers", "list", "acme")}
    assert rows[email]["state"] == "invited (open)"
    assert rows["alice@acme.example"]["state"] == "member"
    assert alice_at.run("managers", "remove", "acme", "nobody@acme.example").status == 4


def test_activity_tells_of_deeds_as_json_lines(alice_at):
    lines = alice_at.run("activity", "--consumer", "acme", "--jsonl").out.splitlines()
    assert lines
    assert all("sentence" in json.loads(line) for line in lines)


def test_registration_is_enabled_used_and_disabled(server, operator_at):
    document = {"client_name": "By itself", "redirect_uris": ["https://app.example.com/"], "scope": "openid"}
    register = f"{server.url}/oauth2/register"
    assert operator_at.run("registration", "disable").status == 0
    assert httpx.post(register, json=document).status_code == 403
    assert operator_at.run("registration", "enable", "sandbox", "--client-days", "30").status == 0
    assert httpx.post(register, json=document).status_code == 201


def test_initial_access_token_lets_a_client_register(server, alice_at):
    made = alice_at.json(
        *("registration", "token", "acme", "--name", "Terminal", "--uses", "1"),
        *("--expires-at", "2027-06-01T00:00:00Z", "--scope", "shipments:read"),
    )
    headers = {"Authorization": f"Bearer {made['initial_access_token']}"}
    document = {"client_name": "By token", "grant_types": ["client_credentials"]}
    answer = httpx.post(f"{server.url}/oauth2/register", json=document, headers=headers)
    assert answer.status_code == 201
    assert answer.json()["scope"] == "shipments:read"
