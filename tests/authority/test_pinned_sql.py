"""The SQL statements of the endpoints, pinned, so that none is added unnoticed."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clients.models import Client
from consumers.models import Consumer
from tests.factories import ClientFactory, ConsumerFactory

pytestmark = pytest.mark.django_db


def asked(request):
    """Return what a request asks of the database: each statement's verbs and tables, and whether it locks."""
    with CaptureQueriesContext(connection) as statements:
        assert request().status_code == 200
    return [said(each["sql"]) for each in statements]


def said(sql):
    if sql.split()[0] == "WITH":
        return ", ".join(f"{verb} {table}" for verb, table in re.findall(r'(INSERT|UPDATE|DELETE)[ A-Z]* "(\w+)"', sql))
    flat = sql
    while (inner := re.sub(r"\([^()]*\)", "", flat)) != flat:  # without subqueries
        flat = inner
    table = re.search(r'(?:FROM|INTO|UPDATE) "(\w+)"', flat)
    return " ".join([flat.split()[0], *([table[1]] if table else []), *(["and lock"] if "FOR UPDATE" in flat else [])])


CLIENT = "SELECT clients_client"  # the query of client_directory; none where the client is cached


def test_a_token_for_the_client_itself(program):
    program.token()
    assert asked(program.token) == [CLIENT]


def test_the_exchange_of_a_code(flow):
    flow.tokens()
    code = flow.code()
    spend = "DELETE oauth2_provider_grant, DELETE authority_devicerequest"
    begin = "INSERT authority_tokenfamily, INSERT authority_refreshtoken"
    assert asked(lambda: flow.exchange(code)) == [
        "SAVEPOINT",
        CLIENT,
        "SELECT oauth2_provider_grant and lock",
        f"{spend}, {begin}",
        "RELEASE",
    ]


def test_a_refresh(flow):
    spent = flow.tokens()["refresh_token"]
    assert asked(lambda: flow.refresh(spent)) == [
        "SAVEPOINT",
        CLIENT,
        "SELECT authority_refreshtoken and lock",
        "UPDATE authority_tokenfamily, INSERT authority_refreshtoken",
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


# However many clients and tokens there are.
FEW_ROWS = {"authority_signingkey", "clients_api", "clients_scope", "clients_apirole", "clients_apiclaim"}


def read_whole(request):
    """Return the tables that a request can only read from end to end."""
    with CaptureQueriesContext(connection) as statements:
        assert request().status_code == 200
    found = set()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # which leaves it to where there is no index
        # Of a few rows any index is as good as another. Where nobody has counted yet, PostgreSQL supposes many.
        cursor.execute("DELETE FROM pg_statistic")
        cursor.execute("UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE relnamespace = 'public'::regnamespace")
        for each in statements:
            if each["sql"].split()[0] in {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}:
                cursor.execute("EXPLAIN (FORMAT JSON) " + each["sql"])
                found |= without_condition(cursor.fetchone()[0][0]["Plan"])
    return found


def without_condition(plan):
    found = {plan["Relation Name"]} if "Scan" in plan["Node Type"] and "Relation Name" in plan else set()
    if "Index Cond" in plan or "Recheck Cond" in plan:
        found = set()
    return found.union(*(without_condition(each) for each in plan.get("Plans", ())))


def crowd():
    """Let there be so many clients that the planner does not read all of them for want of difference."""
    consumers = Consumer.objects.bulk_create(ConsumerFactory.build_batch(300))
    Client.objects.bulk_create([ClientFactory.build(consumer=consumer) for consumer in consumers])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE clients_client, consumers_consumer")


def test_no_statement_takes_longer_the_more_clients_and_tokens_there_are(program, flow):
    crowd()
    flow.tokens()
    code, spent = flow.code(), flow.tokens()["refresh_token"]
    token = program.token().json()["access_token"]
    for request in (
        program.token,
        lambda: flow.exchange(code),
        lambda: flow.refresh(spent),
        lambda: program.post("/oauth2/introspect", {"token": token}),
    ):
        assert read_whole(request) <= FEW_ROWS


def test_a_code_and_a_refresh_token_are_sought_by_their_digest_alone(flow):
    # Beside it, PostgreSQL would take the index of clients where it knows too little of one with many tokens.
    code = flow.code()
    with CaptureQueriesContext(connection) as statements:
        flow.refresh(flow.exchange(code).json()["refresh_token"])
    sought = [each["sql"].partition("JOIN")[2] for each in statements if "FOR UPDATE" in each["sql"]]
    assert [re.findall(r"WHERE ([\w.]+ = ).*\s+FOR", text) for text in sought] == [
        ["code.code = "],
        ["token.digest = "],
    ]


def test_issued_tokens_write_no_index_that_nobody_reads(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename LIKE 'authority%'")
        assert [index for (index,) in cursor.fetchall() if "pattern_ops" in index] == []
