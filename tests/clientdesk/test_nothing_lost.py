"""What the server shows only once is never lost: not by Ctrl-C, a full disk, a closed pipe, or a server that goes."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
import uuid

import httpx
import pytest

from clients.models import Client, ClientSecret
from tests import patient

PROGRAM = [sys.executable, "-m", "clientdesk.cli"]


def shell(terminal, script, typed=""):
    """Run a line of sh, where `clientdesk` is the program; return its status, and what it wrote to standard error."""
    line = script.replace("clientdesk ", f"{shlex.join(PROGRAM)} ")
    ended = subprocess.run(
        ["sh", "-c", line],
        input=typed,
        env=terminal.environ,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
    return ended.returncode, ended.stderr


def export_of(count):
    """Return so many clients as another server exports them, with IDs that no other test has."""
    mark = uuid.uuid4().hex[:8]
    return [
        {
            "client_id": f"old-{mark}-{number}",
            "client_name": f"Moved {mark} {number}",
            "grant_types": ["client_credentials"],
        }
        for number in range(count)
    ]


def stored(server, clients):
    """Return the client IDs of those that the server has, by the ID that they had before."""
    with server.database():
        found = Client.objects.filter(metadata__source_client_id__in=[each["client_id"] for each in clients])
        pairs = list(found.values_list("metadata__source_client_id", "client_id"))
    assert len(dict(pairs)) == len(pairs), "one was made twice"
    return dict(pairs)


def works(server, client_id, secret):
    """Say whether the client is itself with the secret; what it may have then is another question."""
    form = {"grant_type": "client_credentials"}
    return patient.post(f"{server.url}/oauth2/token", data=form, auth=(client_id, secret)).status_code != 401


def rescued(err):
    return [json.loads(line) for line in err.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_an_import_that_is_stopped_has_printed_what_it_made_and_goes_on_later(server, alice_at, tmp_path, stop):
    clients, file = export_of(60), tmp_path / "clients.json"
    file.write_text(json.dumps(clients))
    words, printed = [*PROGRAM, "import", "clients", str(file), "--format", "json"], tmp_path / "printed"
    with (
        printed.open("w") as out,
        subprocess.Popen(words, env=alice_at.environ, stdout=out, stderr=subprocess.PIPE, text=True) as running,
    ):
        while not printed.stat().st_size and running.poll() is None:
            time.sleep(0.01)
        running.send_signal(stop)
        _, err = running.communicate(timeout=120)
    assert running.returncode == 130, err
    rows = json.loads(printed.read_text())
    made = {row["source_client_id"]: row["client_id"] for row in rows}
    assert 0 < len(made) < len(clients)
    assert stored(server, clients) == made
    assert all(row["client_secret"].startswith("cdsk_") for row in rows)
    assert f"{len(made)} of 60 clients were gone through" in err
    again = alice_at.json("import", "clients", str(file))
    assert [row["client_id"] for row in again[: len(made)]] == list(made.values())
    assert [bool(row["client_secret"]) for row in again] == [False] * len(made) + [True] * (60 - len(made))
    assert "was imported before" in again[0]["not_imported"][-1]
    assert len(stored(server, clients)) == 60


@pytest.mark.parametrize("shape", ["json", "table", "yaml", "jsonpath=$[*].client_secret", "quietly"])
def test_an_import_onto_a_full_disk_stops_and_keeps_the_secret(server, alice_at, shape):
    clients = export_of(3)
    option = "-q" if shape == "quietly" else f"--format '{shape}'"
    status, err = shell(alice_at, f"clientdesk import clients - {option} > /dev/full", json.dumps(clients))
    assert status == 1
    assert "Traceback" not in err
    assert "No space left on device" in err
    kept = rescued(err)
    assert {row["client_id"] for row in kept} == set(stored(server, clients).values())
    assert all(works(server, row["client_id"], row["client_secret"]) for row in kept)


@pytest.mark.parametrize("where", ["> /dev/full", "| true"])
def test_a_new_client_whose_secret_cannot_be_printed_is_kept_on_standard_error(server, alice_at, where):
    command = f"clientdesk create client --name {uuid.uuid4().hex} --grant-type client_credentials"
    _, err = shell(alice_at, f"{command} {where}")
    (kept,) = rescued(err)
    assert works(server, kept["client_id"], kept["client_secret"])


@pytest.mark.parametrize("option", ["", "-q", "--format jsonpointer=/client_id"])
def test_a_rotation_whose_secret_cannot_be_printed_revokes_nothing(server, alice_at, service, option):
    client_id = service["client_id"]
    status, err = shell(alice_at, f"clientdesk rotate secret {client_id} --revoke-previous --yes {option} > /dev/full")
    assert status == 1
    assert "Keep what stands above" in err or option.endswith("client_id")
    assert works(server, client_id, rescued(err)[0]["client_secret"])
    assert works(server, client_id, service["client_secret"])


def test_a_rotation_prints_its_secret_quietly_too(server, alice_at, service):
    out = alice_at.run("rotate", "secret", service["client_id"], "-q", "--revoke-previous").out.strip()
    assert works(server, service["client_id"], out)


def test_without_standard_output_nothing_is_made(server, alice_at, service):
    status, err = shell(alice_at, f"clientdesk rotate secret {service['client_id']} >&-")
    assert (status, "Standard output is closed" in err) == (2, True)
    with server.database():
        assert ClientSecret.objects.filter(client__client_id=service["client_id"]).count() == 1


def test_a_list_onto_a_full_disk_is_one_sentence(alice_at):
    status, err = shell(alice_at, "clientdesk list consumers > /dev/full")
    assert (status, err) == (1, "Standard output can't be written: No space left on device.\n")


# -- Files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["activity", "clients"])
def test_an_export_that_finds_no_room_leaves_the_former_file(alice_at, tmp_path, what):
    file = tmp_path / "export"
    file.write_text("the former one")
    status, err = shell(alice_at, f"ulimit -f 0; clientdesk export {what} --file {file}")
    assert (status, "Traceback" in err) == (2, False)
    assert f"{file} can't be written: File too large." in err
    assert file.read_text() == "the former one"
    assert os.listdir(tmp_path) == ["export"]


def test_an_export_that_breaks_off_says_so_and_leaves_the_former_file(server, alice_at, tmp_path, monkeypatch):
    file = tmp_path / "export"
    file.write_text("the former one")
    read = httpx.Response.iter_text

    def broken(self, *args):
        yield next(read(self, *args))
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")

    monkeypatch.setattr(httpx.Response, "iter_text", broken)
    for target in (str(file), "-"):
        answer = alice_at.call("export", "activity", "--file", target)
        assert answer.status == 6
        assert "The export is not complete." in answer.err
    assert file.read_text() == "the former one"
    assert os.listdir(tmp_path) == ["export"]


def test_no_refresh_token_is_spent_that_could_not_be_stored(server, nobody_at):
    tokens = {"access_token": "gone", "refresh_token": "gone", "expires_at": 0}
    file = nobody_at.home / "credentials.json"
    file.write_text(json.dumps({"endpoints": {server.url: tokens}}))
    status, err = shell(nobody_at, "ulimit -f 0; clientdesk list consumers")
    assert (status, "Traceback" in err) == (1, False)
    assert "credentials.json can't be written: File too large." in err
    assert json.loads(file.read_text())["endpoints"][server.url] == tokens
    assert sorted(os.listdir(nobody_at.home)) == ["credentials.json", "lock"]
