"""The page on which managers give roles in APIs."""

import re

import pytest

from clients.actions.roles import set_roles
from clients.models import ApiRole, RoleGrant
from consumers.audit import SYSTEM
from tests.forms import Forms

pytestmark = pytest.mark.django_db


@pytest.fixture
def roles(api, acme_access):
    ApiRole.objects.create(api=api, value="dispatcher", name="Dispatcher", description="Plans tours.")
    ApiRole.objects.create(api=api, value="driver", name="Driver", managers_may_give=True)
    return {role.value: role for role in api.roles.all()}


def address(acme, user):
    return f"/consumers/acme/people/{acme.memberships.get(user=user).pk}/roles/"


def held(user):
    return sorted(f"{grant.source} {grant.role}" for grant in RoleGrant.objects.filter(user=user))


def test_manager_gives_and_takes_what_the_operator_allows(browser_of, alice, bob, acme, roles):
    browser, path = browser_of(alice), address(acme, bob)
    page = browser.get(path).text
    assert "Plans tours." in page
    assert "The operator alone gives it." in page
    answer = browser.post(path, {"roles": [str(roles["driver"].pk)]}, follow=True)
    assert "The roles of Bob Young are saved" in answer.text
    assert "<b>Driver</b>" in answer.text
    assert held(bob) == ["manager driver"]
    browser.post(path, {})
    assert held(bob) == []


def test_a_role_that_managers_may_not_give_is_refused_to_a_forged_form(browser_of, alice, bob, acme, roles):
    answer = browser_of(alice).post(address(acme, bob), {"roles": [str(roles["dispatcher"].pk)]})
    assert (answer.status_code, held(bob)) == (422, [])
    for odd in ("x", "0", "9" * 30, "-1"):
        assert browser_of(alice).post(address(acme, bob), {"roles": [odd]}).status_code == 422


def test_what_others_gave_is_shown_and_stays(browser_of, alice, bob, acme, api, roles):
    both = list(roles.values())
    for source, given in (("operator", both), ("manager", [roles["driver"]])):
        consumer = acme if source == "manager" else None
        set_roles(api=api, user=bob, roles=given, source=source, consumer=consumer, actor=SYSTEM)
    browser, path = browser_of(alice), address(acme, bob)
    page = browser.get(path)
    assert page.text.count("Given by the operator.") == 2
    assert not any("roles" in form.sent for form in Forms(page.text).found)  # what is disabled, no browser sends
    assert "Save roles" not in page.text
    browser.post(path, {})
    assert held(bob) == ["manager driver", "operator dispatcher", "operator driver"]


def test_viewers_see_their_own_and_change_nothing(browser_of, bob, alice, acme, roles):
    browser = browser_of(bob)
    page = browser.get(address(acme, bob))
    assert page.status_code == 200
    assert "Save roles" not in page.text
    assert browser.get(address(acme, alice)).status_code == 403
    assert browser.post(address(acme, bob), {"roles": [str(roles["driver"].pk)]}).status_code == 403
    assert held(bob) == []


def test_roles_of_apis_that_the_workspace_may_not_use_are_not_offered(browser_of, mallory, globex, roles):
    member = globex.memberships.get(user=mallory)
    page = browser_of(mallory).get(f"/consumers/globex/people/{member.pk}/roles/").text
    assert "None of the APIs that Globex may use has roles." in page
    assert "Roles in APIs" not in browser_of(mallory).get(f"/consumers/globex/people/{member.pk}/").text


def test_activity_tells_who_gave_what(browser_of, alice, bob, acme, roles):
    browser = browser_of(alice)
    browser.post(address(acme, bob), {"roles": [str(roles["driver"].pk)]})
    page = " ".join(re.sub("<[^>]+>", "", browser.get("/consumers/acme/activity/?what=people").text).split())
    assert "changed the roles of Bob Young in the API Shipments" in page
    assert "Added driver" in page
