"""What the worker deletes: everything that ended, nothing that still matters."""

from datetime import timedelta

import pytest
from django.utils import timezone
from oauth2_provider.models import get_grant_model

from authority import tasks
from authority.models import OpaqueToken, RefreshToken, RevokedToken, TokenFamily

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


def test_what_has_ended_is_deleted(flow, program, time_machine):
    program.revoke(program.token().json()["access_token"])
    flow.code()
    flow.refresh(flow.tokens()["refresh_token"])
    time_machine.move_to(timezone.now() + timedelta(days=32))
    tasks.delete_expired()
    for model in (RevokedToken, get_grant_model(), TokenFamily, RefreshToken, OpaqueToken):
        assert not model.objects.exists(), model
