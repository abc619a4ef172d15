"""RFC 6749 section 6 and RFC 9700 section 4.14: how long refreshing goes on, for what, and when it ends."""

from datetime import timedelta

import pytest
from django.utils import timezone

from authority.models import RefreshToken, TokenFamily
from authority.tokens import families
from clients.actions.clients import revoke_tokens
from consumers.audit import SYSTEM
from consumers.models import Membership
from tests.authority.authorization.test_sign_in_rules import browser_for, end_user, okta

pytestmark = pytest.mark.django_db


def error(answer):
    assert answer.status_code == 400, answer.content
    return answer.json()["error"]


@pytest.fixture
def patient(flow, time_machine):
    """A flow whose client is forgiven a spent refresh token for ten seconds, which pass only when the test says so."""
    time_machine.move_to(timezone.now(), tick=False)
    flow.program.client.refresh_token_grace = 10
    flow.program.client.save()
    return flow


# -- Scope ------------------------------------------------------------------------------------------------------------


@pytest.mark.compliance("RFC 6749", "6")
def test_narrower_scope_at_one_refresh_gives_nothing_up(flow):
    first = flow.tokens()
    narrow = flow.refresh(first["refresh_token"], scope="openid").json()
    assert narrow["scope"] == "openid"
    assert flow.refresh(narrow["refresh_token"]).json()["scope"] == "openid shipments:read"


# -- Time -------------------------------------------------------------------------------------------------------------


def test_unused_refresh_token_ends_when_its_client_says_so(flow, time_machine):
    flow.program.client.lifespans = {
        "authorization_code_grant_refresh_token_lifespan": 3600,
        "refresh_token_grant_refresh_token_lifespan": 60,
    }
    flow.program.client.save()
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    first, second = flow.tokens()["refresh_token"], flow.tokens()["refresh_token"]
    time_machine.move_to(now + timedelta(minutes=59))
    later = flow.refresh(first).json()["refresh_token"]
    time_machine.move_to(now + timedelta(minutes=59, seconds=58))
    later = flow.refresh(later).json()["refresh_token"]
    time_machine.move_to(now + timedelta(minutes=62))
    assert error(flow.refresh(later)) == "invalid_grant"
    assert error(flow.refresh(second)) == "invalid_grant"


def test_client_cannot_wait_longer_than_the_operator_allows(flow, settings):
    settings.REFRESH_TOKEN_IDLE = 120
    flow.program.client.lifespans = {"authorization_code_grant_refresh_token_lifespan": 10**9}
    flow.program.client.save()
    flow.tokens()
    row = RefreshToken.objects.get()
    assert row.expires_at - row.created_at == timedelta(seconds=120)


@pytest.mark.compliance("RFC 9700", "4.14.2")
@pytest.mark.parametrize("whose", ["setting", "consumer", "api"])
def test_refreshing_ends_at_the_absolute_limit_however_busy_it_is(flow, settings, time_machine, api, whose):
    if whose == "setting":
        settings.REFRESH_TOKEN_MAX = 3600
    else:
        thing = api if whose == "api" else flow.program.client.consumer
        thing.refresh_token_lifetime = 3600
        thing.save()
    now, token = timezone.now(), flow.tokens()["refresh_token"]
    for minutes in (20, 40, 58):
        time_machine.move_to(now + timedelta(minutes=minutes))
        token = flow.refresh(token).json()["refresh_token"]
    end = TokenFamily.objects.get().began_at + timedelta(hours=1)
    assert RefreshToken.objects.order_by("-generation").first().expires_at == end
    time_machine.move_to(now + timedelta(minutes=62))
    assert error(flow.refresh(token)) == "invalid_grant"


def test_limit_that_is_tightened_later_holds_for_those_who_are_in(flow, time_machine):
    token = flow.tokens()["refresh_token"]
    flow.program.client.consumer.refresh_token_lifetime = 60
    flow.program.client.consumer.save()
    time_machine.move_to(timezone.now() + timedelta(seconds=61))
    assert error(flow.refresh(token)) == "invalid_grant"


# -- Grace ------------------------------------------------------------------------------------------------------------


def test_within_the_grace_the_token_just_spent_gives_a_sibling_of_its_successor(patient):
    first = patient.tokens()["refresh_token"]
    second = patient.refresh(first).json()["refresh_token"]
    sibling = patient.refresh(first).json()["refresh_token"]
    assert sibling != second
    assert TokenFamily.objects.count() == 1
    assert patient.refresh(second).status_code == 200


def test_sibling_that_was_not_used_is_a_reuse_once_the_grace_is_over(patient, time_machine):
    now = timezone.now()
    first = patient.tokens()["refresh_token"]
    second = patient.refresh(first).json()["refresh_token"]
    sibling = patient.refresh(first).json()["refresh_token"]
    third = patient.refresh(second).json()["refresh_token"]
    time_machine.move_to(now + timedelta(seconds=11))
    assert error(patient.refresh(sibling)) == "invalid_grant"
    assert error(patient.refresh(third)) == "invalid_grant"
    assert not TokenFamily.objects.alive().exists()


def test_grace_is_over_on_time(patient, time_machine):
    first = patient.tokens()["refresh_token"]
    second = patient.refresh(first).json()["refresh_token"]
    time_machine.move_to(timezone.now() + timedelta(seconds=11))
    assert error(patient.refresh(first)) == "invalid_grant"
    assert error(patient.refresh(second)) == "invalid_grant"


def test_grace_is_for_the_immediate_predecessor_alone(patient):
    first = patient.tokens()["refresh_token"]
    third = patient.refresh(patient.refresh(first).json()["refresh_token"]).json()["refresh_token"]
    assert error(patient.refresh(first)) == "invalid_grant"
    assert error(patient.refresh(third)) == "invalid_grant"


def test_grace_is_given_a_few_times_and_then_refused_without_ending_the_family(patient):
    first = patient.tokens()["refresh_token"]
    second = patient.refresh(first).json()["refresh_token"]
    for _ in range(families.MAX_GRACE_USES):
        assert patient.refresh(first).status_code == 200
    assert error(patient.refresh(first)) == "invalid_grant"
    assert patient.refresh(second).status_code == 200


@pytest.mark.compliance("RFC 7009", "2.1")
def test_there_is_no_grace_after_a_revocation(patient):
    first = patient.tokens()["refresh_token"]
    second = patient.refresh(first).json()["refresh_token"]
    patient.program.revoke(second)
    for token in (first, second):
        assert error(patient.refresh(token)) == "invalid_grant"


# -- People and clients -----------------------------------------------------------------------------------------------


def test_tokens_end_with_the_membership(flow, alice):
    tokens = flow.tokens()
    Membership.objects.filter(user=alice).delete()
    assert not flow.program.introspect(tokens["access_token"])["active"]
    assert not flow.program.introspect(tokens["refresh_token"])["active"]
    assert error(flow.refresh(tokens["refresh_token"])) == "invalid_grant"


def test_end_user_who_was_never_a_member_refreshes(flow, api):
    flow.browser = browser_for(end_user(okta(api)))
    assert flow.refresh(flow.tokens()["refresh_token"]).status_code == 200


def test_revoking_all_tokens_of_the_client_ends_refreshing_and_codes(flow):
    tokens, code = flow.tokens(), flow.code()
    revoke_tokens(client=flow.program.client, actor=SYSTEM)
    assert error(flow.refresh(tokens["refresh_token"])) == "invalid_grant"
    assert error(flow.exchange(code)) == "invalid_grant"
    assert not flow.program.introspect(tokens["access_token"])["active"]
    assert flow.refresh(flow.tokens()["refresh_token"]).status_code == 200
