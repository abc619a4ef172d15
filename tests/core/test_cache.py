"""Caches of rows: filled on demand, bounded, invalidated at once, and stale without a listener."""

import statistics
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authority import client_directory
from authority.keys import signing_keys
from authority.models import SigningKey
from clients.models import Access, Api, ApiClaim, ApiRole, Client, ClientSecret, Scope, TokenHook
from consumers.models import Consumer
from core import cache, notifications
from tests.authority.conftest import Program
from tests.authority.listening import caught_up, eventually
from tests.factories import ClientFactory, give_secret

pytestmark = pytest.mark.django_db(transaction=True)


def is_fresh(client):
    return client_directory.entries.get(client.client_id) is not None


def is_cached(client):
    """Return whether it was not invalidated, be the cache fresh at this very moment or not."""
    return client.client_id in dict(client_directory.entries.items())


def fill(client):
    caught_up()
    eventually(lambda: client_directory.find(client.client_id) and is_fresh(client))


def end_connection_of_listener():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"  # and wait until it has ended
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%clock_timestamp()%'"
        )


# -- Filled on demand -------------------------------------------------------------------------------------------------


def test_second_request_queries_nothing(listening, service):
    _, text = give_secret(service)
    program = Program(service, text)
    program.token()  # makes and opens the key
    fill(service)

    def asks_nothing():
        with CaptureQueriesContext(connection) as statements:
            assert program.token().status_code == 200
        return len(statements) == 0

    eventually(asks_nothing)  # a starved listener makes one more ask


def test_without_a_listener_nothing_is_cached(service):
    client_directory.find(service.client_id)
    assert not is_fresh(service)
    assert len(client_directory.entries) == 0


def test_the_least_recently_used_entry_is_evicted(listening, acme, monkeypatch):
    monkeypatch.setattr(client_directory.entries, "size", 2)
    first, second, third = ClientFactory.create_batch(3, consumer=acme)
    fill(first)
    fill(second)
    fill(first)
    fill(third)
    assert [is_cached(client) for client in (first, second, third)] == [True, False, True]


def test_unknown_clients_are_not_cached(listening):
    for number in range(5):
        assert client_directory.find(f"cl_nobody{number}") is None
    assert len(client_directory.entries) == 0


# -- Invalidated at once ----------------------------------------------------------------------------------------------

CHANGES = {
    "secret made": lambda client: give_secret(client, name="second"),
    "secret revoked": lambda client: client.secrets.update(revoked_at=timezone.now()),
    "secret deleted": lambda client: client.secrets.all().delete(),
    "consumer's claims": lambda client: Consumer.objects.update(claims={"tier": "gold"}),
    "consumer suspended": lambda client: Consumer.objects.update(suspended_at=timezone.now()),
    "disabled": lambda client: Client.objects.filter(pk=client.pk).update(disabled_at=timezone.now()),
    "changed in SQL": lambda client: run("UPDATE clients_client SET scopes = '{}' WHERE id = %s", client.pk),
    "API's algorithm": lambda client: Api.objects.update(signing_algorithm="RS256"),
    "API's role": lambda client: ApiRole.objects.create(api=Api.objects.first(), value="driver", name="Driver"),
    "API's claim": lambda client: ApiClaim.objects.create(api=Api.objects.first(), name="uid", source="user_id"),
    "API's token hook": lambda client: TokenHook.objects.create(api=Api.objects.first(), url="https://h.example.com"),
    "consumer's metadata": lambda client: Consumer.objects.update(metadata={"plan": "gold"}),
    "scope renamed": lambda client: Scope.objects.filter(value="shipments:read").update(value="shipments:see"),
    "access taken": lambda client: Access.objects.first().delete(),
    "scope deleted": lambda client: Scope.objects.first().delete(),
    "API deleted": lambda client: Api.objects.all().delete(),
    "new key": lambda client: signing_keys.ensure_active_key("EdDSA"),
    "key revoked": lambda client: SigningKey.objects.update(state=SigningKey.State.REVOKED),
    "all secrets emptied": lambda client: run("TRUNCATE clients_clientsecret"),
    "all access emptied": lambda client: run("TRUNCATE clients_access"),
    "deleted": lambda client: client.delete(),
}


def run(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def test_a_change_invalidates_the_entry_at_once(listening, service):
    give_secret(service)
    taken = {}
    for name, change in CHANGES.items():
        fill(service)
        change(service)
        taken[name] = eventually(lambda: not is_cached(service))
    assert statistics.median(taken.values()) < 0.1, taken


def test_change_of_one_client_leaves_others_cached(listening, service, acme):
    other = ClientFactory(consumer=acme)
    fill(service)
    fill(other)
    Client.objects.filter(pk=other.pk).update(client_name="Another name")
    caught_up()
    assert not is_cached(other)
    assert is_cached(service)


def test_recording_a_use_invalidates_nothing(listening, service):
    give_secret(service)
    fill(service)
    Client.objects.update(last_used_at=timezone.now())
    ClientSecret.objects.update(last_used_at=timezone.now(), last_used_ip="192.0.2.1")
    caught_up()
    assert is_cached(service)


def test_every_table_of_the_query_notifies_of_its_changes():
    query, _ = client_directory.lookup_statement()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, bit_or(tgtype) FROM pg_trigger WHERE tgname LIKE 'directory_%' GROUP BY 1"
        )
        told = dict(cursor.fetchall())
    asked = {name for name in connection.introspection.table_names() if f'"{name}"' in query.sql}
    insert, delete, update, truncate = 4, 8, 16, 32
    assert asked == set(told)
    assert all(kinds & (delete | update | truncate) == delete | update | truncate for kinds in told.values())
    # A client or consumer that was not there was not remembered either.
    assert {table for table, kinds in told.items() if not kinds & insert} == {"clients_client", "consumers_consumer"}


# -- Never older than a notification ----------------------------------------------------------------------------------


def test_a_row_read_before_a_notification_is_not_cached(listening, service, monkeypatch):
    fetch = client_directory.query_row

    def slow(client_id):
        row = fetch(client_id)
        told = cache.current_generation()
        Client.objects.filter(pk=service.pk).update(disabled_at=timezone.now())
        eventually(lambda: cache.current_generation() > told)
        return row

    monkeypatch.setattr(client_directory, "query_row", slow)
    assert client_directory.find(service.client_id).is_usable  # true when it was asked
    assert not is_cached(service)


def test_uncommitted_rows_are_not_cached(listening, service):
    with transaction.atomic():
        Client.objects.filter(pk=service.pk).update(disabled_at=timezone.now())
        assert not client_directory.find(service.client_id).is_usable
        transaction.set_rollback(True)
    assert not is_fresh(service)
    assert client_directory.find(service.client_id).is_usable


def test_a_wrong_secret_is_looked_up_so_that_a_new_one_works_at_once(listening, service, monkeypatch):
    fill(service)
    monkeypatch.setattr(cache, "invalidate", lambda changed: None)  # the notification does not arrive
    _, text = give_secret(service)
    assert Program(service, text).token().status_code == 200


def test_expiry_is_checked_at_each_use(listening, service, time_machine):
    row, text = give_secret(service)
    row.expires_at = timezone.now() + timedelta(minutes=1)
    row.save()
    Client.objects.filter(pk=service.pk).update(expires_at=timezone.now() + timedelta(hours=1))
    program = Program(service, text)
    program.token()
    fill(service)
    entry = client_directory.find(service.client_id)
    assert entry.secrets[0].is_live()
    assert entry.is_usable
    time_machine.move_to(timezone.now() + timedelta(seconds=61))
    assert not entry.secrets[0].is_live()
    time_machine.move_to(timezone.now() + timedelta(hours=1))
    assert not entry.is_usable


# -- While nobody listens ---------------------------------------------------------------------------------------------


@pytest.fixture
def patient(monkeypatch):
    """Whoever listens from now on does not connect again within the test."""
    monkeypatch.setattr(notifications, "MIN_RETRY_DELAY", 600)


def test_entries_are_stale_a_second_after_the_connection_ended(patient, listening, service, monkeypatch):
    monkeypatch.setattr(cache, "MAX_STALENESS", 1.0)
    eventually(lambda: cache.seconds_until_stale() < cache.MAX_STALENESS)
    fill(service)
    end_connection_of_listener()
    ended = asked = time.monotonic()
    while is_fresh(service):
        assert asked - ended < cache.MAX_STALENESS
        asked = time.monotonic()
    client_directory.find(service.client_id)
    assert not is_fresh(service)


def test_listening_goes_on_after_the_connection_ended(listening, service):
    fill(service)
    end_connection_of_listener()
    eventually(lambda: not is_fresh(service))
    fill(service)
    Client.objects.filter(pk=service.pk).update(disabled_at=timezone.now())
    eventually(lambda: not is_fresh(service))


def test_a_pooler_that_drops_notifications_is_noticed(db, service, monkeypatch, caplog):
    monkeypatch.setattr(notifications, "DELIVERY_TIMEOUT", 0.1)
    monkeypatch.setattr(notifications, "HEARTBEAT", 0.05)
    monkeypatch.setattr(notifications, "CHANNEL", "elsewhere")
    heard = connection.copy()
    heard.connect()
    try:
        with pytest.raises(notifications.NotificationsNotDelivered, match="LISTEN_DATABASE_URL"):
            notifications.verify_delivery(heard.connection)
    finally:
        heard.close()
