"""Machines whose clocks differ: what one issues ends with what another revokes (core/clock.py)."""

import logging
import time
from datetime import timedelta

import jwt
import pytest
from django.db import connection
from django.utils import timezone

from clients.actions.clients import revoke_tokens
from consumers.audit import SYSTEM
from core import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def wrong_by(time_machine):
    """Set this machine's clock wrong by so many seconds, as its heartbeat finds out."""

    def set_wrong(seconds):
        time_machine.move_to(timezone.now() + timedelta(seconds=seconds))
        clock.measured(database_time(), time.time(), time.time())

    yield set_wrong
    clock.measured(0.0, 0.0, 0.0)


def database_time():
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        return cursor.fetchone()[0]


@pytest.mark.parametrize("seconds", [-120, -10, 0, 10, 120])
def test_a_token_says_the_database_s_time(program, wrong_by, seconds):
    wrong_by(seconds)
    claims = jwt.decode(program.token().json()["access_token"], options={"verify_signature": False})
    assert abs(claims["iat"] - database_time()) < 5


@pytest.mark.parametrize(("issued", "revoked"), [(120, 0), (0, -120), (120, -120), (-120, 120), (0, 0)])
def test_a_token_never_outlives_its_revocation(program, wrong_by, issued, revoked):
    wrong_by(issued)
    token = program.token().json()["access_token"]
    wrong_by(revoked - issued)
    revoke_tokens(client=program.client, actor=SYSTEM)
    assert program.introspect(token) == {"active": False}
    time.sleep(0.01)
    assert program.introspect(program.token().json()["access_token"])["active"]


@pytest.mark.parametrize(("seconds", "said"), [(-7, "7 s behind"), (7, "7 s ahead of"), (3, None)])
def test_a_clock_that_is_wrong_by_more_than_five_seconds_says_so(wrong_by, caplog, monkeypatch, seconds, said):
    monkeypatch.setattr(clock, "_warned_at", -clock.WARN_EVERY)
    with caplog.at_level(logging.ERROR):
        wrong_by(seconds)
    assert clock.is_wrong() == (said is not None)
    assert (said or "") in caplog.text
    assert bool(caplog.records) == (said is not None)
