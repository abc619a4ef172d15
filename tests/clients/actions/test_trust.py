"""Trusted issuers and trust rules, and the warnings about broad ones."""

import pytest
from django.urls import reverse

from clients.actions import trust as trust_actions
from clients.federation.matching import mismatches
from clients.federation.platforms import PLATFORMS, PlatformName, rule_warnings
from clients.models import TrustedIssuer, TrustRule
from consumers.models import Event
from core.errors import Refusal
from tests.factories import ClientFactory, actor_for
from tests.platforms import RULES, SHAPES
from tests.signing import KeyPair

pytestmark = pytest.mark.django_db
METHOD = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
OURS = "https://portal.example"
GOOD = {"repository_id": "74", "environment": "production"}


@pytest.fixture
def issuer(olga):
    wanted = TrustedIssuer(
        name="GitHub Actions", platform="github", issuer="https://token.actions.githubusercontent.com"
    )
    return trust_actions.create_issuer(issuer=wanted, actor=actor_for(olga))


@pytest.fixture
def workload(acme):
    return ClientFactory(consumer=acme, client_name="Deploy", token_endpoint_auth_method=METHOD)


@pytest.fixture
def add(workload, issuer, alice):
    def add(claims=GOOD, audience=OURS, **changes):
        wanted = {"client": workload, "issuer": issuer, "audience": audience, "claims": claims} | changes
        return trust_actions.create_rule(actor=actor_for(alice), **wanted)

    return add


def test_rule_is_made_and_recorded(add, workload, acme):
    rule = add()
    assert str(rule) == "repository_id: 74, environment: production"
    event = Event.objects.get(name="client.trust_rule.created")
    assert event.consumer == acme
    assert event.detail["claims"] == GOOD
    trust_actions.delete_rule(rule=rule, actor=actor_for(rule.created_by))
    assert not TrustRule.objects.exists()
    assert Event.objects.filter(name="client.trust_rule.deleted").exists()


WRONG = {
    "nobody named": {"ref": "refs/heads/main"},
    "nothing": {},
    "wildcard": GOOD | {"ref": "refs/heads/*"},
    "only a wildcard": {"repository_id": "*"},
    "wildcard that spans a slash": {"repository": "acme/*"},
    "question mark": {"repository_id": "7?"},
    "pattern": GOOD | {"ref": "refs/heads/.+"},
    "placeholder": GOOD | {"ref": "${ref}"},
    "empty": GOOD | {"ref": ""},
    "space before": GOOD | {"ref": " main"},
    "space after": GOOD | {"ref": "main "},
    "long": GOOD | {"ref": "x" * 501},
    "line end": GOOD | {"ref": "a\nb"},
    "direction mark": GOOD | {"ref": "a\u202eb"},
    "NUL": GOOD | {"ref": "a\0"},
    "own claim": GOOD | {"aud": OURS},
    "issuer": GOOD | {"iss": "https://token.actions.githubusercontent.com"},
    "no name": GOOD | {"": "x"},
    "too many": GOOD | {f"claim{n}": "x" for n in range(30)},
}


@pytest.mark.parametrize("case", WRONG)
def test_rule_that_a_stranger_could_meet_or_nobody_is_refused(add, case):
    with pytest.raises(Refusal) as refused:
        add(WRONG[case])
    assert refused.value.field == "claims"
    assert not TrustRule.objects.exists()


@pytest.mark.parametrize("audience", ["", "a b", "x" * 201, "https://portal.example/*", "é"])
def test_audience_is_one_text(add, audience):
    with pytest.raises(Refusal) as refused:
        add(audience=audience)
    assert refused.value.field == "audience"


def test_two_rules_exclude_each_other(add):
    add()
    for claims in (GOOD, {"repository_id": "74"}, GOOD | {"ref": "refs/heads/main"}, {"repository_owner_id": "65"}):
        with pytest.raises(Refusal, match="could match this rule and"):
            add(claims)
    add({"repository_id": "74", "environment": "staging"})
    add({"repository_id": "75"})
    add({"repository_id": "74"}, audience="https://other.example")
    assert TrustRule.objects.count() == 4


def test_client_that_proves_itself_otherwise_can_prepare_and_a_public_one_cannot(add, acme):
    add(client=ClientFactory(consumer=acme))
    with pytest.raises(Refusal, match="public client"):
        add(client=ClientFactory(consumer=acme, template="public"))


def test_trust_domain_speaks_for_its_own_names_alone(add, issuer):
    TrustedIssuer.objects.update(platform="spiffe", issuer="spiffe://acme.example")
    issuer.refresh_from_db()
    for subject in ("spiffe://other.example/sync", "spiffe://acme.example", "spiffe://acme.example.evil/sync", "sync"):
        with pytest.raises(Refusal, match=r"spiffe://acme\.example/…"):
            add({"sub": subject})
    add({"sub": "spiffe://acme.example/sync"})


def test_issuer_that_is_not_offered_is_refused(add, issuer, globex, olga):
    TrustedIssuer.objects.update(consumer=globex)
    issuer.refresh_from_db()
    with pytest.raises(Refusal, match="not allowed here"):
        add()
    TrustedIssuer.objects.update(consumer=None)
    issuer.refresh_from_db()
    trust_actions.disable_issuer(issuer=issuer, actor=actor_for(olga))
    issuer.refresh_from_db()
    with pytest.raises(Refusal, match="not allowed here"):
        add()


# -- Issuers ----------------------------------------------------------------------------------------------------------

JWKS = KeyPair("ES256").jwks
ISSUERS = {
    "no key": {"jwks": {"keys": []}},
    "http": {"issuer": "http://issuer.example.com"},
    "an address of ours": {"issuer": "https://127.0.0.1/"},
    "no address": {"issuer": "issuer"},
    "query": {"issuer": "https://issuer.example.com/?a=b"},
    "keys and their address": {"jwks": JWKS, "jwks_uri": "https://issuer.example.com/keys"},
    "keys at a private address": {"jwks_uri": "https://10.0.0.1/keys"},
    "private keys": {"jwks": {"keys": [JWKS["keys"][0] | {"d": "x"}]}},
    "trust domain with a path": {"platform": "spiffe", "issuer": "spiffe://acme.example/a", "jwks": JWKS},
    "trust domain without keys": {"platform": "spiffe", "issuer": "spiffe://acme.example"},
}


@pytest.mark.parametrize("case", ISSUERS)
def test_issuer_whose_tokens_could_not_be_checked_is_refused(olga, case):
    wanted = {"name": "X", "platform": "oidc", "issuer": "https://issuer.example.com"} | ISSUERS[case]
    with pytest.raises(Refusal):
        trust_actions.create_issuer(issuer=TrustedIssuer(**wanted), actor=actor_for(olga))
    assert not TrustedIssuer.objects.exists()


def test_issuer_is_allowed_once_and_kept_while_rules_stand_on_it(issuer, add, olga, globex):
    with pytest.raises(Refusal):
        trust_actions.create_issuer(
            issuer=TrustedIssuer(name="Again", platform="oidc", issuer=issuer.issuer), actor=actor_for(olga)
        )
    rule = add()
    with pytest.raises(Refusal):
        trust_actions.delete_issuer(issuer=issuer, actor=actor_for(olga))
    with pytest.raises(Refusal):
        trust_actions.update_issuer(issuer=issuer, values={"consumer": globex}, actor=actor_for(olga))
    with pytest.raises(Refusal):
        trust_actions.update_issuer(issuer=issuer, values={"issuer": "https://other.example"}, actor=actor_for(olga))
    rule.delete()
    issuer.refresh_from_db()
    trust_actions.delete_issuer(issuer=issuer, actor=actor_for(olga))
    assert not TrustedIssuer.objects.exists()


# -- Matching and warnings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("platform", SHAPES)
def test_rule_of_a_careful_manager_is_met_and_draws_no_warning(platform):
    claims = SHAPES[platform][0] | {"aud": OURS}
    assert mismatches(OURS, RULES[platform], claims) == []
    assert rule_warnings(platform, OURS, OURS, RULES[platform]) == []


def test_difference_tells_what_was_wanted_and_found():
    claims = {"aud": [OURS], "a": "b", "n": 1, "t": True, "deep": {"x/y": {"z": "1"}}, "list": ["a"]}
    assert mismatches(OURS, {"a": "b", "n": "1", "t": "true", "/deep/x~1y/z": "1"}, claims) == []
    found = mismatches(OURS, {"a": "B", "t": "True", "/deep/none/z": "1", "list": "a"}, claims)
    assert [(each.claim, each.expected, each.actual) for each in found] == [
        ("a", "B", "b"),
        ("t", "True", "true"),
        ("/deep/none/z", "1", ""),
        ("list", "a", "[a]"),
    ]


RISKY = {
    "names only": ("github", {"repository": "acme/billing", "environment": "production"}, "names alone"),
    "every repository": ("github", {"repository_owner_id": "65", "environment": "production"}, "Every repository"),
    "every project": ("gitlab", {"namespace_id": "72", "environment": "production"}, "Every project"),
    "people": ("azure", {"azp": "4a1b"}, "people too"),
    "default account": ("kubernetes", {"sub": "system:serviceaccount:billing:default"}, "names no service account"),
    "every branch": ("github", {"repository_id": "74"}, "every branch"),
    "pull request": ("github", {"repository_id": "74", "ref": "refs/pull/7/merge"}, "stranger can open"),
    "event": ("github", GOOD | {"event_name": "pull_request_target"}, "stranger can open"),
    "subject": ("github", {"repository_id": "74", "sub": "repo:acme/billing:pull_request"}, "stranger can open"),
    "merge request": ("gitlab", {"project_id": "1", "ref": "x", "pipeline_source": "merge_request_event"}, "stranger"),
    "unprotected": ("gitlab", {"project_id": "1", "ref": "main"}, "ref_protected"),
    "mail address": ("gcp", {"email": "a@b.iam.gserviceaccount.com"}, "unique ID"),
    "whole account": ("aws", {"/https:~1~1sts.amazonaws.com~1/aws_account": "1"}, "Every role"),
    "whole namespace": ("kubernetes", {"/kubernetes.io/namespace": "billing"}, "Every service account"),
}


@pytest.mark.parametrize("case", RISKY)
def test_rule_that_others_could_meet_is_warned_of(case):
    platform, claims, words = RISKY[case]
    assert any(words in warning for warning in rule_warnings(platform, OURS, OURS, claims)), rule_warnings(
        platform, OURS, OURS, claims
    )


def test_foreign_audience_is_warned_of():
    assert any("api://other" in warning for warning in rule_warnings("oidc", "api://other", OURS, {"sub": "x"}))


def test_every_platform_is_described():
    assert set(PLATFORMS) == set(PlatformName.values)
    for platform in PLATFORMS.values():
        assert any(claim.binds for claim in platform.claims)


def test_operators_read_which_issuer_a_platform_has(olga, browser_of):
    page = browser_of(olga).get(reverse("admin:clients_trustedissuer_add"))
    assert "GitHub Actions: https://token.actions.githubusercontent.com" in page.text
    assert "own account’s or tenant’s ID" in page.text
