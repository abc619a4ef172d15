"""A backup of a running server, restored into an empty database: what worked works, and what was revoked does not."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from urllib.parse import urlsplit

import jwt
import pytest
from django.conf import settings
from django.db import connection

from portal.backup import BackupError, read_manifest
from tests import patient
from tests.live import copy_database, drop_database, with_user
from tests.resilience.conftest import another


def manage(environ, *words):
    command = [sys.executable, "manage.py", *map(str, words)]
    return subprocess.run(command, cwd=settings.BASE_DIR, env=environ, capture_output=True, text=True, check=False)


@pytest.fixture
def elsewhere(server, django_db_blocker):
    """The environment of a server with an empty database, as its owner: restoring makes tables."""
    name = f"{urlsplit(server.environ['DATABASE_URL']).path[1:]}_restored"
    copy_database("template0", name, django_db_blocker)
    url = urlsplit(server.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    url = with_user(url, str(connection.settings_dict["USER"]))
    yield server.environ | {"DATABASE_URL": url}
    drop_database(name, django_db_blocker)


@pytest.fixture
def backup(server, tmp_path):
    folder = tmp_path / "backup"
    done = manage(server.environ, "backup", folder)
    assert done.returncode == 0, done.stderr
    assert re.search(r"\d+ tables with [\d,]+ rows in [\d,]+ bytes, in \d+\.\d s\.", done.stdout)
    assert "loses whatever is written after that" in done.stdout
    return folder


def secrets_of_the_server():
    identity = json.loads((settings.DATA_DIR / "identity.json").read_text())
    peppers = [pair.partition(":")[2] for pair in identity["SECRET_PEPPERS"].split(",")]
    return [identity["SECRET_KEY"], *identity["KEY_ENCRYPTION_KEYS"].split(","), *peppers]


def is_active(url, client, token):
    answer = patient.post(f"{url}/oauth2/introspect", data={"token": token}, auth=client)
    assert answer.status_code == 200, answer.text
    return answer.json()["active"]


def revoke(url, client, token):
    assert patient.post(f"{url}/oauth2/revoke", data={"token": token}, auth=client).status_code == 200


def test_a_restored_server_goes_on_where_the_backup_was_made(server, elsewhere, tmp_path):
    service, disabled = server.service(), server.service()
    kept, revoked = server.token(service=service), server.token(service=service)
    revoke(server.url, service, revoked)
    server.shell(
        "from django.utils import timezone; from clients.models import Client; "
        f"Client.objects.filter(client_id='{disabled[0]}').update(disabled_at=timezone.now())"
    )
    folder = tmp_path / "backup"
    assert manage(server.environ, "backup", folder).returncode == 0
    for path in folder.iterdir():
        content = path.read_bytes()
        assert not [key for key in secrets_of_the_server() if key.encode() in content]
        assert service[1].encode() not in content
    too_late = server.service()

    done = manage(elsewhere, "restore", folder)
    assert done.returncode == 0, done.stderr
    assert re.search(r"Restored [\d,]+ rows in \d+\.\d s \(RTO\)", done.stdout)
    assert re.search(r"written after \S+Z, \d+ seconds ago, is lost \(RPO\)", done.stdout)
    with another(replace(server, environ=elsewhere), workers=1) as url:
        assert is_active(url, service, kept)
        assert not is_active(url, service, revoked)
        token = replace(server, url=url).token(service=service)
        keys = jwt.PyJWKSet.from_dict(patient.get(f"{server.url}/.well-known/jwks.json").json())
        verify = {"algorithms": ["ES256"], "options": {"verify_aud": False}}
        for each in (kept, token):
            jwt.decode(each, keys[jwt.get_unverified_header(each)["kid"]], **verify)
        for client_id, secret in (disabled, too_late):
            form = {"grant_type": "client_credentials"}
            refused = patient.post(f"{url}/oauth2/token", data=form, auth=(client_id, secret))
            assert refused.json()["error"] == "invalid_client"


def test_what_is_not_whole_or_not_empty_is_refused_and_nothing_written(server, elsewhere, backup, tmp_path):
    def refused(environ, folder=backup):
        done = manage(environ, "restore", folder)
        assert done.returncode == 1
        assert done.stderr.startswith("CommandError: ")
        assert "Traceback" not in done.stderr
        return done.stderr

    assert "The database is not empty" in refused(server.environ)
    assert "holds no whole backup" in refused(elsewhere, tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    identity = json.loads((settings.DATA_DIR / "identity.json").read_text())
    other = {
        "KEY_ENCRYPTION_KEYS": "kZ3vQ9xW1rT7yB5nM8cL2pD6fG4hJ0sAeUiOqXzVtRw=",
        "SECRET_PEPPERS": f"1:{'another' * 6}",
    }
    for name, value in other.items():
        (data / "identity.json").write_text(json.dumps(identity | {name: value}))
        assert f"{name} lacks" in refused(elsewhere | {"DATA_DIR": str(data)})
    assert tables(elsewhere) == 0


def test_a_manifest_that_is_not_ours_is_told(backup):
    manifest = json.loads((backup / "manifest.json").read_text())
    for text, said in (
        (
            json.dumps(manifest | {"migrations": [*manifest["migrations"], ["clients", "9999_future"]]}),
            "9999_future of",
        ),
        (json.dumps(manifest | {"format": 2}), "is of another version"),
        (json.dumps(manifest | {"migrations": ["clients"]}), "is of another version"),
        ("[]", "is of another version"),
        ("{", "holds no whole backup"),
    ):
        (backup / "manifest.json").write_text(text)
        with pytest.raises(BackupError, match=said):
            read_manifest(backup)
    (backup / "manifest.json").write_text(json.dumps(manifest))
    assert read_manifest(backup) == manifest
    archive = backup / "database.dump"
    archive.write_bytes(archive.read_bytes()[:-1] + b"?")
    with pytest.raises(BackupError, match="has changed since the backup"):
        read_manifest(backup)


def tables(environ):
    code = "from django.db import connection; print(len(connection.introspection.table_names()))"
    return int(manage(environ, "shell", "-v0", "--command", code).stdout.split()[-1])


def test_a_backup_overwrites_nothing_and_leaves_nothing_half_done(server, backup, tmp_path):
    done = manage(server.environ, "backup", backup)
    assert done.returncode == 1
    assert "Name a folder that does not exist yet" in done.stderr
    away = server.environ | {"DATABASE_URL": "postgresql://postgres@127.0.0.1:1/postgres"}
    done = manage(away, "backup", tmp_path / "none")
    assert done.stderr.startswith("CommandError: The database does not answer: ")
    assert not (tmp_path / "none").exists()
