"""Software statements (RFC 7591 section 2.3): what somebody trusted has signed stands before what is sent."""

import time

import pytest
from django.utils import timezone

from clients.models import Client, SoftwareIssuer
from tests.authority.endpoints.test_rfc7591_registration import WANTED, ask, assert_refused, initial_access_token
from tests.signing import KeyPair

KEY = KeyPair("ES256")
ISSUER = "https://statements.example"


@pytest.fixture
def trusted(db):
    return SoftwareIssuer.objects.create(issuer=ISSUER, jwks=KEY.jwks)


@pytest.fixture
def token(acme, acme_access):
    return initial_access_token(acme, max_uses=None)


def statement(key=KEY, headers=None, **claims):
    return key.sign({"iss": ISSUER, "iat": int(time.time())} | claims, **(headers or {}))


@pytest.mark.compliance("RFC 7591", "2.3")
def test_signed_values_stand_before_those_that_are_sent(client, trusted, token):
    signed = statement(client_name="Signed name", software_id="4a7f", redirect_uris=["https://signed.example/back"])
    told = ask(client, WANTED | {"software_statement": signed}, token)
    assert told.status_code == 201, told.text
    assert told.json()["client_name"] == "Signed name"
    assert told.json()["redirect_uris"] == ["https://signed.example/back"]
    row = Client.objects.get()
    assert row.software_id == "4a7f"
    assert row.self_registration.software_issuer == ISSUER


def test_keys_may_be_published(client, token, publisher, settings):
    settings.FETCH_LOCAL_HOSTS = ["127.0.0.1"]
    SoftwareIssuer.objects.create(issuer=ISSUER, jwks_uri=publisher.publish("/keys", KEY.jwks))
    assert ask(client, WANTED | {"software_statement": statement()}, token).status_code == 201


@pytest.mark.compliance("RFC 7591", "3.2.2")
def test_statement_of_a_stranger_is_not_approved(client, token):
    answer = ask(client, WANTED | {"software_statement": statement()}, token)
    assert_refused(answer, 400, "unapproved_software_statement")


def test_disabled_issuer_is_a_stranger(client, trusted, token):
    SoftwareIssuer.objects.update(disabled_at=timezone.now())
    answer = ask(client, WANTED | {"software_statement": statement()}, token)
    assert_refused(answer, 400, "unapproved_software_statement")


FORGED = {
    "another key": lambda: statement(KeyPair("ES256")),
    "no algorithm": lambda: "eyJhbGciOiJub25lIn0." + statement().split(".")[1] + ".",
    "a cut signature": lambda: statement()[:-4],
    "changed claims": lambda: statement().replace(".", ".e30", 1),
    "ended": lambda: statement(exp=int(time.time()) - 600),
    "no JWT": lambda: "abc",
    "a number": lambda: 5,
    "no issuer": lambda: KEY.sign({"sub": "x"}),
    "twenty thousand letters": lambda: "a" * 20_000,
}


@pytest.mark.compliance("RFC 7591", "3.2.2")
@pytest.mark.parametrize("what", FORGED)
def test_forged_statement_registers_nothing(client, trusted, token, what):
    answer = ask(client, WANTED | {"software_statement": FORGED[what]()}, token)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"] in ("invalid_software_statement", "unapproved_software_statement")
    assert not Client.objects.exists()


def test_operator_can_require_a_statement(client, token):
    SoftwareIssuer.objects.create(issuer=ISSUER, jwks=KEY.jwks, required=True)
    assert_refused(ask(client, WANTED, token), 400, "unapproved_software_statement")
    assert ask(client, WANTED | {"software_statement": statement()}, token).status_code == 201


def test_statement_gives_no_more_than_the_rules_allow(client, trusted, token):
    signed = statement(skip_consent=True)
    assert_refused(ask(client, WANTED | {"software_statement": signed}, token), 400, "invalid_client_metadata")
