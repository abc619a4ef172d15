"""Requests that mean harm, or nothing: each gets a registered answer, and changes nothing."""

import json
import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from clients.models import Client
from consumers.models import Event
from tests.api.conftest import Program
from tests.factories import ClientFactory

pytestmark = pytest.mark.django_db
CLIENTS = "/admin/clients"


def refused(answer, status=400, code=None):
    assert answer.status_code == status, answer.text
    assert answer.json().keys() == {"error", "error_description"}
    assert code is None or answer.json()["error"] == code
    return True


# -- Bodies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b" ",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"1",
        b'{"client_name": NaN}',
        b'{"metadata": {"a": Infinity}}',
        b'{"metadata": {"a": 1e999}}',
        b'{"metadata": {"a": ' + b"9" * 5000 + b"}}",
        b'{"client_name": "a", "client_name": "b"}',
        b'{"metadata": {"a": 1, "a": 2}}',
        b'{"client_name": "a\\u0000b"}',
        b'{"metadata": {"a\\u0000": 1}}',
        b'{"client_name": "\\ud800"}',
        b'{"metadata": {"\\udfff": 1}}',
        b'{"client_name": "\xff"}',
        b'{"metadata": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        b'{"metadata": {"a": ' + b"[" * 31 + b"]" * 31 + b"}}",
        b'{"redirect_uris": "https://a.example"}',
        b'{"redirect_uris": [null]}',
        b'{"redirect_uris": ["https://a.example/ b"]}',
        b'{"grant_types": {}}',
        b'{"skip_consent": "true"}',
        b'{"default_max_age": 1.5}',
        b'{"default_max_age": true}',
        b'{"__class__": "x"}',
        b'{"consumer_id": 1}',
        b'{"client_name": ["a"]}',
        b'{"jwks": {"keys": "x"}}',
        b'{"jwks": {"keys": [[]]}}',
        b'{"scope": "\\u2028"}',
        b'{"client_name": "' + b"x" * 70_000 + b'"}',
        b'{"client_name": "' + b"x" * 400_000 + b'"}',
    ],
    ids=lambda body: body[:30].decode("latin-1"),
)
def test_a_body_that_cannot_be_meant_is_refused(body, acme_access, alice, program_of):
    answer = program_of(alice).post(CLIENTS, body)
    assert refused(answer, 413 if len(body) > 65_536 else 400)
    assert not Client.objects.exists()


def test_another_media_type_is_refused(alice, program_of):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        assert refused(program_of(alice).post(CLIENTS, b"{}", content_type=kind), 415)


def test_another_method_is_refused_by_name(service, alice, program_of):
    answer = program_of(alice).send("PUT", CLIENTS)
    assert refused(answer, 405)
    assert answer["Allow"] == "GET, POST"


# -- Addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "page_size=ten",
        "page_size=" + "9" * 5000,
        "page_token=x",
        "page_token=" + "a" * 5000,
        "owner=a&owner=b",
        "client_name__icontains=a",
        "_connector=OR",
        "consumer__slug=globex",
        "client_secret=x",
        "owner=%00",
        "owner=%ff",
        "state=odd",
        "q=%00",
        "&".join(f"a{number}=1" for number in range(100)),
    ],
    ids=lambda query: query[:30],
)
def test_a_query_that_is_not_known_is_refused(query, service, alice, program_of):
    assert refused(program_of(alice).get(f"{CLIENTS}?{query}"), 400, "invalid_request")


@pytest.mark.parametrize("path", ["/x%00y", "/..%2f..", "/" + "a" * 3000, "/%ff", "/a/b/c", "/secrets", "//"])
def test_an_odd_id_is_not_found(path, service, alice, program_of):
    answer = program_of(alice).get(CLIENTS + path)
    assert answer.status_code in (404, 405), answer.text
    assert answer["Content-Type"] == "application/json"


def test_what_is_no_address_answers_in_json(alice, program_of):
    for path in ("/admin/nothing", "/admin/oauth2", "/admin/clients-x"):
        assert refused(program_of(alice).get(path), 404, "not_found")
    assert Program("x").get("/admin/").status_code == 302  # a browser means the operators' pages


def test_a_client_may_be_named_by_a_web_address(acme, alice, program_of):
    ClientFactory(consumer=acme, client_id="https://app.example.com/client.json")
    program, path = program_of(alice), f"{CLIENTS}/https%3A%2F%2Fapp.example.com%2Fclient.json"
    assert program.get(path).json()["client_id"] == "https://app.example.com/client.json"
    assert program.post(f"{path}/secrets/rotate").status_code == 200


# -- Pages ------------------------------------------------------------------------------------------------------------


def links(answer) -> dict[str, str]:
    parts = (part.split(">; rel=") for part in answer["Link"].split(","))
    return {name.strip('"'): address.lstrip("<") for address, name in parts}


def test_pages_follow_one_another_to_the_last(acme, alice, program_of):
    made = [ClientFactory(consumer=acme, owner="us").client_id for _ in range(7)]
    ClientFactory(consumer=acme)
    program, seen, path = program_of(alice), [], f"{CLIENTS}?page_size=3&owner=us"
    while path:
        answer = program.get(path)
        seen += [each["client_id"] for each in answer.json()]
        assert links(answer)["first"].startswith(f"{CLIENTS}?")
        path = links(answer).get("next")
    assert seen == made


def test_sizes_are_clamped(acme, alice, program_of):
    ClientFactory.create_batch(3, consumer=acme)
    program = program_of(alice)
    for size, expected in ((0, 100), (-5, 100), (501, 500), (2, 2)):
        assert f"page_size={expected}" in links(program.get(f"{CLIENTS}?page_size={size}"))["first"]


def test_a_page_token_belongs_to_its_list_its_caller_and_its_hour(acme, alice, olga, program_of):
    ClientFactory.create_batch(3, consumer=acme)
    program = program_of(alice)
    following = links(program.get(f"{CLIENTS}?page_size=1"))["next"]
    token = following.partition("page_token=")[2].partition("&")[0]
    assert program.get(following).status_code == 200
    assert refused(program.get(f"{CLIENTS}?owner=x&page_token={token}"))
    assert refused(program.get(f"/admin/consumers?page_token={token}"))
    assert refused(program.get(f"{CLIENTS}?page_token={token[:-1]}x"))
    assert refused(program_of(olga).get(following))
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert refused(program.get(following))


# -- Patches ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "patch",
    [
        {},
        [{}],
        ["replace"],
        [{"op": "replace", "path": "/owner"}],
        [{"op": "test", "path": "/owner", "value": ""}],
        [{"op": "copy", "path": "/owner", "from": "/client_name"}],
        [{"op": "move", "path": "/owner", "from": "/client_name"}],
        [{"op": "add", "path": "", "value": {}}],
        [{"op": "add", "path": "/", "value": 1}],
        [{"op": "add", "path": "/nothing", "value": 1}],
        [{"op": "add", "path": "/__class__", "value": 1}],
        [{"op": "add", "path": "/__class__/__init__", "value": 1}],
        [{"op": "remove", "path": "/jwks"}],
        [{"op": "replace", "path": "/client_id", "value": "mine"}],
        [{"op": "replace", "path": "client_id", "value": "mine"}],
        [{"op": "replace", "path": "/CLIENT_ID", "value": "mine"}],
        [{"op": "remove", "path": "/consumer"}],
        [{"op": "replace", "path": "/consumer", "value": "globex"}],
        [{"op": "replace", "path": "/created_at", "value": "2020-01-01T00:00:00Z"}],
        [{"op": "replace", "path": "/disabled", "value": True}],
        [{"op": "add", "path": "/claims/admin", "value": True}],
        [{"op": "replace", "path": "/client_secret", "value": "x" * 40}],
        [{"op": "replace", "path": "/registration_access_token", "value": "x"}],
        [{"op": "add", "path": "/redirect_uris/5", "value": "https://a.example"}],
        [{"op": "add", "path": "/redirect_uris/-1", "value": "https://a.example"}],
        [{"op": "replace", "path": "/grant_types/00", "value": "implicit"}],
        [{"op": "replace", "path": "/grant_types/0", "value": "implicit"}],
        [{"op": "add", "path": "/grant_types/" + "9" * 400, "value": "x"}],
        [{"op": "add", "path": "/owner/0", "value": "x"}],
        [{"op": "add", "path": "/metadata" + "/a" * 30, "value": 1}],
        [{"op": "add", "path": "/owner/a/b", "value": 1}],
        [{"op": "add", "path": "/contacts/a/b", "value": 1}],
        [{"op": "replace", "path": "/metadata/a/b", "value": 1}],
        [{"op": "remove", "path": "/metadata/a/b"}],
        [{"op": "add", "path": "/owner", "value": "x"}] * 51,
        [{"op": "add", "path": "/owner", "value": "x"}] * 10_000,
        [{"op": "add", "path": "/metadata/a", "value": "x" * 20_000}],
    ],
    ids=lambda patch: json.dumps(patch)[:60],
)
def test_a_bad_patch_is_refused_and_changes_nothing(patch, service, olga, program_of):
    program, path = program_of(olga), f"{CLIENTS}/{service.client_id}"
    before = program.get(path).content
    answer = program.patch(path, patch)
    assert answer.status_code in (400, 413), answer.text
    assert answer.json()["error"] in ("invalid_request", "invalid_client_metadata")
    assert program.get(path).content == before


def test_an_addition_makes_what_its_path_leads_through(service, alice, program_of):
    program, path = program_of(alice), f"{CLIENTS}/{service.client_id}"
    for place in ("/metadata/plan/limits/daily", "/metadata/seen/-"):
        assert program.patch(path, [{"op": "add", "path": place, "value": 5}]).status_code == 200
    assert program.get(path).json()["metadata"] == {"plan": {"limits": {"daily": 5}}, "seen": [5]}


def test_what_operators_decide_is_patched_by_them_alone(service, alice, olga, program_of):
    path = f"{CLIENTS}/{service.client_id}"
    patch = [{"op": "replace", "path": "/skip_consent", "value": True}]
    assert refused(program_of(alice).patch(path, patch))
    assert program_of(olga).patch(path, patch).json()["skip_consent"] is True


def test_a_patch_is_carried_out_whole_or_not_at_all(service, alice, program_of):
    program, path = program_of(alice), f"{CLIENTS}/{service.client_id}"
    good = [{"op": "add", "path": "/owner", "value": "us"}, {"op": "add", "path": "/metadata/a~1b", "value": [1]}]
    assert refused(program.patch(path, [*good, {"op": "remove", "path": "/metadata/none"}]))
    answer = program.patch(path, good, content_type="application/json-patch+json")
    assert (answer.json()["owner"], answer.json()["metadata"]) == ("us", {"a/b": [1]})
    assert program.patch(path, [{"op": "remove", "path": "/metadata/a~1b/0"}]).json()["metadata"] == {"a/b": []}
    assert program.patch(path, [{"op": "remove", "path": "/owner"}]).json()["owner"] == ""


# -- Two at once ------------------------------------------------------------------------------------------------------


def test_a_change_to_what_somebody_else_changed_is_refused(service, alice, program_of):
    program, path = program_of(alice), f"{CLIENTS}/{service.client_id}"
    seen = program.get(path)
    patch = [{"op": "add", "path": "/owner", "value": "first"}]
    assert program.patch(path, patch, **{"If-Match": seen["ETag"]}).status_code == 200
    for answer in (
        program.put(path, seen.json(), **{"If-Match": seen["ETag"]}),
        program.patch(path, patch, **{"If-Match": seen["ETag"]}),
        program.delete(path, **{"If-Match": f'{seen["ETag"]}, "other"'}),
    ):
        assert refused(answer, 412, "precondition_failed")
    assert program.put(path, seen.json(), **{"If-Match": program.get(path)["ETag"]}).status_code == 200
    assert program.put(path, seen.json(), **{"If-Match": "*"}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_two_editors_at_once_one_wins(service, alice, token_of):
    path, token = f"{CLIENTS}/{service.client_id}", token_of(alice)
    etag = Program(token).get(path)["ETag"]
    start, answers = threading.Barrier(6), []

    def edit(number):
        start.wait()
        patch = [{"op": "add", "path": "/owner", "value": f"editor {number}"}]
        answers.append(Program(token).patch(path, patch, **{"If-Match": etag}).status_code)
        connection.close()

    threads = [threading.Thread(target=edit, args=[number]) for number in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(answers) == [200, 412, 412, 412, 412, 412]
    assert Event.objects.filter(name="client.updated").count() == 1
