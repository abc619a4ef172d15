"""What the inspector makes of things that this portal did not issue, and of what was never meant to be pasted."""

import base64

import pytest
from django.conf import settings
from django.utils import timezone

from authority.diagnostics.inspector.inspector import inspect
from authority.diagnostics.inspector.report import Viewer
from clients.actions import trust as trust_actions
from clients.models import TrustedIssuer
from clients.vocabulary import AuthMethod
from tests.authority.pasted import one
from tests.authority.signing import KEY, Signing
from tests.factories import ClientFactory, actor_for, give_secret
from tests.platforms import RULES, Outside
from tests.signing import KeyPair

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(acme):
    return Viewer(acme)


@pytest.fixture
def signing(acme, acme_access):
    method = AuthMethod.PRIVATE_KEY_JWT.value
    client = ClientFactory(
        consumer=acme, token_endpoint_auth_method=method, client_jwks=KEY.jwks, scopes=["shipments:read"]
    )
    return Signing(client, KEY, settings.ISSUER)


@pytest.fixture
def github(acme, olga, alice, publisher):
    """A client of Acme with a rule for GitHub, and GitHub."""
    outside = Outside("github", publisher)
    issuer = trust_actions.create_issuer(
        issuer=TrustedIssuer(name="GitHub", platform="github", issuer=outside.issuer), actor=actor_for(olga)
    )
    client = ClientFactory(consumer=acme, token_endpoint_auth_method=AuthMethod.FEDERATED.value)
    trust_actions.create_rule(
        client=client, issuer=issuer, audience=settings.ISSUER, claims=RULES["github"], actor=actor_for(alice)
    )
    outside.client = client
    return outside


# -- Assertions -------------------------------------------------------------------------------------------------------


def test_assertion_is_checked_by_the_keys_that_are_registered(signing, member):
    report = one(signing.assertion(), member)
    assert report.verdict == "It looks right from here"
    assert "Made with a registered key of the client." in str(report.facts)
    forged = Signing(signing.client, KeyPair("ES256"), settings.ISSUER).assertion()
    assert one(forged, member).verdict == "The signature of the assertion is wrong"


def test_assertion_that_was_used_says_so_and_looking_uses_nothing(signing, member):
    assertion = signing.assertion()
    assert one(assertion, member).verdict == "It looks right from here"
    assert signing.token(assertion).status_code == 200
    assert one(assertion, member).verdict == "It was used already"


def test_assertion_of_a_client_that_uses_a_secret_is_told_apart(service, member):
    report = one(Signing(service, KEY, settings.ISSUER).assertion(), member)
    assert report.verdict == f"{service} does not authenticate with assertions"
    assert "client_secret_basic" in report.advice


# -- Platforms --------------------------------------------------------------------------------------------------------


def test_token_of_a_platform_names_the_client_whose_rule_it_meets(github, member, globex):
    report = one(github.token(settings.ISSUER), member)
    assert (report.kind, report.client) == ("A token of GitHub", github.client)
    assert report.verdict == f"It authenticates {github.client}, and no API accepts it"
    foreign = one(github.token(settings.ISSUER), Viewer(globex))
    assert foreign.verdict == "It matches no rule of your clients"
    assert str(github.client) not in str(foreign)
    assert one(github.token(settings.ISSUER), Viewer()).client == github.client


def test_token_of_a_platform_that_meets_no_rule_leads_to_the_tester(github, member):
    report = one(github.token("https://elsewhere.example"), member)
    assert report.verdict == "It matches no rule of your clients"
    assert "Try a token" in report.advice


# -- What leaks, and what means nothing -------------------------------------------------------------------------------


def header(client_id, secret):
    return "Authorization: Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def test_basic_header_is_taken_apart(service, acme, globex, member):
    _, text = give_secret(service)
    report = one(header(service.client_id, text), member)
    assert (report.verdict, report.client) == ("They belong together, and the secret works", service)
    assert text not in str(report)
    answered = f"> {header(service.client_id, text)}\n< HTTP/1.1 401\n{{'error': 'invalid_client'}}"
    assert [each.kind for each in inspect(answered, member)] == ["A refused request", "A client ID and its secret"]


def test_what_is_wrong_with_a_basic_header_comes_first(service, acme, globex, member):
    _, text = give_secret(service)
    _, ended = give_secret(service, revoked_at=timezone.now())
    _, foreign = give_secret(ClientFactory(consumer=globex))
    told = {
        header(ClientFactory(consumer=acme).client_id, text): "which has another client ID",
        header(service.client_id, ended): "The secret does not work. It expired on",
        header(service.client_id, text[:-1]): "it was cut or changed",
        header(service.client_id, "hunter2"): "those begin with cdsk_",
        header(service.client_id, foreign): "not a secret of a client that you can see",
    }
    for pasted, verdict in told.items():
        assert verdict in one(pasted, member).verdict


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----", "A private key"),
        ('{"kty": "EC", "crv": "P-256", "x": "a", "y": "b", "d": "c"}', "A private key"),
        ('{"status": 403, "message": "Forbidden"}', "Not recognized"),
        ("[1, 2, 3]", "Not recognized"),
        ('oauth2: "invalid_client" "no"', "A refused request"),
        ("invalid_grant", "A refused request"),
        ("curl: (7) Failed to connect to portal port 443", "A refused request"),
        ("IDX10214: Audience validation failed.", "A refused request"),
        ("redirect_uri does not exactly match one that is registered for this client.", "A refused request"),
        ("Authorization: Basic ????", "Not recognized"),
        ("cl_nobody", "A client ID"),
    ],
)
def test_what_it_is(text, kind, member):
    assert one(text, member).kind == kind


def test_client_id_names_its_client_to_its_own_people(service, member, globex):
    assert one(service.client_id, member).verdict == f"It names {service}"
    assert one(service.client_id, Viewer(globex)).client is None


def test_every_token_of_an_answer_is_judged(service, member, program):
    access = program.token().json()["access_token"]
    text = f'{{"access_token": "{access}", "refresh_token": "x", "id_token": "{access}"}}'
    kinds = [report.kind for report in inspect(text, member)]
    assert kinds == ["An access token", "An access token", "A random text"]


def test_invisible_character_is_named(member, program):
    access = program.token().json()["access_token"]
    assert "the invisible character U+200B" in one(f"{access[:9]}\u200b{access[9:]}", member).verdict
