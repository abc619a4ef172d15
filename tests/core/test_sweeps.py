"""Old rows are deleted a few at a time, each batch in a transaction of its own, by any number of workers."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import sweeps
from core.models import Message
from core.sweeps import delete_in_batches

pytestmark = pytest.mark.django_db
OLD = timezone.now() - timedelta(days=40)


def mails(count, **columns):
    return Message.objects.bulk_create(
        Message(recipients="a@acme.example", created_at=OLD, **columns) for _ in range(count)
    )


@pytest.fixture(autouse=True)
def few_at_a_time(monkeypatch):
    monkeypatch.setattr(sweeps, "FEWEST", 10)
    monkeypatch.setattr(sweeps, "MOST", 10)
    monkeypatch.setattr(sweeps, "PAUSE", 0)


def test_all_rows_go_in_batches_though_they_are_of_the_same_moment():
    mails(25)
    with CaptureQueriesContext(connection) as captured:
        assert delete_in_batches(Message.objects.all(), "created_at") == 25
    deletions = [query["sql"] for query in captured if query["sql"].startswith("DELETE")]
    assert [sql.count(",") + 1 for sql in deletions] == [10, 10, 5]
    assert not Message.objects.exists()


def test_rows_that_stay_are_looked_at_once():
    mails(25, state="waiting")
    mails(5, state="sent")
    with CaptureQueriesContext(connection) as captured:
        assert delete_in_batches(Message.objects.all(), "created_at", ended=~Q(state="waiting")) == 5
    assert Message.objects.count() == 25
    looks = [query["sql"] for query in captured if query["sql"].startswith("SELECT") and "LIMIT" in query["sql"]]
    assert len(looks) == 4  # three batches of ten, and none left


@pytest.mark.django_db(transaction=True)
def test_rows_that_another_worker_has_locked_are_left_to_it():
    kept, *_ = mails(15)
    deleted = []

    def sweep():
        deleted.append(delete_in_batches(Message.objects.all(), "created_at"))
        connections.close_all()

    with transaction.atomic():
        Message.objects.select_for_update().get(pk=kept.pk)
        other = threading.Thread(target=sweep)
        other.start()
        other.join(20)
    assert deleted == [14]
    assert Message.objects.get() == kept


@pytest.mark.django_db(transaction=True)
def test_two_workers_delete_all_and_neither_waits_or_fails():
    mails(300)
    deleted = []

    def sweep():
        deleted.append(delete_in_batches(Message.objects.all(), "created_at"))
        connections.close_all()

    workers = [threading.Thread(target=sweep) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert len(deleted) == 2
    assert not Message.objects.exists()


def test_a_batch_that_took_long_makes_the_next_smaller(monkeypatch):
    monkeypatch.setattr(sweeps, "MOST", 1_000)
    monkeypatch.setattr(sweeps, "AIM", 3600.0)
    mails(70)
    with CaptureQueriesContext(connection) as captured:
        delete_in_batches(Message.objects.all(), "created_at")
    deletions = [query["sql"] for query in captured if query["sql"].startswith("DELETE")]
    assert [sql.count(",") + 1 for sql in deletions] == [10, 20, 40]  # faster than it may be: twice as many
    monkeypatch.setattr(sweeps, "AIM", 0.0)
    mails(30)
    with CaptureQueriesContext(connection) as captured:
        delete_in_batches(Message.objects.all(), "created_at")
    deletions = [query["sql"] for query in captured if query["sql"].startswith("DELETE")]
    assert [sql.count(",") + 1 for sql in deletions] == [10, 10, 10]


def test_a_row_that_is_renewed_meanwhile_stays(monkeypatch):
    kept, *_ = mails(3)
    delete = sweeps._delete

    def renewed(rows):
        Message.objects.filter(pk=kept.pk).update(created_at=timezone.now())
        return delete(rows)

    monkeypatch.setattr(sweeps, "_delete", renewed)
    assert (
        delete_in_batches(Message.objects.filter(created_at__lt=timezone.now() - timedelta(days=1)), "created_at") == 2
    )
    assert Message.objects.get() == kept
