"""What the worker deletes: everything that ended, nothing that still matters."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from oauth2_provider.models import get_grant_model

from authority import tasks
from authority.models import DeviceRequest, OpaqueToken, RefreshToken, RevokedToken, TokenFamily

pytestmark = pytest.mark.django_db


def test_active_tokens_and_revocation_records_stay(flow, program):
    stateless = program.token().json()["access_token"]
    program.revoke(stateless)
    code = flow.code()
    first = flow.exchange(code).json()
    second = flow.refresh(first["refresh_token"]).json()
    tasks.delete_expired()
    assert program.introspect(stateless) == {"active": False}
    assert flow.program.introspect(second["access_token"])["active"]
    flow.exchange(code)  # still known as a replay
    assert not flow.program.introspect(second["access_token"])["active"]


def test_rows_go_in_batches_and_are_found_by_an_index(monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(tasks, "BATCH", 10)
    ended = timezone.now() - timedelta(hours=1)
    RevokedToken.objects.bulk_create(RevokedToken(jti=f"{n}", expires_at=ended) for n in range(25))
    with django_assert_num_queries(7):  # three batches, each found and deleted, and nothing left to find
        tasks.delete_in_batches(RevokedToken.objects.filter(expires_at__lt=timezone.now()))
    assert not RevokedToken.objects.exists()


@pytest.mark.parametrize(
    ("model", "column"),
    [
        (RevokedToken, "expires_at"),
        (OpaqueToken, "expires_at"),
        (DeviceRequest, "expires_at"),
        (TokenFamily, "retain_until"),
    ],
)
def test_what_the_sweep_asks_for_has_an_index(model, column):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = model.objects.filter(**{f"{column}__lt": timezone.now()}).values_list("pk", flat=True)[:5000].explain()
    assert "Index" in plan
    assert column in plan


def test_what_has_ended_is_deleted(flow, program, time_machine):
    program.revoke(program.token().json()["access_token"])
    flow.code()
    flow.refresh(flow.tokens()["refresh_token"])
    time_machine.move_to(timezone.now() + timedelta(days=32))
    tasks.delete_expired()
    for model in (RevokedToken, get_grant_model(), TokenFamily, RefreshToken, OpaqueToken):
        assert not model.objects.exists(), model
