"""No request of a directory reads, compares or writes without bounds."""

import time
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from connections import policy
from connections.models import DirectoryGroup, DirectoryUser
from connections.scim import filters
from consumers.models import Membership, User
from tests.connections.scim.conftest import GROUP, PATCH, USER
from tests.factories import actor_for
from tests.linear_time.timing import UNITS, long

pytestmark = pytest.mark.django_db


def people(directory, number):
    return DirectoryUser.objects.bulk_create(
        DirectoryUser(
            directory=directory,
            user_name=f"p{each}@acme.example",
            external_id=f"p{each}",
            active=False,
            emails=[{"value": f"p{each}@acme.example"}],
            searched_emails=[{"value": f"p{each}@acme.example"}],
        )
        for each in range(number)
    )


def statements(asked):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        asked()
    return len(captured)


def test_a_page_of_a_hundred_asks_as_often_as_one_of_two(scim):
    rows = people(scim.directory, 100)
    group = DirectoryGroup.objects.create(directory=scim.directory, display_name="All")
    group.members.add(*rows)
    scim.get("/Users")
    for path in ("/Users", "/Groups"):
        few = statements(lambda path=path: scim.get(path, count=2))
        many = statements(lambda path=path: scim.get(path, count=100))
        assert few == many <= 6, path


def test_a_page_has_at_most_two_hundred(scim):
    people(scim.directory, 210)
    body = scim.get("/Users", count=1000).json()
    assert (body["totalResults"], body["itemsPerPage"]) == (210, 200)


def test_a_page_of_groups_ends_where_they_have_too_many_members(scim, monkeypatch):
    from connections.scim import storage

    monkeypatch.setattr(storage, "MAX_MEMBERS", 5)
    rows = people(scim.directory, 4)
    for name in "ABC":
        DirectoryGroup.objects.create(directory=scim.directory, display_name=name).members.add(*rows)
    first = scim.get("/Groups").json()
    assert (first["totalResults"], first["itemsPerPage"]) == (3, 1)
    assert scim.get("/Groups", startIndex=2).json()["Resources"][0]["displayName"] == "B"
    assert scim.get("/Groups", excludedAttributes="members").json()["itemsPerPage"] == 3


@pytest.mark.parametrize(
    ("what", "index"),
    [
        ('userName eq "p5@acme.example"', "directory_user_name_once"),
        ('externalId eq "p5"', "directory_user_external"),
        ('emails.value eq "p5@acme.example"', "directory_user_emails"),
    ],
)
def test_searches_of_identity_providers_use_an_index(scim, what, index):
    from scim2_models import SearchRequest

    from connections.scim.provider import User as Resource

    people(scim.directory, 3000)
    node = SearchRequest[Resource](filter=what).filter.ast
    found = DirectoryUser.objects.filter(directory=scim.directory).filter(filters.condition(node, "User"))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE connections_directoryuser")
        assert index in found.order_by().explain()


def test_members_come_and_go_without_the_others_being_loaded(scim):
    rows = people(scim.directory, 600)
    group = scim.create_group("All")
    path = f"/Groups/{group['id']}"
    value = [{"value": str(row.pk)} for row in rows]
    began = time.monotonic()
    assert scim.patch(path, {"op": "add", "path": "members", "value": value}).status_code == 204
    assert scim.patch(path, {"op": "remove", "path": "members", "value": value[:300]}).status_code == 204
    one_by_one = [{"op": "remove", "path": f'members[value eq "{row.pk}"]'} for row in rows[300:500]]
    assert scim.patch(path, *one_by_one).status_code == 204
    assert len(scim.get(path).json()["members"]) == 100
    assert time.monotonic() - began < 20  # the library alone takes minutes


def test_members_of_a_group_are_counted(scim, monkeypatch):
    monkeypatch.setattr(policy, "MAX_MEMBERS", 3)
    rows = people(scim.directory, 4)
    body = {"schemas": [GROUP], "displayName": "All", "members": [{"value": str(row.pk)} for row in rows]}
    assert scim.send("POST", "/Groups", body).status_code == 409


def test_people_and_groups_are_counted(scim, monkeypatch):
    monkeypatch.setattr(policy, "MAX_PEOPLE", 1)
    monkeypatch.setattr(policy, "MAX_GROUPS", 1)
    scim.create()
    scim.create_group("One")
    assert scim.send("POST", "/Users", {"schemas": [USER], "userName": "b"}).status_code == 409
    assert scim.send("POST", "/Groups", {"schemas": [GROUP], "displayName": "Two"}).status_code == 409


def test_a_role_for_a_whole_group_costs_few_statements_for_whom_it_changes_nothing(scim, olga):
    from connections.actions.directories import set_group_role

    rows = [scim.create(f"p{number}@acme.example") for number in range(3)]
    group = DirectoryGroup.objects.get(pk=scim.create_group("All", *rows)["id"])
    assert Membership.objects.count() == User.objects.exclude(pk=olga.pk).count() == 3
    assert statements(lambda: set_group_role(group=group, role="viewer", actor=actor_for(olga))) < 20


HOSTILE = {
    "operations": {"schemas": [PATCH], "Operations": [{"op": "add", "path": "displayName", "value": "a"}] * 300},
    "addresses in one operation": {
        "schemas": [PATCH],
        "Operations": [{"op": "add", "path": "emails", "value": [{"value": f"{n}@a.example"} for n in range(400)]}],
    },
    "paths": {"schemas": [PATCH], "Operations": [{"op": "add", "path": "emails[" * 400, "value": 1}]},
    "filters in a path": {
        "schemas": [PATCH],
        "Operations": [{"op": "remove", "path": "emails[" + " or ".join(['value eq "a"'] * 17) + "]"}] * 100,
    },
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_hostile_changes_of_a_person_are_answered_soon(scim, body):
    row = scim.create()
    began = time.monotonic()
    answer = scim.send("PATCH", f"/Users/{row['id']}", body)
    assert answer.status_code in (200, 400, 413)
    assert time.monotonic() - began < 5


def test_full_body_of_members_is_answered_soon(scim):
    group = scim.create_group("All")
    value = [{"value": str(uuid4())} for _ in range(4500)]
    began = time.monotonic()
    assert scim.patch(f"/Groups/{group['id']}", {"op": "add", "path": "members", "value": value}).status_code in (
        400,
        409,
    )
    one_by_one = [{"op": "remove", "path": f'members[value eq "{each["value"]}"]'} for each in value[:1001]]
    assert scim.patch(f"/Groups/{group['id']}", *one_by_one).status_code == 413
    assert scim.patch(f"/Groups/{group['id']}", *one_by_one[1:]).status_code == 204
    worst = [{"op": "remove", "path": "members[" + " or ".join(['a eq "a"'] * 8) + "]"}] * 1000
    assert scim.patch(f"/Groups/{group['id']}", *worst).status_code == 400
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("head", ["", 'userName eq "', "emails[", "not (", 'id pr and userName co "a" or '])
def test_no_filter_and_no_body_takes_long(scim, head):
    """Each is as long as it may be, and made of what slows parsers down; none is answered by an error of ours."""
    slow = []
    for unit in UNITS:
        began = time.thread_time()
        scim.get("/Users", filter=long((head, unit, ""), filters.MAX_LENGTH)[: filters.MAX_LENGTH])
        scim.send("POST", "/Users", f'{{"userName": {head}' + unit * (60_000 // len(unit)))
        path = long((head, unit, ""), 300)[:300]
        operation = {"op": "add", "path": path, "value": {unit: [unit]}}
        scim.patch("/Users/2819c223-7f76-453a-919d-413861904646", operation)
        if time.thread_time() - began > 1:
            slow.append(unit)
    assert slow == []


ODD_PATHS = [
    *("", " ", ".", "[", "]", "members", "members[value eq", 'members[value eq "x"]', "members.value", "members[]"),
    *('members[not (value eq "a")]', "members[value pr].display", "emails", "emails.value", "emails[0]", "emails.a.b"),
    *('emails[type eq "work"]', "emails[primary eq true].value", "name", "name.x", "active", "id", "meta", "schemas"),
    *(
        "meta.version",
        "userName",
        "externalId",
        "groups",
        "password",
        f"{USER}:userName",
        f"{USER}:",
        "urn:x:y",
        "$ref",
    ),
    *("displayName", "displayName.x", "a\\b", "é", "active eq true", "userName pr", "members, emails"),
]
ODD_VALUES = [
    *(None, True, 0, -1, 2**31, 1e300, "", "x", "\u200b", [], [None], [[]], [{}], {}, {"": 1}, {"value": None}),
    *([{"value": "x"}], [{"value": [1]}], {"value": {"a": 1}}, {"members": 5}, {"members": [5]}, {"emails": "x"}),
    *({"active": []}, {"name": []}, {"name": {"givenName": 5}}, [{"primary": "maybe"}], {"schemas": ["x"]}),
]


@pytest.mark.parametrize("operation", ["add", "Replace", "remove"])
@pytest.mark.parametrize("kind", ["Users", "Groups"])
def test_odd_operations_get_an_answer(scim, kind, operation):
    """`send` fails where one is answered by an error of ours, or raises."""
    made = scim.create() if kind == "Users" else scim.create_group("All")
    for number, path in enumerate([None, *ODD_PATHS]):
        for value in ODD_VALUES[number % 8 :: 8]:
            body = {"op": operation, "value": value} | ({} if path is None else {"path": path})
            scim.patch(f"/{kind}/{made['id']}", body)
    for value in ODD_VALUES[::3]:
        scim.send("PUT", f"/{kind}/{made['id']}", value)
        scim.send("POST", f"/{kind}", value)
        for name in ("userName", "displayName", "active", "emails", "members", "name", "externalId", "schemas", "id"):
            schema = USER if kind == "Users" else GROUP
            body = {"schemas": [schema], "userName": "odd", "displayName": "odd"} | {name: value}
            scim.send("POST", f"/{kind}", body)
