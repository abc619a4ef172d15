"""OpenID Connect Core and RP-Initiated Logout: ID tokens, userinfo, signing out."""

import base64
import hashlib
import json
import time

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone
from jwcrypto.jwk import JWKSet
from jwcrypto.jwt import JWT

from authority.models import SigningKey
from tests.authority.flows import Flow

pytestmark = pytest.mark.django_db


def id_token_claims(http, token):
    keys = JWKSet.from_json(http.get("/.well-known/jwks.json").content.decode())
    jwt = JWT(jwt=token, key=keys, algs=["RS256"])
    return json.loads(jwt.header), json.loads(jwt.claims)


@pytest.mark.compliance("OpenID Connect Core", "2")
def test_id_token_says_who_signed_in_where_and_for_whom(flow, alice, settings):
    tokens = flow.tokens()
    header, claims = id_token_claims(flow.program.http, tokens["id_token"])
    assert header["alg"] == "RS256"
    assert header["kid"] == SigningKey.objects.get(algorithm="RS256").kid
    assert claims["iss"] == settings.ISSUER
    assert claims["sub"] == str(alice.pk)
    assert claims["aud"] == flow.program.client.client_id
    assert claims["nonce"] == "a nonce"
    assert claims["exp"] > time.time() >= claims["iat"]
    assert claims["auth_time"] <= claims["iat"]
    digest = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert "email" not in claims
    assert "name" not in claims


@pytest.mark.compliance("OpenID Connect Core", "5.4")
def test_scopes_decide_which_claims_are_returned(web, browser_of, alice):
    flow = Flow(web, browser_of(alice), scope="openid profile email")
    _, claims = id_token_claims(web.http, flow.tokens()["id_token"])
    assert claims["name"] == "Alice Martin"
    assert (claims["email"], claims["email_verified"]) == ("alice@acme.example", True)
    EmailAddress.objects.filter(user=alice).update(verified=False)
    _, claims = id_token_claims(web.http, flow.tokens()["id_token"])
    assert claims["email_verified"] is False


@pytest.mark.compliance("OpenID Connect Core", "3.1.2.1")
def test_without_openid_there_is_no_id_token(web, browser_of, alice):
    assert "id_token" not in Flow(web, browser_of(alice), scope="shipments:read").tokens()


def test_openid_is_never_assumed(web, browser_of, alice):
    tokens = Flow(web, browser_of(alice), scope=None).tokens()
    assert tokens["scope"] == "shipments:read shipments:write"
    assert "id_token" not in tokens


@pytest.mark.compliance("OpenID Connect Core", "12.2")
def test_refreshed_id_token_names_the_same_person_and_no_nonce(flow, alice):
    tokens = flow.refresh(flow.tokens()["refresh_token"]).json()
    _, claims = id_token_claims(flow.program.http, tokens["id_token"])
    assert claims["sub"] == str(alice.pk)
    assert "nonce" not in claims


def test_identity_without_apis_is_for_ourselves(web, browser_of, alice, settings):
    token = Flow(web, browser_of(alice), scope="openid").tokens()["access_token"]
    assert web.introspect(token)["aud"] == settings.ISSUER


# -- Userinfo ---------------------------------------------------------------------------------------------------------


def userinfo(http, token, method="get"):
    return getattr(http, method)("/oauth2/userinfo", headers={"Authorization": f"Bearer {token}"})


@pytest.mark.compliance("OpenID Connect Core", "5.3")
@pytest.mark.parametrize("method", ["get", "post"])
def test_userinfo_returns_what_the_scopes_allow(web, browser_of, alice, method):
    token = Flow(web, browser_of(alice), scope="openid profile email").tokens()["access_token"]
    answer = userinfo(web.http, token, method)
    assert answer.json() == {
        "sub": str(alice.pk),
        "name": "Alice Martin",
        "email": "alice@acme.example",
        "email_verified": True,
    }
    assert answer["Cache-Control"] == "no-store"
    token = Flow(web, browser_of(alice), scope="openid").tokens()["access_token"]
    assert userinfo(web.http, token, method).json() == {"sub": str(alice.pk)}


@pytest.mark.compliance("RFC 6750", "3.1")
def test_userinfo_refuses_in_the_words_of_bearer_tokens(web, program, browser_of, alice):
    none = web.http.get("/oauth2/userinfo")
    assert none.status_code == 401
    assert none["WWW-Authenticate"].startswith('Bearer realm="userinfo", DPoP ')
    wrong = userinfo(web.http, "x.y.z")
    assert wrong.status_code == 401
    assert 'error="invalid_token"' in wrong["WWW-Authenticate"]
    machine = userinfo(web.http, program.token().json()["access_token"])
    assert machine.status_code == 403
    assert 'error="insufficient_scope"' in machine["WWW-Authenticate"]
    tokens = Flow(web, browser_of(alice), scope="shipments:read").tokens()
    assert userinfo(web.http, tokens["access_token"]).status_code == 403
    tokens = Flow(web, browser_of(alice)).tokens()
    assert userinfo(web.http, tokens["id_token"]).status_code == 401
    assert userinfo(web.http, tokens["refresh_token"]).status_code == 401


def test_token_in_the_url_is_not_read(flow):
    token = flow.tokens()["access_token"]
    assert flow.program.http.get(f"/oauth2/userinfo?access_token={token}").status_code == 401


def test_disabled_person_and_client_end_userinfo(flow, alice):
    token = flow.tokens()["access_token"]
    assert userinfo(flow.program.http, token).status_code == 200
    flow.program.client.disabled_at = timezone.now()
    flow.program.client.save()
    assert userinfo(flow.program.http, token).status_code == 401
    flow.program.client.disabled_at = None
    flow.program.client.save()
    alice.is_active = False
    alice.save()
    assert userinfo(flow.program.http, token).status_code == 401
