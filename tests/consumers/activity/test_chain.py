# ruff: noqa: S608  # statements are put together of the names and numbers of this file
"""The chain over the audit record: whatever is changed behind the product's back is named."""

import random
from hashlib import sha256

import pytest
from django.db import DatabaseError, connection, transaction

from consumers import audit
from consumers.actions.sealing import seal_events
from consumers.activity import chain, verification
from consumers.activity.chain import Head
from consumers.audit import SYSTEM
from consumers.events import ConsumerEvent
from consumers.models import Event, EventSeal, UnsealedEvent

pytestmark = pytest.mark.django_db


def record(consumer=None, **detail):
    with transaction.atomic():
        return audit.record(ConsumerEvent.CONSUMER_UPDATED, actor=SYSTEM, consumer=consumer, detail=detail)


def seal_all():
    while seal_events():
        pass


@pytest.fixture
def events(acme, globex):
    """Twelve events that are sealed, of two consumers and of none."""
    made = [record(consumer, n=n) for n, consumer in enumerate([acme, globex, None] * 4)]
    seal_all()
    return made


def problems(expiry=None, heads=()):
    start = verification.anchor(expiry)
    found = list(start.problems)
    for step in verification.steps(verification.end()):
        found += verification.verify_seals(step, start)
    for step in verification.event_steps(verification.events()):
        found += verification.verify_events(step)
    return found + verification.verify_erasures() + verification.verify_heads(heads, start)


def named(found):
    return [(problem.kind, problem.event) for problem in found]


def owner(*statements):
    """Run statements as whoever owns the database may, with no trigger in the way."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = origin")


def position_of(event):
    return EventSeal.objects.get(event_id=event.pk).position


# -- What is right ----------------------------------------------------------------------------------------------------


def test_events_wait_until_they_are_sealed(acme):
    event = record(acme)
    assert UnsealedEvent.objects.filter(pk=event.pk).exists()
    assert problems() == []
    seal_all()
    assert not UnsealedEvent.objects.exists()
    assert EventSeal.objects.filter(event_id=event.pk, consumer_id=acme.pk).count() == 1


def test_untouched_record_has_no_problem(events):
    assert problems(heads=[chain.head()]) == []


def test_chain_can_be_verified_by_the_documented_rule_alone(events, acme):
    """What docs/activity.md says, without the product's code."""
    before, of_acme = bytes(32), bytes(32)
    for seal in EventSeal.objects.order_by("position"):
        digest, consumer_hash = bytes(seal.digest), bytes(seal.consumer_hash or b"")
        if seal.consumer_id == acme.pk:
            of_acme = sha256(of_acme + digest).digest()
            assert consumer_hash == of_acme
        before = sha256(before + digest + consumer_hash).digest()
        assert bytes(seal.hash) == before
    assert chain.head() == Head(EventSeal.objects.count(), before)


def test_every_column_of_an_event_is_in_its_digest():
    columns = {field.column for field in Event._meta.concrete_fields}
    assert {column for column in columns if f"event.{column}" not in chain.DIGEST} == set()


def test_sealing_in_batches_and_verifying_in_steps_changes_nothing(events, acme, monkeypatch):
    monkeypatch.setattr("consumers.actions.sealing.BATCH", 5)
    monkeypatch.setattr(verification, "STEP", 4)
    for n in range(7):
        record(acme, n=n)
    seal_all()
    assert EventSeal.objects.count() == Event.objects.count()
    assert problems() == []


# -- What is wrong ----------------------------------------------------------------------------------------------------

COLUMNS = {
    "at": "at - interval '1 microsecond'",
    "name": "'client.deleted'",
    "actor_kind": "'person'",
    "actor_id": "'x'",
    "actor_label": "'Somebody else'",
    "consumer_id": "NULL",
    "target_kind": "'client'",
    "target_id": "'x'",
    "target_label": "'x'",
    "detail": "detail || '{\"more\": 1}'",
    "ip": "'192.0.2.1'",
    "user_agent": "'x'",
    "request_id": "'x'",
    "salt": "gen_random_uuid()",
    "erased_by": "NULL",
}


@pytest.mark.parametrize("column", COLUMNS)
def test_changed_column_of_an_event_is_named(events, column):
    event = events[3]
    owner(f"UPDATE consumers_event SET {column} = {COLUMNS[column]} WHERE id = {event.pk}")
    assert set(named(problems())) == (set() if column == "erased_by" else {("changed", event.pk)})


def test_removed_event_is_named(events):
    owner(f"DELETE FROM consumers_event WHERE id = {events[5].pk}")
    assert named(problems()) == [("removed", events[5].pk)]


def test_inserted_event_is_named(events):
    owner(
        "INSERT INTO consumers_event (at, name, actor_kind, actor_id, actor_label, target_kind, target_id, "
        "target_label, detail, user_agent, request_id) SELECT at, name, 'person', actor_id, actor_label, target_kind, "
        f"target_id, target_label, detail, user_agent, request_id FROM consumers_event WHERE id = {events[5].pk}"
    )
    assert named(problems()) == [("inserted", Event.objects.first().pk)]


def test_swapped_events_are_named(events):
    one, other = events[2].pk, events[7].pk
    owner(
        f"UPDATE consumers_event SET id = -1 WHERE id = {one}",
        f"UPDATE consumers_event SET id = {one} WHERE id = {other}",
        f"UPDATE consumers_event SET id = {other} WHERE id = -1",
    )
    assert named(problems()) == [("changed", one), ("changed", other)]


def test_swapped_seals_are_named(events):
    one, other = position_of(events[2]), position_of(events[7])
    owner(
        f"UPDATE consumers_eventseal SET position = -1 WHERE position = {one}",
        f"UPDATE consumers_eventseal SET position = {one} WHERE position = {other}",
        f"UPDATE consumers_eventseal SET position = {other} WHERE position = -1",
    )
    assert ("broken", events[7].pk) in named(problems())


def test_event_removed_with_its_seal_leaves_a_gap(events):
    position = position_of(events[5])
    owner(
        f"DELETE FROM consumers_event WHERE id = {events[5].pk}",
        f"DELETE FROM consumers_eventseal WHERE position = {position}",
    )
    (problem,) = problems()
    assert (problem.kind, problem.position) == ("missing", position)
    assert problem.text == f"Position {position} is missing from the chain."


def test_changed_event_with_a_new_seal_breaks_the_chain_behind_it(events):
    event = events[4]
    owner(
        f"UPDATE consumers_event SET actor_label = 'x' WHERE id = {event.pk}",
        f"UPDATE consumers_eventseal SET digest = {chain.DIGEST} FROM consumers_event event "
        f"WHERE event_id = event.id AND event.id = {event.pk}",
    )
    assert ("broken", event.pk) in named(problems())


def test_beginning_that_is_gone_is_named(events):
    last = position_of(events[3])
    owner(
        f"DELETE FROM consumers_event WHERE id <= {events[3].pk}",
        f"DELETE FROM consumers_eventseal WHERE position <= {last}",
    )
    assert problems()[0].text == f"Positions 1 to {last} are missing, and no signed head stands for them."


def rewrite():
    """Compute the whole chain again, as somebody would who changes the record with care."""
    before, of_consumers = chain.GENESIS, {}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            f"SELECT position, seal.consumer_id, {chain.DIGEST} FROM consumers_eventseal seal "
            "JOIN consumers_event event ON event.id = event_id ORDER BY position"
        )
        for position, consumer, digest in cursor.fetchall():
            consumer_hash = None
            if consumer:
                consumer_hash = chain.consumer_link(of_consumers.get(consumer, chain.GENESIS), digest)
                of_consumers[consumer] = consumer_hash
            before = chain.link(before, digest, consumer_hash)
            cursor.execute(
                "UPDATE consumers_eventseal SET digest = %s, consumer_hash = %s, hash = %s WHERE position = %s",
                [digest, consumer_hash, before, position],
            )
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_rewritten_chain_disagrees_with_a_head_that_was_kept(events):
    pinned = chain.head()
    owner(f"UPDATE consumers_event SET actor_label = 'x' WHERE id = {events[4].pk}")
    rewrite()
    assert problems() == []
    assert [problem.kind for problem in problems(heads=[pinned])] == ["rewritten"]


def test_end_that_is_cut_off_disagrees_with_a_head_that_was_kept(events):
    pinned = chain.head()
    owner(
        f"DELETE FROM consumers_event WHERE id >= {events[9].pk}",
        f"DELETE FROM consumers_eventseal WHERE position >= {position_of(events[9])}",
    )
    assert problems() == []
    assert [problem.kind for problem in problems(heads=[pinned])] == ["truncated"]


def test_event_that_is_changed_and_sent_to_be_sealed_again_is_named(events):
    owner(
        f"UPDATE consumers_event SET actor_label = 'x' WHERE id = {events[4].pk}",
        f"INSERT INTO consumers_unsealedevent VALUES ({events[4].pk})",
    )
    seal_all()
    assert named(problems()) == [("sealed_again", events[4].pk)]


def test_event_that_claims_to_be_erased_is_named(events):
    """Neither an erasure that never was, nor one of fewer events, excuses a change."""
    owner(
        f"UPDATE consumers_event SET actor_label = 'x', erased_by = {events[1].pk} WHERE id = {events[4].pk}",
        f"INSERT INTO consumers_unsealedevent VALUES ({events[4].pk})",
    )
    seal_all()
    assert named(problems()) == [("erased", events[1].pk)]


def test_any_changed_byte_of_any_seal_is_noticed(events):
    chosen = random.Random(5)  # noqa: S311
    for column in ("digest", "consumer_hash", "hash"):
        seals = EventSeal.objects.exclude(**{column: None}).values_list("position", flat=True)
        position, byte = chosen.choice(list(seals)), chosen.randrange(32)
        with transaction.atomic():
            owner(
                f"UPDATE consumers_eventseal SET {column} = set_byte({column}, {byte}, "
                f"get_byte({column}, {byte}) # 1) WHERE position = {position}"
            )
            assert problems() != [], column
            transaction.set_rollback(True)
    assert problems() == []


# -- What the database refuses ----------------------------------------------------------------------------------------

REFUSED = [
    "UPDATE consumers_event SET actor_label = 'x'",
    "DELETE FROM consumers_event",
    "UPDATE consumers_eventseal SET digest = hash",
    "DELETE FROM consumers_eventseal",
    "UPDATE consumers_signedhead SET position = 0",
    "DELETE FROM consumers_signedhead",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_change_is_refused(events, statement):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO consumers_signedhead (kind, position, hash, signed_at, token) "
            "VALUES ('daily', 1, '', now(), '')"
        )
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(statement)


@pytest.mark.parametrize("table", ["event", "eventseal", "signedhead"])
def test_truncate_is_refused(events, table):
    trigger = {"event": "event", "eventseal": "event_seal", "signedhead": "signed_head"}[table]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE consumers_{table} ENABLE TRIGGER {trigger}_no_truncate")  # as migrations leave it
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(f"TRUNCATE consumers_{table}")
