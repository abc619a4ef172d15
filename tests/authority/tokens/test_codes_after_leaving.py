"""A code that waits while its person leaves: what ends with a sign-in does not begin after it."""

import pytest

from consumers.models import Membership
from tests.authority.authorization.test_sign_in_rules import browser_for, end_user, okta
from tests.authority.conftest import kept
from tests.authority.endpoints.test_rfc8628_device_grant import device, terminal  # noqa: F401  # fixtures

pytestmark = pytest.mark.django_db


def refused(answer):
    return answer.status_code == 400 and answer.json()["error"] == "invalid_grant"


def sign_out(browser):
    browser.post("/oauth2/logout/decision")


def test_code_of_a_member_is_worth_nothing_after_the_membership(flow, alice):
    code = flow.code()
    Membership.objects.filter(user=alice).delete()
    assert refused(flow.exchange(code))
    assert "sign_in_over" in kept(flow.program.client)


def test_device_that_a_member_let_in_gets_nothing_after_the_membership(device, alice):  # noqa: F811
    device.begin()
    device.decide()
    Membership.objects.filter(user=alice).delete()
    assert device.error() == "invalid_grant"


def test_end_user_who_was_never_a_member_still_signs_in(flow, device, api):  # noqa: F811
    flow.browser = browser_for(end_user(okta(api)))
    assert flow.exchange(flow.code()).status_code == 200
    device.begin()
    device.browser = flow.browser
    device.decide()
    assert device.poll().status_code == 200


def test_tokens_of_a_code_end_with_the_membership_that_it_was_given_to(flow, alice, acme):
    tokens = flow.tokens()
    Membership.objects.filter(user=alice).delete()
    assert refused(flow.refresh(tokens["refresh_token"]))


@pytest.mark.compliance("OpenID Connect Back-Channel Logout", "2.7")
def test_code_of_a_session_is_worth_nothing_after_signing_out(flow):
    code = flow.code()
    sign_out(flow.browser)
    assert refused(flow.exchange(code))


@pytest.mark.compliance("OpenID Connect Back-Channel Logout", "2.7")
def test_code_for_access_while_the_person_is_away_outlives_the_session(flow):
    flow.program.client.scopes += ["offline_access"]
    flow.program.client.save()
    flow.request["scope"] = "openid offline_access"
    code = flow.code()
    sign_out(flow.browser)
    assert flow.exchange(code).status_code == 200


def test_device_outlives_the_session_in_which_it_was_let_in(device):  # noqa: F811
    device.begin()
    device.decide()
    sign_out(device.browser)
    assert device.poll().status_code == 200
