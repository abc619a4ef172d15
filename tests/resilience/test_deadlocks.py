"""A deadlock, a serialization failure or a full disk at any write: success or 503, and the deed is done once.

Each door is opened once to see which tables it writes. Then, for each of them, a trigger raises the error at the first
row or the first two, as PostgreSQL does to the victim of a deadlock or to whoever finds its disk full, and never again.
A request that was a victim is tried once more, unless some of it has come into effect.
"""

import re
import secrets
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from authority.models import Consent, PushedRequest, RefreshToken, TokenFamily
from clients.models import Client
from consumers.models import Invitation, Membership, User
from core.idempotency import new_idempotency_key
from tests.api.conftest import Program as Api
from tests.authority.conftest import Program, management_token
from tests.authority.flows import Flow
from tests.factories import PASSWORD, ClientFactory, UserFactory, give_secret, sign_in_to

pytestmark = pytest.mark.django_db(transaction=True)

WRITES = re.compile(r'(?:INSERT INTO|UPDATE|DELETE FROM) "?(\w+)"?')
ERRORS = {
    "40P01": "deadlock detected",
    "40001": "could not serialize access",
    "53100": "could not extend file: No space left on device",
}
COUNTED = {"joining", "inviting", "signing_in"}  # tries are, before anything else: which a second attempt would repeat
FAULTS = [("40P01", 1), ("40001", 2), ("53100", 1)]  # an error, and how many writes end in it
TRIGGER = """
    CREATE SEQUENCE fault_count;
    CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        -- A sequence counts on, whatever is rolled back.
        IF nextval('fault_count') <= {times} THEN RAISE EXCEPTION '{text}' USING ERRCODE = '{sqlstate}'; END IF;
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER fault BEFORE INSERT OR UPDATE OR DELETE ON "{table}" FOR EACH ROW EXECUTE FUNCTION fault();
"""


def name():
    return f"n{secrets.token_hex(6)}"


@dataclass
class Doors:
    """What is sent, and what counts how often it was done: `(send, count)` of each door."""

    alice: User
    browser: Browser
    service: Client
    web: Program
    api: Api
    invite: Callable[..., Any]

    def creating_a_client(self):
        sent = {"client_name": "New", "consumer": "acme", "grant_types": ["client_credentials"]}
        return partial(self.api.post, "/admin/clients", sent), Client.objects.count

    def patching_a_client(self):
        change = [{"op": "replace", "path": "/client_name", "value": name()}]
        send = partial(
            self.api.patch,
            f"/admin/clients/{self.service.client_id}",
            change,
            content_type="application/json-patch+json",
        )
        return send, Client.objects.filter(client_name=change[0]["value"]).count

    def creating_a_secret(self):
        client = ClientFactory(consumer=self.service.consumer)
        return partial(self.api.post, f"/admin/clients/{client.client_id}/secrets", {}), client.secrets.count

    def deleting_a_client(self):
        client = ClientFactory(consumer=self.service.consumer)
        send = partial(self.api.delete, f"/admin/clients/{client.client_id}")
        return send, lambda: 1 - Client.objects.filter(pk=client.pk).count()

    def inviting(self):
        send = partial(self.api.post, "/admin/consumers/acme/invitations", {"email": f"{name()}@acme.example"})
        return send, Invitation.objects.count

    def registering(self):
        sent = {"client_name": "New", "consumer": "acme", "grant_types": ["client_credentials"]}
        return partial(self.api.post, "/oauth2/register", sent), Client.objects.count

    def clicking(self):
        sent = {
            "template": "service",
            "proof": "client_secret_basic",
            "client_name": name(),
            "scope": ["shipments:read"],
        }
        sent["key"] = new_idempotency_key()
        return partial(self.browser.post, "/consumers/acme/clients/new", sent), Client.objects.count

    def joining(self):
        carol = UserFactory()
        _, token = self.invite(carol.email)
        browser = Browser(raise_request_exception=False)
        sign_in_to(browser, carol)
        return partial(browser.post, f"/invitations/{token}/"), Membership.objects.filter(user=carol).count

    def spending_a_code(self):
        flow = Flow(self.web, self.browser)
        return partial(flow.exchange, flow.code()), TokenFamily.objects.filter(ended_at=None).count

    def refreshing(self):
        flow = Flow(self.web, self.browser)
        spent = flow.tokens()["refresh_token"]
        current = RefreshToken.objects.filter(
            family__ended_at=None, generation=F("family__generation"), generation__gt=0
        )
        return partial(flow.refresh, spent), current.count

    def revoking(self):
        flow = Flow(self.web, self.browser)
        token = flow.tokens()["refresh_token"]
        return partial(self.web.revoke, token), TokenFamily.objects.exclude(ended_at=None).count

    def pushing_a_request(self):
        flow = Flow(self.web, self.browser)
        return partial(self.web.post, "/oauth2/par", flow.request), PushedRequest.objects.count

    def authorizing(self):
        Consent.objects.all().delete()
        return Flow(self.web, self.browser).decide, Consent.objects.count

    def signing_in(self):
        browser = Browser(raise_request_exception=False)
        send = partial(browser.post, "/account/login/", {"login": self.alice.email, "password": PASSWORD})
        return send, lambda: int("_auth_user_id" in browser.session)


DOORS = [name for name, value in vars(Doors).items() if callable(value) and not name.startswith("_")]


@pytest.fixture
def doors(alice, browser_of, acme, service, invite):
    scopes = ["openid", "profile", "shipments:read", "shipments:write"]
    client = ClientFactory(consumer=acme, client_name="Dispatch board", template="web", scopes=scopes)
    web = Program(client, give_secret(client)[1])
    api = Api(management_token(alice, scopes=["clients:write", "secrets:rotate", "consumers:write"]))
    browser = browser_of(alice)
    for each in (web.http, api.browser, browser):
        each.raise_request_exception = False
    return Doors(alice, browser, service, web, api, invite)


def written_by(send):
    """Do the deed; return the tables that it writes."""
    with CaptureQueriesContext(connection) as captured:
        answer = send()
    assert answer.status_code < 400, answer.content
    found = {table for query in captured for table in WRITES.findall(query["sql"])}
    return sorted(found & set(connection.introspection.table_names()))


@contextmanager
def failing(table, sqlstate, times):
    """Let the first rows fail that are written to the table; yield what says how many were."""
    with connection.cursor() as cursor:
        cursor.execute(TRIGGER.format(table=table, sqlstate=sqlstate, text=ERRORS[sqlstate], times=times))
    try:
        yield written
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION fault CASCADE")
            cursor.execute("DROP SEQUENCE fault_count")


def written():
    with connection.cursor() as cursor:
        cursor.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM fault_count")
        return cursor.fetchone()[0]


@pytest.mark.parametrize("door", DOORS)
def test_victim_of_a_deadlock_is_tried_once_more_and_nothing_is_done_twice(doors, door):
    send, _ = getattr(doors, door)()
    tables = written_by(send)
    assert tables
    failed, first = 0, DOORS.index(door) % len(FAULTS)
    faults = [*FAULTS[first:], *FAULTS[:first]]
    for number, table in enumerate(tables):
        sqlstate, times = faults[number % len(faults)]
        send, count = getattr(doors, door)()
        before = count()
        with failing(table, sqlstate, times) as written:
            answers = [send()]
            while answers[-1].status_code == 503 and len(answers) <= times:
                assert answers[-1].get("Retry-After") == "5"
                answers.append(send())
            failed += bool(written())
        if (sqlstate, times) == ("40P01", 1):
            assert len(answers) == 1 or door in COUNTED, table
        assert count() == before + 1, table  # where only the session failed, the first time already
        assert answers[-1].status_code < 400, table
    assert failed
