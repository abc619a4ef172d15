"""Test tokens: for whom they are made, what they say, and how they end."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from authority.keys import signing_keys
from authority.models import RevokedToken, TestToken
from authority.tokens import test_tokens, validation
from authority.tokens.test_tokens import TestTokenRequest
from clients.actions.roles import update_api_claims, update_api_roles
from clients.models import Api, ApiClaim, ApiRole
from clients.vocabulary import GrantType
from consumers.audit import SYSTEM
from consumers.models import Event
from consumers.policy import RESERVED_CLAIMS
from core.errors import Conflict, Refusal
from core.jose import base64url, jws
from tests.factories import AccessFactory, ApiFactory, ClientFactory, ScopeFactory, actor_for

pytestmark = pytest.mark.django_db
CODE = GrantType.AUTHORIZATION_CODE


@pytest.fixture(autouse=True)
def allowed(acme_access):
    Api.objects.update(allows_test_tokens=True)


def wanted(**changes):
    return TestTokenRequest(
        **{"scopes": ("shipments:read",), "expires_in": 600, "reason": "Trying the new API"} | changes
    )


@pytest.fixture
def make(service, alice):
    def made(**changes):
        return test_tokens.create(client=service, requested=wanted(**changes), actor=actor_for(alice))

    return made


def refused(make, **changes):
    with pytest.raises(Refusal) as caught:
        make(**changes)
    assert not TestToken.objects.exists()
    return caught.value


def content(token):
    found = jws.decode(token, signing_keys.verification_key, typ="at+jwt")
    assert found is not None
    return found


# -- What it says -----------------------------------------------------------------------------------------------------


def test_token_as_a_client_gets_it_says_that_it_is_a_test(make, service, acme):
    row, token = make()
    said = content(token)
    assert said["token_use"] == "test"
    assert (said["iss"], said["sub"], said["client_id"]) == (settings.ISSUER, service.client_id, service.client_id)
    assert (said["aud"], said["scope"]) == ("https://api.example.com/shipments", "shipments:read")
    assert (said["exp"] - said["iat"], said["jti"], said["consumer_id"]) == (600, row.jti, str(acme.pk))


def test_token_as_a_person_would_give_it_has_user_roles_and_claims(make, acme):
    acme.test_token_claims = ["department"]
    acme.save()
    row, token = make(grant_type=CODE, user_id="jane.doe", roles=("planner", "admin"), claims={"department": "Rail"})
    said = content(token)
    assert (said["sub"], said["roles"], said["department"]) == ("jane.doe", ["planner", "admin"], "Rail")
    assert (row.user_id, row.grant_type) == ("jane.doe", CODE)


def test_claims_of_the_consumer_are_in_it_as_in_every_token(make, acme):
    acme.claims = {"plan": "gold", "token_use": "access"}
    acme.save()
    _, token = make()
    assert (content(token)["plan"], content(token)["token_use"]) == ("gold", "test")


def test_audience_may_be_chosen_among_the_apis_that_allow_it(make, service):
    other = ScopeFactory(api=ApiFactory(identifier="https://other.example", allows_test_tokens=True), value="x:read")
    AccessFactory(consumer=service.consumer, scope=other)
    service.scopes = [*service.scopes, "x:read"]
    service.save()
    _, token = make(audience=("https://other.example",))
    assert content(token)["aud"] == "https://other.example"
    _, token = make(scopes=("shipments:read", "x:read"))
    assert content(token)["aud"] == ["https://api.example.com/shipments", "https://other.example"]


def test_token_is_signed_as_its_api_wants_it(make):
    Api.objects.update(signing_algorithm="RS256")
    _, token = make()
    assert jws.json.loads(base64url.decode(token.split(".")[0]))["alg"] == "RS256"


def test_it_is_listed_and_recorded_with_who_made_it_and_why_but_kept_nowhere(make, alice):
    row, token = make()
    assert (row.created_by, row.created_by_label, row.reason) == (alice, "Alice Martin", "Trying the new API")
    event = Event.objects.get(name="client.test_token.created")
    assert (event.detail["reason"], event.detail["jti"]) == ("Trying the new API", row.jti)
    signature = token.rsplit(".", 1)[1]
    assert signature not in str(list(TestToken.objects.values())) + str(list(Event.objects.values()))


# -- May it be made? --------------------------------------------------------------------------------------------------


def test_only_for_apis_whose_operator_allows_it(make):
    assert not Api._meta.get_field("allows_test_tokens").default
    Api.objects.update(allows_test_tokens=False)
    refusal = refused(make)
    assert (refusal.field, "Ask the operator" in refusal.description) == ("scope", True)


def test_never_for_a_production_api(make):
    with pytest.raises(IntegrityError), transaction.atomic():
        Api.objects.update(is_production=True)
    Api.objects.update(is_production=True, allows_test_tokens=False)
    refused(make)


@pytest.mark.parametrize(
    ("scopes", "said"),
    [
        ((), "at least one"),
        (("invoices:read",), "cannot be in"),
        (("shipments:read",) * 2, "once"),
        (("openid",), "cannot"),
    ],
)
def test_scopes_are_those_that_the_client_may_have(make, scopes, said):
    assert said in refused(make, scopes=scopes).description


def test_scope_that_was_taken_from_the_consumer_is_not_in_a_test_token(make, acme):
    acme.access.filter(scope__value="shipments:read").delete()
    refused(make)


def test_audience_of_another_api_is_refused(make):
    ApiFactory(identifier="https://other.example", allows_test_tokens=True)
    for audience in ("https://other.example", settings.ISSUER):
        assert refused(make, audience=(audience,)).field == "audience"


@pytest.mark.parametrize(
    ("seconds", "most"), [(59, 3600), (3601, 7200), (301, 300), (60, 0), (-5, 3600), (10**12, 3600)]
)
def test_lifetime_stays_within_what_consumer_and_api_allow(make, acme, seconds, most):
    acme.test_token_lifetime = most
    acme.save()
    assert refused(make, expires_in=seconds).field == "expires_in"


def test_person_is_named_where_one_takes_part_and_nowhere_else(make):
    assert refused(make, user_id="jane").field == "user_id"
    named_by_address = ClientFactory(client_id="https://app.example.com/client.json").client_id
    for user_id in ("", "  ", "x" * 256, "a\u202eb", "nul\0", "cl_abc", "CL_ABC", named_by_address):
        assert refused(make, grant_type=CODE, user_id=user_id).field == "user_id"
    assert refused(make, grant_type="password").field == "grant_type"


def test_nobody_speaks_for_somebody_elses_account(make, alice, bob):
    assert refused(make, grant_type=CODE, user_id=str(bob.pk)).field == "user_id"
    assert refused(make, grant_type=CODE, user_id=bob.pk.hex.upper()).field == "user_id"
    make(grant_type=CODE, user_id=str(alice.pk))


@pytest.mark.parametrize("blank", [" ", "\t", "\xa0", "\u2003", "\u3000", "\u200b", "\u200d", "\u2800", "\ufeff"])
def test_a_blank_makes_no_other_user_of_an_account(make, bob, service, blank):
    """An API may strip it, or show it to people who see none."""
    for name in (str(bob.pk), service.client_id, "cl_abc", "jane"):
        for user_id in (blank + name, name + blank, name[:2] + blank + name[2:]):
            refusal = refused(make, grant_type=CODE, user_id=user_id)
            assert refusal.field == "user_id"
            assert f"U+{ord(blank):04X}" in refusal.description


@pytest.mark.parametrize("name", sorted(RESERVED_CLAIMS))
def test_reserved_names_of_claims_are_refused(make, acme, name):
    acme.test_token_claims = [name]  # as if it had been reserved later
    acme.save()
    refusal = refused(make, claims={name: "mine"})
    assert (refusal.field, name in refusal.description) == ("claims", True)


@pytest.mark.parametrize(
    "claims",
    [
        {"plan": "gold"},
        {"roles": ["admin"]},
        {"department": "x" * 3000},
        {"department": float("nan")},
        {"department": "\0"},
        [],
    ],
)
def test_claims_that_are_not_allowed_too_long_or_no_json_are_refused(make, acme, claims):
    acme.test_token_claims = ["department"]
    acme.save()
    assert refused(make, claims=claims).field == "claims"


@pytest.mark.parametrize("roles", [("",), ("x" * 101,), ("a\nb",), ("a",) * 21])
def test_odd_roles_are_refused(make, roles):
    assert refused(make, roles=roles).field == "roles"


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201, "a\u2066b"])
def test_a_reason_is_asked(make, reason):
    assert refused(make, reason=reason).field == "reason"


def test_everything_that_is_wrong_is_told_at_once(make):
    refusal = refused(make, scopes=(), expires_in=1, reason="", user_id="jane")
    assert {refusal.field, *(other.field for other in refusal.others)} == {"scope", "expires_in", "reason", "user_id"}


def test_disabled_clients_and_suspended_consumers_get_none(make, service, acme):
    service.disabled_at = timezone.now()
    service.save()
    with pytest.raises(Conflict):
        make()
    service.disabled_at = None
    service.save()
    acme.suspended_at = timezone.now()
    acme.save()
    with pytest.raises(Conflict):
        make()


def test_a_client_has_few_that_work_at_a_time(make, monkeypatch, alice):
    monkeypatch.setattr(test_tokens, "MAX_LIVE", 1)
    row, _ = make()
    with pytest.raises(Conflict):
        make()
    test_tokens.revoke(token=row, actor=actor_for(alice))
    make()


# -- How it is told and ends ------------------------------------------------------------------------------------------


def test_introspection_tells_its_client_that_it_works_and_is_a_test(make, program):
    _, token = make(grant_type=CODE, user_id="jane")
    told = program.introspect(token)
    assert (told["active"], told["token_use"], told["sub"]) == (True, "test", "jane")


def test_revoked_test_token_is_not_active(make, program, alice):
    row, token = make()
    test_tokens.revoke(token=row, actor=actor_for(alice))
    assert program.introspect(token) == {"active": False}
    assert TestToken.objects.listed().get().is_revoked
    with pytest.raises(Conflict):
        test_tokens.revoke(token=row, actor=actor_for(alice))
    assert Event.objects.filter(name="client.test_token.revoked").count() == 1


def test_its_client_can_revoke_it_too(make, program):
    row, token = make(grant_type=CODE, user_id="jane")
    assert program.revoke(token).status_code == 200
    assert RevokedToken.objects.filter(jti=row.jti).exists()


def test_it_ends_when_the_operator_changes_their_mind(make, program):
    _, token = make()
    assert program.introspect(token)["active"]
    Api.objects.update(allows_test_tokens=False)
    assert program.introspect(token) == {"active": False}


def test_it_opens_nothing_of_the_portal(make, program):
    _, token = make(grant_type=CODE, user_id="jane")
    answer = program.http.get("/oauth2/userinfo", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403
    assert validation.active_token(token).user is None


def test_tokens_that_ended_a_month_ago_are_forgotten(make):
    row, _ = make()
    test_tokens.delete_expired()
    assert TestToken.objects.exists()
    TestToken.objects.filter(pk=row.pk).update(expires_at=timezone.now() - timedelta(days=31))
    test_tokens.delete_expired()
    assert not TestToken.objects.exists()


def test_no_real_token_says_that_it_is_a_test(program):
    assert "token_use" not in content(program.token().json()["access_token"])


def test_the_action_needs_no_person(service):
    row, _ = test_tokens.create(client=service, requested=wanted(), actor=SYSTEM)
    assert (row.created_by, row.created_by_label) == (None, "Clientdesk")


# -- Roles and claims of the API, as in real tokens -------------------------------------------------------------------


@pytest.fixture
def table(api, acme):
    """The API defines a role, and claims of every kind."""
    update_api_roles(api=api, roles=[ApiRole(value="planner", name="Planner")], actor=SYSTEM)
    claims = [
        ApiClaim(name="user_id", source="user_id"),
        ApiClaim(name="mail", source="email"),
        ApiClaim(name="authorities", source="roles"),
        ApiClaim(name="fleet", source="external_id"),
        ApiClaim(name="contract", source="constant", value=2),
    ]
    update_api_claims(api=api, claims=claims, actor=SYSTEM)
    acme.external_id, acme.claims = "CRM-1009", {"roles": ["root"]}
    acme.save()


def test_it_carries_the_api_s_claims_by_the_same_names(make, table):
    _, token = make(grant_type=CODE, user_id="jane.doe", roles=("planner",), claims={"mail": "jane@acme.example"})
    expected = {"user_id": "jane.doe", "roles": ["planner"], "authorities": ["planner"]}
    expected |= {"mail": "jane@acme.example", "fleet": "CRM-1009", "contract": 2}
    assert content(token).items() >= expected.items()
    _, token = make(grant_type=CODE, user_id="jane.doe")
    assert not {"roles", "authorities", "mail"} & content(token).keys()
    _, token = make()
    assert content(token)["fleet"] == "CRM-1009"
    assert "user_id" not in content(token)


def test_a_role_that_the_api_does_not_define_is_refused(make, table):
    problem = refused(make, grant_type=CODE, user_id="jane.doe", roles=("planer",))
    assert (problem.field, "planner" in problem.description) == ("roles", True)


def test_a_claim_that_the_api_reads_elsewhere_is_not_typed(make, table):
    assert refused(make, claims={"contract": 3}).field == "claims"
