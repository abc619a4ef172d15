"""The roles of an API, who may give them to whom, and the claims of its tokens."""

import pytest

from clients.actions import roles as role_actions
from clients.claim_sources import SOURCES
from clients.models import Api, ApiClaim, ApiRole, RoleGrant
from clients.policy.roles import MAX_API_CLAIMS, MAX_ROLES
from clients.vocabulary import RoleSource
from connections.models import Connection
from consumers.audit import SYSTEM
from consumers.models import Event
from consumers.policy import RESERVED_CLAIMS
from consumers.scopes import AUDIENCE
from core.errors import Conflict, Refusal
from core.rest.errors import AccessDenied
from tests.factories import actor_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def roles(api):
    made = [
        ApiRole(value="dispatcher", name="Dispatcher"),
        ApiRole(value="driver", name="Driver", managers_may_give=True),
    ]
    role_actions.update_api_roles(api=api, roles=made, actor=SYSTEM)
    return {role.value: role for role in api.roles.all()}


@pytest.fixture
def give(api, roles, acme, bob, alice):
    """Set Bob's roles, as a manager of Acme unless told otherwise."""

    def given(*values, source=RoleSource.MANAGER, consumer=acme, connection=None, user=bob, actor=alice):
        role_actions.set_roles(
            api=api,
            user=user,
            roles=[roles[value] for value in values],
            source=source,
            consumer=consumer,
            connection=connection,
            actor=actor_for(actor) if actor else SYSTEM,
        )

    return given


def held(user):
    return sorted(f"{grant.source} {grant.role}" for grant in RoleGrant.objects.filter(user=user))


# -- Giving -----------------------------------------------------------------------------------------------------------


def test_managers_give_what_the_operator_lets_them_give(give, bob, acme, acme_access, alice):
    give("driver")
    (grant,) = RoleGrant.objects.all()
    assert (grant.consumer, grant.created_by, grant.created_by_label) == (acme, alice, "Alice Martin")
    event = Event.objects.get(name="person.roles.changed")
    assert (event.consumer, event.target_id, event.detail["added"]) == (acme, str(bob.pk), ["driver"])
    with pytest.raises(AccessDenied, match="Only operators give the role “Dispatcher”"):
        give("driver", "dispatcher")
    give()
    assert held(bob) == []
    assert Event.objects.filter(name="person.roles.changed").count() == 2


def test_what_a_manager_gave_stays_when_managers_may_give_it_no_longer_and_can_be_taken(give, bob, roles, acme_access):
    give("driver")
    ApiRole.objects.update(managers_may_give=False)
    give("driver")  # which changes nothing
    assert held(bob) == ["manager driver"]
    give()
    with pytest.raises(AccessDenied):
        give("driver")


@pytest.mark.parametrize("who", ["bob", "mallory", "olga"])
def test_nobody_but_a_manager_of_the_workspace_gives_as_one(give, request, bob, who, acme_access):
    with pytest.raises(AccessDenied, match="needs a manager of Acme"):
        give("driver", actor=request.getfixturevalue(who))
    assert held(bob) == []


def test_managers_give_to_their_own_people_and_of_apis_that_they_may_use(give, mallory, bob, acme_access):
    with pytest.raises(Refusal, match="does not belong to Acme"):
        give("driver", user=mallory)
    for access in acme_access:
        access.delete()
    with pytest.raises(AccessDenied, match="may not use"):
        give("driver")
    assert not RoleGrant.objects.exists()


def test_operators_give_anywhere_and_others_do_not_take_it(give, bob, mallory, olga, acme, acme_access):
    give("dispatcher", source=RoleSource.OPERATOR, consumer=None, actor=olga)
    give("driver")
    give()
    assert held(bob) == ["operator dispatcher"]
    give("driver", source=RoleSource.OPERATOR, consumer=None, actor=olga, user=mallory)
    assert held(mallory) == ["operator driver"]
    with pytest.raises(AccessDenied):
        give("driver", source=RoleSource.OPERATOR, consumer=None, actor=mallory, user=mallory)


def test_a_sign_in_sets_its_own_roles_and_no_others(give, bob, acme, acme_access):
    okta = Connection.objects.create(
        name="Acme Okta", slug="acme-okta", issuer="https://acme.okta.example", client_id="c"
    )
    give("driver")
    give("dispatcher", source=RoleSource.CONNECTION, connection=okta, actor=None)
    give("driver", source=RoleSource.LOGIN, consumer=None, actor=None)
    assert held(bob) == ["connection dispatcher", "login driver", "manager driver"]
    give(source=RoleSource.CONNECTION, connection=okta, actor=None)
    assert held(bob) == ["login driver", "manager driver"]


def test_a_role_of_another_api_is_refused(give, api, bob, acme):
    other = ApiRole.objects.create(api_id=type(api).objects.exclude(pk=api.pk).first().pk, value="x", name="X")
    with pytest.raises(Refusal, match="no such role"):
        role_actions.set_roles(api=api, user=bob, roles=[other], source=RoleSource.LOGIN, consumer=None, actor=SYSTEM)


def test_a_person_has_so_many_roles_of_an_api(give, api, bob, roles):
    more = [ApiRole(value=f"r{number}", name="R") for number in range(MAX_ROLES)]
    role_actions.update_api_roles(api=api, roles=more, actor=SYSTEM)
    every = list(api.roles.all())
    with pytest.raises(Refusal, match="at most 20"):
        role_actions.set_roles(api=api, user=bob, roles=every, source=RoleSource.LOGIN, consumer=None, actor=SYSTEM)


def test_operator_gives_one_role_and_takes_one_whoever_gave_it(give, roles, bob, olga, acme, acme_access):
    give("driver")
    one = {"role": roles["dispatcher"], "user": bob, "consumer": acme, "actor": actor_for(olga)}
    role_actions.give_role(**one)
    with pytest.raises(Conflict, match="has this role there already"):
        role_actions.give_role(**one)
    for grant in RoleGrant.objects.all():
        role_actions.take_role(grant=grant, actor=actor_for(olga))
    assert held(bob) == []


# -- What an API defines ----------------------------------------------------------------------------------------------


def test_a_role_keeps_its_value_and_is_not_deleted_while_somebody_has_it(give, api, roles, acme_access):
    roles["driver"].value = "chauffeur"
    with pytest.raises(Refusal, match="keeps its value"):
        role_actions.update_api_roles(api=api, roles=[roles["driver"]], actor=SYSTEM)
    give("driver")
    driver = api.roles.get(value="driver")
    with pytest.raises(Refusal, match="1 person has the role"):
        role_actions.update_api_roles(api=api, roles=[], removed=[driver], actor=SYSTEM)
    give()
    role_actions.update_api_roles(api=api, roles=[], removed=[driver], actor=SYSTEM)
    assert list(api.roles.values_list("value", flat=True)) == ["dispatcher"]


@pytest.mark.parametrize("value", ["two words", "", "ä", 'a"b', "x" * 101])
def test_a_role_is_a_word_that_tokens_can_carry(api, value):
    with pytest.raises(Refusal):
        role_actions.update_api_roles(api=api, roles=[ApiRole(value=value, name="Name")], actor=SYSTEM)


def test_two_roles_of_one_value_are_a_conflict(api, roles):
    with pytest.raises(Conflict):
        role_actions.update_api_roles(api=api, roles=[ApiRole(value="driver", name="Other")], actor=SYSTEM)


def refused_claim(api, **fields):
    with pytest.raises(Refusal) as caught:
        role_actions.update_api_claims(api=api, claims=[ApiClaim(**fields)], actor=SYSTEM)
    return caught.value


@pytest.mark.compliance("RFC 9068", "2.2")
@pytest.mark.parametrize("name", sorted(RESERVED_CLAIMS))
def test_a_reserved_name_is_refused(api, name):
    assert refused_claim(api, name=name, source="user_id").field == "name"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "two words", "source": "user_id"}, "name"),
        ({"name": "", "source": "user_id"}, "name"),
        ({"name": "roles", "source": "user_id"}, "name"),
        ({"name": "groups", "source": "constant", "value": ["all"]}, "name"),
        ({"name": "a", "source": "nowhere"}, "source"),
        ({"name": "a", "source": "metadata"}, "path"),
        ({"name": "a", "source": "metadata", "path": "a..b"}, "path"),
        ({"name": "a", "source": "metadata", "path": ".".join("abcdefghijk")}, "path"),
        ({"name": "a", "source": "user_id", "path": "a"}, "path"),
        ({"name": "a", "source": "constant"}, "value"),
        ({"name": "a", "source": "constant", "value": "x" * 1100}, "value"),
        ({"name": "a", "source": "constant", "value": float("nan")}, "value"),
        ({"name": "a", "source": "user_id", "value": 1}, "value"),
        ({"name": "a", "source": "constant", "value": 1, "consent": "Your depot"}, "consent"),
        ({"name": "a", "source": "user_id", "consent": "Your\u202edepot"}, "consent"),
    ],
)
def test_a_claim_that_makes_no_sense_is_refused_at_its_field(api, fields, field):
    assert refused_claim(api, **fields).field == field
    assert not ApiClaim.objects.exists()


def test_claims_of_an_api_are_few_and_short(api):
    many = [ApiClaim(name=f"c{number}", source="user_id") for number in range(MAX_API_CLAIMS + 1)]
    with pytest.raises(Refusal, match="at most 20"):
        role_actions.update_api_claims(api=api, claims=many, actor=SYSTEM)
    long = [ApiClaim(name=f"c{number}", source="constant", value="x" * 900) for number in range(3)]
    with pytest.raises(Refusal, match="Shorten the constants"):
        role_actions.update_api_claims(api=api, claims=long, actor=SYSTEM)


def test_the_portal_s_own_api_has_no_roles_and_claims(db):
    own = Api.objects.get(identifier=AUDIENCE)
    with pytest.raises(Refusal, match="the portal's own API"):
        role_actions.update_api_roles(api=own, roles=[ApiRole(value="a", name="A")], actor=SYSTEM)
    with pytest.raises(Refusal, match="the portal's own API"):
        role_actions.update_api_claims(api=own, claims=[ApiClaim(name="a", source="user_id")], actor=SYSTEM)


def test_each_source_reads_either_a_person_or_a_consumer():
    assert all((source.of_person is None) != (source.of_consumer is None) for source in SOURCES.values())
    assert [source.value for source in SOURCES.values()] == list(SOURCES)
