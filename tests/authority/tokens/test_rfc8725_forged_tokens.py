"""RFC 8725: tokens that nobody issued open nothing, at userinfo and at introspection."""

import pytest
from django.test import Client as Browser

from authority.keys import signing_keys
from core.jose import jwk as jwk_jose
from core.jose import jws
from tests.authority.forgeries import forgeries

pytestmark = pytest.mark.django_db


def userinfo(token):
    return Browser().get("/oauth2/userinfo", headers={"Authorization": f"Bearer {token}"})


@pytest.mark.compliance("RFC 8725", "3.1")
@pytest.mark.compliance("RFC 8725", "3.11")
def test_forged_tokens_open_nothing(flow):
    genuine = flow.tokens()["access_token"]
    forged = forgeries(genuine, signing_keys.signer("ES256", seconds=60))
    assert len(forged) > 40
    for case, token in forged.items():
        answer = userinfo(token)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token"), case
        assert 'error="invalid_token"' in answer["WWW-Authenticate"], case
        assert flow.program.introspect(token) == {"active": False}, case
    assert userinfo(genuine).status_code == 200


@pytest.mark.compliance("RFC 8725", "3.12")
def test_what_was_made_for_something_else_is_no_access_token(flow):
    tokens = flow.tokens()
    client_key = jws.generate("ES256")
    jwk = jwk_jose.public_jwk(client_key, "ES256")
    own = jws.Signer(kid=jwk["kid"], algorithm="ES256", private_key=client_key)
    client_id = flow.program.client.client_id
    assertion = {"iss": client_id, "sub": client_id, "aud": "http://127.0.0.1:8000", "exp": 2**33, "jti": "1"}
    others = {
        "ID token": tokens["id_token"],
        "refresh token": tokens["refresh_token"],
        "client assertion": jws.encode(assertion, own, typ="JWT"),
        "secret": flow.program.secret,
        "client ID": client_id,
    }
    for case, token in others.items():
        assert userinfo(token).status_code == 401, case


def test_a_megabyte_of_token_is_refused_without_a_look(flow):
    for token in ("a" * 1_000_000, f"{'a' * 1_000_000}.{'b' * 10}.c", "." * 1_000_000):
        answer = userinfo(token)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
