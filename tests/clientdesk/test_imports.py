"""Clients of other systems, told in our names, and what is said of the rest."""

import json
import uuid

import pytest

from clientdesk import foreign
from clientdesk.problems import Problem
from tests.clientdesk.exports import AUTH0, HYDRA, KEYCLOAK


def about(lost, word):
    return [sentence for sentence in lost if word in sentence]


def test_keycloaks_clients_are_told_in_our_names():
    board, job, page, old, orders = foreign.read(KEYCLOAK)
    assert board.document == {
        "client_name": "Board",
        "description": "Plans the day",
        "client_uri": "https://board.example/home",
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "client_secret_basic",
        "redirect_uris": ["https://board.example/back"],
        "post_logout_redirect_uris": ["https://board.example/back", "https://board.example/bye"],
        "backchannel_logout_uri": "https://board.example/ended",
        "backchannel_logout_session_required": True,
        "authorization_code_grant_access_token_lifespan": "900s",
        "scope": "openid profile email offline_access",
    }
    for word in ("implicit", "password", "https://board.example/*", "web-origins", "secret", "mappers"):
        assert about(board.lost, word), word
    assert job.document == {
        "client_name": "job",
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "jwks_uri": "https://job.example/keys",
        "scope": "shipments:read",
    }
    assert about(job.lost, "disabled")
    assert page.document["redirect_uris"] == ["https://page.example/back", "http://localhost:3000/back"]
    assert page.document["allowed_cors_origins"] == [
        *("https://page.example", "http://localhost:3000", "https://other.example")
    ]
    assert [each.is_client for each in (board, old, orders)] == [True, False, False]


def test_auth0s_clients_are_told_in_our_names():
    spa, machine = foreign.read(AUTH0)
    assert spa.document == {
        "client_name": "Single page",
        "description": "The shop",
        "application_type": "web",
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": ["https://spa.example/back"],
        "post_logout_redirect_uris": ["https://spa.example"],
        "allowed_cors_origins": ["https://spa.example"],
        "scope": "openid profile email offline_access",
        "metadata": {"team": "web"},
        "authorization_code_grant_id_token_lifespan": "36000s",
        "refresh_token_grant_refresh_token_lifespan": "2592000s",
    }
    for word in ("implicit", "mfa-otp", "https://*.spa.example", "secret", "permissions"):
        assert about(spa.lost, word), word
    assert machine.document["token_endpoint_auth_method"] == "client_secret_basic"
    assert about(machine.lost, "keys")


def test_hydras_clients_lose_what_is_not_served():
    (old,) = foreign.read({"items": HYDRA})
    assert old.document == {
        "client_name": "From Hydra",
        "grant_types": ["client_credentials"],
        "scope": "shipments:read",
    }
    for word in ("implicit", "jwt-bearer:", "jwt_bearer_grant", "subject_type", "frontchannel", "response types"):
        assert about(old.lost, word), word


@pytest.mark.parametrize("export", [HYDRA, KEYCLOAK, AUTH0], ids=["hydra", "keycloak", "auth0"])
def test_an_export_is_registered_whole(alice_at, export):
    rows = alice_at.json("import", "oauth2-clients", "-", typed=json.dumps(export))
    assert not any(row["refused"] for row in rows)
    made = [row for row in rows if row["client_id"]]
    assert len(made) == len([row for row in rows if not about(row["not_carried"], "all of it")])
    assert alice_at.run("delete", "oauth2-clients", *(row["client_id"] for row in made)).status == 0


def test_what_was_carried_is_shown_one_by_one(alice_at):
    answer = alice_at.run("import", "oauth2-clients", "-", "--dry-run", typed=json.dumps(KEYCLOAK))
    assert answer.status == 0, answer.err
    assert "FORMER CLIENT ID  board" in answer.out
    assert "all of it: it speaks SAML" in answer.out


def test_refused_client_does_not_hold_up_the_others(alice_at):
    good = {"client_name": f"Good {uuid.uuid4().hex[:8]}", "grant_types": ["client_credentials"]}
    bad = good | {"client_name": "Evil\x1b[31m", "skip_consent": True}
    answer = alice_at.run("import", "oauth2-clients", "-", "--format", "json", typed=json.dumps([bad, good]))
    assert answer.status == 1
    first, second = answer.json
    assert "U+001B" in first["refused"]
    assert "skip_consent: only operators set it" in first["not_carried"]
    assert second["client_id"]
    assert "1 of 2" in answer.err


def test_what_operators_decide_is_carried_by_operators_alone(alice_at, operator_at):
    app = {"client_name": "Trusted", "redirect_uris": ["https://app.example/back"], "skip_consent": True}
    for terminal, trusted in ((alice_at, False), (operator_at, True)):
        words = ["import", "oauth2-clients", "-", "--consumer", "acme"]
        (row,) = terminal.json(*words, typed=json.dumps([app]))
        assert terminal.json("get", "oauth2-client", row["client_id"])["skip_consent"] is trusted
        assert bool(row["not_carried"]) is not trusted


@pytest.mark.parametrize("found", [5, "x", [], [1], {"items": []}, {"clients": "x", "realm": "y"}, {"clients": {}}])
def test_what_is_no_export_is_refused_in_words(found):
    with pytest.raises(Problem, match=r"file"):
        foreign.read(found)


@pytest.mark.parametrize("odd", [None, 5, "x", {"a": 1}, [None], [{"a": []}]])
@pytest.mark.parametrize(
    "kind", [{"clientId": "k"}, {"app_type": "spa"}, {"client_id": "h"}], ids=["keycloak", "auth0", "hydra"]
)
def test_odd_values_in_an_export_do_no_harm(kind, odd):
    names = ["attributes", "redirectUris", "webOrigins", "defaultClientScopes", "grant_types", "callbacks", "scope"]
    names += ["redirect_uris", "response_types", "jwt_configuration", "refresh_token", "oidc_logout", "jwks", "enabled"]
    assert len(foreign.read([kind | dict.fromkeys(names, odd)])) == 1
