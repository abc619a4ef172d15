"""Clients from the command line, by Ory's commands and flags."""

import json
import re
import subprocess
import sys
import uuid
from pathlib import Path

import pytest


def create(terminal, *flags):
    name = f"Terminal {uuid.uuid4().hex[:8]}"
    return terminal.call("create", "oauth2-client", "--name", name, *flags, "--format", "json").json


@pytest.fixture
def service(alice_at):
    return create(alice_at, "--grant-type", "client_credentials", "--scope", "shipments:read")


def test_client_is_created_shown_changed_listed_and_deleted(alice_at, service):
    client_id = service["client_id"]
    assert service["client_secret"].startswith("cdsk_")
    assert "client_secret" not in alice_at.json("get", "oauth2-client", client_id)
    changed = alice_at.json("update", "oauth2-client", client_id, "--owner", "Team A", "--contact", "a@acme.example")
    assert (changed["owner"], changed["contacts"], changed["client_name"]) == (
        "Team A",
        ["a@acme.example"],
        service["client_name"],
    )
    listed = alice_at.json("list", "oauth2-clients", "--name", service["client_name"])
    assert [client["client_id"] for client in listed] == [client_id]
    assert alice_at.run("delete", "oauth2-client", client_id).status == 0
    assert alice_at.run("get", "oauth2-client", client_id).status == 4


def test_flags_are_repeated_or_parted_by_commas(alice_at):
    made = create(
        alice_at,
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
    made = alice_at.json("create", "oauth2-client", "--file", str(file))
    document = alice_at.json("get", "oauth2-client", made["client_id"]) | {"owner": "By PUT"}
    put = alice_at.json("update", "oauth2-client", made["client_id"], "--file", "-", typed=json.dumps(document))
    assert put["owner"] == "By PUT"


def test_patch_adds_replaces_and_removes(alice_at, service):
    patched = alice_at.json(
        *("patch", "oauth2-client", service["client_id"]),
        *("--replace", "/owner=Team B", "--add", '/metadata={"cost": 1}', "--remove", "/contacts"),
    )
    assert (patched["owner"], patched["metadata"], patched["contacts"]) == ("Team B", {"cost": 1}, [])


@pytest.mark.parametrize(
    ("shape", "printed"),
    [
        ("jsonpath=$.client_id", "{client_id}"),
        ("jsonpath={.client_id}", "{client_id}"),
        ("jsonpointer=/client_id", "{client_id}"),
        ("yaml", "client_id: {client_id}"),
        ("json-pretty", '"client_id": "{client_id}"'),
        ("table", "{client_id}"),
    ],
)
def test_answer_is_printed_in_the_format_that_was_asked_for(alice_at, service, shape, printed):
    answer = alice_at.call("get", "oauth2-client", service["client_id"], "--format", shape)
    assert printed.format(**service) in answer.out


def test_quiet_prints_identifiers_alone(alice_at, service):
    assert alice_at.run("get", "oauth2-client", service["client_id"], "-q").out == f"{service['client_id']}\n"


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["get", "oauth2-client", "cl_nobody"], 4),
        (["get", "oauth2-client"], 2),
        (["get", "oauth2-client", "x", "--format", "picture"], 2),
        (["update", "oauth2-client", "cl_nobody"], 2),
        (["create", "oauth2-client", "--name", "x", "--redirect-uri", "javascript:alert(1)"], 1),
        (["create", "oauth2-client", "--name", "x", "--metadata", "{"], 2),
        (["create", "oauth2-client", "--file", "/nowhere"], 2),
        (["list", "oauth2-clients", "--page-token", "forged"], 1),
        (["list", "oauth2-clients", "-e", "http://127.0.0.1:1"], 6),
        (["list", "oauth2-clients", "-H", "no colon"], 2),
        (["list", "oauth2-clients", "-H", "X-Name: é"], 2),
        (["list", "oauth2-clients", "-e", "http://[::1"], 2),
        (["list", "oauth2-clients", "-e", "portal.example.com"], 2),
        (["create", "oauth2-client", "--id", "mine"], 2),
        (["create", "oauth2-client", "--secret", "mine"], 2),
        (["perform", "client-credentials", "--client-id", "x", "--client-secret", "mine"], 2),
        (["export", "oauth2-clients", "--file", "/nowhere/clients.json"], 2),
        (["api", "get", "https://elsewhere.example/"], 2),
    ],
)
def test_what_goes_wrong_is_a_sentence_and_a_status(alice_at, words, status):
    answer = alice_at.call(*words)
    assert answer.status == status, answer.err
    assert answer.err.strip()
    assert "Traceback" not in answer.err
    assert "mine" not in answer.err


@pytest.mark.parametrize("content", ["5", '"x"', "[]", '[{"client_name": "a"}, {"client_name": "b"}]', "[1]"])
def test_file_that_holds_no_client_is_refused_in_words(alice_at, content):
    for verb in ("update", "patch"):
        answer = alice_at.call(verb, "oauth2-client", "cl_nobody", "--file", "-", typed=content)
        assert answer.status in (1, 2, 4)
        assert "Traceback" not in answer.err


def test_token_with_a_line_break_is_never_repeated(nobody_at):
    answer = nobody_at.run("list", "oauth2-clients", CLIENTDESK_TOKEN="cdp_first\ncdp_second")
    assert answer.status == 2
    assert "cdp_" not in answer.err


def test_what_people_copy_stays_on_one_line(alice_at, service):
    listed = alice_at.run("list", "oauth2-clients", "--name", service["client_name"], COLUMNS="60").out
    assert service["client_id"] in listed
    shown = alice_at.run("rotate-secret", service["client_id"], COLUMNS="40").out
    assert len(next(line for line in shown.splitlines() if "cdsk_" in line)) > 60


def test_list_says_how_to_go_on(alice_at, service):
    create(alice_at, "--grant-type", "client_credentials")
    first = alice_at.run("list", "oauth2-clients", "--page-size", "1", "-q", "--format", "json")
    assert len(first.out.splitlines()) == 1
    said = alice_at.run("list", "oauth2-clients", "--page-size", "1").err
    token = re.search(r"--page-token (\S+),", said)[1]
    second = alice_at.run("list", "oauth2-clients", "--page-size", "1", "-q", "--page-token", token)
    assert second.status == 0
    assert second.out != first.out


def test_switches_are_turned_on_and_off(alice_at, service):
    on = alice_at.json("update", "oauth2-client", service["client_id"], "--dpop")
    assert on["dpop_bound_access_tokens"] is True
    off = alice_at.json("update", "oauth2-client", service["client_id"], "--no-dpop")
    assert off["dpop_bound_access_tokens"] is False


def test_client_is_disabled_and_enabled_and_its_tokens_end(alice_at, service):
    assert alice_at.json("disable", "oauth2-client", service["client_id"])["disabled"] is True
    assert alice_at.json("enable", "oauth2-client", service["client_id"])["disabled"] is False
    assert alice_at.run("delete", "access-tokens", service["client_id"]).status == 0


def test_every_member_that_programs_may_change_has_a_flag():
    from clientdesk.flags import FLAGS, LIFETIMES
    from clients.schemas import WRITABLE

    assert {flag.member for flag in [*FLAGS, *LIFETIMES]} >= set(WRITABLE)


def test_shell_completes_commands_and_values(alice_at):
    def completions(words):
        line = f"clientdesk {words}"
        environ = {"_CLIENTDESK_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
        program = Path(sys.executable).parent / "clientdesk"
        pipes = {"capture_output": True, "text": True}
        return subprocess.run([program], check=True, env=alice_at.environ | environ, **pipes).stdout.split()

    assert {"create", "consumers"} <= set(completions("c"))
    assert completions("create oauth2-c") == ["oauth2-client"]
    assert completions("create oauth2-client --grant-type cl") == ["client_credentials"]
    assert "json-pretty" in completions("list oauth2-clients --format js")


def test_without_a_token_it_says_how_to_get_one(nobody_at):
    answer = nobody_at.run("list", "oauth2-clients")
    assert answer.status == 3
    assert "clientdesk login" in answer.err


def test_header_can_carry_the_token(server, nobody_at):
    header = f"Authorization: bearer {server.demo['manager_token']}"
    assert nobody_at.run("list", "oauth2-clients", "-H", header).status == 0


def test_escape_sequences_in_a_name_do_no_harm(server, alice_at, service):
    from clients.models import Client

    with server.database():
        Client.objects.filter(client_id=service["client_id"]).update(client_name="\x1b[31mred\x07\u202e")
    for shape in ("table", "yaml", "json", "jsonpath=$.client_name"):
        out = alice_at.call("get", "oauth2-client", service["client_id"], "--format", shape).out
        assert not {"\x1b", "\x07", "\u202e"} & set(out)


def test_secrets_are_added_listed_expired_rotated_and_revoked(alice_at, service):
    client_id = service["client_id"]
    made = alice_at.json("secrets", "create", client_id, "--name", "Staging")
    assert made["client_secret"].startswith("cdsk_")
    rows = alice_at.json("secrets", "list", client_id)
    assert len(rows) == 2
    assert "client_secret" not in rows[0]
    ended = alice_at.json("secrets", "expire", client_id, made["id"], "--expires-at", "2099-01-01T00:00:00Z")
    assert ended["expires_at"].startswith("2099-01-01")
    assert alice_at.run("secrets", "revoke", client_id, made["id"]).status == 0
    rotated = alice_at.json("rotate-secret", client_id, "--drop-old")
    assert rotated["client_secret"] not in (made["client_secret"], service["client_secret"])
    states = [row["state"] for row in alice_at.json("secrets", "list", client_id)]
    assert states.count("active") == 1


def test_lifespans_are_set_and_shown(alice_at, service):
    set_ = alice_at.json("lifespans", service["client_id"], "--set", "client-credentials-grant-access-token=15m")
    assert set_["client_credentials_grant_access_token_lifespan"].endswith("15m0s")
    shown = alice_at.json("lifespans", service["client_id"])
    assert shown == set_


def test_exported_clients_can_be_imported_again(alice_at, tmp_path, service):
    file = tmp_path / "clients.json"
    assert alice_at.run("export", "oauth2-clients", "--file", str(file)).status == 0
    assert file.stat().st_mode & 0o077 == 0
    one = [client for client in json.loads(file.read_text()) if client["client_id"] == service["client_id"]]
    assert "client_secret" not in one[0]
    (row,) = alice_at.json("import", "oauth2-clients", "-", typed=json.dumps(one))
    assert row["client_id"] != service["client_id"]
    assert row["client_secret"].startswith("cdsk_")
