"""The cache's table in PostgreSQL: it forgets what has expired, and nothing else, however much it holds."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal import cache_table
from portal.worker import PERIODIC_TASKS

pytestmark = pytest.mark.django_db
TOO_MANY = "Too many tries"


def guess(browser):
    answer = browser.post("/account/login/", {"login": "alice@acme.example", "password": "wrong password here"})
    return TOO_MANY in answer.text


def rows():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM portal_cache")
        return cursor.fetchone()[0]


def test_a_limit_of_sign_in_holds_after_a_thousand_other_counters(client, alice):
    assert [guess(client) for _ in range(8)][-1] is True
    for number in range(1200):
        cache.set(f"{number}", [1], 60)
    assert guess(client) is True
    assert cache.get("0") == [1]


def test_what_is_written_costs_one_statement_however_many_rows_there_are():
    with CaptureQueriesContext(connection) as queries:
        cache.set("a", 1)
    assert len(queries) == 1
    assert "COUNT" not in queries[0]["sql"].upper()


def test_a_key_is_added_once_until_it_expires():
    assert cache.add("a", 1) is True
    assert cache.add("a", 2) is False
    assert cache.get("a") == 1
    cache.set("a", 3, -1)
    assert cache.add("a", 4) is True
    assert cache.get("a") == 4


def test_a_key_that_is_touched_lives_on():
    cache.set("a", 1, 1)
    assert cache.touch("a", 600) is True
    assert cache.touch("never-set") is False
    cache.set("always", 1, None)
    cache_table.delete_expired()
    assert cache.get_many(["a", "always"]) == {"a": 1, "always": 1}


def test_the_worker_deletes_what_has_expired_batch_by_batch(monkeypatch):
    monkeypatch.setattr(cache_table, "BATCH", 10)
    for number in range(35):
        cache.set(f"{number}", 1, -1)
    cache.set("alive", 1)
    assert cache_table.delete_expired in PERIODIC_TASKS
    cache_table.delete_expired()
    assert rows() == 1
    assert cache.get("alive") == 1
