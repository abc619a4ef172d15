"""The operators' pages of roles and claims."""

import json
import re
from html import unescape

import pytest

from clients.models import ApiClaim, ApiRole, RoleGrant
from tests.clients.admin.test_apis import api_form
from tests.clients.admin_helpers import events, page
from tests.forms import save

GRANTS = "/operators/clients/rolegrant/"


@pytest.fixture
def operator(browser_of, olga):
    return browser_of(olga)


@pytest.fixture
def driver(api):
    return ApiRole.objects.create(api=api, value="driver", name="Driver")


def tables(roles=(), claims=(), **fields):
    form = api_form(description="", access_token_lifetime="3600", **fields)
    for name, rows in (("roles", roles), ("claims", claims)):
        form |= {f"{name}-TOTAL_FORMS": len(rows), f"{name}-INITIAL_FORMS": sum("id" in row for row in rows)}
        for number, row in enumerate(rows):
            form |= {f"{name}-{number}-{field}": value for field, value in row.items()}
    return form


def test_operator_defines_roles_and_claims_on_the_api_s_page(operator, api):
    roles = [{"value": "driver", "name": "Driver", "description": "Sees tours.", "managers_may_give": "on"}]
    claims = [
        {"name": "tier", "source": "metadata", "argument": " plan.tier ", "consent": ""},
        {"name": "text", "source": "constant", "argument": "gold", "consent": ""},
        {"name": "number", "source": "constant", "argument": "7", "consent": ""},
        {"name": "list", "source": "constant", "argument": '["a", "7"]', "consent": ""},
        {"name": "quoted", "source": "constant", "argument": '"7"', "consent": ""},
        {"name": "mail", "source": "email", "argument": "", "consent": "Your email"},
    ]
    answer = save(operator, page(api), tables(roles, claims))
    assert answer.status_code == 302, answer.text
    assert api.roles.get().managers_may_give
    assert {claim.name: claim.argument for claim in api.claims.all()} == {
        "tier": "plan.tier",
        "text": "gold",
        "number": 7,
        "list": ["a", "7"],
        "quoted": "7",
        "mail": None,
    }
    shown = operator.get(page(api)).text
    for typed in ("plan.tier", "gold", 'value="7"', "[&quot;a&quot;, &quot;7&quot;]", "&quot;7&quot;"):
        assert typed in shown


def test_saving_the_page_untouched_changes_nothing(operator, api, driver):
    ApiClaim.objects.create(api=api, name="quoted", source="constant", value="7")
    ApiClaim.objects.create(api=api, name="mail", source="email", consent="Your email")
    quoted, mail = api.claims.order_by("id")
    rows = [
        {"id": quoted.pk, "api": api.pk, "name": "quoted", "source": "constant", "argument": '"7"', "consent": ""},
        {"id": mail.pk, "api": api.pk, "name": "mail", "source": "email", "argument": "", "consent": "Your email"},
        {"name": "", "source": "user_id", "argument": "", "consent": ""},  # the row that is offered
    ]
    roles = [{"id": driver.pk, "api": api.pk, "name": "Driver", "description": ""}]
    assert save(operator, page(api), tables(roles, rows)).status_code == 302
    assert events("api.roles.changed", "api.claims.changed") == []


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"name": "sub", "source": "user_id"}, "Rename sub"),
        ({"name": "tier", "source": "metadata", "argument": ""}, "names of members joined by dots"),
        ({"name": "tier", "source": "constant", "argument": ""}, "Write the value"),
        ({"name": "tier", "source": "email", "argument": "x"}, "has no path"),
        ({"name": "tier", "source": "elsewhere", "argument": ""}, "Select a valid choice"),
    ],
)
def test_a_claim_that_is_refused_is_told_in_its_row(operator, api, row, told):
    answer = save(operator, page(api), tables(claims=[{"argument": "", "consent": ""} | row]))
    assert told in answer.text
    assert not ApiClaim.objects.exists()


def test_a_role_in_use_is_not_deleted(operator, api, driver, bob):
    RoleGrant.objects.create(role=driver, user=bob, source="operator")
    row = {"id": driver.pk, "api": api.pk, "name": "Driver", "description": "", "DELETE": "on"}
    assert "1 person has it" in save(operator, page(api), tables([row])).text
    assert f"{GRANTS}?role={driver.pk}" in operator.get(page(api)).text


def test_operator_gives_a_role_and_takes_it(operator, driver, bob, acme):
    given = {"email": "BOB@acme.example", "role": driver.pk, "consumer": "acme"}
    assert operator.post(GRANTS + "add/", given).status_code == 302
    grant = RoleGrant.objects.get()
    assert (grant.user, grant.consumer, grant.source, grant.membership.user) == (bob, acme, "operator", bob)
    listed = operator.get(f"{GRANTS}?role={driver.pk}").text
    assert "bob@acme.example" in listed
    assert "bob@acme.example" in operator.get(f"{GRANTS}?q=bob").text
    assert operator.get(page(grant)).status_code == 200
    again = operator.post(GRANTS + "add/", given, follow=True).text
    assert "has this role there already" in again
    assert "in the next token" in operator.get(f"{GRANTS}{grant.pk}/delete/").text
    operator.post(f"{GRANTS}{grant.pk}/delete/", {"post": "yes"})
    assert not RoleGrant.objects.exists()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"email": "nobody@example.com"}, "Nobody here has this address"),
        ({"consumer": "no-such"}, "There is no consumer of this short name"),
        ({"role": "0"}, "Select a valid choice"),
    ],
)
def test_what_is_unknown_is_told(operator, driver, bob, acme, changed, told):
    answer = operator.post(GRANTS + "add/", {"email": bob.email, "role": driver.pk, "consumer": ""} | changed)
    assert told in answer.text.replace("&#x27;", "'")
    assert not RoleGrant.objects.exists()


def test_nothing_is_changed_in_place(operator, driver, bob, mallory):
    grant = RoleGrant.objects.create(role=driver, user=bob, source="operator")
    operator.post(page(grant), {"email": mallory.email, "role": driver.pk})
    grant.refresh_from_db()
    assert grant.user == bob


def test_the_page_shows_what_the_next_token_says(operator, api, driver):
    ApiClaim.objects.create(api=api, name="contract", source="constant", value={"version": 2})
    ApiClaim.objects.create(api=api, name="authorities", source="roles")
    shown = re.search(r"<pre[^>]*><code>(.*?)</code>", operator.get(page(api)).text, re.S)
    content = json.loads(unescape(shown[1]))
    assert (content["aud"], content["roles"], content["authorities"]) == (api.identifier, ["driver"], ["driver"])
    assert content["contract"] == {"version": 2}


def test_an_api_without_roles_and_claims_has_no_preview(operator, api):
    assert "preview-title" not in operator.get(page(api)).text
