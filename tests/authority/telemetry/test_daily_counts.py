"""What is kept of the answers: counts a day, and why requests were refused."""

from datetime import timedelta

import pytest
from django.db import DataError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authority.models import DailyCount, Problem
from authority.telemetry import daily_counts, problem_log, writer
from clients import secrets
from tests.authority.conftest import Program, kept

pytestmark = pytest.mark.django_db


# -- Counts -----------------------------------------------------------------------------------------------------------


def test_issued_and_refused_tokens_are_counted_per_client_and_day(program, service, time_machine):
    time_machine.move_to(timezone.now(), tick=False)  # the day must not end meanwhile
    for _ in range(3):
        program.token()
    program.token(scope="nothing")
    writer.flush()
    Program(service, "wrong").token()
    writer.flush()
    row = service.daily_counts.get()
    assert (row.day, row.issued, row.refused) == (timezone.now().date(), 3, 2)


def test_counts_of_a_round_are_one_statement_however_many_clients(program, stranger):
    program.token()
    stranger.token()
    with CaptureQueriesContext(connection) as statements:
        daily_counts.write_counts({key: [1, 0] for key in daily_counts.pending()})
    assert len(statements) == 1
    assert DailyCount.objects.count() == 2


def test_a_token_request_that_works_writes_nothing(program):
    program.token()
    with CaptureQueriesContext(connection) as statements:
        program.token()
    assert not [query for query in statements if not query["sql"].startswith("SELECT")]


def test_nothing_is_lost_while_the_database_is_away(program, service, monkeypatch):
    program.token()
    program.token(scope="nothing")

    def away(_):
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(problem_log, "write_problems", away)
        with pytest.raises(OperationalError):
            problem_log.flush()
    writer.flush()
    assert service.problems.get().count == 1
    row = service.daily_counts.get()
    assert (row.issued, row.refused) == (1, 1)


def test_what_the_database_refuses_is_not_retried(program, monkeypatch):
    program.token(scope="nothing")

    def refused(_):
        raise DataError

    with monkeypatch.context() as patch:
        patch.setattr(problem_log, "write_problems", refused)
        with pytest.raises(DataError):
            problem_log.flush()
    assert not problem_log.pending()


@pytest.mark.parametrize("ip", [None, "", "unix:", "fe80::1%eth0", "::ffff:192.0.2.1", "not an address"])
def test_odd_addresses_of_callers_are_no_fault(service, ip):
    problem_log.record(service.pk, "x" * 50, "y" * 100, detail={"a": "b"}, error="z" * 100, ip=ip)
    writer.flush()
    assert service.problems.get().count == 1


def test_a_client_that_was_deleted_meanwhile_harms_nothing(program, service):
    program.token(scope="nothing")
    service.delete()
    writer.flush()
    assert not Problem.objects.exists()
    assert not DailyCount.objects.exists()


def test_old_rows_are_deleted(program, service):
    program.token(scope="nothing")
    program.token(scope="else")
    writer.flush()
    old = service.problems.earliest("pk")
    Problem.objects.filter(pk=old.pk).update(last_at=timezone.now() - timedelta(days=31))
    DailyCount.objects.update(day=timezone.now().date() - timedelta(days=401))
    daily_counts.delete_old()
    problem_log.delete_old()
    assert old not in service.problems.all()
    assert service.problems.count() == 1
    assert not DailyCount.objects.exists()


# -- A stranger cannot fill the database ------------------------------------------------------------------------------


def test_the_same_refusal_is_one_row_with_its_count(program, service):
    for _ in range(3):
        program.token(scope="nothing")
    writer.flush()
    first = service.problems.get()
    program.token(scope="nothing")
    writer.flush()
    again = service.problems.get()
    assert (first.count, again.count, again.first_at) == (3, 4, first.first_at)
    assert again.last_at > first.last_at
    assert again.last_ip == "127.0.0.1"


@pytest.mark.parametrize("rounds", [1, 4])
def test_many_different_refusals_of_a_kind_fill_few_rows(program, service, rounds):
    for number in range(40):
        program.token(scope=f"nothing-{number}")
        if number % (40 // rounds) == 0:
            writer.flush()
    writer.flush()
    assert service.problems.count() <= problem_log.MAX_VARIANTS + 1
    assert sum(service.problems.values_list("count", flat=True)) == 40
    assert service.problems.get(detail={}).count >= 30


def test_guesses_of_many_secrets_fill_few_rows(program, service):
    for _ in range(30):
        Program(service, secrets.generate()).token()
    assert len(problem_log.pending()) <= problem_log.MAX_VARIANTS + 1
    writer.flush()
    assert service.problems.count() <= problem_log.MAX_VARIANTS + 1


def test_unknown_clients_leave_nothing(db):
    class Nobody:
        client_id = "cl_nobody"

    Program(Nobody, "wrong").token()
    assert not problem_log.pending()
    assert not daily_counts.pending()


def test_details_are_short_and_on_one_line(program, service):
    program.token(scope="x" * 5000 + " a\u202eb")
    problem = kept(service)["scope_not_granted"]
    assert all(len(value) <= 201 for value in problem.detail["scopes"])
    assert "\u202e" not in str(problem.detail)
