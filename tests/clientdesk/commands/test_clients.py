"""Commands for clients, by Ory's flags."""

import json
import re
import uuid

import pytest

from clientdesk.errors import FAILED, NOT_FOUND


def test_client_is_created_shown_changed_listed_and_deleted(alice_at, service):
    client_id = service["client_id"]
    assert service["client_secret"].startswith("cdsk_")
    assert "client_secret" not in alice_at.json("get", "client", client_id)
    changed = alice_at.json("update", "client", client_id, "--owner", "Team A", "--contact", "a@acme.example")
    assert (changed["owner"], changed["contacts"], changed["client_name"]) == (
        "Team A",
        ["a@acme.example"],
        service["client_name"],
    )
    listed = alice_at.json("list", "clients", "--name", service["client_name"])
    assert [client["client_id"] for client in listed] == [client_id]
    assert alice_at.run("delete", "client", client_id).status == 0
    assert alice_at.run("get", "client", client_id).status == 4


def test_flags_are_repeated_or_parted_by_commas(alice_at):
    made = alice_at.create(
        *("--grant-type", "authorization_code,refresh_token", "--response-type", "code"),
        *("--redirect-uri", "https://a.example/back", "--redirect-uri", "https://b.example/back"),
        *("--scope", "openid", "--scope", "shipments:read,offline_access"),
    )
    assert made["grant_types"] == ["authorization_code", "refresh_token"]
    assert made["redirect_uris"] == ["https://a.example/back", "https://b.example/back"]
    assert made["scope"] == "openid shipments:read offline_access"


def test_client_comes_from_a_file_or_standard_input(alice_at, tmp_path):
    document = {"client_name": f"File {uuid.uuid4()}", "grant_types": ["client_credentials"], "scope": "shipments:read"}
    file = tmp_path / "client.json"
    file.write_text(json.dumps(document))
    made = alice_at.json("create", "client", "--file", str(file))
    document = alice_at.json("get", "client", made["client_id"]) | {"owner": "By PUT"}
    put = alice_at.json("update", "client", made["client_id"], "--file", "-", typed=json.dumps(document))
    assert put["owner"] == "By PUT"


def test_patch_adds_replaces_and_removes(alice_at, service):
    patched = alice_at.json(
        *("patch", "client", service["client_id"]),
        *("--replace", "/owner=Team B", "--add", '/metadata={"cost": 1}', "--remove", "/contacts"),
    )
    assert (patched["owner"], patched["metadata"], patched["contacts"]) == ("Team B", {"cost": 1}, [])


@pytest.mark.parametrize("content", ["5", '"x"', "[]", '[{"client_name": "a"}, {"client_name": "b"}]', "[1]"])
def test_file_that_holds_no_client_is_refused_in_words(alice_at, content):
    for verb in ("update", "patch"):
        answer = alice_at.call(verb, "client", "cl_nobody", "--file", "-", typed=content)
        assert answer.status in (1, 2, 4)
        assert "Traceback" not in answer.err


def test_list_says_how_to_go_on(alice_at, service):
    alice_at.create("--grant-type", "client_credentials")
    first = alice_at.run("list", "clients", "--page-size", "1", "-q", "--format", "json")
    assert len(first.out.splitlines()) == 1
    said = alice_at.run("list", "clients", "--page-size", "1").err
    token = re.search(r"--page-token (\S+),", said)[1]
    second = alice_at.run("list", "clients", "--page-size", "1", "-q", "--page-token", token)
    assert second.status == 0
    assert second.out != first.out


def test_switches_are_turned_on_and_off(alice_at, service):
    on = alice_at.json("update", "client", service["client_id"], "--dpop-bound-access-tokens")
    assert on["dpop_bound_access_tokens"] is True
    off = alice_at.json("update", "client", service["client_id"], "--no-dpop-bound-access-tokens")
    assert off["dpop_bound_access_tokens"] is False


def test_client_is_disabled_and_enabled_and_its_tokens_end(alice_at, service):
    assert alice_at.json("disable", "client", service["client_id"])["disabled"] is True
    assert alice_at.json("enable", "client", service["client_id"])["disabled"] is False
    assert alice_at.run("delete", "access-tokens", service["client_id"]).status == 0


def test_clients_that_were_made_before_a_refusal_are_shown_with_their_secrets(alice_at):
    name = f"Several {uuid.uuid4().hex[:6]}"
    good = {"client_name": name, "grant_types": ["client_credentials"], "scope": "shipments:read"}
    (alice_at.home / "clients.json").write_text(json.dumps([good, good | {"scope": "nobody:knows"}]))
    answer = alice_at.call("create", "client", "--file", str(alice_at.home / "clients.json"), "--format", "json")
    assert answer.status == FAILED
    assert "Client 2 of" in answer.err
    assert answer.json["client_name"] == name
    assert answer.json["client_secret"]


def test_refusal_says_which_of_several_it_is_about(alice_at, server):
    client_id, _ = server.service()
    answer = alice_at.call("disable", "client", client_id, "cl_nobody", "--quiet")
    assert answer.status == NOT_FOUND
    assert answer.out.strip() == client_id
    assert answer.err.startswith("cl_nobody: ")
