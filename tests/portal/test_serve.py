"""`manage.py serve`: the real server."""

import re
import subprocess
import sys
import tomllib
from urllib.parse import urlsplit

import psutil
import pytest
from django.conf import settings
from django.db import connection

from clients.models import Client
from portal.server.supervisor import KILL_AFTER
from tests import patient
from tests.authority.listening import eventually
from tests.live import copy_database, database, drop_database
from tests.servers import free_port


def test_server_is_alive_and_ready(server):
    assert patient.get(f"{server.url}/health/alive").json() == {"status": "ok"}
    assert patient.get(f"{server.url}/health/ready").json() == {"status": "ok"}


def test_server_names_its_version_to_operators_alone(server):
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]
    known = {"Authorization": f"Bearer {server.environ['METRICS_TOKEN']}"}
    assert patient.get(f"{server.url}/version", headers=known).json() == {"version": project["version"]}
    told = patient.get(f"{server.url}/version")
    assert told.status_code == 401
    assert project["version"] not in told.text


@pytest.mark.parametrize(
    "path", ["/account/login/", "/health/alive", "/oauth2/token", "/nowhere", "/static/css/portal.css"]
)
def test_no_answer_names_the_program_that_gave_it(server, path):
    headers = patient.get(f"{server.url}{path}").headers
    assert {"Server", "X-Powered-By", "Via"} & set(headers) == set()


def test_demo_has_put_its_clients_into_the_database_that_is_served(server):
    with server.database():
        assert set(Client.objects.values_list("client_id", flat=True)) >= {
            client["client_id"] for client in server.demo["clients"].values()
        }


def test_data_of_the_served_database_stay_out_of_the_test_database(db):
    assert not Client.objects.exists()


def test_server_without_tables_says_what_to_do(server, django_db_blocker):
    name = f"{connection.settings_dict['NAME']}_empty"
    copy_database("template0", name, django_db_blocker)
    try:
        done = subprocess.run(
            [sys.executable, "manage.py", "serve"],
            cwd=settings.BASE_DIR,
            env=server.environ | {"DATABASE_URL": urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl()},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        drop_database(name, django_db_blocker)
    assert done.returncode == 1
    assert re.fullmatch(
        r"Clientdesk cannot start: the database lacks \d+ migrations. Run manage.py migrate.\n", done.stderr
    )


def test_server_that_is_stopped_while_its_workers_load_waits_for_none_of_them(server):
    command = [sys.executable, "manage.py", "serve", "--workers", "2", "--no-work", "--port", str(free_port())]
    with subprocess.Popen(command, cwd=settings.BASE_DIR, env=server.environ) as process:
        eventually(lambda: len(psutil.Process(process.pid).children()) == 2)
        process.terminate()
        assert process.wait(timeout=KILL_AFTER) == 0


@pytest.mark.parametrize(
    ("command", "app"),
    [("serve", "clients"), ("work", "connections"), ("migrate", "clients"), ("demo", "clients")],
)
def test_a_database_that_another_version_made_is_refused_in_one_line(server, django_db_blocker, command, app):
    name = f"{connection.settings_dict['NAME']}_other"
    copy_database(connection.settings_dict["NAME"], name, django_db_blocker)
    try:
        with database(name, django_db_blocker), connection.cursor() as cursor:
            cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES (%s, '0099_later', now())", [app])
        done = subprocess.run(
            [sys.executable, "manage.py", command],
            cwd=settings.BASE_DIR,
            env=server.environ | {"DATABASE_URL": urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl()},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        drop_database(name, django_db_blocker)
    assert done.returncode == 1
    assert done.stderr == (
        "Clientdesk cannot start: another version of it made this database, which this one cannot read. "
        f"Remove {server.environ['DATA_DIR']}, and the demo is set up again.\n"
    )
