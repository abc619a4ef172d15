"""Signing in from a terminal: the device flow, with a person who confirms it in a browser."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests import patient
from tests.third_party.person import alice_of


@pytest.fixture
def alice_browser(server):
    with alice_of(server) as alice:
        yield alice


def login(terminal, person, decision="allow", *options):
    """Run `clientdesk login` until the person has decided; return its exit status and what it said."""
    command = [sys.executable, "-m", "clientdesk.cli", "login", "--no-browser", *options]
    with subprocess.Popen(command, env=terminal.environ, stderr=subprocess.PIPE, text=True) as process:
        try:
            address, code = re.search(r"(http\S+user_code=(\S+))", process.stderr.readline()).groups()
            page = person.send(person.browser.get(address), user_code=code)
            # Each permission has a box, all ticked.
            ticked = re.findall(r'name="scope"\s+value="([^"]+)"', page.text)
            assert person.send(page, decision=decision, scope=ticked).status_code < 400
        except BaseException:
            process.kill()
            raise
        said = process.stderr.read()
    return process.returncode, said


def test_person_signs_in_works_and_signs_out(server, nobody_at, alice_browser):
    status, said = login(nobody_at, alice_browser)
    assert status == 0, said
    file = nobody_at.home / "credentials.json"
    assert file.stat().st_mode & 0o077 == 0
    assert [row["slug"] for row in nobody_at.json("list", "consumers")] == ["acme"]
    refresh_token = re.search(r'"refresh_token": "([^"]+)"', file.read_text())[1]
    assert nobody_at.run("logout").status == 0
    assert refresh_token not in file.read_text()
    assert nobody_at.run("list", "consumers").status == 3
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": "clientdesk-cli"}
    assert patient.post(f"{server.url}/oauth2/token", data=form).json()["error"] == "invalid_grant"


def test_token_that_has_ended_is_refreshed(nobody_at, alice_browser):
    assert login(nobody_at, alice_browser)[0] == 0
    file = nobody_at.home / "credentials.json"
    before = file.read_text()
    file.write_text(re.sub(r'"expires_at": [\d.]+', '"expires_at": 0', before))
    assert nobody_at.run("list", "consumers").status == 0
    assert file.read_text() != before


def test_two_commands_at_once_refresh_once(nobody_at, alice_browser):
    assert login(nobody_at, alice_browser)[0] == 0
    file = nobody_at.home / "credentials.json"
    file.write_text(re.sub(r'"expires_at": [\d.]+', '"expires_at": 0', file.read_text()))
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: nobody_at.run("list", "consumers"), range(3)))
    assert [answer.status for answer in answers] == [0, 0, 0], [answer.err for answer in answers]
    assert nobody_at.run("list", "consumers").status == 0


def test_person_says_no(nobody_at, alice_browser):
    status, said = login(nobody_at, alice_browser, "deny")
    assert status == 3
    assert "refused" in said


def test_person_signs_in_to_read_and_for_more_when_they_ask(nobody_at, alice_browser):
    assert login(nobody_at, alice_browser)[0] == 0
    refused = nobody_at.run("create", "client", "--name", "Made here", "--grant-type", "client_credentials")
    assert refused.status != 0
    assert "clientdesk login --write" in refused.err
    assert login(nobody_at, alice_browser, "allow", "--write")[0] == 0
    made = nobody_at.json(
        "create", "client", "--name", "Made here", "--grant-type", "client_credentials", "--consumer", "acme"
    )
    assert nobody_at.run("delete", "client", made["client_id"], "--yes").status == 0
