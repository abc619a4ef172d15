"""RFC 9068: what an access token says, and how it is signed. An independent library verifies."""

import json
import time

import pytest
from jwcrypto.jwk import JWKSet
from jwcrypto.jwt import JWT

from authority.models import SigningKey
from tests.factories import AccessFactory, ApiFactory, ScopeFactory

pytestmark = pytest.mark.django_db


def verified(http, token):
    """Return header and claims after checking the signature with the published keys."""
    keys = JWKSet.from_json(http.get("/.well-known/jwks.json").content.decode())
    jwt = JWT(jwt=token, key=keys, algs=["ES256", "RS256", "PS256", "EdDSA"])
    return json.loads(jwt.header), json.loads(jwt.claims)


@pytest.mark.compliance("RFC 9068", "2.1")
def test_header_names_type_algorithm_and_published_key(program):
    header, _ = verified(program.http, program.token().json()["access_token"])
    assert header["typ"] == "at+jwt"
    assert header["alg"] == "ES256"
    assert header["kid"] == SigningKey.objects.get(algorithm="ES256").kid


@pytest.mark.compliance("RFC 9068", "2.2")
def test_claims_name_issuer_client_audience_scope_and_consumer(program, settings, api):
    begun = int(time.time())
    answer = program.token(scope="shipments:read").json()
    _, claims = verified(program.http, answer["access_token"])
    assert claims["iss"] == settings.ISSUER
    assert claims["sub"] == claims["client_id"] == program.client.client_id
    assert claims["aud"] == api.identifier
    assert claims["scope"] == "shipments:read"
    assert begun <= claims["iat"] <= time.time()
    assert claims["exp"] - claims["iat"] == answer["expires_in"] == 3600
    assert claims["jti"]
    assert claims["consumer_id"] == str(program.client.consumer_id)


@pytest.mark.compliance("RFC 9068", "2.2")
def test_every_token_has_its_own_jti(program):
    tokens = [verified(program.http, program.token().json()["access_token"])[1]["jti"] for _ in range(3)]
    assert len(set(tokens)) == 3


@pytest.mark.compliance("RFC 9068", "3")
def test_scopes_of_two_apis_make_an_audience_of_both(program, acme):
    other = ApiFactory(name="Billing", identifier="https://api.example.com/billing", signing_algorithm="RS256")
    AccessFactory(consumer=acme, scope=ScopeFactory(api=other, value="invoices:read"))
    program.client.scopes.append("invoices:read")
    program.client.save()
    header, claims = verified(program.http, program.token().json()["access_token"])
    assert set(claims["aud"]) == {"https://api.example.com/shipments", "https://api.example.com/billing"}
    assert header["alg"] == "ES256"
    header, claims = verified(program.http, program.token(scope="invoices:read").json()["access_token"])
    assert claims["aud"] == "https://api.example.com/billing"
    assert header["alg"] == "RS256"


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "EdDSA"])
def test_the_api_chooses_the_algorithm(program, api, algorithm):
    api.signing_algorithm = algorithm
    api.save()
    header, _ = verified(program.http, program.token().json()["access_token"])
    assert header["alg"] == algorithm


def test_operators_add_claims_but_never_replace_ours(program, acme):
    acme.claims = {"tier": "gold", "sub": "somebody else", "iss": "https://evil.example", "cnf": {"jkt": "x"}}
    acme.save()
    _, claims = verified(program.http, program.token().json()["access_token"])
    assert claims["tier"] == "gold"
    assert claims["sub"] == program.client.client_id
    assert "evil" not in claims["iss"]
    assert "cnf" not in claims


@pytest.mark.parametrize(
    ("of_client", "of_api", "expected"), [(None, 7200, 3600), (600, 7200, 600), (9000, 7200, 7200), (None, 60, 60)]
)
def test_lifetime_is_the_clients_within_what_its_api_allows(program, api, of_client, of_api, expected):
    api.access_token_lifetime = of_api
    api.save()
    if of_client:
        program.client.lifespans = {"client_credentials_grant_access_token_lifespan": of_client}
        program.client.save()
    assert program.token().json()["expires_in"] == expected
