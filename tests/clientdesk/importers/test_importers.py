"""Clients of other systems as metadata of RFC 7591, and what is not imported."""

import pytest

from clientdesk import importers
from clientdesk.errors import CommandError
from tests.clientdesk.importers.exports import AUTH0, HYDRA, KEYCLOAK


def about(lost, word):
    return [sentence for sentence in lost if word in sentence]


def test_keycloaks_clients_are_told_in_our_names():
    board, job, page, old, orders = importers.read_export(KEYCLOAK)
    assert board.metadata == {
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
        assert about(board.not_imported, word), word
    assert job.metadata == {
        "client_name": "job",
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "jwks_uri": "https://job.example/keys",
        "scope": "shipments:read",
    }
    assert about(job.not_imported, "disabled")
    assert page.metadata["redirect_uris"] == ["https://page.example/back", "http://localhost:3000/back"]
    assert page.metadata["allowed_cors_origins"] == [
        *("https://page.example", "http://localhost:3000", "https://other.example")
    ]
    assert [each.is_client for each in (board, old, orders)] == [True, False, False]


def test_auth0s_clients_are_told_in_our_names():
    spa, machine = importers.read_export(AUTH0)
    assert spa.metadata == {
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
    for word in ("implicit", "mfa-otp", "https://*.spa.example", "secret", "scopes of APIs"):
        assert about(spa.not_imported, word), word
    assert machine.metadata["token_endpoint_auth_method"] == "client_secret_basic"
    assert about(machine.not_imported, "keys")


def test_hydras_clients_lose_what_is_not_served():
    (old,) = importers.read_export({"items": HYDRA})
    assert old.metadata == {
        "client_name": "From Hydra",
        "grant_types": ["client_credentials"],
        "scope": "shipments:read",
    }
    for word in ("implicit", "jwt-bearer:", "jwt_bearer_grant", "subject_type", "frontchannel", "response types"):
        assert about(old.not_imported, word), word


@pytest.mark.parametrize("found", [5, "x", [], [1], {"items": []}, {"clients": "x", "realm": "y"}, {"clients": {}}])
def test_what_is_no_export_is_refused_in_words(found):
    with pytest.raises(CommandError, match=r"file"):
        importers.read_export(found)


@pytest.mark.parametrize("odd", [None, 5, "x", {"a": 1}, [None], [{"a": []}]])
@pytest.mark.parametrize(
    "kind", [{"clientId": "k"}, {"app_type": "spa"}, {"client_id": "h"}], ids=["keycloak", "auth0", "hydra"]
)
def test_odd_values_in_an_export_do_no_harm(kind, odd):
    names = ["attributes", "redirectUris", "webOrigins", "defaultClientScopes", "grant_types", "callbacks", "scope"]
    names += ["redirect_uris", "response_types", "jwt_configuration", "refresh_token", "oidc_logout", "jwks", "enabled"]
    assert len(importers.read_export([kind | dict.fromkeys(names, odd)])) == 1
