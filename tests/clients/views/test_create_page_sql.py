"""The SQL statements of registering a client, each with its reason; their number is constant."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import AccessFactory, ScopeFactory

pytestmark = pytest.mark.django_db

NEW = "/consumers/acme/clients/new"
FORM = {"template": "service", "client_name": "Yard planner", "scope": ["shipments:read"], "key": "one"}

EXPECTED = [
    "SELECT django_session",  # who asks
    "SELECT consumers_user",
    "SELECT consumers_membership",  # may they enter, and as what
    "SELECT connections_connection",  # must the person, or whoever enters, sign in by an identity provider
    "SELECT clients_scope",  # what the form may offer
    "SAVEPOINT",
    "SAVEPOINT",
    "INSERT core_submission",  # the form's key: whoever sends it twice stops here
    "RELEASE",
    "SAVEPOINT",
    "SELECT consumers_consumer",  # is the consumer suspended
    "SELECT clients_client",  # is the name taken
    "SELECT clients_scope",  # what the policy allows
    "SELECT consumers_membership",  # a manager, or an operator who handles secrets
    "SELECT clients_client",  # are there as many as there may be
    "INSERT clients_client",
    "SELECT mfa_authenticator",  # by which factor the person must have authenticated lately
    "INSERT consumers_event",  # in the transaction of the deed
    "SELECT consumers_event",  # was the like of it mailed in this request
    "SELECT consumers_user",  # whom it is mailed to
    "SELECT clients_clientsecret",  # are there five
    "INSERT clients_clientsecret",
    "RELEASE",
    "UPDATE core_submission",  # where sending it again leads
    "RELEASE",
    "SELECT clients_clientsecret",  # the page: when the secret ends
    "SELECT clients_scope",  # what the commands ask for
    "SELECT consumers_membership",  # the shell: which workspaces they entered last
]


def brief(sql: str) -> str:
    """Return the verb and the table that a statement is about."""
    if sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")):
        return sql.split(maxsplit=1)[0]
    verb = sql.split(maxsplit=1)[0]
    table = re.search(r'(?:FROM|INTO|UPDATE) "(\w+)"', sql)
    return f"{verb} {table[1] if table else sql[:40]}{' FOR UPDATE' if 'FOR UPDATE' in sql else ''}"


def statements_of_registering(browser, **changes) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert browser.post(NEW, FORM | changes).status_code == 200
    return [brief(query["sql"]) for query in captured]


def test_statements_of_registering_a_client(alice, acme_access, browser_of):
    browser = browser_of(alice)
    browser.get(NEW)  # notes the visit, once in a while
    assert statements_of_registering(browser) == EXPECTED


def test_many_permissions_cost_no_more_statements(acme, alice, api, acme_access, browser_of):
    values = [f"shipments:{number}" for number in range(30)]
    for value in values:
        AccessFactory(consumer=acme, scope=ScopeFactory(api=api, value=value, name=value))
    browser = browser_of(alice)
    browser.get(NEW)
    assert statements_of_registering(browser, scope=values) == EXPECTED
