"""The inspector: every way in which a token or a request can be wrong has its own words."""

import base64
import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from authority.diagnostics.inspector.inspector import inspect
from authority.diagnostics.inspector.report import Viewer
from authority.keys import signing_keys
from authority.models import RevokedToken, SigningKey
from authority.workloads import identity_tokens
from clients.actions.roles import update_api_claims, update_api_roles
from clients.models import ApiClaim, ApiRole
from consumers.audit import SYSTEM
from core.jose import jws
from tests.authority.pasted import one, packed, parts, resigned
from tests.factories import ClientFactory, give_secret

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(acme):
    return Viewer(acme)


@pytest.fixture
def token(program):
    return program.token(scope="shipments:read").json()["access_token"]


# -- Access tokens ----------------------------------------------------------------------------------------------------


def test_good_token_is_explained_claim_by_claim(token, member, service):
    report = one(token, member)
    assert (report.kind, report.verdict, report.tone) == ("An access token", "It is valid", "good")
    rows = {row.name: row.meaning for row in report.rows}
    assert set(rows) == set(parts(token)[1])
    assert rows["client_id"] == f"{service}, one of your clients."
    assert rows["scope"] == "Its scopes: Read shipments."
    assert "the API Shipments" in rows["aud"]
    assert {fact.label: fact.word for fact in report.facts}["Signature"] == "Valid."


def test_roles_and_claims_of_the_api_are_explained(program, member, api, acme):
    roles = [ApiRole(value="driver", name="Driver")]
    update_api_roles(api=api, roles=roles, actor=SYSTEM)
    claims = [ApiClaim(name="tier", source="metadata", path="plan.tier"), ApiClaim(name="uid", source="user_id")]
    update_api_claims(api=api, claims=claims, actor=SYSTEM)
    acme.metadata = {"plan": {"tier": "gold"}}
    acme.save()
    token = resigned(program.token(scope="shipments:read").json()["access_token"], roles=["driver", "x"], uid="1")
    rows = {row.name: row.meaning for row in one(token, member).rows}
    assert rows["roles"] == "The user’s roles in the API Shipments: Driver."
    assert rows["tier"] == rows["uid"] == "Set by the operator for the API Shipments."
    rows = {row.name: row.meaning for row in one(token, Viewer()).rows}
    assert rows["tier"] == "Set by the claims of the API Shipments. Consumer: metadata plan.tier."


@pytest.mark.parametrize(
    "wrapped",
    [
        "Bearer {}",
        "Authorization: Bearer {}",
        '"{}"',
        "  {}\n",
        '{{"access_token": "{}", "token_type": "Bearer"}}',
        "https://app.example/#access_token={}&token_type=Bearer",
        "> GET /x HTTP/1.1\n> Authorization: Bearer {}\n",
        "curl -H 'Authorization: Bearer {}' https://api.example.com/",
    ],
)
def test_token_is_found_in_its_wrapping(token, member, wrapped):
    assert one(wrapped.format(token), member).verdict == "It is valid"


def test_token_that_a_mail_broke_into_lines_is_put_together(token, member):
    assert (
        one("\n".join(token[start : start + 60] for start in range(0, len(token), 60)), member).verdict == "It is valid"
    )


def test_expired_says_since_when(token, member):
    report = one(resigned(token, exp=int(time.time()) - 180), member)
    assert report.verdict == "It expired 3 minutes ago"
    assert "request a new one" in report.advice


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"nbf": 300}, "It is not valid yet, but in "),
        ({"iat": 300}, "It was issued "),
    ],
)
def test_clocks_that_differ_are_told(token, member, changes, verdict):
    report = one(resigned(token, **{name: int(time.time()) + ahead for name, ahead in changes.items()}), member)
    assert report.verdict.startswith(verdict)


@pytest.mark.parametrize("exp", [None, "tomorrow", True, 10**30, [], 1e308])
def test_end_that_is_none(token, member, exp):
    assert one(resigned(token, exp=exp), member).verdict == "It never expires"


def test_audience_of_another_api(token, member, api):
    assert one(token, member, api).verdict == "It is valid"
    report = one(resigned(token, aud="https://other.example"), member, api)
    assert (
        report.verdict
        == "Its audience is https://other.example, but Shipments expects https://api.example.com/shipments"
    )
    assert "shipments:read" in report.advice


def test_revoked_token(token, member):
    RevokedToken.objects.create(jti=parts(token)[1]["jti"], expires_at=timezone.now() + timedelta(hours=1))
    assert one(token, member).verdict == "It was revoked"


def test_disabled_client_and_suspended_consumer(token, member, service, acme):
    service.disabled_at = timezone.now()
    service.save()
    assert one(token, member).verdict == "Billing sync is disabled"
    acme.suspended_at = timezone.now()
    acme.save()
    assert one(token, member).verdict == "Its consumer is suspended"


def test_token_of_a_sign_in_that_was_ended(flow, web, member):
    tokens = flow.tokens()
    assert one(tokens["access_token"], member).verdict == "It is valid"
    web.revoke(tokens["refresh_token"])
    assert one(tokens["access_token"], member).verdict == "It was revoked"


# -- Keys and signatures ----------------------------------------------------------------------------------------------


def test_key_that_was_retired_or_revoked_says_when(token, member):
    now = timezone.now()
    key = SigningKey.objects.filter(kid=parts(token)[0]["kid"])
    key.update(state="retired", retired_at=now, serve_until=now + timedelta(hours=1))
    report = one(token, member)
    assert report.verdict == "It is valid"
    assert "retired on" in next(fact.text for fact in report.facts if fact.label == "Signature")
    key.update(serve_until=now - timedelta(hours=1))
    assert one(token, member).verdict.startswith("It is signed by a key that was retired on ")
    key.update(state="revoked", revoked_at=now)
    assert one(token, member).verdict.startswith("It is signed by a key that was revoked on ")


def test_none_is_no_signature(token, member):
    _, content = parts(token)
    for alg in ("none", "None"):
        assert (
            one(packed({"alg": alg, "typ": "at+jwt"}, content, ""), member).verdict == "It is not signed: alg is none"
        )


def test_unknown_key_missing_key_and_other_algorithm(token, member):
    head, content = parts(token)
    assert "never had" in one(packed(head | {"kid": "other"}, content), member).verdict
    assert one(packed({"alg": "ES256", "typ": "at+jwt"}, content), member).verdict == "It names no key"
    assert one(packed(head | {"alg": "HS256"}, content), member).verdict == "Its alg is HS256, but its key is for ES256"


def test_changed_token(token, member):
    head, content = parts(token)
    signature = token.rsplit(".", 1)[1]
    changed = packed(head, content | {"scope": "shipments:write"}, signature)
    assert one(changed, member).verdict == "The signature is invalid"
    assert one(packed(head, content, signature[:-4]), member).verdict == "The signature is invalid"


# -- Damaged, encrypted, cut off --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ey+x.eyJ9.c2ln", "holds “+” at character 3"),
        ("eyJ9==.eyJ9.c2ln", "equals sign"),
        ("eyJ9.eyJ9.c2ln", "not valid JSON"),
        (f"{base64.urlsafe_b64encode(b'[1]      ').decode()}.eyJ9.c2ln".replace("WzF", "eyJ"), "JSON"),
        ("eyJhb.eyJ9.c2ln", "a length that base64url never has"),
        ("eyJ9.eyJ9", "2 parts instead of three"),
        ("eyJ9.a.b.c.d", "five parts"),
    ],
)
def test_damage_is_told_with_its_place(text, said, member):
    report = one(text, member)
    assert said in report.verdict
    assert report.tone == "bad"


ODD = [
    ({"alg": "ES256", "kid": 5, "typ": []}, {"iss": {}, "aud": 7, "exp": [], "scope": {}}),
    ({"alg": "ES256"}, {"iss": settings.ISSUER, "client_id": [], "aud": {"a": 1}, "cnf": 5}),
    ({"alg": "ES256", "kid": "a", "typ": "at+jwt"}, {"iss": settings.ISSUER, "jti": "x" * 90}),
    ({}, {"iss": "nul\0", "sub": "nul\0", "client_id": "nul\0", "aud": ["nul\0", 5]}),
    ({}, {"a": "\ud800", "iss": "\ud800"}),
]


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "ey" + "J" * 30000,
        "\ud800",
        "{" * 5000,
        '{"error": 5, "access_token": [1]}',
        "https://[",
        "https://a.example/?" + "a&" * 500,
        *(packed(*pair) for pair in ODD),
    ],
)
def test_whatever_is_pasted_gets_an_answer(text, member, browser_of, bob):
    assert inspect(text, member)[0].verdict
    pasted = text.encode(errors="replace").decode()
    assert browser_of(bob).post("/consumers/acme/inspect/", {"pasted": pasted}).status_code == 200


# -- Other tokens -----------------------------------------------------------------------------------------------------


def test_id_token_is_not_for_apis(flow, member, api):
    id_token = flow.tokens()["id_token"]
    assert one(id_token, member).kind == "An ID token"
    assert "access tokens" in one(id_token, member, api).verdict


def test_token_of_another_issuer(token, member):
    report = one(resigned(token, iss="https://other.example"), member)
    assert (report.kind, report.verdict) == ("Another issuer’s token", "This portal did not issue it")
    assert "https://other.example" in report.advice


def test_assertion_of_a_client(member, service):
    service.token_endpoint_auth_method = "private_key_jwt"
    service.client_jwks_uri = "https://keys.example.com/"
    service.save()
    now = int(time.time())
    content = {"iss": service.client_id, "sub": service.client_id, "aud": settings.ISSUER, "exp": now + 60, "jti": "a"}
    report = one(packed({"alg": "ES256", "typ": "JWT"}, content), member)
    assert (report.kind, report.verdict) == ("A client assertion", "It looks right from here")
    assert report.client == service
    wrong = one(packed({"alg": "ES256"}, content | {"aud": settings.ISSUER + "/oauth2/token"}), member)
    assert wrong.verdict.startswith("Its audience is")


def test_proof_of_possession(member):
    report = one(
        packed({"alg": "ES256", "typ": "dpop+jwt", "jwk": {}}, {"htm": "POST", "htu": "https://a", "jti": "b"}), member
    )
    assert report.kind == "A DPoP proof"


def test_workload_identity_token_is_no_access_token(member, api):
    signer = signing_keys.signer("RS256", seconds=60, purpose=SigningKey.Purpose.WORKLOADS)
    now = int(time.time())
    content = {
        "iss": identity_tokens.issuer(),
        "sub": "atcl_x",
        "aud": "https://cloud.example",
        "iat": now,
        "exp": now + 60,
    }
    report = one(jws.encode(content, signer, typ="JWT"), member)
    assert (report.kind, report.verdict) == ("A workload identity token", "It is valid")
    wrong = one(jws.encode(content, signer, typ="JWT"), member, api)
    assert wrong.verdict == "This is an identity token; APIs accept access tokens"
    mixed = jws.encode(content, signing_keys.signer("RS256", seconds=60), typ="JWT")
    assert "never had" in one(mixed, member).verdict


def test_secret_of_ones_own_client_is_recognised_and_of_another_not(service, globex, member):
    _, old = give_secret(service, expires_at=timezone.now() - timedelta(days=1))
    _, text = give_secret(service)
    _, foreign = give_secret(ClientFactory(consumer=globex))
    assert one(text, member).client == service
    assert "It expired on" in str(one(old, member).facts)
    assert one(foreign, member).client is None
    assert one(foreign, Viewer()).client is not None
    assert "cut or changed" in str(one(text[:-1] + ("1" if text.endswith("0") else "0"), member).facts)


def test_text_that_means_nothing_here(member):
    assert one("f3a9c0d1e2b3a4c5d6e7f809", member).kind == "A random text"
    assert one("hello, it does not work", member).kind == "Not recognized"


# -- Opaque tokens ----------------------------------------------------------------------------------------------------


def test_opaque_access_token_is_looked_up_for_its_own_people(program, service, member, globex):
    service.access_token_strategy = "opaque"
    service.save()
    token = program.token().json()["access_token"]
    report = one(token, member)
    assert (report.kind, report.verdict) == ("An opaque access token", "It is valid")
    assert "scope" in {row.name for row in report.rows}
    foreign = one(token, Viewer(globex))
    assert (foreign.client, foreign.rows, foreign.facts) == (None, [], [])
    assert foreign == one("cdat_" + "x" * 49, Viewer(globex))
    service.disabled_at = timezone.now()
    service.save()
    assert one(token, member).verdict == "Billing sync is disabled"


def test_refresh_token_tells_whether_it_was_used_or_ended(flow, web, member, globex):
    web.client.grant_types = ["authorization_code", "refresh_token"]
    web.client.save()
    first = flow.tokens()["refresh_token"]
    assert one(first, member).verdict == "It is valid"
    flow.refresh(first)
    assert one(first, member).verdict == "It was used before"
    flow.refresh(first)
    assert one(first, member).verdict.startswith("Its sign-in was revoked on ")
    assert one(first, Viewer(globex)) == one("cdrt_" + "x" * 49, Viewer(globex))


@pytest.mark.parametrize(
    ("prefix", "kind"),
    [("cdp_", "A personal access token"), ("cdr_", "A registration access token"), ("cdi_", "An initial access token")],
)
def test_other_keys_of_ours_are_known_by_their_beginning(prefix, kind, member):
    assert one(prefix + "x" * 49, member).kind == kind
