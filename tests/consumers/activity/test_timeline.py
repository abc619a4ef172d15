"""Every event that can be recorded is told in a sentence, with where it came from."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from clients.events import ClientEvent
from consumers import audit
from consumers.activity import timeline, vocabulary
from consumers.models import Event, EventName
from core.user_agents import browser_name
from tests.factories import actor_for

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 (KHTML, like Gecko) Safari/604.1"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537 (KHTML, like Gecko) Chrome/142.0 Safari/537 Edg/142.0"

# The names of every room's events; each room's module is loaded by then.
NAMED = [str(name) for names in EventName.__subclasses__() for name in names]


def event(name: str, **fields) -> Event:
    return Event(name=name, actor_label="Alice Martin", actor_kind="person", **({"at": timezone.now()} | fields))


@pytest.mark.parametrize("name", sorted(set(NAMED)))
def test_every_event_has_a_sentence(name):
    """Whatever a room names as an event of its own is registered with its words."""
    assert name in vocabulary.event_names()
    entry = timeline.describe(event(name, target_label="Billing sync"))
    assert entry.sentence.startswith("Alice Martin ")
    assert "{" not in entry.sentence


def test_events_without_a_sentence_are_told_by_name():
    assert timeline.describe(event("thing.happened", target_label="X")).sentence == "Alice Martin thing.happened X"


def test_leaving_is_not_told_as_being_removed(acme, alice):
    entry = timeline.describe(event("manager.removed", actor_id="7", target_id="7", target_label="Alice Martin"))
    assert entry.sentence == "Alice Martin left the workspace"


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ({}, "works until it is revoked"),
        ({"expires": "after_first_use"}, "expires a day after the new one, ••••new2, is first used"),
        ({"expires_at": "2026-11-24T14:00:00+00:00"}, "works until 24 November 2026 at 14:00 UTC"),
        ({"expires_at": "2026-11-21T08:00:00+00:00"}, "stopped working immediately"),
    ],
)
def test_rotation_says_when_the_old_secret_ends(detail, said):
    told = timeline.describe(
        event(
            "client.secret.rotated",
            at=datetime(2026, 11, 21, 8, tzinfo=UTC),
            detail={"hint": "old1", "new_hint": "new2"} | detail,
        )
    )
    assert said in told.detail


@pytest.mark.parametrize(
    ("agent", "name"),
    [(FIREFOX, "Firefox on Linux"), (SAFARI, "Safari on iOS"), (EDGE, "Edge on Windows"), ("\x00odd", ""), ("", "")],
)
def test_user_agents_are_told_in_words(agent, name):
    assert browser_name(agent) == name


def test_timeline_links_clients_that_exist_and_escapes_what_people_typed(acme, alice, service):
    with transaction.atomic():
        for label, target in (("<script>", service), ("gone", service)):
            row = audit.record(ClientEvent.CLIENT_UPDATED, actor=actor_for(alice), consumer=acme, target=target)
            row.target_label = label
            row.target_id = str(service.pk) if label != "gone" else "999999"
            entry = timeline.describe_all([row], acme)
            html = render_to_string("consumers/_timeline.html", {"days": timeline.by_day(entry)})
            assert (service.client_id in html) == (label != "gone")
            assert "<script>" not in html


def test_days_are_headed_by_their_names(time_machine):
    time_machine.move_to(timezone.now(), tick=False)  # the day must not end meanwhile
    today = timezone.localdate()
    assert timeline.day_heading(today).startswith("Today, ")
    assert timeline.day_heading(today - timedelta(days=1)).startswith("Yesterday, ")
    entries = [timeline.describe(event("client.updated", at=timezone.now() - timedelta(days=n))) for n in (0, 0, 400)]
    assert [len(day.entries) for day in timeline.by_day(entries)] == [2, 1]
