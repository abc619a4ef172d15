"""Formats, `--quiet`, and what is shown only once."""

import json

import httpx
import pytest


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
    answer = alice_at.call("get", "client", service["client_id"], "--format", shape)
    assert printed.format(**service) in answer.out


def test_quiet_prints_identifiers_alone(alice_at, service):
    assert alice_at.run("get", "client", service["client_id"], "-q").out == f"{service['client_id']}\n"


def test_what_people_copy_stays_on_one_line(alice_at, service):
    listed = alice_at.run("list", "clients", "--name", service["client_name"], COLUMNS="60").out
    assert service["client_id"] in listed
    shown = alice_at.run("rotate", "secret", service["client_id"], COLUMNS="40").out
    assert len(next(line for line in shown.splitlines() if "cdsk_" in line)) > 60


def test_escape_sequences_in_a_name_do_no_harm(server, alice_at, service):
    from clients.models import Client

    with server.database():
        Client.objects.filter(client_id=service["client_id"]).update(client_name="\x1b[31mred\x07\u202e")
    for shape in ("table", "yaml", "json", "jsonpath=$.client_name"):
        out = alice_at.call("get", "client", service["client_id"], "--format", shape).out
        assert not {"\x1b", "\x07", "\u202e"} & set(out)


def test_quiet_never_loses_what_is_shown_once(alice_at):
    made = alice_at.call("create", "client", "--grant-type", "client_credentials", "--scope", "shipments:read", "-q")
    client_id, secret = made.out.rstrip("\n").split("\t")
    assert secret.startswith("cdsk_")
    rotated = alice_at.call("rotate", "secret", client_id, "-q").out.strip()
    added = alice_at.call("create", "secret", client_id, "-q").out.strip()
    assert len({secret, rotated, added}) == 3
    token = ["perform", "client-credentials", "--client-id", client_id, "-q"]
    for value in (secret, rotated, added):
        assert alice_at.call(*token, CLIENTDESK_CLIENT_SECRET=value).status == 0
    document = json.dumps([{"client_name": "Imported", "grant_types": ["client_credentials"]}])
    imported = alice_at.call("import", "clients", "-", "-q", typed=document).out.rstrip("\n").split("\t")
    assert alice_at.call("get", "client", imported[0]).status == 0
    assert imported[1].startswith("cdsk_")


def test_secret_is_printed_before_the_previous_ones_are_revoked(alice_at, service, monkeypatch):
    """A connection that breaks in between must not cost the new secret."""
    send = httpx.Client.send

    def break_at_delete(self, request, **options):
        if request.method == "DELETE":
            raise httpx.ConnectError("gone")
        return send(self, request, **options)

    monkeypatch.setattr(httpx.Client, "send", break_at_delete)
    answer = alice_at.call("rotate", "secret", service["client_id"], "--revoke-previous", "-q")
    assert answer.status == 6
    assert answer.out.startswith("cdsk_")


@pytest.mark.parametrize("shape", ["jsonpath=$.client_id", "jsonpointer=/client_id"])
def test_secret_that_an_expression_leaves_out_goes_to_standard_error(alice_at, shape):
    answer = alice_at.call("create", "client", "--grant-type", "client_credentials", "--format", shape)
    left_out = json.loads(answer.err.splitlines()[0])
    assert left_out["client_id"] == answer.out.strip()
    assert left_out["client_secret"].startswith("cdsk_")
    whole = alice_at.call("create", "client", "--grant-type", "client_credentials", "--format", "jsonpath=$.*")
    assert "{" not in whole.err


@pytest.mark.parametrize(
    ("shape", "command"),
    [
        ("jsonpath=$.nowhere", "get client {client_id}"),
        ("jsonpath=$.client_id", "list clients"),  # of a list it is $[*].client_id
        ("jsonpointer=/nowhere", "get client {client_id}"),
        ("jsonpointer=/client_id", "list clients"),
    ],
)
def test_expression_that_matches_nothing_is_an_error(alice_at, service, shape, command):
    answer = alice_at.call(*command.format(**service).split(), "--format", shape)
    assert (answer.status, answer.out) == (2, "")
    assert "Nothing matches" in answer.err


def test_new_secret_survives_an_expression_that_matches_nothing(alice_at):
    words = ["create", "client", "--grant-type", "client_credentials", "--format", "jsonpath=$.nowhere"]
    answer = alice_at.call(*words)
    assert answer.status == 2
    assert json.loads(answer.err.splitlines()[0])["client_secret"].startswith("cdsk_")


def test_expression_over_an_empty_list_prints_nothing(alice_at):
    answer = alice_at.call("list", "clients", "--name", "nobody has this", "--format", "jsonpath=$[*].client_id")
    assert (answer.status, answer.out, answer.err) == (0, "", "")
