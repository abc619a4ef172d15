"""Errors, exit statuses, completion and help."""

import subprocess
import sys
from pathlib import Path

import pytest

from clientdesk.errors import UNREACHABLE, USAGE
from tests.clientdesk.conftest import Terminal


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["get", "client", "cl_nobody"], 4),
        (["get", "client"], 2),
        (["get", "client", "x", "--format", "picture"], 2),
        (["update", "client", "cl_nobody"], 2),
        (["create", "client", "--name", "x", "--redirect-uri", "javascript:alert(1)"], 1),
        (["create", "client", "--name", "x", "--metadata", "{"], 2),
        (["create", "client", "--file", "/nowhere"], 2),
        (["list", "clients", "--page-token", "forged"], 1),
        (["list", "clients", "-e", "http://127.0.0.1:1"], 6),
        (["list", "clients", "-H", "no colon"], 2),
        (["list", "clients", "-H", "X-Name: é"], 2),
        (["list", "clients", "-e", "http://[::1"], 2),
        (["list", "clients", "-e", "portal.example.com"], 2),
        (["create", "client", "--id", "mine"], 2),
        (["create", "client", "--secret", "mine"], 2),
        (["perform", "client-credentials", "--client-id", "x", "--client-secret", "mine"], 2),
        (["export", "clients", "--file", "/nowhere/clients.json"], 2),
        (["api", "get", "https://elsewhere.example/"], 2),
    ],
)
def test_what_goes_wrong_is_a_sentence_and_a_status(alice_at, words, status):
    answer = alice_at.call(*words)
    assert answer.status == status, answer.err
    assert answer.err.strip()
    assert "Traceback" not in answer.err
    assert "mine" not in answer.err


def test_shell_completes_commands_and_values(alice_at):
    def completions(words):
        line = f"clientdesk {words}"
        environ = {"_CLIENTDESK_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
        program = Path(sys.executable).parent / "clientdesk"
        pipes = {"capture_output": True, "text": True}
        return subprocess.run([program], check=True, env=alice_at.environ | environ, **pipes).stdout.split()

    assert {"rotate", "resume", "revoke", "resend"} <= set(completions("r"))
    assert completions("create cl") == ["client"]
    assert completions("create client --grant-type cl") == ["client_credentials"]
    for command in ("create client", "perform client-credentials"):
        assert completions(f"{command} --token-endpoint-auth-method client_") == [
            "client_secret_basic",
            "client_secret_post",
        ]
    assert "no_secret" in completions("list clients --state n")
    assert "json-pretty" in completions("list clients --format js")


@pytest.mark.parametrize("command", ["get client \udcff", "create client --name \udcff"])
def test_bytes_on_the_command_line_are_refused(offline, command):
    answer = offline.call(*command.split())
    assert answer.status == USAGE
    assert "UTF-8" in answer.err


def test_terminal_that_knows_few_characters_is_told_in_those(offline):
    answer = offline.run("get", "client", "..", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert answer.status == USAGE
    assert "?..? is not an ID." in answer.err


@pytest.mark.parametrize(
    ("address", "status", "advice"),
    [
        ("", USAGE, "clientdesk login --endpoint"),
        ("portal", USAGE, "https://portal.example.com"),
        ("http://[::1", USAGE, "https://portal.example.com"),
        ("http://127.0.0.1:1", UNREACHABLE, "Is the URL right"),
        ("https://nowhere.invalid", UNREACHABLE, "Is the URL right"),
    ],
)
@pytest.mark.parametrize("command", ["list clients", "login --no-browser", "perform client-credentials", "tui"])
def test_server_that_is_not_there_is_told_in_one_sentence(tmp_path, address, status, advice, command):
    terminal = Terminal(address, "cdp_nobody", tmp_path)
    answer = terminal.call(*command.split(), typed="secret", CLIENTDESK_CLIENT_ID="cl_nobody")
    assert answer.status == status, answer.err
    assert advice in answer.err
    assert "Errno" not in answer.err


def test_help_says_where_to_begin_and_what_a_status_means(offline):
    said = offline.call("--help").out
    assert "clientdesk login" in said
    assert "Exit status" in said
