"""Who may sign in to apps that use an API, and which groups give its roles: the writes and their rules."""

import pytest
from allauth.socialaccount.models import SocialAccount

from clients.actions.group_roles import update_group_roles
from clients.actions.roles import update_api_roles
from clients.actions.sign_in_rules import set_sign_in
from clients.models import Api, ApiRole, GroupRole, RoleGrant, SignInBy
from clients.vocabulary import RoleSource
from connections.actions.connections import delete_connection, update_connection
from connections.models import Connection, Identity
from consumers.activity.vocabulary import sensitive_operation
from consumers.audit import SYSTEM
from consumers.models import Event
from consumers.scopes import AUDIENCE
from core.errors import Conflict, Refusal
from core.rest.errors import AccessDenied
from tests.clients.admin_helpers import events
from tests.factories import UserFactory, actor_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def okta():
    return connection_of("okta", "Northwind Okta")


def connection_of(slug, name, **fields):
    return Connection.objects.create(
        slug=slug, name=name, issuer=f"https://{slug}.example", client_id="us", **{"sign_in": "offered"} | fields
    )


def set_rule(api, connections=None, **values):
    return set_sign_in(api=api, values=values, connections=connections, actor=SYSTEM)


def test_what_changed_stands_in_the_event_which_is_sensitive(api, okta):
    set_rule(api, [okta], sign_in="connections", reauthenticate_after=3600)
    api.refresh_from_db()
    assert (api.sign_in, list(api.sign_in_connections.all())) == (SignInBy.CONNECTIONS, [okta])
    (event,) = events("api.sign_in.changed")
    assert event.detail == {
        "sign_in": "connections",
        "fields": ["reauthenticate_after"],
        "added": ["Northwind Okta"],
        "removed": [],
    }
    assert sensitive_operation(event.name, event.detail) is not None
    set_rule(api, [okta], sign_in="connections")
    assert Event.objects.filter(name="api.sign_in.changed").count() == 1


@pytest.mark.parametrize(
    ("values", "field", "told"),
    [
        ({"sign_in": "own_login"}, "login_url", "Enter the address of your login"),
        ({"sign_in": "connections"}, "sign_in_connections", "Choose a connection"),
        ({"reauthenticate_after": 59}, "reauthenticate_after", "60"),
        ({"reauthenticate_after": 10**8}, "reauthenticate_after", "a year at most"),
        ({"login_url": "http://login.example.com/"}, "login_url", "use https"),
        ({"login_url": "javascript:alert(1)"}, "login_url", "use https"),
        ({"login_url": "/login"}, "login_url", "use https"),
        ({"consent_url": "https://a:b@login.example.com/"}, "consent_url", "leave out user name"),
        ({"logout_url": "https://login.example.com/#x"}, "logout_url", "fragment"),
        ({"login_url": "https://login.example.com/?login_challenge=x"}, "login_url", "login_challenge"),
        ({"login_url": "https://login.example.com/?consent_challenge"}, "login_url", "consent_challenge"),
        ({"login_url": f"https://login.example.com/{'x' * 500}"}, "login_url", "500"),
        ({"login_url": "https://login.example.com:x/"}, "login_url", "cannot be read"),
        ({"name": "x"}, "", "does not say who may sign in"),
    ],
)
def test_rule_that_nobody_could_follow_is_refused(api, values, field, told):
    with pytest.raises(Refusal, match=told) as refused:
        set_rule(api, **values)
    assert (refused.value.field or "") == field
    assert Api.objects.get(pk=api.pk).sign_in == SignInBy.MEMBERS


def test_loopback_by_http_is_for_a_portal_without_https(api, settings):
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    set_rule(api, sign_in="own_login", login_url="http://localhost:3000/login")
    settings.PUBLIC_URL = "https://portal.example"
    with pytest.raises(Refusal, match="use https"):
        set_rule(api, login_url="http://localhost:3000/other")


def test_connections_that_are_all_off_let_nobody_in(api, okta):
    Connection.objects.update(sign_in="off")
    with pytest.raises(Refusal, match="are off"):
        set_rule(api, [okta], sign_in="connections")


def test_management_api_keeps_its_people(okta):
    with pytest.raises(Refusal, match="own API"):
        set_rule(Api.objects.get(identifier=AUDIENCE), [okta], sign_in="connections")


def test_connection_that_an_api_lives_by_is_not_deleted(api, okta):
    set_rule(api, [okta], sign_in="connections")
    with pytest.raises(Conflict, match="Northwind Okta to apps that use"):
        delete_connection(connection=okta, actor=SYSTEM)
    set_rule(api, sign_in="members")
    delete_connection(connection=okta, actor=SYSTEM)
    assert not Connection.objects.exists()


# -- Roles by group ---------------------------------------------------------------------------------------------------


@pytest.fixture
def driver(api):
    return ApiRole.objects.create(api=api, value="driver", name="Driver")


def in_groups(connection, *groups):
    user = UserFactory()
    account = SocialAccount.objects.create(user=user, provider=connection.issuer, uid=str(user.pk), extra_data={})
    Identity.objects.create(account=account, connection=connection, groups=list(groups))
    return user


def give(role, user, connection):
    return RoleGrant.objects.create(
        role=role, user=user, source=RoleSource.CONNECTION, connection=connection, created_by_label="System"
    )


def save_rules(api, *rules, removed=(), actor=SYSTEM):
    update_group_roles(api=api, group_roles=rules, removed=removed, actor=actor)


def test_removed_rule_takes_what_it_alone_gave_at_once(api, driver, okta):
    other = connection_of("entra", "Entra")
    drivers, planners = (GroupRole(role=driver, connection=okta, group=group) for group in ("Drivers", "Planners"))
    elsewhere = GroupRole(role=driver, connection=other, group="Drivers")
    save_rules(api, drivers, planners, elsewhere)
    one, both = in_groups(okta, "Drivers"), in_groups(okta, "Drivers", "Planners")
    for user, connection in ((one, okta), (both, okta), (one, other)):
        give(driver, user, connection)
    save_rules(api, removed=[drivers])
    held = set(RoleGrant.objects.values_list("user", "connection"))
    assert held == {(both.pk, okta.pk), (one.pk, other.pk)}
    assert events("api.group_roles.changed")[-1].detail == {
        "added": [],
        "changed": [],
        "removed": ["Drivers at Northwind Okta: driver"],
        "people": 1,
    }
    planners.group = "Leads"
    save_rules(api, planners)
    assert set(RoleGrant.objects.values_list("user", "connection")) == {(one.pk, other.pk)}


def test_rule_needs_a_group_a_connection_that_reads_groups_and_a_role_of_the_api(api, driver, okta):
    other = Api.objects.create(name="B", identifier="https://b.example")
    foreign = ApiRole.objects.create(api=other, value="x", name="X")
    for rule, told in (
        (GroupRole(role=foreign, connection=okta, group="A"), "no such role"),
        (GroupRole(role=driver, connection=okta, group=" "), "Enter the group|blank"),
        (GroupRole(role=driver, connection=okta, group="A\u202eB"), "Enter the group"),
        (GroupRole(role=driver, connection=connection_of("x", "X", groups_claim=""), group="A"), "reads no groups"),
    ):
        with pytest.raises(Refusal, match=told):
            save_rules(api, rule)
    save_rules(api, GroupRole(role=driver, connection=okta, group="A"))
    with pytest.raises(Conflict, match="has the role already"):
        save_rules(api, GroupRole(role=driver, connection=okta, group="A"))
    GroupRole.objects.bulk_create(GroupRole(role=driver, connection=okta, group=f"g{each}") for each in range(199))
    with pytest.raises(Refusal, match="at most 200"):
        save_rules(api, GroupRole(role=driver, connection=okta, group="one more"))


def test_what_a_rule_needs_stays_while_the_rule_stands(api, driver, okta):
    save_rules(api, GroupRole(role=driver, connection=okta, group="Drivers"))
    with pytest.raises(Refusal, match="Delete that rule first"):
        update_api_roles(api=api, roles=[], removed=[driver], actor=SYSTEM)
    with pytest.raises(Refusal, match="Groups give roles"):
        update_connection(connection=okta, values={"groups_claim": ""}, actor=SYSTEM)
    give(driver, in_groups(okta, "Drivers"), okta)
    delete_connection(connection=okta, actor=SYSTEM)
    assert not GroupRole.objects.exists()
    assert not RoleGrant.objects.exists()


def test_operator_who_may_not_give_roles_gives_none_by_a_group(api, driver, okta):
    reader = UserFactory(is_staff=True)
    with pytest.raises(AccessDenied):
        save_rules(api, GroupRole(role=driver, connection=okta, group="A"), actor=actor_for(reader))
