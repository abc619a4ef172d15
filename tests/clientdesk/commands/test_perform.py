"""Getting tokens by the grants, as a client does."""

import json
import re
import subprocess
import sys

import pytest

from tests import patient
from tests.servers import free_port
from tests.third_party.person import alice_of


@pytest.fixture
def alice_browser(server):
    with alice_of(server) as alice:
        yield alice


def test_device_that_has_a_secret_gets_a_persons_token(server, alice_at, alice_browser):
    client_id, secret = server.register("device", scope=("openid",), token_endpoint_auth_method="client_secret_post")
    words = ["perform", "device-code", "--client-id", client_id, "--scope", "openid"]
    words += ["--token-endpoint-auth-method", "client_secret_post"]
    command = [sys.executable, "-m", "clientdesk.cli", *words, "--format", "json"]
    environ = alice_at.environ | {"CLIENTDESK_CLIENT_SECRET": secret}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environ, **pipes) as process:
        try:
            address, code = re.search(r"Open (\S+) and enter (\S+)\.", process.stderr.readline()).groups()
            alice_browser.let_in(f"{address}?user_code={code}")
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, err
    assert json.loads(out)["token_type"] == "Bearer"


def test_orys_name_for_it_works_too(alice_at, credentials):
    client_id, secret = credentials
    environ = {"OAUTH2_CLIENT_ID": client_id, "OAUTH2_CLIENT_SECRET": secret}
    assert alice_at.json("perform", "client-credentials", "--scope", "shipments:read", **environ)["access_token"]


def test_wrong_secret_is_refused(alice_at, credentials):
    answer = alice_at.run(
        "perform", "client-credentials", "--client-id", credentials[0], CLIENTDESK_CLIENT_SECRET="wrong"
    )
    assert answer.status == 3
    assert "wrong" not in answer.err.replace("credentials are wrong", "")


def test_client_that_sends_its_secret_in_the_body_gets_and_revokes_a_token(server, alice_at):
    client_id, secret = server.register(
        "service", scope=("shipments:read",), token_endpoint_auth_method="client_secret_post"
    )
    environ = {"CLIENTDESK_CLIENT_SECRET": secret}
    words = ["perform", "client-credentials", "--client-id", client_id]
    refused = alice_at.call(*words, **environ)
    assert refused.status == 3
    assert "client_secret_post" in refused.err
    assert "--token-endpoint-auth-method" in refused.err
    token = alice_at.json(*words, "--token-endpoint-auth-method", "client_secret_post", **environ)["access_token"]
    revoke = ["revoke", "token", "--client-id", client_id]
    assert alice_at.call(*revoke, typed=token, **environ).status == 3
    assert alice_at.json("introspect", "token", typed=token)["active"]
    ended = alice_at.call(*revoke, "--token-endpoint-auth-method", "client_secret_post", typed=token, **environ)
    assert ended.status == 0, ended.err
    assert alice_at.call("introspect", "token", typed=token).status == 1


def test_person_of_this_computer_lets_a_client_in(server, alice_at, alice_browser):
    client_id, _ = server.register("public", redirect_uris=("http://127.0.0.1/callback",), scope=("openid",))
    words = [
        "perform",
        "authorization-code",
        "--client-id",
        client_id,
        "--scope",
        "openid",
        "--token-endpoint-auth-method",
        "none",
    ]
    words += ["--no-browser"]
    command = [sys.executable, "-m", "clientdesk.cli", *words, "--port", str(free_port()), "--format", "json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=alice_at.environ, **pipes) as process:
        try:
            address = process.stderr.readline().removeprefix("Open ").strip()
            assert "close this window" in patient.get(alice_browser.allow(address)).text
            out, err = process.communicate(timeout=120)
        finally:
            process.kill()
    assert process.returncode == 0, err
    assert json.loads(out)["id_token"].count(".") == 2
