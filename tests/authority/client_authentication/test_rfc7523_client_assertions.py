"""RFC 7523 and OpenID Connect Core section 9: a client that holds a private key proves itself by what it signs."""

import time

import pytest
from django.utils import timezone

from authority import tasks
from authority.models import SpentIdentifier
from core.http_fetch import documents
from tests.authority.conftest import Program
from tests.authority.signing import KEY, Signing, refused, register
from tests.factories import ClientFactory, give_secret
from tests.signing import KeyPair, own_claims

pytestmark = pytest.mark.django_db

RSA = KeyPair("RS256", "rsa")
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]


# -- What works -------------------------------------------------------------------------------------------------------


@pytest.mark.compliance("RFC 7523", "2.2")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_signed_assertion_gets_a_token(signing, algorithm):
    key = {"ES256": KEY, "RS256": RSA}.get(algorithm) or KeyPair(algorithm)
    answer = register(signing, key).token()
    assert answer.status_code == 200, answer.content
    assert answer.json()["scope"] == "shipments:read"


@pytest.mark.compliance("RFC 7518", "3.5")
def test_one_rsa_key_signs_in_both_ways_unless_its_alg_says_otherwise(signing):
    both = KeyPair("PS256", "rsa")
    register(signing, both)
    assert signing.token().status_code == 200
    both.algorithm = "RS384"
    assert signing.token().status_code == 200
    signing.client.client_jwks = {"keys": [both.jwk | {"alg": "PS256"}]}
    signing.client.save()
    refused(signing.token())


@pytest.mark.compliance("RFC 7521", "4.2")
def test_client_id_may_stand_beside_the_assertion(signing):
    assert signing.token(client_id=signing.client.client_id).status_code == 200
    refused(signing.token(client_id="cl_other"))
    other = ClientFactory(
        consumer=signing.client.consumer, token_endpoint_auth_method="private_key_jwt", client_jwks=KEY.jwks
    )
    refused(signing.token(client_id=other.client_id))


@pytest.mark.compliance("RFC 7523", "3")
@pytest.mark.parametrize(
    "changes",
    [
        lambda now, issuer: {"aud": [issuer]},
        lambda now, issuer: {"iat": None},
        lambda now, issuer: {"exp": now + 3600},
        lambda now, issuer: {"exp": now + 30.5},
        lambda now, issuer: {"exp": now - 30, "iat": now - 90},
        lambda now, issuer: {"iat": now + 30, "nbf": now + 30},
        lambda now, issuer: {"jti": "x" * 2000},
        lambda now, issuer: {"foo": {"bar": [1]}},
    ],
)
def test_what_the_rules_allow_is_accepted(signing, changes):
    assert signing.token(signing.assertion(**changes(time.time(), signing.issuer))).status_code == 200


@pytest.mark.compliance("RFC 8725", "3.11")
@pytest.mark.parametrize(
    "typ", [None, "JWT", "jwt", "client-authentication+jwt", "application/jwt", "application/client-authentication+jwt"]
)
def test_typ_of_an_assertion_may_say_what_it_is(signing, typ):
    assert signing.token(signing.assertion({"typ": typ})).status_code == 200


@pytest.mark.compliance("OpenID Connect Core", "10.1")
def test_kid_is_needed_only_among_several_keys(signing):
    assert signing.token(signing.assertion({"kid": None})).status_code == 200
    other = KeyPair("ES256", "two")
    signing.client.client_jwks = {"keys": [KEY.jwk, other.jwk]}
    signing.client.save()
    refused(signing.token(signing.assertion({"kid": None})))
    assert signing.token().status_code == 200
    assert register(signing, other, client_jwks=signing.client.client_jwks).token().status_code == 200


@pytest.mark.compliance("RFC 7523", "2.2")
def test_every_endpoint_takes_the_assertion(signing):
    token = signing.token().json()["access_token"]
    asked = signing.post("/oauth2/introspect", signing.proof() | {"token": token})
    assert asked.json()["active"]
    assert signing.post("/oauth2/revoke", signing.proof() | {"token": token}).status_code == 200
    asked = signing.post("/oauth2/introspect", signing.proof() | {"token": token})
    assert asked.json() == {"active": False}
    refused(signing.post("/oauth2/introspect", signing.proof(signing.assertion(aud="x")) | {"token": token}))


@pytest.mark.compliance("RFC 8414", "2")
def test_discovery_names_method_and_algorithms(client):
    document = client.get("/.well-known/openid-configuration").json()
    for endpoint in ("token", "introspection", "revocation"):
        assert "private_key_jwt" in document[f"{endpoint}_endpoint_auth_methods_supported"]
        assert document[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] == ALGORITHMS
    assert "none" not in document["token_endpoint_auth_signing_alg_values_supported"]


# -- Exactly the registered method ------------------------------------------------------------------------------------


@pytest.mark.compliance("RFC 7591", "2")
@pytest.mark.parametrize("registered", ["client_secret_basic", "client_secret_post", "none"])
def test_assertion_of_a_client_that_registered_another_method_is_refused(signing, registered):
    signing.client.token_endpoint_auth_method = registered
    signing.client.grant_types = ["authorization_code"]
    signing.client.save()
    refused(signing.token())


def test_client_that_signs_cannot_use_a_secret_nor_nothing(signing):
    _, text = give_secret(signing.client)
    refused(Program(signing.client, text).token())
    refused(Program(signing.client).token(client_id=signing.client.client_id, client_secret=text))
    refused(Program(signing.client).token(client_id=signing.client.client_id))


@pytest.mark.compliance("OpenID Connect Registration", "2")
def test_registered_algorithm_is_the_only_one(signing):
    rsa = KeyPair("RS256", "rsa")
    register(signing, rsa, token_endpoint_auth_signing_alg="PS256")
    refused(signing.token())
    rsa.algorithm = "PS256"
    assert signing.token().status_code == 200


def test_disabled_client_that_signs_gets_nothing(signing):
    signing.client.disabled_at = timezone.now()
    signing.client.save()
    refused(signing.token())


# -- Once -------------------------------------------------------------------------------------------------------------


@pytest.mark.compliance("RFC 7523", "3")
def test_assertion_is_used_once(signing):
    assertion = signing.assertion()
    assert signing.token(assertion).status_code == 200
    assert "used before" in refused(signing.token(assertion))
    again = signing.assertion(jti="a name")
    assert signing.token(again).status_code == 200
    refused(signing.token(signing.assertion(jti="a name", exp=time.time() + 90)))


def test_same_name_of_another_client_is_another_name(signing):
    other = ClientFactory(
        consumer=signing.client.consumer, token_endpoint_auth_method="private_key_jwt", client_jwks=KEY.jwks
    )
    assert signing.token(signing.assertion(jti="a name")).status_code == 200
    second = Signing(other, KEY, signing.issuer)
    assert second.token(second.assertion(jti="a name")).status_code == 200


def test_refused_assertion_spends_nothing(signing):
    claims = own_claims(signing.client.client_id, signing.issuer)
    refused(signing.token(KeyPair("ES256").sign(claims)))
    assert signing.token(KEY.sign(claims)).status_code == 200


def test_spent_names_rest_as_digests_until_the_assertion_has_ended(signing, time_machine):
    signing.token(signing.assertion(jti="a name"))
    assert "a name" not in str(SpentIdentifier.objects.values())
    tasks.delete_expired()
    assert SpentIdentifier.objects.count() == 1
    time_machine.move_to(time.time() + 125)
    tasks.delete_expired()
    assert not SpentIdentifier.objects.exists()


# -- Keys that lie elsewhere ------------------------------------------------------------------------------------------


@pytest.fixture
def elsewhere(signing, publisher):
    url = publisher.publish("/jwks", KEY.jwks)
    return register(signing, KEY, client_jwks=None, client_jwks_uri=url)


@pytest.mark.compliance("RFC 7591", "2")
def test_keys_are_read_from_their_address_and_kept(elsewhere, publisher):
    for _ in range(3):
        assert elsewhere.token().status_code == 200
    assert publisher.asked == ["/jwks"]


@pytest.mark.compliance("OpenID Connect Core", "10.1.1")
def test_new_key_is_found_by_its_name(elsewhere, publisher, monkeypatch):
    assert elsewhere.token().status_code == 200
    elsewhere.key = KeyPair("ES256", "two")
    publisher.publish("/jwks", {"keys": [KEY.jwk, elsewhere.key.jwk]})
    refused(elsewhere.token())  # read less than a minute ago
    monkeypatch.setattr(documents, "AGAIN", 0)
    assert elsewhere.token().status_code == 200
    assert publisher.asked == ["/jwks", "/jwks"]


def test_unknown_names_do_not_make_us_ask_over_and_over(elsewhere, publisher):
    elsewhere.token()
    for n in range(10):
        refused(elsewhere.token(elsewhere.assertion({"kid": f"unknown {n}"})))
    assert publisher.asked == ["/jwks"]


def test_server_of_the_keys_that_is_down_fails_closed_and_says_so(elsewhere, publisher):
    publisher.pages.clear()
    assert "cannot be fetched now" in refused(elsewhere.token())
    assert not SpentIdentifier.objects.exists()


@pytest.mark.parametrize("document", [{}, {"keys": "x"}, {"keys": {"a": 1}}, {"keys": ["x", 1, None]}, {"keys": []}])
def test_strange_key_sets_prove_nothing(elsewhere, publisher, document):
    publisher.publish("/jwks", document)
    refused(elsewhere.token())


def test_private_address_is_not_asked(elsewhere, publisher, settings):
    settings.FETCH_LOCAL_HOSTS = []
    refused(elsewhere.token())
    assert publisher.asked == []
