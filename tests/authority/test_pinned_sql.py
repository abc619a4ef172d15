"""What the endpoints ask of the database: statement by statement, so that nobody makes them ask more unnoticed."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

pytestmark = pytest.mark.django_db


def asked(request):
    """Return what a request asks of the database: each statement's verb and table, and whether it locks."""
    with CaptureQueriesContext(connection) as statements:
        assert request().status_code == 200
    return [said(each["sql"]) for each in statements]


def said(sql):
    flat = sql
    while (inner := re.sub(r"\([^()]*\)", "", flat)) != flat:  # without subqueries
        flat = inner
    table = re.search(r'(?:FROM|INTO|UPDATE) "(\w+)"', flat)
    return " ".join([flat.split()[0], *([table[1]] if table else []), *(["and lock"] if "FOR UPDATE" in flat else [])])


CLIENT = "SELECT clients_client"  # the one query of the directory; nothing where the client is remembered


def test_a_token_for_the_client_itself(program):
    program.token()
    assert asked(program.token) == [CLIENT]


def test_the_exchange_of_a_code(flow):
    flow.tokens()
    code = flow.code()
    assert asked(lambda: flow.exchange(code)) == [
        "SAVEPOINT",
        "SELECT oauth2_provider_grant",
        CLIENT,
        "SELECT oauth2_provider_grant and lock",
        "SELECT authority_signin",
        "SELECT consumers_membership",
        "INSERT authority_family",
        "INSERT authority_refreshtoken",
        "DELETE oauth2_provider_grant",
        "RELEASE",
    ]


def test_a_refresh(flow):
    spent = flow.tokens()["refresh_token"]
    assert asked(lambda: flow.refresh(spent)) == [
        "SAVEPOINT",
        CLIENT,
        "SELECT authority_refreshtoken and lock",
        "SELECT consumers_membership",
        "SELECT authority_signin",
        "UPDATE authority_family",
        "INSERT authority_refreshtoken",
        "RELEASE",
    ]


def test_introspection(program):
    token = program.token().json()["access_token"]
    assert asked(lambda: program.post("/oauth2/introspect", {"token": token})) == [
        CLIENT,
        "SELECT authority_signingkey",  # nothing where the key is remembered
        "SELECT authority_revokedtoken",
    ]


def test_the_list_of_keys(client):
    client.get("/.well-known/jwks.json")  # makes the keys
    assert asked(lambda: client.get("/.well-known/jwks.json")) == ["SELECT authority_signingkey", "SELECT clients_api"]
