"""Each row of docs/coming-from.md runs."""

import json
import re
import shlex
import uuid

import pytest
from django.conf import settings

from tests import patient
from tests.clientdesk.importers.exports import AUTH0, HYDRA, KEYCLOAK

PAGE = (settings.BASE_DIR / "docs" / "coming-from.md").read_text()
ROWS = re.findall(r"^\|.*\| `clientdesk (.*)` \|$", PAGE, re.MULTILINE)


@pytest.fixture
def names(server, tmp_path):
    """What stands in braces on the page."""
    document = {"client_name": f"Row {uuid.uuid4()}", "grant_types": ["client_credentials"], "scope": "shipments:read"}
    files = {"client_file": document, "hydra_file": HYDRA, "keycloak_file": KEYCLOAK, "auth0_file": AUTH0}
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    headers = {"Authorization": f"Bearer {server.demo['manager_token']}"}
    made = patient.post(f"{server.url}/admin/clients", json=document, headers=headers).json()
    service_id, secret = server.service()
    return {name: str(tmp_path / name) for name in files} | {
        "client_id": made["client_id"],
        "service_id": service_id,
        "secret": secret,
    }


@pytest.mark.parametrize("row", ROWS)
def test_row_of_the_page_runs(server, alice_at, operator_at, names, row):
    terminal = operator_at if row.startswith("enable registration") else alice_at
    typed = server.token() if row.startswith("introspect") else ""
    answer = terminal.call(*shlex.split(row.format(**names)), typed=typed, OAUTH2_CLIENT_SECRET=names["secret"])
    assert answer.status == 0, answer.err


def test_page_has_its_rows():
    assert len(ROWS) >= 20
