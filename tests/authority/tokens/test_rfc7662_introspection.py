"""RFC 7662: a client asks what a token of its own is worth."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from authority.keys import signing_keys
from authority.models import SigningKey, TokenFamily
from clients.models import Access
from core.jose import base64url, jwk, jws
from tests.authority.conftest import Program
from tests.factories import ClientFactory, give_secret

pytestmark = pytest.mark.django_db
INACTIVE = {"active": False}


@pytest.mark.compliance("RFC 7662", "2.2")
def test_own_access_token_is_active_with_every_member(program, settings, api):
    answer = program.introspect(program.token().json()["access_token"])
    assert answer["active"] is True
    assert answer["token_type"] == "Bearer"
    assert answer["scope"] == "shipments:read shipments:write"
    assert answer["client_id"] == answer["sub"] == program.client.client_id
    assert answer["aud"] == api.identifier
    assert answer["iss"] == settings.ISSUER
    assert answer["exp"] - answer["iat"] == 3600
    assert answer["jti"]
    assert answer["consumer_id"] == str(program.client.consumer_id)


@pytest.mark.compliance("RFC 7662", "2.2")
def test_tokens_that_speak_for_a_person_are_active(flow, alice, settings):
    tokens = flow.tokens()
    answer = flow.program.introspect(tokens["access_token"])
    assert (answer["active"], answer["sub"]) == (True, str(alice.pk))
    answer = flow.program.introspect(tokens["refresh_token"])
    assert (answer["active"], answer["sub"]) == (True, str(alice.pk))
    assert answer["aud"] == answer["iss"] == settings.ISSUER
    assert answer["client_id"] == flow.program.client.client_id
    assert answer["exp"] > answer["iat"] == answer["nbf"]
    assert answer["scope"] == "openid shipments:read"


@pytest.mark.compliance("RFC 7662", "4")
def test_another_clients_token_says_nothing(program, stranger, flow):
    assert stranger.introspect(program.token().json()["access_token"]) == INACTIVE
    tokens = flow.tokens()
    assert stranger.introspect(tokens["access_token"]) == INACTIVE
    assert stranger.introspect(tokens["refresh_token"]) == INACTIVE


@pytest.mark.compliance("RFC 7662", "2.1")
def test_caller_must_prove_who_it_is(program, spa):
    token = program.token().json()["access_token"]
    assert Program(program.client).post("/oauth2/introspect", {"token": token}).status_code == 401
    assert Program(program.client, "wrong").post("/oauth2/introspect", {"token": token}).status_code == 401
    public = spa.post("/oauth2/introspect", {"token": token, "client_id": spa.client.client_id})
    assert (public.status_code, public.json()["error"]) == (401, "invalid_client")


@pytest.mark.compliance("RFC 7662", "2.1")
def test_only_post_is_served(program):
    answer = program.http.get("/oauth2/introspect?token=x", headers=program.authorization)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_token_parameter_is_required(program):
    answer = program.post("/oauth2/introspect", {})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_answer_is_not_cached(program):
    assert program.post("/oauth2/introspect", {"token": "x"})["Cache-Control"] == "no-store"


@pytest.mark.parametrize("token", ["x", "a.b.c", "....", "ü", "x" * 100_000, "eyJ9.eyJ9.", "[" * 9000 + ".."])
def test_whatever_is_no_token_is_inactive(program, token):
    assert program.introspect(token) == INACTIVE


def test_ended_token_is_inactive(program, time_machine):
    token = program.token().json()["access_token"]
    time_machine.move_to(timezone.now() + timedelta(seconds=3601))
    assert program.introspect(token) == INACTIVE


@pytest.mark.parametrize("what", ["client disabled", "client deleted", "consumer suspended"])
def test_token_dies_with_its_client_and_consumer(program, acme, what):
    token = program.token().json()["access_token"]
    if what == "client disabled":
        program.client.disabled_at = timezone.now()
        program.client.save()
    elif what == "client deleted":
        program.client.delete()
    else:
        acme.suspended_at = timezone.now()
        acme.save()
    assert program.post("/oauth2/introspect", {"token": token}).status_code == 401


def test_scope_that_is_no_longer_allowed_is_not_returned(program, acme):
    token = program.token().json()["access_token"]
    Access.objects.filter(consumer=acme, scope__value="shipments:write").delete()
    assert program.introspect(token)["scope"] == "shipments:read"
    Access.objects.filter(consumer=acme).delete()
    assert program.introspect(token) == INACTIVE


# -- Forged (RFC 8725) ------------------------------------------------------------------------------------------------


def parts(token):
    return [json.loads(base64url.decode(part)) for part in token.split(".")[:2]]


def forged(header, claims, signature=b""):
    return f"{jws.pack(header)}.{jws.pack(claims)}.{base64url.encode(signature)}"


@pytest.mark.compliance("RFC 8725", "3.1")
def test_forged_tokens_are_inactive(program, flow):
    token = program.token().json()["access_token"]
    header, claims = parts(token)
    signature = base64url.decode(token.rsplit(".", 1)[1])
    own = jws.generate("ES256")
    own_jwk = jwk.public_jwk(own, "ES256")
    signer = jws.Signer(kid=header["kid"], algorithm="ES256", private_key=own)
    public = SigningKey.objects.get(kid=header["kid"]).public_jwk
    import hashlib
    import hmac

    signed = f"{jws.pack(header | {'alg': 'HS256'})}.{jws.pack(claims)}"
    mac = hmac.new(json.dumps(public).encode(), signed.encode(), hashlib.sha256).digest()
    for fake in [
        forged(header | {"alg": "none"}, claims),
        forged(header | {"alg": "None"}, claims, signature),
        f"{signed}.{base64url.encode(mac)}",
        forged(header, claims | {"scope": "shipments:read"}, signature),
        forged(header | {"kid": own_jwk["kid"], "jwk": own_jwk}, claims, signature),
        forged(header | {"crit": ["exp"]}, claims, signature),
        forged(header | {"kid": "../../etc/passwd"}, claims, signature),
        forged(header | {"kid": "' OR 1=1"}, claims, signature),
        forged(header | {"kid": "a\0b"}, claims, signature),
        forged(header | {"kid": None}, claims, signature),
        forged(header | {"kid": ["x"]}, claims, signature),
        forged(header | {"alg": "RS256"}, claims, signature),
        jws.encode(claims, signer, typ="at+jwt"),
        token[:-2] + ("AA" if token[-2:] != "AA" else "BB"),
        token + "=",
        token + " ",
    ]:
        assert program.introspect(fake) == INACTIVE, fake
    assert program.introspect(token)["active"]


@pytest.mark.compliance("RFC 8725", "3.12")
def test_id_token_is_no_access_token(flow):
    assert flow.program.introspect(flow.tokens()["id_token"]) == INACTIVE


def test_token_of_a_revoked_key_is_inactive(program):
    token = program.token().json()["access_token"]
    SigningKey.objects.update(state=SigningKey.State.REVOKED)
    assert program.introspect(token) == INACTIVE


def test_signed_token_for_a_person_without_its_family_is_inactive(flow):
    token = flow.tokens()["access_token"]
    TokenFamily.objects.all().delete()
    assert flow.program.introspect(token) == INACTIVE


def test_token_of_another_issuer_under_our_key_is_inactive(program):
    token = program.token().json()["access_token"]
    _, claims = parts(token)
    fake = jws.encode(
        claims | {"iss": "https://other.example"}, signing_keys.signer("ES256", seconds=3600), typ="at+jwt"
    )
    assert program.introspect(fake) == INACTIVE


def test_client_of_the_same_consumer_learns_nothing_either(program, acme):
    sibling = ClientFactory(consumer=acme)
    caller = Program(sibling, give_secret(sibling)[1])
    assert caller.introspect(program.token().json()["access_token"]) == INACTIVE
