"""The authentication pages of a client: method, keys, trust rules."""

import json
import re
from html import unescape

import pytest

from clients.actions import trust as trust_actions
from clients.models import Client, TrustedIssuer, TrustRule
from clients.vocabulary import AuthMethod
from consumers.models import Event
from tests.authority.conftest import Program
from tests.authority.signing import Signing
from tests.factories import ClientFactory, actor_for
from tests.platforms import Outside
from tests.signing import KeyPair

pytestmark = pytest.mark.django_db
PAGE = "/consumers/acme/clients/{}/authentication/"


@pytest.fixture
def browser(browser_of, alice):
    return browser_of(alice)


@pytest.fixture
def page(service):
    return PAGE.format(service.client_id)


@pytest.fixture
def github(olga, publisher):
    outside = Outside("github", publisher)
    wanted = TrustedIssuer(name="GitHub Actions", platform="github", issuer=outside.issuer)
    trust_actions.create_issuer(issuer=wanted, actor=actor_for(olga))
    return outside


@pytest.fixture
def deploy(acme, acme_access):
    return ClientFactory(
        consumer=acme, client_name="Deploy", token_endpoint_auth_method=AuthMethod.FEDERATED, scopes=["shipments:read"]
    )


def private_key(answer):
    return unescape(re.search(r'id="private-key">([^<]+)<', answer.text)[1])


class FromPem(KeyPair):
    """The key pair that a page has shown."""

    def __init__(self, pem):
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        self.private = load_pem_private_key(pem.encode(), None)
        self.algorithm, self.kid = "ES256", None


# -- A key pair -------------------------------------------------------------------------------------------------------


def test_key_pair_is_shown_once_and_signs(browser, page, service, settings):
    answer = browser.post(page + "key/new/", {"key": "a-key"})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    pem = private_key(answer)
    service.refresh_from_db()
    assert service.token_endpoint_auth_method == "private_key_jwt"
    body = pem.splitlines()[1]
    assert body not in json.dumps(service.client_jwks)
    assert body not in str(list(Event.objects.values()))
    assert Signing(service, FromPem(pem), settings.ISSUER).token().status_code == 200
    assert browser.post(page + "key/new/", {"key": "a-key"}).status_code == 302  # sent again
    service.refresh_from_db()
    assert len(service.client_jwks["keys"]) == 1
    assert body not in browser.get(page).text


def test_another_key_pair_leaves_the_first_one_working(browser, page, service, settings):
    pems = [private_key(browser.post(page + "key/new/", {"key": str(n)})) for n in range(2)]
    service.refresh_from_db()
    kids = [key["kid"] for key in service.client_jwks["keys"]]
    for pem, kid in zip(pems, kids, strict=True):
        signing = Signing(service, FromPem(pem), settings.ISSUER)
        assert signing.token(signing.assertion({"kid": kid})).status_code == 200


@pytest.mark.parametrize(("form", "begins"), [("pem", "-----BEGIN PRIVATE KEY-----"), ("jwk", "{")])
def test_private_key_downloads_as_a_file(browser, page, form, begins):
    pem = private_key(browser.post(page + "key/new/", {"key": "k"}))
    answer = browser.post(page + "key/", {"private_key": pem, "format": form})
    assert answer["Content-Disposition"].startswith('attachment; filename="billing-sync.')
    assert answer.text.startswith(begins)
    if form == "jwk":
        assert json.loads(answer.text)["d"]


@pytest.mark.parametrize("text", ["", "x", "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----", "\0"])
def test_what_is_no_key_of_the_client_is_not_downloaded(browser, page, text):
    answer = browser.post(page + "key/", {"private_key": text})
    assert answer.status_code == 302


def test_client_with_a_key_pair_is_registered_in_one_go(browser, acme_access, settings):
    form = {"template": "service", "client_name": "Signer", "scope": "shipments:read", "proof": "private_key_jwt"}
    answer = browser.post("/consumers/acme/clients/new", form | {"key": "x"})
    assert answer.status_code == 200, answer.text
    client = Client.objects.get(client_name="Signer")
    assert Signing(client, FromPem(private_key(answer)), settings.ISSUER).token().status_code == 200


# -- Its own keys -----------------------------------------------------------------------------------------------------


def send(browser, service, form):
    """Send the page's form as it is shown now, filled in."""
    service.refresh_from_db()
    return browser.post(PAGE.format(service.client_id), {"version": service.updated.isoformat()} | form)


def test_own_keys_are_pasted(browser, service, settings):
    pair = KeyPair("PS256")
    form = {"method": "private_key_jwt", "jwks": json.dumps(pair.jwks), "token_endpoint_auth_signing_alg": "PS256"}
    assert send(browser, service, form).status_code == 302
    service.refresh_from_db()
    assert Signing(service, pair, settings.ISSUER).token().status_code == 200
    assert send(browser, service, {"method": "client_secret_basic"}).status_code == 302
    service.refresh_from_db()
    assert (service.client_jwks, service.token_endpoint_auth_signing_alg) == (None, "")


def test_a_key_that_was_added_meanwhile_is_not_taken_away_unseen(browser, page, service):
    own = {"method": "private_key_jwt", "jwks": json.dumps(KeyPair("PS256").jwks)}
    assert send(browser, service, own).status_code == 302
    service.refresh_from_db()
    seen = {"version": service.updated.isoformat()}
    browser.post(page + "key/new/", {"key": "a-key"})
    answer = browser.post(page, own | seen)
    service.refresh_from_db()
    assert (answer.status_code, len(service.client_jwks["keys"])) == (409, 2)
    assert "Alice Martin changed this client while you were editing" in answer.text
    assert "Public keys (JWKS), as saved" in answer.text
    assert send(browser, service, own).status_code == 302
    service.refresh_from_db()
    assert len(service.client_jwks["keys"]) == 1


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({}, "Choose an authentication method"),
        ({"method": "none"}, "Choose one of these"),
        ({"method": "private_key_jwt"}, "public keys"),
        ({"method": "private_key_jwt", "jwks": "{"}, "Invalid JSON"),
        ({"method": "private_key_jwt", "jwks": "[" * 10_000}, "Invalid JSON"),
        ({"method": "private_key_jwt", "jwks": "[]"}, "JSON object"),
        ({"method": "private_key_jwt", "jwks": '{"keys": [{"kty": "RSA", "d": "x"}]}'}, "private key"),
        ({"method": "private_key_jwt", "jwks": '{"keys": [{"kid": "\\ud800"}]}'}, "Invalid JSON"),
        ({"method": "private_key_jwt", "jwks_uri": "http://10.0.0.1/"}, "use https"),
    ],
)
def test_invalid_value_is_reported_and_nothing_is_lost(browser, service, form, words):
    answer = send(browser, service, form)
    assert answer.status_code == 422
    assert words in unescape(answer.text)
    if "jwks" in form:
        assert form["jwks"] in unescape(answer.text)
    service.refresh_from_db()
    assert service.token_endpoint_auth_method == "client_secret_basic"


def test_public_client_has_no_such_page(browser, acme):
    client = ClientFactory(consumer=acme, template="public")
    assert browser.get(PAGE.format(client.client_id)).status_code == 404


def test_viewer_reads_and_changes_nothing(browser_of, bob, page, service):
    browser = browser_of(bob)
    assert browser.get(page).status_code == 200
    assert browser.post(page, {"method": AuthMethod.FEDERATED}).status_code == 403


# -- Rules ------------------------------------------------------------------------------------------------------------


def rule_page(client):
    return f"/consumers/acme/clients/{client.client_id}/rules/new/{TrustedIssuer.objects.get().pk}/"


def fields(**claims):
    return {"audience": "http://testserver", "claims": ""} | claims


def test_rule_is_made_by_the_platforms_fields(browser, deploy, github, settings):
    shown = browser.get(rule_page(deploy))
    assert "repository_owner_id" in shown.text
    form = fields(claim0="74", claim1="65", claims="repository_id = 75", audience=settings.ISSUER)
    assert "has its own field" in browser.post(rule_page(deploy), form).text
    form = fields(claim0="74", claim1="65", claim3="production", claims="ref_type = branch", audience=settings.ISSUER)
    assert browser.post(rule_page(deploy), form).status_code == 302
    assert TrustRule.objects.get().claims == {
        "repository_id": "74",
        "repository_owner_id": "65",
        "environment": "production",
        "ref_type": "branch",
    }
    page = browser.get(PAGE.format(deploy.client_id)).text
    assert "id-token: write" in page
    assert deploy.client_id in page
    rule = TrustRule.objects.get()
    address = f"/consumers/acme/clients/{deploy.client_id}/rules/{rule.pk}/delete/"
    assert browser.post(address).status_code == 302
    assert not TrustRule.objects.exists()


def test_rule_that_others_could_meet_is_saved_only_knowingly(browser, deploy, github, settings):
    form = fields(claim2="acme/billing", audience=settings.ISSUER)
    answer = browser.post(rule_page(deploy), form)
    assert answer.status_code == 422
    assert "Others could match this rule" in answer.text
    assert not TrustRule.objects.exists()
    assert browser.post(rule_page(deploy), form | {"knowingly": "yes"}).status_code == 302
    assert TrustRule.objects.exists()


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"claim4": "refs/heads/main"}, "Anybody on GitHub Actions"),
        ({"claim0": "74", "claim4": "refs/heads/*"}, "match exactly"),
        ({"claim0": "74", "claims": "environment"}, "name = value"),
        ({"claim0": "74", "claims": "a = b\na = c"}, "is repeated"),
        ({"claim0": "74", "claims": "iss = x"}, "checked in any case"),
        ({"claim0": "74\u202e"}, "invisible character"),
        ({"claim0": "74", "audience": ""}, "audience"),
    ],
)
def test_rule_that_cannot_be_is_refused_with_what_was_typed(browser, deploy, github, claims, words):
    answer = browser.post(rule_page(deploy), fields(**claims))
    assert answer.status_code == 422
    assert words in unescape(answer.text)
    assert not TrustRule.objects.exists()


def test_issuers_of_other_consumers_are_not_offered(browser, deploy, github, globex):
    TrustedIssuer.objects.update(consumer=globex, name="TENANT-B-issuer")
    assert "TENANT-B" not in browser.get(PAGE.format(deploy.client_id)).text
    assert browser.get(rule_page(deploy)).status_code == 404


def test_rule_of_another_client_cannot_be_removed_here(browser, deploy, github, acme, settings, alice):
    other = ClientFactory(consumer=acme, token_endpoint_auth_method=AuthMethod.FEDERATED)
    rule = trust_actions.create_rule(
        client=other,
        issuer=TrustedIssuer.objects.get(),
        audience=settings.ISSUER,
        claims={"repository_id": "1"},
        actor=actor_for(alice),
    )
    assert browser.post(f"/consumers/acme/clients/{deploy.client_id}/rules/{rule.pk}/delete/").status_code == 404


# -- The tester -------------------------------------------------------------------------------------------------------


@pytest.fixture
def attempt(browser, deploy, github, settings, alice):
    trust_actions.create_rule(
        client=deploy,
        issuer=TrustedIssuer.objects.get(),
        audience=settings.ISSUER,
        claims={"repository_id": "74", "environment": "production"},
        actor=actor_for(alice),
    )

    def attempt(token=None, **changes):
        token = token or github.token(settings.ISSUER, **changes)
        answer = browser.post(f"/consumers/acme/clients/{deploy.client_id}/rules/try/", {"token": token})
        return unescape(answer.text)

    return attempt


def test_tester_says_which_rule_a_token_meets_and_uses_nothing_up(attempt, github, deploy, settings):
    token = github.token(settings.ISSUER)
    for _ in range(2):
        assert "It would authenticate Deploy" in attempt(token)
    form = {
        "client_id": deploy.client_id,
        "client_assertion_type": AuthMethod.FEDERATED.value,
        "client_assertion": token,
    }
    assert Program(deploy).token(**form).status_code == 200
    assert "It would authenticate Deploy" in attempt(token)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"environment": "staging"}, ["It matches no rule", "staging", "production"]),
        ({"aud": "https://github.com/acme"}, ["It matches no rule", "https://github.com/acme"]),
        ({"exp": 1_700_000_000}, ["has expired", "14 November 2023"]),
        ({"iss": "https://other.example"}, ["https://other.example", "is not allowed here"]),
        ({"repository_id": None}, ["It matches no rule", "Nothing"]),
    ],
)
def test_tester_says_in_what_a_token_differs(attempt, changes, words):
    page = attempt(**changes)
    assert "It would be refused" in page
    assert [word for word in words if word not in page] == []


def test_tester_tells_a_forged_token_and_what_is_none(attempt, github, settings):
    assert "The signature of the token is wrong" in attempt(
        github.token(settings.ISSUER, key=KeyPair("RS256", github.key.kid))
    )
    for text in ("x", "a.b.c", "é", "." * 1000):
        assert "not a signed JWT" in attempt(text)


def test_nothing_pasted_is_kept(attempt, caplog, deploy):
    attempt(environment="canary-7c1f")
    assert "canary-7c1f" not in caplog.text
    assert "canary-7c1f" not in str(list(Event.objects.values()))
    assert not deploy.problems.exists()
