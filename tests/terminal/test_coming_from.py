"""Each row of docs/coming-from.md runs."""

import json
import re
import shlex
import uuid

import httpx
import pytest
from django.conf import settings

from portal.terminal import foreign

PAGE = (settings.BASE_DIR / "docs" / "coming-from.md").read_text()
ROWS = re.findall(r"^\|.*\| `clientdesk (.*)` \|$", PAGE, re.MULTILINE)

KEYCLOAK = {
    "realm": "acme",
    "clients": [
        {"clientId": "account", "name": "built in"},
        {
            "clientId": "board",
            "name": "Board",
            "redirectUris": ["https://board.example/back", "https://board.example/*", "/relative"],
            "rootUrl": "https://board.example",
            "webOrigins": ["+"],
            "implicitFlowEnabled": True,
            "directAccessGrantsEnabled": True,
            "secret": "kc-secret",
            "attributes": {"post.logout.redirect.uris": "https://board.example/bye##+"},
        },
        {"clientId": "job", "standardFlowEnabled": False, "serviceAccountsEnabled": True},
    ],
}
AUTH0 = [
    {
        "client_id": "abc",
        "name": "Single page",
        "app_type": "spa",
        "callbacks": ["https://spa.example/back", "https://*.spa.example/back"],
        "grant_types": ["authorization_code", "implicit", "refresh_token", "http://auth0.com/oauth/grant-type/mfa-otp"],
        "client_secret": "a0-secret",
    }
]
HYDRA = [
    {
        "client_id": "old",
        "client_name": "From Hydra",
        "grant_types": ["client_credentials", "implicit"],
        "response_types": ["token"],
        "scope": "shipments:read",
        "subject_type": "pairwise",
        "frontchannel_logout_uri": "https://x.example/",
        "created_at": "2020-01-01T00:00:00Z",
    }
]


@pytest.fixture
def names(server, tmp_path):
    """What stands in braces on the page."""
    document = {"client_name": f"Row {uuid.uuid4()}", "grant_types": ["client_credentials"], "scope": "shipments:read"}
    files = {"client_file": document, "hydra_file": HYDRA, "keycloak_file": KEYCLOAK, "auth0_file": AUTH0}
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    headers = {"Authorization": f"Bearer {server.demo['manager_token']}"}
    made = httpx.post(f"{server.url}/admin/clients", json=document, headers=headers).json()
    service_id, secret = server.service()
    return {name: str(tmp_path / name) for name in files} | {
        "client_id": made["client_id"],
        "service_id": service_id,
        "secret": secret,
    }


@pytest.mark.parametrize("row", ROWS)
def test_row_of_the_page_runs(server, alice_at, operator_at, names, row):
    terminal = operator_at if row.startswith("registration enable") else alice_at
    typed = server.token() if row.startswith("introspect") else ""
    answer = terminal.run(*shlex.split(row.format(**names)), typed=typed, OAUTH2_CLIENT_SECRET=names["secret"])
    assert answer.status == 0, answer.err


def test_page_has_its_rows():
    assert len(ROWS) >= 20


def test_keycloaks_clients_are_told_in_our_names():
    board, job = foreign.read(KEYCLOAK)
    assert board.document == {
        "client_name": "Board",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "redirect_uris": ["https://board.example/back", "https://board.example/relative"],
        "post_logout_redirect_uris": ["https://board.example/bye"],
    }
    assert len(board.lost) == 4  # a wildcard, implicit, password, the secret
    assert job.document["grant_types"] == ["client_credentials"]


def test_auth0s_clients_are_told_in_our_names():
    (spa,) = foreign.read(AUTH0)
    assert spa.document["token_endpoint_auth_method"] == "none"
    assert spa.document["grant_types"] == ["authorization_code", "refresh_token"]
    assert spa.document["redirect_uris"] == ["https://spa.example/back"]
    assert len(spa.lost) == 4


def test_hydras_clients_lose_what_no_server_should_offer():
    (old,) = foreign.read({"items": HYDRA})
    assert old.document == {
        "client_name": "From Hydra",
        "grant_types": ["client_credentials"],
        "scope": "shipments:read",
        "response_types": [],
    }
    assert len(old.lost) == 4


@pytest.mark.parametrize("found", [5, "x", [], [1], {"items": []}, {"clients": "x", "realm": "y"}])
def test_what_is_no_export_is_refused_in_words(found):
    from portal.terminal.problems import Problem

    with pytest.raises(Problem, match=r"file"):
        foreign.read(found)
