"""Tokens from the command line: secrets come from the environment or standard input, never from the command line."""

import json
import os
import stat
import subprocess
import sys
from unittest import mock

import httpx
import pytest

from authority.client_authentication import methods
from clientdesk.proof import Method, proof
from tests.live import free_port
from tests.third_party.person import Person


@pytest.fixture
def service(server):
    return server.service()


def test_client_gets_a_token_that_introspects_and_is_revoked(server, alice_at, service):
    client_id, secret = service
    words = ["token", "client-credentials", "--client-id", client_id, "--scope", "shipments:read"]
    token = alice_at.json(*words, CLIENTDESK_CLIENT_SECRET=secret)
    assert (token["token_type"], token["scope"]) == ("Bearer", "shipments:read")
    found = alice_at.json("introspect", typed=token["access_token"])
    assert (found["active"], found["client_id"]) == (True, client_id)
    ended = alice_at.run(
        "revoke", "--client-id", client_id, typed=token["access_token"], CLIENTDESK_CLIENT_SECRET=secret
    )
    assert ended.status == 0, ended.err
    assert alice_at.run("introspect", typed=token["access_token"]).status == 1


def test_orys_name_for_it_works_too(alice_at, service):
    client_id, secret = service
    environ = {"OAUTH2_CLIENT_ID": client_id, "OAUTH2_CLIENT_SECRET": secret}
    assert alice_at.json("perform", "client-credentials", "--scope", "shipments:read", **environ)["access_token"]


def test_wrong_secret_is_refused(alice_at, service):
    answer = alice_at.run("token", "client-credentials", "--client-id", service[0], CLIENTDESK_CLIENT_SECRET="wrong")
    assert answer.status == 3
    assert "wrong" not in answer.err.replace("credentials are wrong", "")


def test_client_that_sends_its_secret_in_the_body_gets_and_revokes_a_token(server, alice_at):
    client_id, secret = server.register(
        "service", scope=("shipments:read",), token_endpoint_auth_method="client_secret_post"
    )
    environ = {"CLIENTDESK_CLIENT_SECRET": secret}
    words = ["token", "client-credentials", "--client-id", client_id]
    refused = alice_at.call(*words, **environ)
    assert refused.status == 3
    assert "client_secret_post" in refused.err
    assert "--auth-method" in refused.err
    token = alice_at.json(*words, "--auth-method", "client_secret_post", **environ)["access_token"]
    revoke = ["revoke", "--client-id", client_id]
    assert alice_at.call(*revoke, typed=token, **environ).status == 3
    assert alice_at.json("introspect", typed=token)["active"]
    ended = alice_at.call(*revoke, "--auth-method", "client_secret_post", typed=token, **environ)
    assert ended.status == 0, ended.err
    assert alice_at.call("introspect", typed=token).status == 1


def test_workload_that_sends_its_secret_in_the_body_gets_its_identity(server, alice_at):
    client_id, secret = server.register(
        "workload", project="p", deployment="d", token_endpoint_auth_method="client_secret_post"
    )
    words = ["identity-token", "--client-id", client_id, "--auth-method", "client_secret_post"]
    assert alice_at.json(*words, CLIENTDESK_CLIENT_SECRET=secret)["id_token"].count(".") == 2


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "private_key_jwt"])
def test_method_without_what_it_needs_says_what_that_is(alice_at, service, method):
    answer = alice_at.call("token", "client-credentials", "--client-id", service[0], "--auth-method", method)
    assert answer.status == 2
    assert method in answer.err
    assert "CLIENTDESK_CLIENT_" in answer.err


def test_method_that_is_named_goes_before_the_assertion_of_the_environment(alice_at, service):
    client_id, secret = service
    words = ["token", "client-credentials", "--client-id", client_id, "--auth-method", "client_secret_basic"]
    environ = {"CLIENTDESK_CLIENT_SECRET": secret, "CLIENTDESK_CLIENT_ASSERTION": "eyJhbGciOiJub25lIn0.e30."}
    assert alice_at.json(*words, **environ)["access_token"]


def test_odd_characters_of_a_secret_arrive_as_they_are():
    """RFC 6749 section 2.3.1: both parts are form-encoded before they are joined."""
    with mock.patch.dict(os.environ, CLIENTDESK_CLIENT_SECRET="a+b%2F:c é"):
        header = proof("https://app.example/client", Method.BASIC).headers["Authorization"]
    sent = methods.read_basic(header)
    assert (sent.client_id, sent.secret) == ("https://app.example/client", "a+b%2F:c é")


def test_token_on_the_command_line_is_refused(alice_at):
    answer = alice_at.run("introspect", "eyJhbGciOi")
    assert answer.status == 2
    assert "standard input" in answer.err


def test_workload_gets_its_identity(server, alice_at):
    known = server.demo["clients"]["workload"]
    words = ["identity-token", "--client-id", known["client_id"]]
    made = alice_at.json(*words, CLIENTDESK_CLIENT_SECRET=known["client_secret"])
    assert made["id_token"].count(".") == 2
    alone = alice_at.run(*words, "--quiet", CLIENTDESK_CLIENT_SECRET=known["client_secret"])
    assert alone.out.strip().count(".") == 2
    assert " " not in alone.out.strip()


def test_assertion_of_the_environment_takes_the_place_of_a_secret(server, alice_at):
    known = server.demo["clients"]["workload"]
    words = ["identity-token", "--client-id", known["client_id"]]
    refused = alice_at.run(*words, CLIENTDESK_CLIENT_ASSERTION="eyJhbGciOiJub25lIn0.e30.")
    assert refused.status == 3
    assert "invalid_client" in refused.err


def test_test_token_is_made_by_hand(server, alice_at, service):
    made = alice_at.json(
        *("test-token", service[0], "--scope", "shipments:read", "--reason", "Trying the API"),
        *("--user-id", "u-1", "--role", "driver"),
    )
    assert made["access_token"].count(".") == 2


def test_person_of_this_computer_lets_a_client_in(server, alice_at):
    client_id, _ = server.register("public", redirect_uris=("http://127.0.0.1/callback",), scope=("openid",))
    words = ["token", "authorization-code", "--client-id", client_id, "--scope", "openid", "--auth-method", "none"]
    words += ["--no-browser"]
    command = [sys.executable, "-m", "clientdesk.cli", *words, "--port", str(free_port()), "--format", "json"]
    alice = server.demo["managers"][0]
    person = Person(server.url, alice["email"], alice["password"])
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=alice_at.environ, **pipes) as process:
        try:
            address = process.stderr.readline().removeprefix("Open ").strip()
            assert "close this window" in httpx.get(person.allow(address)).text
            out, err = process.communicate(timeout=120)
        finally:
            process.kill()
    assert process.returncode == 0, err
    assert json.loads(out)["id_token"].count(".") == 2


def test_doctor_finds_nothing_wrong(alice_at, service):
    findings = alice_at.json("doctor", "--client-id", service[0])
    assert {row["result"] for row in findings} <= {"good", "advice"}
    assert {"issuer", "clock", "keys", "token", "scope"} <= {row["checked"] for row in findings}


def test_doctor_finds_what_keeps_a_client_from_tokens(alice_at):
    words = ["create", "oauth2-client", "--grant-type", "client_credentials", "--scope", "shipments:read"]
    client_id = alice_at.call(*words, "-q").out.strip()
    (secret,) = alice_at.json("secrets", "list", client_id)
    assert alice_at.call("disable", "oauth2-client", client_id).status == 0
    assert alice_at.call("secrets", "revoke", client_id, secret["id"]).status == 0
    answer = alice_at.call("doctor", "--client-id", client_id, "--format", "json")
    assert answer.status == 1
    bad = {row["checked"]: row["found"] for row in answer.json if row["result"] == "bad"}
    assert bad.keys() == {"state", "secrets"}
    assert f"clientdesk secrets create {client_id}" in bad["secrets"]


def test_doctor_says_what_is_wrong(nobody_at, alice_at):
    answer = nobody_at.run("doctor", "--format", "json")
    assert answer.status == 1
    assert [row["checked"] for row in json.loads(answer.out) if row["result"] == "bad"] == ["token"]
    gone = alice_at.run("doctor", "-e", "http://127.0.0.1:1", "--format", "json")
    assert [row["checked"] for row in gone.json if row["result"] == "bad"] == ["server"]


def test_readable_credentials_are_found(alice_at):
    file = alice_at.home / "credentials.json"
    file.write_text("{}")
    file.chmod(stat.S_IRUSR | stat.S_IROTH)
    found = alice_at.run("doctor", "--format", "json").json
    assert "credentials" in [row["checked"] for row in found if row["result"] == "bad"]
