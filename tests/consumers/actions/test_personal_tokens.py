"""Personal access tokens, as the actions create, find and revoke them, each with its event."""

from datetime import timedelta

import pytest
from django.utils import timezone

from consumers.actions import personal_tokens
from consumers.actions.personal_tokens import create_token, find_token, record_use, revoke_token
from consumers.models import PersonalToken
from core.errors import Conflict, Refusal
from tests.factories import actor_for

pytestmark = pytest.mark.django_db


def create(user, **changes):
    given = {
        "user": user,
        "name": "Deployment",
        "scopes": ["clients:read"],
        "expires_at": timezone.now() + timedelta(days=30),
        "actor": actor_for(user),
    }
    return create_token(**(given | changes))


def test_token_is_found_by_its_text_and_recorded_without_it(alice, recorded):
    token, text = create(alice, scopes=["secrets:rotate", "clients:read", "unknown"])
    assert find_token(text) == token
    assert token.scopes == ["clients:read", "secrets:rotate"], "in the order of the table, known ones alone"
    [(name, detail)] = recorded()
    assert name == "person.token.created"
    assert (detail["name"], detail["hint"], detail["scopes"]) == ("Deployment", text[-4:], token.scopes)
    assert text not in str(detail)
    assert text not in str(PersonalToken.objects.values())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"name": "dep\u202eloy"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["unknown"]}, "scopes"),
        ({"expires_at": timezone.now() - timedelta(days=1)}, "expires_at"),
        ({"expires_at": timezone.now() + timedelta(days=400)}, "expires_at"),
    ],
)
def test_what_no_token_can_be_is_refused_at_its_field(alice, changes, field, recorded):
    with pytest.raises(Refusal) as refused:
        create(alice, **changes)
    assert refused.value.field == field
    assert recorded() == []


def test_a_token_reaches_a_workspace_of_its_person_alone(alice, olga, acme, globex, recorded):
    with pytest.raises(Refusal) as refused:
        create(alice, consumer=globex)
    assert refused.value.field == "consumer"
    assert recorded() == []
    assert create(alice, consumer=acme)[0].consumer == acme
    assert create(olga, consumer=globex)[0].consumer == globex, "operators reach every workspace"


def test_a_person_has_a_bounded_number_of_live_tokens(alice, monkeypatch):
    monkeypatch.setattr(personal_tokens, "MAX_LIVE", 2)
    first, _ = create(alice)
    create(alice)
    with pytest.raises(Conflict, match="2 active tokens"):
        create(alice)
    revoke_token(token=first, actor=actor_for(alice))
    create(alice)


def test_revoked_token_is_found_no_more_and_revoked_once(alice, recorded):
    token, text = create(alice)
    revoke_token(token=token, actor=actor_for(alice))
    assert find_token(text) is None
    with pytest.raises(Conflict, match="revoked already"):
        revoke_token(token=token, actor=actor_for(alice))
    assert [name for name, _ in recorded()] == ["person.token.created", "person.token.revoked"]


def test_tokens_of_people_who_are_out_or_that_have_expired_are_not_found(alice, time_machine):
    _, text = create(alice)
    type(alice).objects.filter(pk=alice.pk).update(is_active=False)
    assert find_token(text) is None
    type(alice).objects.filter(pk=alice.pk).update(is_active=True)
    assert find_token(text) is not None
    PersonalToken.objects.update(expires_at=timezone.now())
    assert find_token(text) is None


def test_uses_are_written_every_minute_and_are_no_events(alice, recorded, time_machine):
    time_machine.move_to("2026-11-21T08:00:00Z", tick=False)
    token, _ = create(alice)
    used = []
    for second, ip in ((0, "192.0.2.1"), (59, "192.0.2.2"), (61, "192.0.2.3")):
        time_machine.move_to(f"2026-11-21T08:{second // 60:02}:{second % 60:02}Z", tick=False)
        record_use(PersonalToken.objects.get(pk=token.pk), ip)
        used.append(PersonalToken.objects.get(pk=token.pk).last_used_ip)
    assert used == ["192.0.2.1", "192.0.2.1", "192.0.2.3"]
    assert len(recorded()) == 1
