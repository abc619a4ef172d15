"""RFC 7644, request by request."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.test import Client

from connections.models import DirectoryUser
from tests.connections.scim.conftest import ERROR, GROUP, LIST, PATCH, USER, direct, trust

pytestmark = pytest.mark.django_db
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


@pytest.fixture
def dora(scim):
    return scim.create(externalId="Ext1", name={"givenName": "Dora", "familyName": "Lange"})


@pytest.mark.compliance("RFC 7644", "4")
@pytest.mark.parametrize("path", ["/ServiceProviderConfig", "/Schemas", "/ResourceTypes"])
def test_service_describes_itself(scim, path):
    answer = scim.get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/scim+json"
    assert answer["Cache-Control"] == "no-store"


def test_description_says_what_is_supported(scim):
    body = scim.get("/ServiceProviderConfig").json()
    assert body["patch"]["supported"] is True
    assert body["filter"] == {"supported": True, "maxResults": 200}
    assert body["etag"]["supported"] is True
    assert body["bulk"]["supported"] is body["sort"]["supported"] is body["changePassword"]["supported"] is False
    names = {each["id"]: {a["name"] for a in each["attributes"]} for each in scim.get("/Schemas").json()["Resources"]}
    assert names[USER] == {"userName", "name", "displayName", "active", "emails", "groups"}
    assert names[GROUP] == {"displayName", "members"}
    assert scim.get(f"/Schemas/{USER}").json()["id"] == USER
    assert scim.get("/ResourceTypes/Group").json()["endpoint"] == "/Groups"


# What is wrong, and the answer: status and scimType (RFC 7644 section 3.12).
WRONG = {
    "no JSON": ("POST", "/Users", "{", 400, "invalidSyntax"),
    "no UTF-8": ("POST", "/Users", b"\xff\xfe", 400, "invalidSyntax"),
    "a list": ("POST", "/Users", [], 400, None),
    "a text": ("POST", "/Users", "text", 400, "invalidSyntax"),
    "a member twice": ("POST", "/Users", '{"a": 1, "a": 2}', 400, "invalidSyntax"),
    "NUL": ("POST", "/Users", {"schemas": [USER], "userName": "a\0b"}, 400, "invalidSyntax"),
    "half a pair": ("POST", "/Users", '{"userName": "\\ud800"}', 400, "invalidSyntax"),
    "deep": ("POST", "/Users", "[" * 5000 + "]" * 5000, 400, "invalidSyntax"),
    "no userName": ("POST", "/Users", {"schemas": [USER]}, 400, "invalidValue"),
    "an empty userName": ("POST", "/Users", {"schemas": [USER], "userName": " "}, 400, "invalidValue"),
    "a long userName": ("POST", "/Users", {"schemas": [USER], "userName": "a" * 255}, 400, "invalidValue"),
    "an invisible letter": ("POST", "/Users", {"schemas": [USER], "userName": "a\u202eb"}, 400, "invalidValue"),
    "a number for a text": ("POST", "/Users", {"schemas": [USER], "userName": 5}, 400, None),
    "no boolean": ("POST", "/Users", {"schemas": [USER], "userName": "a", "active": "perhaps"}, 400, None),
    "many addresses": (
        *("POST", "/Users", {"schemas": [USER], "userName": "a", "emails": [{"value": "a@b.example"}] * 21}),
        *(400, "invalidValue"),
    ),
    "very many values": (
        *("POST", "/Users", {"schemas": [USER], "userName": "a", "emails": [{"value": "a"}] * 2000}),
        *(413, None),
    ),
    "a large body": ("POST", "/Users", {"schemas": [USER], "userName": "a" * 300_000}, 413, None),
    "an unknown resource": ("GET", "/Users/2819c223-7f76-453a-919d-413861904646", None, 404, None),
    "no identifier": ("GET", "/Users/nobody", None, 404, None),
    "an unknown endpoint": ("GET", "/Devices", None, 404, None),
    "a method that is none": ("PUT", "/Users", {}, 405, None),
    "Me": ("GET", "/Me", None, 501, None),
    "Bulk": ("POST", "/Bulk", {"schemas": [], "Operations": []}, 501, None),
    "a filter that is none": ("GET", "/Users?filter=userName", None, 400, "invalidFilter"),
    "a filter of an unknown attribute": ("GET", '/Users?filter=shoes+eq+"a"', None, 400, "invalidFilter"),
    "a filter on what is not indexed": ("GET", '/Users?filter=emails.value+co+"a"', None, 400, "invalidFilter"),
    "a filter too long": ("GET", "/Users?filter=" + "a" * 2001, None, 400, "invalidValue"),
    "a filter too deep": ("GET", "/Users?filter=" + "not+(" * 300 + "id+pr" + ")" * 300, None, 400, "invalidFilter"),
    "a filter of many terms": ("GET", "/Users?filter=" + "+or+".join(["id+pr"] * 60), None, 400, "invalidFilter"),
    "no number": ("GET", "/Users?count=many", None, 400, None),
    "a number too large": ("GET", "/Users?startIndex=" + "9" * 30, None, 400, "invalidValue"),
    "a patch without operations": ("PATCH", "/Users/{id}", {"schemas": [PATCH]}, 400, None),
    "a patch that is none": (
        *("PATCH", "/Users/{id}", {"schemas": [PATCH], "Operations": [{"op": "move", "path": "a"}]}),
        *(400, "invalidValue"),
    ),
    "a path that is none": (
        *("PATCH", "/Users/{id}", {"schemas": [PATCH], "Operations": [{"op": "add", "path": "a[", "value": 1}]}),
        *(400, "invalidPath"),
    ),
    "a required attribute removed": (
        *("PATCH", "/Users/{id}", {"schemas": [PATCH], "Operations": [{"op": "remove", "path": "userName"}]}),
        *(400, "mutability"),
    ),
    "a read-only attribute changed": (
        *("PATCH", "/Users/{id}", {"schemas": [PATCH], "Operations": [{"op": "add", "path": "groups", "value": []}]}),
        *(400, "mutability"),
    ),
    "a member that is nobody": (
        *("POST", "/Groups", {"schemas": [GROUP], "displayName": "G", "members": [{"value": "x"}]}),
        *(400, "invalidValue"),
    ),
    "a member who is unknown": (
        "POST",
        "/Groups",
        {"schemas": [GROUP], "displayName": "G", "members": [{"value": "2819c223-7f76-453a-919d-413861904646"}]},
        *(400, "invalidValue"),
    ),
}


@pytest.mark.compliance("RFC 7644", "3.12")
@pytest.mark.parametrize("case", WRONG, ids=str)
def test_what_is_wrong_gets_an_error_of_the_specification(scim, dora, case):
    method, path, body, status, scim_type = WRONG[case]
    answer = scim.send(method, path.replace("{id}", dora["id"]), body)
    assert answer.status_code == status, answer.content
    error = answer.json()
    assert answer["Content-Type"] == "application/scim+json"
    assert error["schemas"] == [ERROR]
    assert error["status"] == str(status)
    assert error.get("detail")
    if scim_type is not None:
        assert error.get("scimType") == scim_type


def test_body_of_another_type_is_refused(scim):
    answer = scim.send("POST", "/Users", {"schemas": [USER], "userName": "a"})
    assert answer.status_code == 201
    answer = Client().post(
        "/scim/v2/acme/Users", "<a/>", content_type="text/xml", headers={"Authorization": f"Bearer {scim.token}"}
    )
    assert answer.status_code in (400, 415)


# -- Searches ---------------------------------------------------------------------------------------------------------

FOUND = [
    'userName eq "DORA@acme.example"',
    'userName sw "dora@"',
    'userName co "ACME"',
    'userName ew "example"',
    'userName ne "emil"',
    'externalId eq "Ext1"',
    "active eq true",
    'active eq "True"',
    "externalId pr",
    "emails pr or userName pr",
    'name.familyName eq "lange"',
    'not (userName eq "emil")',
    '(userName eq "emil" or name.givenName eq "dora") and active eq true',
    'meta.created gt "2020-01-01T00:00:00Z"',
    'meta.lastModified le "2100-01-01T00:00:00Z"',
    f'{USER}:userName eq "dora@acme.example"',
    'USERNAME Eq "dora@acme.example"',
]
NOT_FOUND = [
    'userName eq "%"',
    'userName co "_ora@%"',
    'externalId eq "ext1"',
    "active eq false",
    'id eq "nobody"',
    'userName eq "\\u0000"',
    'displayName eq "dora"',
    'emails eq "dora@other.example"',
    'groups.value eq "2819c223-7f76-453a-919d-413861904646"',
]


@pytest.mark.compliance("RFC 7644", "3.4.2.2")
@pytest.mark.parametrize("text", [*FOUND, *NOT_FOUND])
def test_filters_find_what_they_say(scim, dora, text):
    body = scim.get("/Users", filter=text).json()
    assert body["totalResults"] == (text in FOUND), body
    searched = {"schemas": [SEARCH], "filter": text}
    assert scim.send("POST", "/Users/.search", searched).json()["totalResults"] == (text in FOUND)


@pytest.mark.compliance("RFC 7644", "3.4.2.4")
def test_pages_follow_one_another(scim):
    names = [scim.create(f"p{number}@acme.example")["userName"] for number in range(5)]
    pages = [scim.get("/Users", startIndex=start, count=2).json() for start in (1, 3, 5, 7)]
    assert [each["userName"] for page in pages for each in page.get("Resources", [])] == names
    assert [(page["totalResults"], page["itemsPerPage"]) for page in pages] == [(5, 2), (5, 2), (5, 1), (5, 0)]
    assert scim.get("/Users", count=0).json()["totalResults"] == 5
    assert not scim.get("/Users", count=0).json().get("Resources")
    assert scim.get("/Users", count=-1).json()["itemsPerPage"] == 0
    assert scim.get("/Users", startIndex=0, count=1).json()["Resources"][0]["userName"] == names[0]
    assert scim.get("/Users", count=100000).json()["itemsPerPage"] == 5


def test_search_of_everything_pages_people_and_groups(scim, dora):
    scim.create_group("Engineering", dora)
    body = scim.send("POST", "/.search", {"schemas": [SEARCH], "startIndex": 1, "count": 10}).json()
    assert [each["meta"]["resourceType"] for each in body["Resources"]] == ["User", "Group"]
    body = scim.send("POST", "/.search", {"schemas": [SEARCH], "startIndex": 2, "count": 10}).json()
    assert (body["totalResults"], [each["meta"]["resourceType"] for each in body["Resources"]]) == (2, ["Group"])


@pytest.mark.compliance("RFC 7644", "3.9")
def test_attributes_are_chosen(scim, dora):
    assert scim.get(f"/Users/{dora['id']}", attributes="userName").json().keys() == {"schemas", "id", "userName"}
    assert "name" not in scim.get(f"/Users/{dora['id']}", excludedAttributes="name").json()


@pytest.mark.compliance("RFC 7644", "3.14")
def test_versions_guard_against_lost_updates(scim, dora):
    path, version = f"/Users/{dora['id']}", dora["meta"]["version"]
    assert scim.get(path)["ETag"] == version
    assert scim.send("GET", path, If_None_Match=version).status_code == 304
    changed = scim.patch(path, {"op": "replace", "path": "displayName", "value": "D"}, If_Match=version)
    assert changed.status_code == 200
    assert changed["ETag"] != version
    late = scim.patch(path, {"op": "replace", "path": "displayName", "value": "E"}, If_Match=version)
    assert late.status_code == 412
    assert scim.send("DELETE", path, If_Match=version).status_code == 412


# -- Who may ask ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "cds_wrong", "cdp_wrong", "x" * 5000])
@pytest.mark.parametrize("slug", ["acme", "no-such-workspace"])
def test_strangers_get_a_challenge(scim, token, slug):
    scim.token = token
    answer = scim.send("GET", "/Users", slug=slug)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith('Bearer realm="SCIM"')
    assert answer.json()["schemas"] == [ERROR]


def test_token_of_another_consumer_opens_nothing_here(scim, globex, dora):
    trust(globex, "globex.example")
    theirs = direct(globex)
    assert theirs.send("GET", f"/Users/{dora['id']}", slug="acme").status_code == 404
    assert theirs.send("GET", "/Users", slug="no-such-workspace").status_code == 404
    assert theirs.get(f"/Users/{dora['id']}").status_code == 404
    assert theirs.switch(dora, False).status_code == 404
    assert theirs.send("DELETE", f"/Users/{dora['id']}").status_code == 404
    assert theirs.get("/Users").json()["totalResults"] == 0
    member = theirs.send(
        "POST", "/Groups", {"schemas": [GROUP], "displayName": "G", "members": [{"value": dora["id"]}]}
    )
    assert member.status_code == 400
    assert DirectoryUser.objects.get().active


def test_answer_is_json_of_a_list(scim):
    assert scim.get("/Users").json()["schemas"] == [LIST]


def test_requests_beyond_the_limit_are_asked_to_wait(scim, monkeypatch):
    from connections.scim import views

    monkeypatch.setattr(views, "PER_TOKEN", 1)
    views._requests.clear()
    scim.get("/Users")
    answer = scim.get("/Users")
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    views._requests.clear()


def test_protocol_is_loaded_by_the_first_request_with_a_token():
    code = (
        "import django, sys; django.setup(); import portal.urls; print({'scim2_models', 'pydantic'} & set(sys.modules))"
    )
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings"}
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=settings.BASE_DIR, env=environ, check=True, capture_output=True
    )
    assert out.stdout.decode().strip() == "set()"
