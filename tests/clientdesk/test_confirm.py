"""Confirmation: asked on a terminal, unless --yes is given; without a terminal the command goes on."""

import os
import pty
import subprocess
import sys

import pytest

from clientdesk.cli import app

# Every command that destroys or stops something, against what does not exist: after the question, the server refuses.
DESTRUCTIVE = [
    "delete client cl_nobody",
    "delete oauth2-client cl_nobody",
    "delete consumer nobody",
    "disable client cl_nobody",
    "disable registration",
    "suspend consumer nobody",
    "revoke secret cl_nobody 1",
    "revoke access-tokens cl_nobody",
    "revoke access-tokens --consumer nobody",
    "delete access-tokens cl_nobody",
    "revoke test-token cl_nobody 1",
    "revoke initial-access-token nobody 1",
    "revoke registration-access-token cl_nobody",
    "rotate secret cl_nobody --revoke-previous",
    "api delete /admin/clients/cl_nobody",
]


def on_a_terminal(terminal, words, typed):
    """Run a command with a terminal as its standard streams, and type an answer; return its status and its output."""
    controller, device = pty.openpty()
    command = [sys.executable, "-m", "clientdesk.cli", *words]
    streams = {"stdin": device, "stdout": device, "stderr": device}
    with subprocess.Popen(command, env=terminal.environ, **streams, start_new_session=True) as process:
        os.close(device)
        os.write(controller, typed)
        shown = b""
        while True:
            try:
                part = os.read(controller, 4096)
            except OSError:  # Linux says so at the end
                break
            if not part:
                break
            shown += part
    os.close(controller)
    return process.returncode, shown.decode(errors="replace")


def exists(terminal, client_id):
    return terminal.call("get", "client", client_id).status == 0


def test_answer_no_changes_nothing(alice_at, service):
    client_id = service["client_id"]
    status, shown = on_a_terminal(alice_at, ["delete", "client", client_id], b"n\n")
    assert status == 1
    assert f"Delete {client_id}?" in shown
    assert "Nothing was changed" in shown
    assert exists(alice_at, client_id)


def test_answer_yes_goes_on(alice_at, service):
    status, shown = on_a_terminal(alice_at, ["delete", "client", service["client_id"]], b"y\n")
    assert status == 0, shown
    assert not exists(alice_at, service["client_id"])


def test_yes_asks_nothing(alice_at, service):
    status, shown = on_a_terminal(alice_at, ["delete", "client", service["client_id"], "--yes"], b"")
    assert status == 0, shown
    assert "?" not in shown
    assert not exists(alice_at, service["client_id"])


def test_without_a_terminal_the_command_goes_on(alice_at, service):
    answer = alice_at.run("delete", "client", service["client_id"])
    assert (answer.status, answer.err) == (0, "")
    assert not exists(alice_at, service["client_id"])


@pytest.mark.parametrize("words", DESTRUCTIVE)
def test_every_destructive_command_asks(offline, words):
    status, shown = on_a_terminal(offline, words.split(), b"n\n")
    assert status == 1
    assert "Nothing was changed" in shown


def test_every_command_of_a_destructive_verb_takes_yes(offline):
    """So that a new one is not forgotten here."""
    groups = {group.name: group.typer_instance for group in app.registered_groups}
    for verb in ("delete", "revoke", "disable", "suspend"):
        for command in groups[verb].registered_commands:
            assert "--yes" in offline.call(verb, command.name, "--help").out, (verb, command.name)
