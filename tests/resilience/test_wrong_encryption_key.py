"""Servers that are started with the wrong KEY_ENCRYPTION_KEYS: they say so and end, and make no key of their own."""

import json
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet
from django.conf import settings

from authority.keys import signing_keys
from tests.servers import free_port


@pytest.fixture
def elsewhere(server, tmp_path):
    """The usual server's environment, where somebody has put another encryption key."""
    name = "identity.json"
    identity = json.loads((settings.DATA_DIR / name).read_text())
    assert "KEY_ENCRYPTION_KEYS" in identity
    (tmp_path / name).write_text(json.dumps(identity | {"KEY_ENCRYPTION_KEYS": Fernet.generate_key().decode()}))
    return server.environ | {"DATA_DIR": str(tmp_path)}


@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "serve", "--workers", "1", "--port", "FREE"],
        ["-c", "from portal.wsgi import application"],
    ],
    ids=["serve", "any WSGI server"],
)
def test_wrong_encryption_key_stops_the_server(server, elsewhere, command):
    server.token()  # so that there is a key
    words = [str(free_port()) if word == "FREE" else word for word in command]
    ended = subprocess.run(
        [sys.executable, *words],
        cwd=settings.BASE_DIR,
        env=elsewhere,
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert ended.returncode != 0
    assert "KEY_ENCRYPTION_KEYS does not open the signing key" in ended.stderr
    assert "Traceback" not in ended.stderr
    with server.database():
        signing_keys.require_decryptable()  # all are of the usual server still
