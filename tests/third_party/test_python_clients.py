"""The Python libraries that people build clients with: Authlib and requests-oauthlib."""

from contextlib import ExitStack
from typing import Any

import pytest
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session

from clients.vocabulary import GrantType
from tests import patient
from tests.live import Server
from tests.signing import KeyPair


@pytest.fixture
def metadata(server: Server) -> dict[str, Any]:
    return dict(patient.get(f"{server.demo['issuer']}/.well-known/openid-configuration").json())


@pytest.fixture(autouse=True)
def no_tls(monkeypatch):
    """The test's server has no TLS, which oauthlib refuses otherwise."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


@pytest.fixture
def opened():
    """Close a client at the end of the test, and return it."""
    with ExitStack() as stack:
        yield stack.enter_context


@pytest.mark.parametrize("method", ["client_secret_basic", "none"])
def test_authlib_signs_in_refreshes_and_revokes(server, metadata, person, method, opened):
    known = server.demo["clients"]["spa" if method == "none" else "web"]
    client = opened(
        OAuth2Client(
            known["client_id"],
            known["client_secret"],
            token_endpoint_auth_method=method,
            scope=known["scope"],
            redirect_uri=known["redirect_uris"][0],
            code_challenge_method="S256",
        )
    )
    verifier = "v" * 64
    address, _ = client.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
    back = person.allow(address)
    token = client.fetch_token(metadata["token_endpoint"], authorization_response=back, code_verifier=verifier)
    assert client.get(metadata["userinfo_endpoint"]).json()["sub"]
    refreshed = client.refresh_token(metadata["token_endpoint"], token["refresh_token"])
    assert refreshed["refresh_token"] != token["refresh_token"]
    answer = client.revoke_token(metadata["revocation_endpoint"], refreshed["refresh_token"])
    assert answer.status_code == 200
    assert client.get(metadata["userinfo_endpoint"]).status_code == 401


@pytest.mark.parametrize("key", ["web", "spa"])
def test_requests_oauthlib_signs_in_and_refreshes(server, metadata, person, key, opened):
    known = server.demo["clients"][key]
    session = opened(
        OAuth2Session(
            known["client_id"], scope=known["scope"].split(), redirect_uri=known["redirect_uris"][0], pkce="S256"
        )
    )
    address, _ = session.authorization_url(metadata["authorization_endpoint"])
    secret = {"client_secret": known["client_secret"]} if known["client_secret"] else {"include_client_id": True}
    token = session.fetch_token(metadata["token_endpoint"], authorization_response=person.allow(address), **secret)
    assert session.get(metadata["userinfo_endpoint"]).json()["sub"]
    proof = {"auth": (known["client_id"], known["client_secret"])} if known["client_secret"] else {}
    refreshed = session.refresh_token(
        metadata["token_endpoint"], token["refresh_token"], client_id=known["client_id"] if not proof else None, **proof
    )
    assert refreshed["access_token"] != token["access_token"]


def test_requests_oauthlib_acts_for_a_service(server, metadata, opened):
    client_id, secret = server.service()
    session = opened(OAuth2Session(client=BackendApplicationClient(client_id, scope=["shipments:read"])))
    token = session.fetch_token(metadata["token_endpoint"], client_id=client_id, client_secret=secret)
    assert token["token_type"] == "Bearer"
    assert token["scope"] == ["shipments:read"]


def test_authlib_acts_for_a_service(server, metadata, opened):
    client_id, secret = server.service()
    client = opened(OAuth2Client(client_id, secret, scope="shipments:read"))
    token = client.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
    answer = client.introspect_token(metadata["introspection_endpoint"], token["access_token"])
    assert answer.json()["active"] is True


@pytest.mark.compliance("RFC 7523", "3")
def test_authlib_signs_assertions_and_names_the_api(server, metadata, opened):
    keys = KeyPair("RS256")
    signs = {"token_endpoint_auth_method": "private_key_jwt", "jwks": keys.jwks}
    client_id, _ = server.register("service", scope=("shipments:read",), **signs)
    pem = keys.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    method = PrivateKeyJWT(metadata["issuer"], headers={"kid": keys.kid})  # the audience is the issuer
    client = opened(OAuth2Client(client_id, pem, token_endpoint_auth_method=method, scope="shipments:read"))
    audience = server.demo["clients"]["service"]["audience"]
    token = client.fetch_token(metadata["token_endpoint"], grant_type="client_credentials", resource=audience)
    answer = client.introspect_token(metadata["introspection_endpoint"], token["access_token"])
    assert answer.json()["aud"] == audience


@pytest.mark.compliance("RFC 8628", "3.4")
def test_authlib_lets_a_device_in(server, metadata, person, opened):
    client_id, _ = server.register("device", scope=("openid", "shipments:read"))
    client = opened(OAuth2Client(client_id, token_endpoint_auth_method="none"))
    form = {"client_id": client_id, "scope": "openid shipments:read"}
    asked = patient.post(metadata["device_authorization_endpoint"], data=form).json()
    person.let_in(asked["verification_uri_complete"])
    grant = {"grant_type": GrantType.DEVICE_CODE.value, "device_code": asked["device_code"]}
    assert client.fetch_token(metadata["token_endpoint"], **grant)["scope"] == form["scope"]
    assert client.get(metadata["userinfo_endpoint"]).json()["sub"]
