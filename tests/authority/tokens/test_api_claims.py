"""The roles and claims of an API in its access tokens (RFC 9068 section 2.2.3.1), and in introspection."""

import pytest
from allauth.socialaccount.models import SocialAccount
from django.utils import timezone

from clients.actions import roles as role_actions
from clients.actions.apis import set_resource_servers
from clients.models import ApiClaim, ApiRole, RoleGrant
from connections.models import Connection, Identity
from consumers.actions.members import remove_member
from consumers.audit import SYSTEM
from consumers.models import Membership
from tests.authority.conftest import Program
from tests.authority.flows import Flow, returned
from tests.authority.pasted import parts
from tests.authority.test_pinned_sql import CLIENT, FEW_ROWS, asked, read_whole
from tests.factories import AccessFactory, ApiFactory, ClientFactory, ScopeFactory, give_secret

pytestmark = pytest.mark.django_db
ROLES = "SELECT clients_rolegrant"


@pytest.fixture
def roles(api):
    """The roles of the API, of which managers give one."""
    role_actions.update_api_roles(
        api=api,
        roles=[
            ApiRole(value="dispatcher", name="Dispatcher"),
            ApiRole(value="driver", name="Driver", managers_may_give=True),
        ],
        actor=SYSTEM,
    )
    return {role.value: role for role in api.roles.all()}


def give(user, api, *values, consumer=None, source="operator"):
    found = [role for role in api.roles.all() if role.value in values]
    role_actions.set_roles(api=api, user=user, roles=found, source=source, consumer=consumer, actor=SYSTEM)


def claim(api, name, source, **more):
    role_actions.update_api_claims(api=api, claims=[ApiClaim(name=name, source=source, **more)], actor=SYSTEM)


def claims_of(token):
    return parts(token)[1]


def said(flow):
    return claims_of(flow.tokens()["access_token"])


@pytest.mark.compliance("RFC 9068", "2.2.3.1")
def test_roles_of_the_person_stand_in_tokens_for_the_api(flow, alice, api, roles):
    assert "roles" not in said(flow)
    give(alice, api, "driver", "dispatcher")
    assert said(flow)["roles"] == ["dispatcher", "driver"]


def test_a_role_given_or_taken_shows_in_the_next_token_of_a_refresh(flow, alice, api, roles):
    give(alice, api, "driver")
    first = flow.tokens()
    assert claims_of(first["access_token"])["roles"] == ["driver"]
    give(alice, api)
    second = flow.refresh(first["refresh_token"]).json()
    assert "roles" not in claims_of(second["access_token"])


def test_a_role_counts_at_the_clients_of_its_consumer_alone(flow, alice, api, roles, globex, acme):
    give(alice, api, "driver", consumer=globex)
    assert "roles" not in said(flow)
    give(alice, api, "dispatcher", consumer=acme)
    assert said(flow)["roles"] == ["dispatcher"]


def test_what_two_sources_gave_stands_once_and_each_takes_its_own(flow, alice, api, roles, acme):
    give(alice, api, "driver", consumer=acme, source="manager")
    give(alice, api, "driver", "dispatcher")
    assert said(flow)["roles"] == ["dispatcher", "driver"]
    give(alice, api)
    assert said(flow)["roles"] == ["driver"]


def test_a_role_ends_with_the_membership_and_does_not_come_back_with_it(alice, bob, api, roles, acme):
    give(bob, api, "driver", consumer=acme)
    remove_member(membership=acme.memberships.get(user=bob), actor=SYSTEM)
    Membership.objects.create(consumer=acme, user=bob)
    assert not RoleGrant.objects.filter(user=bob).exists()


def test_a_token_of_a_client_for_itself_has_no_roles(program, alice, api, roles):
    give(alice, api, "driver")
    assert "roles" not in claims_of(program.token().json()["access_token"])


def test_claims_of_the_consumer_stand_in_every_token_for_the_api(program, flow, acme, api):
    acme.external_id, acme.metadata = "CRM-1009", {"plan": {"tier": "partner", "empty": None}}
    acme.save()
    claim(api, "fleet", "external_id")
    claim(api, "tier", "metadata", path="plan.tier")
    claim(api, "nothing", "metadata", path="plan.missing.more")
    claim(api, "empty", "metadata", path="plan.empty")
    claim(api, "contract", "constant", value={"version": 2})
    wanted = {"fleet": "CRM-1009", "tier": "partner", "contract": {"version": 2}}
    for content in (claims_of(program.token().json()["access_token"]), said(flow)):
        assert content.items() >= wanted.items()
        assert not {"nothing", "empty"} & content.keys()


def test_claims_of_the_person_stand_in_tokens_of_people_alone(program, web, browser_of, alice, api, roles):
    claim(api, "user_id", "user_id")
    claim(api, "mail", "email")
    claim(api, "person", "name")
    claim(api, "authorities", "roles")
    give(alice, api, "driver")
    browser = browser_of(alice)
    content = said(Flow(web, browser, scope="openid email profile shipments:read"))
    expected = {"user_id": str(alice.pk), "mail": alice.email, "person": alice.name}
    assert content.items() >= (expected | {"authorities": ["driver"], "roles": ["driver"]}).items()
    content = said(Flow(web, browser))  # without email and profile
    assert content["user_id"] == str(alice.pk)
    assert not {"mail", "person"} & content.keys()
    assert not {"user_id", "roles"} & claims_of(program.token().json()["access_token"]).keys()


def test_the_api_s_claims_stand_over_the_consumer_s_and_below_the_registered_ones(program, flow, acme, api, roles):
    acme.claims = {"contract": "old", "roles": ["root"], "plan": "gold"}
    acme.save()
    claim(api, "contract", "constant", value="new")
    content = said(flow)
    assert (content["contract"], content["plan"]) == ("new", "gold")
    assert "roles" not in content  # which the consumer's claim cannot give to a person
    ApiClaim.objects.filter(name="contract").update(name="sub")  # reserved since
    assert claims_of(program.token().json()["access_token"])["sub"] == program.client.client_id


def test_a_token_for_several_apis_has_the_roles_of_none(web, browser_of, alice, api, roles, acme):
    other = ScopeFactory(api=ApiFactory(name="Orders", identifier="https://orders.example.com"), value="orders:read")
    AccessFactory(consumer=acme, scope=other)
    role_actions.update_api_roles(api=other.api, roles=[ApiRole(value="driver", name="Driver")], actor=SYSTEM)
    web.client.scopes = [*web.client.scopes, "orders:read"]
    web.client.save()
    give(alice, api, "driver")
    claim(api, "contract", "constant", value=2)
    flow = Flow(web, browser_of(alice), scope="openid shipments:read orders:read")
    decided = ("shipments:read", "orders:read")
    tokens = flow.exchange(returned(flow.decide(scope=decided))["code"]).json()
    assert not {"roles", "contract"} & claims_of(tokens["access_token"]).keys()
    one = flow.refresh(tokens["refresh_token"], resource=api.identifier).json()
    assert claims_of(one["access_token"])["roles"] == ["driver"]
    for asking, wanted in ((api, ["driver"]), (other.api, None)):
        server = ClientFactory(consumer=acme, client_name=f"{asking} itself")
        set_resource_servers(api=asking, clients=[server], actor=SYSTEM)
        introspected = Program(server, give_secret(server)[1]).introspect(tokens["access_token"])
        assert (introspected["active"], introspected.get("roles")) == (True, wanted)


def test_a_value_too_long_for_a_header_is_left_out(program, acme, api):
    acme.metadata = {"long": "x" * 1100, "short": "y"} | {f"part{n}": "z" * 900 for n in range(3)}
    acme.save()
    for name in acme.metadata:
        claim(api, name, "metadata", path=name)
    content = claims_of(program.token().json()["access_token"])
    assert {"short", "part0", "part1"} <= content.keys()
    assert not {"long", "part2"} & content.keys()


# -- Introspection ----------------------------------------------------------------------------------------------------


@pytest.mark.compliance("RFC 7662", "2.2")
def test_introspection_tells_the_roles_that_the_person_has_now(flow, web, alice, api, roles, acme):
    claim(api, "authorities", "roles")
    give(alice, api, "driver", consumer=acme)
    token = flow.tokens()["access_token"]
    assert web.introspect(token)["roles"] == ["driver"]
    give(alice, api, "dispatcher")
    assert web.introspect(token)["roles"] == web.introspect(token)["authorities"] == ["dispatcher", "driver"]
    RoleGrant.objects.all().delete()
    assert not {"roles", "authorities"} & web.introspect(token).keys()
    assert claims_of(token)["roles"] == ["driver"]


# -- The statements ---------------------------------------------------------------------------------------------------


def test_roles_cost_one_statement_where_the_api_has_some_and_none_elsewhere(program, flow, alice, api):
    claim(api, "contract", "constant", value=2)
    claim(api, "user_id", "user_id")
    program.token()
    spent = flow.tokens()["refresh_token"]
    without = asked(lambda: flow.refresh(spent))
    assert ROLES not in without
    role_actions.update_api_roles(api=api, roles=[ApiRole(value="driver", name="Driver")], actor=SYSTEM)
    give(alice, api, "driver")
    spent = flow.tokens()["refresh_token"]
    assert asked(lambda: flow.refresh(spent)) == [*without[:-2], ROLES, *without[-2:]]
    assert asked(program.token) == [CLIENT]


def test_no_statement_reads_all_roles_of_people(flow, alice, api, roles):
    give(alice, api, "driver")
    spent = flow.tokens()["refresh_token"]
    assert read_whole(lambda: flow.refresh(spent)) <= FEW_ROWS


# -- What people are told ---------------------------------------------------------------------------------------------


def asks(flow):
    return "wants to use your" in flow.open().text


def test_consent_says_what_the_api_learns_and_asks_again_when_that_is_more(flow, alice, api):
    claim(api, "user_id", "user_id", consent="Your user ID")
    claim(api, "contract", "constant", value=2)
    page = flow.open().text
    assert f"Tell {api.name} about you" in page
    assert "Your user ID." in page
    flow.code()
    assert not asks(flow)
    role_actions.update_api_roles(api=api, roles=[ApiRole(value="driver", name="Driver")], actor=SYSTEM)
    assert "Your roles there, your user ID." in flow.open().text
    flow.code()
    assert not asks(flow)
    claim(api, "roles", "roles", consent="Your role in the fleet")
    assert "Your role in the fleet" in flow.open().text
    assert "Your roles there" not in flow.open().text


def test_consent_says_nothing_where_the_api_learns_nothing(flow, api):
    claim(api, "contract", "constant", value=2)
    assert "about you" not in flow.open().text


def identity_of(user, **said):
    connection = Connection.objects.create(
        name="Acme Okta",
        slug="acme-okta",
        issuer="https://acme.okta.com",
        client_id="p",
        sign_in="offered",
        kept_claims=["depot"],
    )
    account = SocialAccount.objects.create(user=user, provider=connection.issuer, uid="a", extra_data={})
    return Identity.objects.create(account=account, connection=connection, signed_in_at=timezone.now(), **said)


def test_what_the_identity_provider_said_stands_in_the_tokens_of_the_person(flow, alice, api):
    identity_of(alice, groups=["platform-admins", "staff"], claims={"depot": "D-204"})
    claim(api, "groups", "groups")
    claim(api, "depot", "connection_claim", path="depot")
    claim(api, "crew", "connection_claim", path="crew")
    found = said(flow)
    assert found["groups"] == ["platform-admins", "staff"]
    assert found["depot"] == "D-204"
    assert "crew" not in found


def test_who_signs_in_by_a_code_has_no_claims_of_a_provider(flow, alice, api):
    claim(api, "groups", "groups")
    claim(api, "depot", "connection_claim", path="depot")
    assert {"groups", "depot"}.isdisjoint(said(flow))
