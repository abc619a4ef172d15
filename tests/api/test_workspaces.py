"""Consumers, their people, what they may use, and what was done, by programs."""

import json

import pytest

from clients.models import Api
from consumers.models import Consumer, Event, Invitation, Membership
from tests.factories import give_secret

pytestmark = pytest.mark.django_db

INITECH = {"name": "Initech", "slug": "initech", "external_id": "CRM-1", "metadata": {"plan": "gold"}}


# -- Consumers --------------------------------------------------------------------------------------------------------


def test_an_operator_opens_changes_and_closes_a_workspace(olga, program_of):
    program = program_of(olga)
    made = program.post("/admin/consumers", INITECH)
    assert made.status_code == 201, made.text
    path = made["Location"]
    assert program.get(path).json() == made.json()
    assert made.json()["metadata"] == {"plan": "gold"}
    patched = program.patch(path, [{"op": "add", "path": "/metadata/seats", "value": 3}])
    assert patched.json()["metadata"] == {"plan": "gold", "seats": 3}
    assert program.put(path, {"name": "Initech", "slug": "initech"}).json()["metadata"] == {}
    assert program.post(f"{path}/suspend").json()["suspended"] is True
    assert program.post(f"{path}/resume").json()["suspended"] is False
    assert program.delete(path).status_code == 204
    names = Event.objects.order_by("id").values_list("name", flat=True)
    assert [name for name in names if name.startswith("consumer.")] == [
        *("consumer.created", "consumer.updated", "consumer.updated"),
        *("consumer.suspended", "consumer.resumed", "consumer.deleted"),
    ]


def test_what_was_get_can_be_put(olga, acme, program_of):
    program = program_of(olga)
    before = program.get("/admin/consumers/acme").json()
    assert program.put("/admin/consumers/acme", before).json() == before
    assert not Event.objects.filter(name="consumer.updated").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"slug": "no slug"},
        {"slug": "acme"},
        {"name": ""},
        {"name": "x" * 101},
        {"metadata": []},
        {"claims": {"iss": "me"}},
        {"claims": {"sub": "me"}},
        {"is_staff": True},
    ],
)
def test_what_a_consumer_cannot_be(changes, acme, olga, program_of):
    answer = program_of(olga).post("/admin/consumers", INITECH | changes)
    assert answer.status_code in (400, 409)
    assert answer.json().keys() == {"error", "error_description"}
    assert Consumer.objects.count() == 1


def test_managers_read_their_own_consumer_and_change_none(acme, globex, alice, program_of):
    program = program_of(alice)
    assert [each["slug"] for each in program.get("/admin/consumers").json()] == ["acme"]
    assert "metadata" not in program.get("/admin/consumers/acme").json()
    assert program.put("/admin/consumers/acme", INITECH).status_code == 403
    assert program.post("/admin/consumers", INITECH).status_code == 403
    assert program.post("/admin/consumers/acme/suspend").status_code == 403
    assert Consumer.objects.filter(slug="acme", suspended_at=None).exists()


# -- People -----------------------------------------------------------------------------------------------------------


def test_a_manager_invites_resends_and_revokes(acme, alice, program_of):
    program = program_of(alice)
    made = program.post("/admin/consumers/acme/invitations", {"email": "dana@acme.example", "role": "manager"})
    assert made.status_code == 201, made.text
    assert [each["email"] for each in program.get("/admin/consumers/acme/invitations").json()] == ["dana@acme.example"]
    path = f"/admin/consumers/acme/invitations/{made.json()['id']}"
    assert program.post(f"{path}/resend").status_code == 200
    assert program.delete(path).status_code == 204
    assert program.delete(path).status_code == 409
    assert Invitation.objects.get().state == "revoked"


def test_invitations_are_limited_as_on_the_page(acme, alice, program_of):
    program = program_of(alice)
    answers = [
        program.post("/admin/consumers/acme/invitations", {"email": f"person{number}@acme.example"})
        for number in range(32)
    ]
    assert [answer.status_code for answer in answers].count(201) == 30
    assert answers[-1].status_code == 429
    assert int(answers[-1]["Retry-After"]) > 0


def test_roles_change_and_people_go(acme, alice, bob, program_of):
    program = program_of(alice)
    members = {each["email"]: each for each in program.get("/admin/consumers/acme/members").json()}
    path = f"/admin/consumers/acme/members/{members[bob.email]['id']}"
    assert program.put(path, {"role": "manager"}).json()["role"] == "manager"
    assert program.delete(path).status_code == 204
    assert not Membership.objects.filter(user=bob).exists()
    own = f"/admin/consumers/acme/members/{members[alice.email]['id']}"
    assert program.delete(own).status_code == 400
    assert Membership.objects.filter(user=alice).exists()


def test_a_member_of_another_workspace_is_not_found_below_ones_own(acme, alice, mallory, program_of):
    foreign = Membership.objects.get(user=mallory)
    answer = program_of(alice).put(f"/admin/consumers/acme/members/{foreign.pk}", {"role": "viewer"})
    assert answer.status_code == 404


# -- What they may use ------------------------------------------------------------------------------------------------


def test_an_operator_describes_an_api_and_gives_access(acme, olga, program_of):
    program = program_of(olga)
    wanted = {
        "identifier": "https://api.example.com/yards",
        "name": "Yards",
        "scopes": [{"value": "yards:read", "name": "Read yards"}, {"value": "yards:write", "name": "Change yards"}],
    }
    made = program.post("/admin/apis", wanted)
    assert made.status_code == 201, made.text
    path = made["Location"]
    assert program.put(path, made.json() | {"name": "Yard"}).json()["name"] == "Yard"
    granted = program.put("/admin/consumers/acme/access", {"scopes": ["yards:read"]})
    assert granted.json() == {"scopes": ["yards:read"], "expires_at": {}}
    assert program.put(path, wanted | {"scopes": wanted["scopes"][1:]}).status_code == 400  # it is in use
    assert program.put(path, wanted | {"identifier": "https://other.example"}).status_code == 400
    assert program.put("/admin/consumers/acme/access", {"scopes": ["nothing:such"]}).status_code == 400
    assert program.delete(path).status_code == 204
    assert program.get("/admin/consumers/acme/access").json() == {"scopes": [], "expires_at": {}}


def test_a_manager_sees_the_apis_that_the_consumer_may_use_and_no_other(acme_access, alice, mallory, program_of):
    Api.objects.create(identifier="https://api.example.com/secret", name="TENANT-B-plans")
    program = program_of(alice)
    assert [api["name"] for api in program.get("/admin/apis").json()] == ["Shipments"]
    assert program_of(mallory).get("/admin/apis").json() == []
    assert program.put("/admin/consumers/acme/access", {"scopes": []}).status_code == 403
    assert program.post("/admin/apis", {"identifier": "https://x.example", "name": "X"}).status_code == 403


def test_the_management_api_cannot_be_deleted(management_api, olga, program_of):
    program = program_of(olga)
    ours = next(api for api in program.get("/admin/apis").json() if api["identifier"] == "urn:clientdesk:management")
    assert program.delete(f"/admin/apis/{ours['id']}").status_code == 400
    assert program.put(f"/admin/apis/{ours['id']}", ours | {"scopes": []}).status_code == 400


# -- What was done ----------------------------------------------------------------------------------------------------


def test_activity_is_read_filtered_and_exported(acme, globex, service, alice, mallory, olga, program_of):
    program = program_of(alice)
    program.patch(f"/admin/clients/{service.client_id}", [{"op": "replace", "path": "/owner", "value": "=1+1"}])
    program.patch(f"/admin/clients/{service.client_id}", [{"op": "replace", "path": "/client_name", "value": "=1+1"}])
    listed = program.get(f"/admin/activity?client_id={service.client_id}")
    assert [event["name"] for event in listed.json()] == ["client.updated", "client.updated"]
    assert listed.json()[0]["sentence"] == "Alice Martin (token “Test”) changed =1+1"
    assert program.get("/admin/activity?name=client.deleted").json() == []
    lines = b"".join(program.get("/admin/activity/export").streaming_content).decode().splitlines()
    assert [json.loads(line)["name"] for line in lines].count("client.updated") == 2
    table = b"".join(program.get("/admin/activity/export?format=csv").streaming_content).decode()
    assert ",'=1+1," in table
    assert program_of(mallory).get(f"/admin/activity?client_id={service.client_id}").json() == []
    assert any(event["name"] == "person.token.created" for event in program_of(olga).get("/admin/activity").json())
    assert "person.token.created" not in listed.text


def test_activity_goes_on_at_the_next_page(acme, service, alice, program_of):
    program = program_of(alice)
    for number in range(5):
        program.patch(f"/admin/clients/{service.client_id}", [{"op": "add", "path": "/owner", "value": str(number)}])
    first = program.get("/admin/activity?page_size=3")
    following = first["Link"].split(",")[-1].partition("<")[2].partition(">")[0]
    ids = [event["id"] for event in first.json() + program.get(following).json()]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 5


def test_manager_lists_what_a_person_made_that_still_works(program_of, alice, bob, mallory, acme, service):
    give_secret(service, created_by=alice)
    path = f"/admin/consumers/acme/members/{acme.memberships.get(user=alice).pk}/credentials"
    listed = program_of(alice).get(path).json()
    assert [(each["kind"], each["ends"]) for each in listed] == [
        ("client secret", False),
        ("personal access token", True),
    ]
    assert program_of(bob).get(path).status_code == 403
    assert program_of(mallory).get(path).status_code == 404


def test_operator_sets_when_a_scope_expires_and_what_is_read_can_be_sent_back(acme_access, olga, program_of):
    operator, path = program_of(olga), "/admin/consumers/acme/access"
    end = "2035-06-01T00:00:00Z"
    both = ["shipments:read", "shipments:write"]
    read = operator.put(path, {"scopes": both, "expires_at": {"shipments:write": end}}).json()
    assert (read["scopes"], list(read["expires_at"])) == (both, ["shipments:write"])
    assert operator.put(path, read).json() == read
    assert operator.put(path, {"scopes": both}).json() == read  # what is left out keeps its expiry
    assert operator.put(path, {"scopes": both, "expires_at": {"shipments:write": None}}).json()["expires_at"] == {}
    for ends in ({"shipments:write": "2020-01-01T00:00:00Z"}, {"other:scope": end}, {"shipments:write": "soon"}):
        assert operator.put(path, {"scopes": both, "expires_at": ends}).status_code == 400


def test_manager_asks_for_a_permission_and_an_operator_gives_it_by_programs(acme, alice, bob, olga, program_of, api):
    asked = program_of(alice).post(
        "/admin/permission-requests", {"scope": "shipments:read", "reason": "For the planners"}
    )
    assert (asked.status_code, asked.json()["state"]) == (201, "open")
    one = asked.headers["Location"]
    assert program_of(bob).get(one).status_code == 200
    assert program_of(bob).post(f"{one}/withdraw").status_code == 403
    assert program_of(alice).post(f"{one}/approve", {"expires_at": None}).status_code == 403
    operator = program_of(olga)
    assert operator.post(f"{one}/ask", {"question": "Which?"}).json()["state"] == "asked"
    assert program_of(alice).post(f"{one}/answer", {"answer": "All"}).json()["state"] == "open"
    done = operator.post(f"{one}/approve", {"expires_at": "2035-06-01T00:00:00Z"}).json()
    assert (done["state"], done["expires_at"][:10]) == ("approved", "2035-06-01")
    assert operator.post(f"{one}/decline", {}).status_code == 409
    assert operator.get("/admin/permission-requests?state=approved").json() == [done]
    assert operator.get("/admin/consumers/acme/access").json()["scopes"] == ["shipments:read"]
