"""Pages and lists where there are many rows: PostgreSQL reads what is shown, and no large table from end to end."""

import json
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authority.models import OpaqueToken, RevokedToken, SpentIdentifier
from clients.models import Client, ClientSecret
from consumers.actions import expiry, sealing
from consumers.actions.personal_tokens import create_token
from consumers.activity import verification
from consumers.activity.verification import Part
from consumers.models import Consumer, Event, EventSeal, Role, UnsealedEvent
from consumers.scopes import MANAGEMENT_SCOPES
from core import sweeps
from core.admin import BoundedChangeList
from core.models import Message, Submission
from portal import worker
from tests.factories import (
    ClientFactory,
    ConsumerFactory,
    MembershipFactory,
    UserFactory,
    actor_for,
    hold_second_factor,
)

pytestmark = pytest.mark.django_db

MANY = 20_000  # of clients and of events; each consumer has twenty
CROWD = """
INSERT INTO consumers_consumer
SELECT made.* FROM consumers_consumer one, generate_series(1, %(many)s / 20) n, jsonb_populate_record(one,
    jsonb_build_object('id', md5('consumer' || n), 'slug', 'crowd-' || n, 'name', 'Crowd ' || n)) made
WHERE one.slug = 'acme';
INSERT INTO consumers_user
SELECT made.* FROM consumers_user one, generate_series(1, %(many)s / 10) n, jsonb_populate_record(one,
    jsonb_build_object('id', md5('person' || n), 'email', 'person-' || n || '@crowd.example')) made
WHERE one.email = 'alice@acme.example';
INSERT INTO consumers_membership (consumer_id, user_id, role, joined_at)
SELECT md5('consumer' || 1 + n %% (%(many)s / 20))::uuid, md5('person' || n)::uuid, 'viewer', now()
FROM generate_series(1, %(many)s / 10) n;
INSERT INTO consumers_invitation (consumer_id, email, role, token_digest, created_at, sent_at, expires_at)
SELECT md5('consumer' || 1 + n %% (%(many)s / 20))::uuid, 'invited-' || n, 'viewer', md5('i' || n), now(), now(), now()
FROM generate_series(1, %(many)s / 10) n;
INSERT INTO clients_client
SELECT made.* FROM clients_client one, generate_series(1, %(many)s) n, jsonb_populate_record(one,
    jsonb_build_object('id', 1000000 + n, 'client_id', 'cl_crowd_' || n, 'client_name', 'Client ' || n,
                       'consumer_id', md5('consumer' || 1 + n / 21))) made
WHERE one.client_name = 'Billing sync' AND n / 21 < %(many)s / 20;
INSERT INTO clients_clientsecret (id, client_id, name, digest, pepper_version, hint, created_at, created_by_label)
SELECT md5('secret' || id)::uuid, id, '', md5('digest' || id), '1', 'abcd', now(), ''
FROM clients_client WHERE id > 1000000;
INSERT INTO consumers_event (at, name, actor_kind, actor_id, actor_label, consumer_id, target_kind, target_id,
                             target_label, detail, user_agent, request_id)
SELECT now() - n * interval '1 minute', 'client.updated', 'person', md5('person' || n %% 99), 'Person',
       md5('consumer' || 1 + n %% (%(many)s / 20))::uuid, 'client', 1000000 + n, 'Client ' || n, '{}', '',
       md5('r' || n)
FROM generate_series(1, %(many)s) n;
INSERT INTO consumers_eventseal (position, event_id, consumer_id, digest, consumer_hash, hash)
SELECT row_number() OVER (ORDER BY id), id, consumer_id, '', '', '' FROM consumers_event;
INSERT INTO core_message (state, attempts, last_error, next_attempt_at, recipients, subject, encrypted_message,
                          created_at)
SELECT 'sent', 1, '', now(), 'person-' || n, 'Code', '', now() - n * interval '1 second'
FROM generate_series(1, %(many)s) n;
INSERT INTO core_submission (key, outcome, created_at, user_id)
SELECT md5('form' || n)::uuid, '/', now(), (SELECT id FROM consumers_user LIMIT 1) FROM generate_series(1, %(many)s) n;
INSERT INTO django_session (session_key, session_data, expire_date)
SELECT md5('session' || n), '', now() + interval '1 day' FROM generate_series(1, %(many)s) n;
INSERT INTO usersessions_usersession (created_at, ip, last_seen_at, session_key, user_agent, data, user_id)
SELECT now(), '192.0.2.7', now(), md5('session' || n), '', '{}', (SELECT id FROM consumers_user LIMIT 1)
FROM generate_series(1, %(many)s) n;
INSERT INTO authority_opaquetoken (digest, client_id, claims, expires_at)
SELECT md5('opaque' || n), 1000001, '{}', now() + interval '1 hour' FROM generate_series(1, %(many)s) n;
INSERT INTO authority_revokedtoken (jti, expires_at)
SELECT md5('jti' || n), now() + interval '1 hour' FROM generate_series(1, %(many)s) n;
INSERT INTO authority_spentidentifier (digest, expires_at)
SELECT md5('spent' || n), now() + interval '1 hour' FROM generate_series(1, %(many)s) n;
INSERT INTO authority_dailycount (client_id, day, issued, refused)
SELECT 1000000 + n, CURRENT_DATE, 1, 0 FROM generate_series(1, %(many)s) n WHERE n / 21 < %(many)s / 20;
INSERT INTO authority_problem (client_id, endpoint, kind, detail, error, count, first_at, last_at)
SELECT 1000000 + n, 'token', 'x', '{}', '', 1, now(), now()
FROM generate_series(1, %(many)s) n WHERE n / 21 < %(many)s / 20
"""
LARGE = [Client, ClientSecret, Event, EventSeal, Message, Submission, OpaqueToken, RevokedToken, SpentIdentifier]
SMALL_PART = MANY // 8  # rows that a statement may read of a large table: it cannot have read all


@pytest.fixture(scope="module")
def crowd(django_db_setup, django_db_blocker):
    """Seed once for all of these tests, in a transaction around them."""
    with django_db_blocker.unblock(), transaction.atomic(), connection.cursor() as cursor:
        acme = ConsumerFactory(name="Acme Logistics", slug="acme")
        UserFactory(name="Alice Martin", email="alice@acme.example")
        ClientFactory(consumer=acme, client_name="Billing sync")
        cursor.execute("SET LOCAL session_replication_role = replica")  # a trigger for each row would take a minute
        for statement in CROWD.split(";\n"):
            cursor.execute(statement, {"many": MANY})
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")  # else a plan tells the rows of one process
        cursor.execute("ANALYZE")
        yield Consumer.objects.get(slug="crowd-7")
        transaction.set_rollback(True)


@pytest.fixture
def operator(crowd, browser_of):
    return browser_of(UserFactory(is_staff=True, is_superuser=True))


@pytest.fixture
def manager(crowd):
    person = UserFactory()
    MembershipFactory(consumer=crowd, user=person, role=Role.MANAGER)
    return person


def plans(run):
    """Return what PostgreSQL did for each statement that reads: by EXPLAIN ANALYZE, after it has run."""
    with CaptureQueriesContext(connection) as captured:
        run()
    found = []
    with connection.cursor() as cursor:
        for query in captured.captured_queries:
            if query["sql"].lstrip().startswith(("SELECT", "WITH")):
                cursor.execute("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + query["sql"])
                (plan,) = cursor.fetchone()
                found.append((query["sql"], (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]))
    return found


def rows_read(plan):
    """Yield the table of each scan with how many rows it read, with those that it threw away."""
    if "Relation Name" in plan:
        thrown = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
        yield plan["Relation Name"], (plan["Actual Rows"] + thrown) * plan["Actual Loops"]
    for part in plan.get("Plans", ()):
        yield from rows_read(part)


def assert_reads_little(name, run, most=SMALL_PART):
    large = {model._meta.db_table for model in LARGE}
    for sql, plan in plans(run):
        read = {}
        for table, rows in rows_read(plan):
            read[table] = read.get(table, 0) + rows
        too_many = {table: rows for table, rows in read.items() if table in large and rows > most}
        assert not too_many, f"{name}: {too_many} by {sql}"


OPERATORS = [
    "consumers/consumer/{crowd}/change/",
    "consumers/consumer/{crowd}/actions/suspend/",
    "clients/client/",
    "clients/client/?p=2",
    "clients/client/?consumer={crowd}",
    "clients/client/1000007/change/",
    "consumers/user/",
    "consumers/event/",
    "consumers/event/?p=9",
    "consumers/event/?consumer={crowd}",
    "consumers/event/?target=1000007",
    "consumers/event/?by=system",
    "consumers/event/?about=apis",
    "core/message/",
    "core/message/?p=9",
]


def test_operators_lists_read_what_they_show(crowd, operator):
    for path in OPERATORS:
        assert_reads_little(path, partial(operator.get, f"/operators/{path.format(crowd=crowd.pk)}"))


def test_consumers_are_counted_one_by_one_and_their_joins_multiply_nothing(crowd, operator):
    for path in ("", "?q=person-77", "?o=4", "?o=-5"):
        run = partial(operator.get, f"/operators/consumers/consumer/{path}")
        assert_reads_little(path, run, most=2 * MANY)  # each client counted for the order, then for the page
    answer = operator.get("/operators/consumers/consumer/?q=crowd-7")
    shown = {each.slug: each for each in answer.context["cl"].result_list}
    assert (shown["crowd-7"].people_in_all, shown["crowd-7"].open_in_all) == (2, 2)
    assert shown["crowd-7"].clients_in_all == 21


@pytest.mark.parametrize("path", ["consumers/consumer/", "clients/client/", "consumers/event/", "core/message/"])
def test_operators_lists_count_no_further_than_people_turn_pages(crowd, operator, path, monkeypatch):
    monkeypatch.setattr(BoundedChangeList, "MOST", 150)
    answer = operator.get(f"/operators/{path}")
    assert answer.context["cl"].result_count == 150
    assert "These are the first 150." in answer.text


def test_search_of_the_activity_is_bounded_but_finds_any_request(crowd, operator, monkeypatch):
    monkeypatch.setattr(type(Event.objects.all()), "SEARCHED", 1_000)
    oldest, newest = Event.objects.last(), Event.objects.first()
    for text in ("nowhere", oldest.target_label, newest.request_id):
        assert_reads_little(text, partial(operator.get, "/operators/consumers/event/", {"q": text}))

    def found(text):
        return operator.get("/operators/consumers/event/", {"q": text}).context["cl"].queryset

    assert newest in found(newest.target_label)
    assert oldest not in found(oldest.target_label)
    assert [event.pk for event in found(oldest.request_id)] == [oldest.pk]


WORKSPACE = [
    "",
    *("clients/", "clients/?page=2", "clients/?sort=state", "clients/?q=777", "clients/?kind=web", "clients/secrets/"),
    *("clients/?state=active", "clients/?state=expired", "clients/?state=no_secret", "clients/?state=rotating"),
    *("people/", "activity/", "activity/?q=nowhere", "activity/?what=apis", "test-tokens/"),
]


def test_pages_of_a_workspace_read_its_own_rows_alone(crowd, manager, browser_of):
    browser = browser_of(manager)
    for path in WORKSPACE:
        assert_reads_little(path, partial(browser.get, f"/consumers/{crowd.slug}/{path}"))


API = [
    *("clients", "clients?consumer=crowd-9", "clients?client_name=Client+777", "consumers", "consumers?q=crowd-77"),
    *("activity", "activity?name=api.created", "activity?actor_id=nobody", "activity?client_id=cl_crowd_7"),
]


def test_lists_of_the_management_api_read_what_they_answer_with(crowd, manager, client):
    end = timezone.now() + timedelta(days=1)
    for person in (hold_second_factor(UserFactory(is_staff=True, is_superuser=True)), manager):
        _, token = create_token(
            user=person, name="Test", scopes=MANAGEMENT_SCOPES, expires_at=end, actor=actor_for(person)
        )
        for path in API:
            run = partial(client.get, f"/admin/{path}", headers={"Authorization": f"Bearer {token}"})
            assert run().status_code == 200
            assert_reads_little(path, run)


def test_sweeps_that_find_nothing_read_nothing(crowd, monkeypatch):
    monkeypatch.setattr(sweeps, "PAUSE", 0)
    monkeypatch.setattr(sweeps, "MOST", 500)
    for task in worker.PERIODIC_TASKS:
        if task.__name__.startswith("delete"):
            assert_reads_little(task.__name__, task)


def test_sealing_and_each_step_of_a_verification_read_a_bounded_part(crowd, monkeypatch):
    monkeypatch.setattr(verification, "STEP", 500)
    monkeypatch.setattr(sealing, "BATCH", 500)
    waiting = Event.objects.values_list("pk", flat=True)
    UnsealedEvent.objects.bulk_create(UnsealedEvent(event_id=pk) for pk in waiting)
    whole, ids = verification.end(), verification.events()
    start = verification.anchor(None)
    assert_reads_little("anchor", lambda: verification.anchor(None))
    assert_reads_little("sealing", sealing.seal_events)
    assert_reads_little("steps", lambda: next(verification.steps(whole)))
    assert_reads_little("events", lambda: verification.verify_events(next(verification.event_steps(ids))))
    assert_reads_little("erasures", verification.verify_erasures)
    assert_reads_little("seals", lambda: verification.verify_seals(Part(10_000, 10_500), start))
    assert_reads_little("expiry", lambda: expiry.expired_until(timezone.now() - timedelta(days=99)))


def test_statements_of_the_operators_lists_are_as_many_as_ever(crowd, operator):
    counts = {}
    for path in ("consumers/consumer/", "clients/client/", "consumers/user/", "consumers/event/", "core/message/"):
        with CaptureQueriesContext(connection) as captured:
            operator.get(f"/operators/{path}")
        counts[path] = len(captured)
    assert counts == {
        "consumers/consumer/": 8,
        "clients/client/": 9,
        "consumers/user/": 10,
        "consumers/event/": 9,
        "core/message/": 8,
    }


@pytest.mark.parametrize("path", ["/account/login/code/", "/account/password/reset/", "/account/login/"])
@pytest.mark.parametrize("email", ["person-7@crowd.example", "nobody@crowd.example"])
def test_strangers_who_ask_for_an_address_cause_no_reading_of_all(crowd, client, path, email):
    form = {"email": email, "login": email, "password": "not the right one"}
    for sql, plan in plans(lambda: client.post(path, form)):
        for table, rows in rows_read(plan):
            assert table not in ("consumers_user", "account_emailaddress") or rows < 10, (rows, sql)
