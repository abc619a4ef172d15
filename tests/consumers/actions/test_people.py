"""Accounts and the rights of operators, as the actions change them, each with its event."""

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group, Permission

from consumers.actions.people import create_operator, delete_group, rename_person, save_group, update_person
from consumers.audit import SYSTEM
from consumers.models import User
from core.errors import Conflict, Refusal
from tests.factories import UserFactory, actor_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def helper(db):
    """An operator without full rights."""
    return UserFactory(is_staff=True, name="Hal Helper")


def test_created_operator_signs_in_by_code_and_is_recorded(olga, recorded):
    group = Group.objects.create(name="Support")
    person = create_operator(person=User(email="new@portal.example"), groups=[group], actor=actor_for(olga))
    person.refresh_from_db()
    assert (person.is_staff, person.is_superuser, person.has_usable_password()) == (True, False, False)
    assert list(person.groups.all()) == [group]
    assert EmailAddress.objects.filter(user=person, verified=True, primary=True).exists()
    assert recorded() == [("operator.added", {"email": "new@portal.example"})]


def test_address_of_an_account_is_a_conflict(olga, alice, recorded):
    with pytest.raises(Conflict, match="already"):
        create_operator(person=User(email=alice.email.upper()), actor=actor_for(olga))
    assert recorded() == []


def test_who_lacks_full_rights_gives_none(helper, alice, recorded):
    group = Group.objects.create(name="Support")
    actor = actor_for(helper)
    for attempt in (
        lambda: create_operator(person=User(email="friend@portal.example"), actor=actor),
        lambda: update_person(person=alice, values={"is_staff": True}, actor=actor),
        lambda: save_group(group=group, permissions=Permission.objects.all()[:1], actor=actor),
        lambda: delete_group(group=group, actor=actor),
    ):
        with pytest.raises(Refusal, match="full rights"):
            attempt()
    assert not User.objects.get(pk=alice.pk).is_staff
    assert Group.objects.filter(pk=group.pk).exists()
    assert recorded() == []


def test_people_with_full_rights_are_changed_by_their_like_alone(helper, olga, recorded):
    with pytest.raises(Refusal, match="full rights"):
        update_person(person=olga, values={"name": "Somebody else"}, actor=actor_for(helper))
    assert recorded() == []


@pytest.mark.parametrize("field", ["is_active", "is_staff", "is_superuser", "groups"])
def test_nobody_changes_their_own_rights(olga, field, recorded):
    if field == "groups":
        change = {"values": {}, "groups": [Group.objects.create(name="Support")]}
    else:
        change = {"values": {field: False}}
    with pytest.raises(Refusal, match="your own rights"):
        update_person(person=olga, **change, actor=actor_for(olga))
    assert recorded() == []


def test_deactivating_ends_sessions_and_records_the_fields(olga, alice, browser_of, recorded):
    browser = browser_of(alice)
    assert browser.get("/consumers/").status_code == 200
    UserSession.objects.get_or_create(
        user=alice, session_key=browser.session.session_key, defaults={"ip": "192.0.2.1", "user_agent": ""}
    )
    update_person(person=alice, values={"is_active": False}, actor=actor_for(olga))
    assert not UserSession.objects.filter(user=alice).exists()
    assert browser.get("/consumers/").status_code == 302
    assert recorded() == [("person.updated", {"fields": ["is_active"]})]


def test_nothing_changed_is_not_recorded(olga, alice, recorded):
    update_person(person=alice, values={"name": alice.name}, groups=[], actor=actor_for(olga))
    assert recorded() == []


def test_people_rename_themselves(alice, recorded):
    rename_person(person=alice, name="Alice M.", actor=actor_for(alice))
    assert User.objects.get(pk=alice.pk).name == "Alice M."
    assert recorded() == [("person.updated", {"fields": ["name"]})]


@pytest.mark.parametrize("name", ["", "x" * 151, "Ali\u202ece", "Ali\x00ce"])
def test_unreadable_names_are_refused(alice, name, recorded):
    with pytest.raises(Refusal) as refused:
        rename_person(person=alice, name=name, actor=actor_for(alice))
    assert refused.value.field == "name"
    assert recorded() == []


def test_groups_are_recorded_with_their_rights(olga, recorded):
    rights = Permission.objects.filter(codename__in=["view_consumer", "view_event"])
    group = save_group(group=Group(name="Readers"), permissions=rights, actor=actor_for(olga))
    delete_group(group=group, actor=SYSTEM)
    assert recorded() == [("group.saved", {"rights": ["view_consumer", "view_event"]}), ("group.deleted", {})]
    assert not Group.objects.exists()
