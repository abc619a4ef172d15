"""Last use of secrets and trust rules: buffered, and written without slowing the request."""

import re
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authority.telemetry import last_used
from clients.actions.secrets import End, rotate_secret
from consumers.models import Event
from tests.authority.conftest import Program
from tests.factories import actor_for, give_secret

pytestmark = pytest.mark.django_db


def test_use_of_a_secret_is_written_with_time_and_address(program, service):
    begin = timezone.now()
    program.token()
    secret = service.secrets.get()
    assert secret.last_used_at is None
    last_used.flush()
    secret.refresh_from_db()
    service.refresh_from_db()
    assert secret.last_used_at >= begin
    assert secret.last_used_ip == "127.0.0.1"
    assert service.last_used_at == secret.last_used_at


def test_wrong_secret_is_no_use(program, service):
    Program(service, "wrong").token()
    last_used.flush()
    assert service.secrets.get().last_used_at is None


def test_many_uses_are_written_at_once(program, service):
    others = [Program(service, give_secret(service)[1]) for _ in range(3)]
    for each in [program, *others] * 5:
        each.token()
    with CaptureQueriesContext(connection) as statements:
        last_used.flush()
    tables = [re.search(r"UPDATE (clients_\w+)", query["sql"]) for query in statements]
    assert [each[1] for each in tables if each] == ["clients_clientsecret", "clients_trustrule", "clients_client"]
    with CaptureQueriesContext(connection) as statements:
        last_used.flush()
    assert len(statements) == 0


def test_a_use_that_is_written_late_does_not_hide_a_later_one(program, service):
    later = timezone.now() + timedelta(minutes=1)  # another process has written it already
    service.secrets.update(last_used_at=later, last_used_ip="192.0.2.1")
    type(service).objects.update(last_used_at=later)
    program.token()
    last_used.flush()
    service.refresh_from_db()
    secret = service.secrets.get()
    assert (service.last_used_at, secret.last_used_at, secret.last_used_ip) == (later, later, "192.0.2.1")


def test_first_use_of_the_new_secret_ends_the_old_one_a_day_later(program, service, alice):
    old = service.secrets.get()
    _, text = rotate_secret(secret=old, end=End(after_first_use=True), actor=actor_for(alice))
    program.token()
    last_used.flush()
    old.refresh_from_db()
    assert old.expires_at is None
    Program(service, text).token()
    last_used.flush()
    old.refresh_from_db()
    assert timedelta(hours=23, minutes=59) < old.expires_at - timezone.now() <= timedelta(days=1)
    end = old.expires_at
    Program(service, text).token()
    last_used.flush()
    old.refresh_from_db()
    assert old.expires_at == end


def test_an_earlier_end_stays(program, service, alice):
    old = service.secrets.get()
    soon = timezone.now() + timedelta(hours=1)
    _, text = rotate_secret(secret=old, end=End(after_first_use=True), actor=actor_for(alice))
    service.secrets.filter(pk=old.pk).update(expires_at=soon)
    Program(service, text).token()
    last_used.flush()
    old.refresh_from_db()
    assert old.expires_at == soon


def test_secret_overtaken_before_it_was_used_still_ends_what_it_replaced(program, service, alice):
    oldest = service.secrets.get()
    middle, _ = rotate_secret(secret=oldest, end=End(after_first_use=True), actor=actor_for(alice))
    _, text = rotate_secret(secret=middle, end=End(after_first_use=True), actor=actor_for(alice))
    Program(service, text).token()
    last_used.flush()
    assert all(secret.expires_at for secret in service.secrets.exclude(expires_after_use_of=None))
    assert service.secrets.exclude(expires_after_use_of=None).count() == 2


def test_every_secret_that_gets_an_expiry_by_a_first_use_is_recorded(program, service, alice):
    oldest = service.secrets.get()
    middle, _ = rotate_secret(secret=oldest, end=End(after_first_use=True), actor=actor_for(alice))
    _, text = rotate_secret(secret=middle, end=End(after_first_use=True), actor=actor_for(alice))
    for _ in range(2):  # the second use changes nothing
        Program(service, text).token()
        last_used.flush()
    expired = Event.objects.filter(name="client.secret.expiry.changed").order_by("pk")
    ends_at = oldest.client.secrets.get(pk=oldest.pk).expires_at.isoformat()
    assert {event.detail["hint"]: event.detail["expires_at"] for event in expired} == {
        oldest.hint: ends_at,
        middle.hint: ends_at,
    }
    assert len(expired) == 2
    assert {(event.actor_kind, event.consumer, event.target_label) for event in expired} == {
        ("system", service.consumer, str(service))
    }


def test_nothing_is_lost_while_the_database_is_away(program, service, monkeypatch):
    program.token()

    def away(_):
        raise DatabaseError

    with monkeypatch.context() as patch:
        patch.setattr(last_used, "write_secrets", away)
        with pytest.raises(DatabaseError):
            last_used.flush()
    last_used.flush()
    assert service.secrets.get().last_used_at


def test_secret_deleted_meanwhile_harms_nothing(program, service):
    program.token()
    service.delete()
    last_used.flush()
