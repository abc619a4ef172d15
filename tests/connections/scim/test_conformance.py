"""Others' programs at the real server: scim2-tester's checks, and scim2-client as a directory's own program."""

import pytest


@pytest.fixture(scope="module")
def program(server):
    """A client of the directory of the demo's Acme, without domains: nobody is let in by it."""
    from httpx2 import Client
    from scim2_client.engines.httpx2 import SyncSCIMClient

    from connections.actions.directories import create_directory
    from connections.models import Directory
    from consumers.audit import SYSTEM
    from consumers.models import Consumer

    with server.database():
        acme = Consumer.objects.get(slug="acme")
        _, token = create_directory(directory=Directory(consumer=acme, name="Acme directory"), actor=SYSTEM)
    http = Client(base_url=f"{server.url}/scim/v2/acme", headers={"Authorization": f"Bearer {token}"}, timeout=60)
    with http:
        yield SyncSCIMClient(http)


# A person is active or not: who removes the attribute says neither, and what they are stays (RFC 7643 section 4.1.1).
KEPT = "PATCH modify() did not remove attribute 'active'"


def test_all_checks_of_scim2_tester_pass(program):
    from scim2_tester import Status, check_server

    results = check_server(program)
    wrong = (Status.ERROR, Status.CRITICAL)
    assert [f"{each.title}: {each.reason}" for each in results if each.status in wrong and each.reason != KEPT] == []
    assert len([each for each in results if each.status == Status.SUCCESS]) > 50


def test_of_two_that_create_one_person_at_once_one_is_told(program):
    from concurrent.futures import ThreadPoolExecutor

    http = program.client
    body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "twice@nowhere.example"}

    def create(_):
        return http.post("Users", json=body, headers={"Content-Type": "application/scim+json"})

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(create, range(6)))
    assert sorted(each.status_code for each in answers) == [201, *[409] * 5]
    assert {each.json()["scimType"] for each in answers if each.status_code == 409} == {"uniqueness"}
    made = next(each.json() for each in answers if each.status_code == 201)

    def switch(active):
        operation = {"op": "replace", "value": {"active": active}}
        patch = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]}
        return http.patch(f"Users/{made['id']}", json=patch, headers={"Content-Type": "application/scim+json"})

    with ThreadPoolExecutor(6) as pool:
        assert {each.status_code for each in pool.map(switch, [False, True] * 6)} == {200}
