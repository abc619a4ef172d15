"""RFC 7523 with tokens of other issuers: from a rule to an access token that an API accepts, platform by platform."""

import json

import jwcrypto.jwk
import jwcrypto.jwt
import pytest
from django.utils import timezone

from authority.models import SpentIdentifier
from authority.telemetry import last_used
from clients.actions import trust as trust_actions
from clients.models import TrustedIssuer, TrustRule
from core.http_fetch import documents
from tests.authority.conftest import Program
from tests.authority.signing import refused
from tests.factories import ClientFactory, actor_for, give_secret
from tests.platforms import RULES, SHAPES, Outside
from tests.signing import TYPE, KeyPair

pytestmark = pytest.mark.django_db
METHOD = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Workload(Program):
    """A client on a platform: it holds no secret, and asks its platform for a token."""

    def __init__(self, client, outside, audience):
        super().__init__(client)
        self.outside = outside
        self.audience = audience

    def token(self, assertion=None, **parameters):
        form = {
            "client_id": self.client.client_id,
            "client_assertion_type": TYPE,
            "client_assertion": assertion or self.outside.token(self.audience),
        }
        return super().token(**form | parameters)


@pytest.fixture
def enlist(acme, acme_access, alice, olga, publisher, settings):
    """Allow a platform's issuer and give a client of Acme a rule for it."""

    def enlist(platform, claims=None, client=None, audience=None):
        outside = Outside(platform, publisher)
        issuer = TrustedIssuer.objects.filter(issuer=outside.issuer).first() or trust_actions.create_issuer(
            issuer=TrustedIssuer(name=platform, platform=platform, issuer=outside.issuer, jwks_uri=outside.jwks_uri),
            actor=actor_for(olga),
        )
        client = client or ClientFactory(consumer=acme, token_endpoint_auth_method=METHOD, scopes=["shipments:read"])
        audience = audience or settings.ISSUER
        trust_actions.create_rule(
            client=client, issuer=issuer, audience=audience, claims=claims or RULES[platform], actor=actor_for(alice)
        )
        return Workload(client, outside, audience)

    return enlist


@pytest.fixture
def github(enlist):
    return enlist("github")


# -- The whole way ----------------------------------------------------------------------------------------------------


@pytest.mark.compliance("RFC 7523", "2.2")
@pytest.mark.parametrize("platform", SHAPES)
def test_from_a_platforms_token_to_an_api(enlist, platform, client, settings):
    """Whoever checks the access token is somebody else: jwcrypto, with the keys that we publish."""
    answer = enlist(platform).token()
    assert answer.status_code == 200, answer.content
    keys = jwcrypto.jwk.JWKSet.from_json(client.get("/.well-known/jwks.json").content)
    token = jwcrypto.jwt.JWT(
        jwt=answer.json()["access_token"],
        key=keys,
        check_claims={"iss": settings.ISSUER, "aud": "https://api.example.com/shipments", "scope": "shipments:read"},
    )
    assert json.loads(token.claims)["client_id"].startswith("cl_")


def test_spiffe_tokens_come_with_their_own_type_too(enlist):
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe"
    assert enlist("spiffe").token(client_assertion_type=kind).status_code == 200


def test_every_endpoint_takes_the_token(github):
    token = github.token().json()["access_token"]

    def proof():
        return {
            "client_id": github.client.client_id,
            "client_assertion_type": TYPE,
            "client_assertion": github.outside.token(github.audience),
            "token": token,
        }

    assert github.post("/oauth2/introspect", proof()).json()["active"]
    assert github.post("/oauth2/revoke", proof()).status_code == 200
    assert github.post("/oauth2/introspect", proof()).json() == {"active": False}


def test_last_use_is_recorded_at_the_rule(github):
    github.token()
    last_used.flush()
    rule = TrustRule.objects.get()
    rule.client.refresh_from_db()
    assert rule.last_used_at is not None
    assert rule.last_used_ip == "127.0.0.1"
    assert rule.client.last_used_at is not None


@pytest.mark.compliance("RFC 8414", "2")
def test_discovery_names_the_method(client):
    document = client.get("/.well-known/openid-configuration").json()
    assert METHOD in document["token_endpoint_auth_methods_supported"]


# -- What is refused --------------------------------------------------------------------------------------------------

# What a stranger's, or a careless colleague's, token differs in.
DIFFERENT = {
    "other repository": {"repository_id": "75"},
    "repository as a number": {"repository_id": 74.0},
    "repository as a list": {"repository_id": ["74"]},
    "repository as an object": {"repository_id": {"74": "74"}},
    "no repository": {"repository_id": None},
    "longer": {"repository_id": "740"},
    "shorter": {"repository_id": "7"},
    "with a space": {"repository_id": "74 "},
    "with a zero": {"repository_id": "074"},
    "full-width digits": {"repository_id": "\uff17\uff14"},
    "other environment": {"environment": "staging"},
    "environment in capitals": {"environment": "Production"},
    "environment with more": {"environment": "production-2"},
    "wildcard": {"environment": "*"},
    "no environment": {"environment": None},
    "other owner": {"repository_owner_id": "66"},
    "other audience": {"aud": "https://other.example"},
    "one audience more": {"aud": ["ISSUER", "sts.amazonaws.com"]},
    "no audience": {"aud": None},
    "GitHub's default audience": {"aud": "https://github.com/acme"},
    "other issuer": {"iss": "https://token.actions.githubusercontent.com"},
    "issuer with a slash": {"iss": "ISSUED/"},
    "issuer in capitals": {"iss": "HTTP://127.0.0.1"},
    "no issuer": {"iss": None},
    "issuer as a list": {"iss": ["ISSUED"]},
    "NUL in the issuer": {"iss": "http://\0"},
    "ended": {"exp": 1_700_000_000},
    "no end": {"exp": None},
    "never expires": {"exp": 4_000_000_000},
    "made tomorrow": {"iat": 4_000_000_000},
    "not yet": {"nbf": 4_000_000_000},
}


@pytest.mark.compliance("RFC 7523", "3")
@pytest.mark.parametrize("case", DIFFERENT)
def test_token_that_differs_is_an_invalid_client(github, case):
    text = json.dumps(DIFFERENT[case]).replace("ISSUER", github.audience).replace("ISSUED", github.outside.issuer)
    refused(github.token(github.outside.token(github.audience, **json.loads(text))))
    assert not SpentIdentifier.objects.exists()
    assert github.token().status_code == 200


HEADERS = {
    "none": {"alg": "none"},
    "HS256": {"alg": "HS256"},
    "other algorithm": {"alg": "PS256"},
    "unknown kid": {"kid": "x"},
    "jku": {"jku": "https://evil.example/keys"},
    "jwk": {"jwk": {}},
    "x5u": {"x5u": "https://evil.example/cert"},
    "crit": {"crit": ["exp"]},
    "access token": {"typ": "at+jwt"},
    "ID token of ours": {"typ": "logout+jwt"},
}


@pytest.mark.compliance("RFC 8725", "3.1")
@pytest.mark.parametrize("case", HEADERS)
def test_token_with_wrong_headers_is_an_invalid_client(github, case):
    refused(github.token(github.outside.token(github.audience, HEADERS[case])))


@pytest.mark.compliance("RFC 8725", "3.8")
def test_key_of_another_issuer_signs_nothing(enlist, github):
    gitlab = enlist("gitlab")
    stranger = KeyPair("RS256", github.outside.key.kid)
    refused(github.token(github.outside.token(github.audience, key=stranger)))
    refused(
        github.token(
            gitlab.outside.token(github.audience, iss=github.outside.issuer, **RULES["github"]),
            client_id=gitlab.client.client_id,
        )
    )
    assert github.token().status_code == 200
    assert gitlab.token().status_code == 200


def test_tokens_of_ours_do_not_pass_for_an_issuers(github, program):
    refused(github.token(program.token().json()["access_token"]))


def test_client_is_named(github):
    assert "client_id" in refused(github.token(client_id=""))
    refused(github.token(client_id="cl_nobody"))


def test_rule_of_another_client_is_no_use(github, enlist, acme):
    other = ClientFactory(consumer=acme, token_endpoint_auth_method=METHOD)
    refused(github.token(client_id=other.client_id))


@pytest.mark.parametrize("registered", ["client_secret_basic", "private_key_jwt", "none"])
def test_only_a_client_that_registered_it_proves_itself_so(github, registered):
    github.client.token_endpoint_auth_method = registered
    github.client.grant_types = ["authorization_code"]
    github.client.client_jwks = {"keys": []}
    github.client.save()
    refused(github.token())


def test_rule_waits_until_the_client_is_said_to_use_it_and_its_secret_works_meanwhile(enlist, acme, acme_access):
    client = ClientFactory(consumer=acme, scopes=["shipments:read"])
    program = Program(client, give_secret(client)[1])
    waiting = enlist("github", client=client)
    refused(waiting.token())
    assert program.token().status_code == 200
    client.token_endpoint_auth_method = METHOD
    client.save()
    assert waiting.token().status_code == 200
    refused(program.token())


def test_its_client_cannot_use_a_secret_nor_an_assertion_of_its_own(github):
    _, text = give_secret(github.client)
    refused(Program(github.client, text).token())
    own = KeyPair("ES256").sign({"iss": github.client.client_id, "sub": github.client.client_id})
    refused(github.token(own))


def test_disabled_issuer_is_refused_at_once(github, olga):
    issuer = TrustedIssuer.objects.get()
    trust_actions.disable_issuer(issuer=issuer, actor=actor_for(olga))
    refused(github.token())
    trust_actions.enable_issuer(issuer=issuer, actor=actor_for(olga))
    assert github.token().status_code == 200


def test_issuer_of_another_consumer_is_refused(github, globex):
    TrustedIssuer.objects.update(consumer=globex)
    refused(github.token())


def test_removed_rule_and_disabled_client_get_nothing(github, alice):
    github.client.disabled_at = timezone.now()
    github.client.save()
    refused(github.token())
    github.client.disabled_at = None
    github.client.save()
    assert github.token().status_code == 200
    trust_actions.delete_rule(rule=TrustRule.objects.get(), actor=actor_for(alice))
    refused(github.token())


def test_token_that_meets_two_rules_is_refused(github):
    """No action makes such rules; should they ever stand there, neither counts."""
    rule = TrustRule.objects.get()
    rule.pk = None
    rule.claims = {"repository_id": "74"}
    rule.save(force_insert=True)
    refused(github.token())


# -- Once -------------------------------------------------------------------------------------------------------------


@pytest.mark.compliance("RFC 7523", "3")
@pytest.mark.parametrize("platform", SHAPES)
def test_token_with_a_name_is_used_once_where_it_is_not_handed_out_from_a_file(enlist, platform):
    workload = enlist(platform)
    token = workload.outside.token(workload.audience)
    assert workload.token(token).status_code == 200
    again = workload.token(token)
    if platform in ("github", "gitlab", "aws", "oidc"):
        refused(again)
    else:  # without a jti, or read from a file or a cache by every request
        assert again.status_code == 200


# -- Keys -------------------------------------------------------------------------------------------------------------


def test_keys_are_fetched_once_and_again_for_an_unknown_name(github, publisher, monkeypatch):
    for _ in range(3):
        assert github.token().status_code == 200
    assert publisher.asked == ["/github/.well-known/openid-configuration", "/github/keys"]
    github.outside.key = KeyPair("RS256", "next")
    publisher.publish("/github/keys", github.outside.key.jwks)
    refused(github.token())
    monkeypatch.setattr(documents, "AGAIN", 0)
    assert github.token().status_code == 200
    assert publisher.asked[2:] == ["/github/keys"]


@pytest.mark.parametrize("missing", ["/github/keys", "/github/.well-known/openid-configuration"])
def test_issuer_that_is_down_fails_closed_and_says_so(github, publisher, missing):
    del publisher.pages[missing]
    assert "cannot be fetched now" in refused(github.token())


@pytest.mark.compliance("OpenID Connect Discovery", "4.3")
@pytest.mark.parametrize(
    "change", [{"issuer": "https://other.example"}, {"issuer": None}, {"jwks_uri": None}, {"jwks_uri": 1}]
)
def test_discovery_that_speaks_for_another_issuer_is_refused(github, publisher, change):
    page = "/github/.well-known/openid-configuration"
    publisher.publish(page, publisher.pages[page] | change)
    refused(github.token())


def test_discovery_cannot_lead_us_into_our_own_network(github, publisher, settings):
    page = "/github/.well-known/openid-configuration"
    settings.FETCH_LOCAL_HOSTS = [f"127.0.0.1:{publisher.port}"]
    publisher.publish(page, publisher.pages[page] | {"jwks_uri": "http://127.0.0.1:1/keys"})
    refused(github.token())


def test_keys_that_moved_are_found_where_discovery_says_now(github, publisher, monkeypatch):
    assert github.token().status_code == 200
    page = "/github/.well-known/openid-configuration"
    old = publisher.pages[page]["jwks_uri"]
    publisher.publish("/moved", publisher.pages.pop("/github/keys"))
    publisher.publish(page, publisher.pages[page] | {"jwks_uri": old.replace("/github/keys", "/moved")})
    documents.forget(old)
    refused(github.token())
    monkeypatch.setattr(documents, "AGAIN", 0)
    assert github.token().status_code == 200


def test_keys_may_be_given_by_the_operator(github, publisher):
    publisher.pages.clear()
    TrustedIssuer.objects.update(jwks=github.outside.key.jwks)
    assert github.token().status_code == 200
    assert publisher.asked == []
