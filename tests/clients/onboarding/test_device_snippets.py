"""The snippets of the device flow, run against a real server."""

import re
import subprocess
import sys

import pytest

from authority.authorization import device_requests
from clients.models import Client
from clients.onboarding.snippets import snippets
from consumers.audit import SYSTEM
from consumers.models import User
from tests.clients.onboarding.test_snippets import node

PROGRAMS = {"curl": ("paste.sh", ["bash"]), "python": ("sign_in.py", [sys.executable]), "node": ("sign_in.mjs", [])}


@pytest.mark.parametrize("language", PROGRAMS)
def test_pasted_commands_show_a_code_and_get_tokens(server, settings, tmp_path, language):
    settings.PUBLIC_URL = server.url
    file, program = PROGRAMS[language]
    with server.database():
        client = Client.objects.get(client_id=server.demo["clients"]["device"]["client_id"])
        text = {snippet.language: snippet.text for snippet in snippets(client)}[language]
    (tmp_path / file).write_text(text)
    command = [*(program or [node()]), file]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        said = running.stdout.readline()
        address, code = re.fullmatch(r"Open (\S+) and type (\S+)\n", said).groups()
        assert address == f"{server.url}/device"
        with server.database():
            person = User.objects.get(email=server.demo["managers"][0]["email"])
            device_requests.decide(
                request=device_requests.find_waiting(code), user=person, scopes=client.scopes, actor=SYSTEM
            )
        answer, _ = running.communicate(timeout=120)
    assert running.returncode == 0, answer
    assert "access_token" in answer
    assert "refresh_token" in answer
