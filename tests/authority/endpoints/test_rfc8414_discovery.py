"""RFC 8414 and OpenID Connect Discovery: the documents say what is really served, nothing else. RFC 7517: the keys."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.urls import resolve
from django.utils import timezone

from authority.keys import signing_keys
from authority.models import SigningKey

pytestmark = pytest.mark.django_db
DOCUMENTS = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"]


@pytest.mark.compliance("RFC 8414", "3")
@pytest.mark.parametrize("path", DOCUMENTS)
def test_both_documents_tell_the_same_truth(client, settings, path):
    document = client.get(path).json()
    assert document == client.get(DOCUMENTS[0]).json()
    assert document["issuer"] == settings.ISSUER


@pytest.mark.compliance("RFC 8414", "2")
def test_every_address_is_served_below_the_issuer(client, settings):
    document = client.get(DOCUMENTS[0]).json()
    addresses = {name: value for name, value in document.items() if name.endswith(("_endpoint", "_uri"))}
    assert {"authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"} <= addresses.keys()
    for address in addresses.values():
        assert address.startswith(settings.ISSUER + "/")
        assert resolve(urlsplit(address).path)


def test_nothing_is_advertised_that_is_refused(client, program):
    document = client.get(DOCUMENTS[0]).json()
    assert document["response_types_supported"] == ["code"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert set(document["grant_types_supported"]) == {
        "client_credentials",
        "authorization_code",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code",
    }
    for grant in document["grant_types_supported"]:
        assert program.token(grant_type=grant).json().get("error") != "unsupported_grant_type"
    assert document["token_endpoint_auth_methods_supported"] == [
        *("client_secret_basic", "client_secret_post", "private_key_jwt"),
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "none",
    ]
    assert document["id_token_signing_alg_values_supported"] == ["ES256", "RS256", "PS256", "EdDSA"]
    assert document["response_modes_supported"] == ["query", "fragment", "form_post"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert document["request_uri_parameter_supported"] is False


@pytest.mark.parametrize("path", [*DOCUMENTS, "/.well-known/jwks.json"])
def test_documents_are_public_cacheable_and_have_an_etag(client, path):
    answer = client.get(path)
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "public, max-age=300, stale-while-revalidate=300"
    assert "Cookie" not in answer.get("Vary", "")
    again = client.get(path, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.post(path).status_code == 405


@pytest.mark.compliance("RFC 7517", "4")
def test_jwks_holds_public_keys_alone(client):
    published = client.get("/.well-known/jwks.json").json()["keys"]
    assert {key["alg"] for key in published} == {"ES256", "RS256"}
    for key in published:
        assert key["use"] == "sig"
        assert key["kid"]
        assert not key.keys() & {"d", "p", "q", "dp", "dq", "qi", "k"}


def test_key_of_an_algorithm_is_published_before_it_signs(client, api):
    api.signing_algorithm = "EdDSA"
    api.save()
    published = client.get("/.well-known/jwks.json").json()["keys"]
    assert "EdDSA" in {key["alg"] for key in published}


def test_next_and_retired_keys_are_published_and_revoked_ones_are_not(client):
    now = timezone.now()
    states = {
        "next": (SigningKey.State.NEXT, None),
        "retired": (SigningKey.State.RETIRED, now + timedelta(minutes=1)),
        "ended": (SigningKey.State.RETIRED, now - timedelta(minutes=1)),
        "revoked": (SigningKey.State.REVOKED, now + timedelta(minutes=1)),
    }
    for kid, (state, serve_until) in states.items():
        SigningKey.objects.create(
            kid=kid,
            algorithm="ES256",
            state=state,
            serve_until=serve_until,
            public_jwk={"kid": kid},
            encrypted_private_key=b"",
        )
    SigningKey.objects.filter(kid="next").update(
        encrypted_private_key=signing_keys.encrypt_private_key("next", signing_keys.jws.generate("ES256"))
    )
    kids = {key["kid"] for key in client.get("/.well-known/jwks.json").json()["keys"]}
    assert kids & states.keys() == {"next", "retired"}
