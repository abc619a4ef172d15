"""Roles and memberships, as the actions change and end them, each with its event."""

import pytest

from consumers.actions.members import change_role, record_visit, remove_member
from consumers.models import Membership, Role
from core.errors import Conflict, Refusal
from tests.factories import MembershipFactory, actor_for

pytestmark = pytest.mark.django_db


def member(consumer, user):
    return Membership.objects.get(consumer=consumer, user=user)


def test_changed_role_is_recorded(acme, alice, bob, recorded):
    change_role(membership=member(acme, bob), role=Role.MANAGER, actor=actor_for(alice))
    assert member(acme, bob).is_manager
    assert recorded() == [("manager.role.changed", {"email": bob.email, "role": "manager"})]


def test_same_role_is_not_recorded(acme, alice, bob, recorded):
    change_role(membership=member(acme, bob), role=Role.VIEWER, actor=actor_for(alice))
    assert recorded() == []


def test_unknown_role_is_an_error(acme, alice, bob, recorded):
    with pytest.raises(ValueError, match="owner"):
        change_role(membership=member(acme, bob), role="owner", actor=actor_for(alice))
    assert recorded() == []


def test_last_manager_stays_unless_an_operator_decides(acme, alice, bob, olga, recorded):
    only = member(acme, alice)
    for end in (
        lambda actor: change_role(membership=only, role=Role.VIEWER, actor=actor),
        lambda actor: remove_member(membership=only, actor=actor),
    ):
        with pytest.raises(Refusal, match="at least one manager"):
            end(actor_for(alice))
    assert recorded() == []
    remove_member(membership=only, actor=actor_for(olga))
    assert recorded() == [("manager.removed", {"email": alice.email})]


def test_one_of_two_managers_may_leave(acme, alice, recorded):
    MembershipFactory(consumer=acme)
    remove_member(membership=member(acme, alice), actor=actor_for(alice))
    assert not alice.workspaces().exists()
    assert [name for name, _ in recorded()] == ["manager.removed"]


def test_who_has_left_meanwhile_is_a_conflict(acme, alice, bob, recorded):
    stale = member(acme, bob)
    remove_member(membership=member(acme, bob), actor=actor_for(alice))
    for again in (
        lambda: remove_member(membership=stale, actor=actor_for(alice)),
        lambda: change_role(membership=stale, role=Role.MANAGER, actor=actor_for(alice)),
    ):
        with pytest.raises(Conflict):
            again()
    assert len(recorded()) == 1


def test_visits_are_written_every_five_minutes_and_are_no_events(acme, bob, recorded, time_machine, settings):
    time_machine.move_to("2026-11-21T08:00:00Z", tick=False)
    membership = member(acme, bob)
    seen = []
    for minutes in (0, 4, 6):
        time_machine.move_to(f"2026-11-21T08:{minutes:02}:00Z", tick=False)
        record_visit(membership)
        seen.append(member(acme, bob).seen_at.minute)
    assert seen == [0, 0, 6]
    assert recorded() == []
