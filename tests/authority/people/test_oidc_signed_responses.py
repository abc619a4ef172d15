"""OpenID Connect Core 3.1.3.6 and 5.3.2: in every algorithm, what ID tokens and userinfo say is what others verify."""

import base64
import hashlib
import json

import pytest
from jwcrypto.jwk import JWKSet
from jwcrypto.jwt import JWT

from core.jose.algorithms import SigningAlgorithm
from tests.authority.endpoints.test_oidc import userinfo
from tests.authority.flows import Flow

pytestmark = pytest.mark.django_db
HASHES = {"ES256": hashlib.sha256, "RS256": hashlib.sha256, "PS256": hashlib.sha256, "EdDSA": hashlib.sha512}


def verified(http, token, algorithm):
    """Return header and claims, after an independent library has checked the signature by the published keys."""
    published = JWKSet.from_json(http.get("/.well-known/jwks.json").content.decode())
    jwt = JWT(jwt=token, key=published, algs=[algorithm])
    return json.loads(jwt.header), json.loads(jwt.claims)


@pytest.mark.compliance("OpenID Connect Core", "3.1.3.6")
@pytest.mark.parametrize("algorithm", SigningAlgorithm.values)
def test_id_token_binds_the_access_token_by_the_hash_of_its_algorithm(flow, web, algorithm):
    web.client.id_token_signed_response_alg = algorithm
    web.client.save()
    tokens = flow.tokens()
    for answer in (tokens, flow.refresh(tokens["refresh_token"]).json()):
        header, claims = verified(web.http, answer["id_token"], algorithm)
        digest = HASHES[algorithm](answer["access_token"].encode()).digest()
        assert claims["at_hash"] == base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
        assert (header["alg"], header["typ"]) == (algorithm, "JWT")


@pytest.mark.compliance("OpenID Connect Core", "5.3.2")
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("algorithm", SigningAlgorithm.values)
def test_userinfo_is_signed_for_the_client_that_wants_it(web, browser_of, alice, settings, algorithm, method):
    web.client.userinfo_signed_response_alg = algorithm
    web.client.save()
    token = Flow(web, browser_of(alice), scope="openid email").tokens()["access_token"]
    answer = userinfo(web.http, token, method)
    assert answer["Content-Type"] == "application/jwt"
    assert answer["Cache-Control"] == "no-store"
    header, claims = verified(web.http, answer.content.decode(), algorithm)
    assert header["alg"] == algorithm
    assert claims == {
        "iss": settings.ISSUER,
        "aud": web.client.client_id,
        "sub": str(alice.pk),
        "email": alice.email,
        "email_verified": True,
    }


def test_refusal_is_json_for_whoever_wants_signed_answers_too(web, program):
    answer = userinfo(web.http, "x.y.z")
    assert answer["Content-Type"].startswith("application/json")
    assert answer.json()["error"] == "invalid_token"


@pytest.mark.compliance("RFC 8725", "3.12")
def test_signed_answer_is_neither_access_token_nor_hint(web, browser_of, alice):
    web.client.userinfo_signed_response_alg = "RS256"
    web.client.save()
    flow = Flow(web, browser_of(alice))
    signed = userinfo(web.http, flow.tokens()["access_token"]).content.decode()
    assert userinfo(web.http, signed).status_code == 401
    assert web.introspect(signed) == {"active": False}
    assert flow.browser.get("/oauth2/logout", {"id_token_hint": signed}).status_code == 400
    assert flow.browser.session["_auth_user_id"]
