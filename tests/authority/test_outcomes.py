"""What is kept of the answers: counts a day, and why requests were refused."""

import ast
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import DataError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authority import outcomes, problems, redirects
from authority.models import DailyCount, Problem
from clients import secrets
from clients.vocabulary import AuthMethod
from tests.authority.conftest import FORM, Program
from tests.factories import give_secret

pytestmark = pytest.mark.django_db


def kept(client):
    outcomes.flush()
    return {problem.kind: problem for problem in client.problems.all()}


def words(client):
    (problem,) = kept(client).values()
    return problems.describe(problem, client)


# -- Counts -----------------------------------------------------------------------------------------------------------


def test_issued_and_refused_tokens_are_counted_per_client_and_day(program, service, time_machine):
    time_machine.move_to(timezone.now(), tick=False)  # the day must not end meanwhile
    for _ in range(3):
        program.token()
    program.token(scope="nothing")
    outcomes.flush()
    Program(service, "wrong").token()
    outcomes.flush()
    row = service.daily_counts.get()
    assert (row.day, row.issued, row.refused) == (timezone.now().date(), 3, 2)


def test_counts_of_a_round_are_one_statement_however_many_clients(program, stranger):
    program.token()
    stranger.token()
    with CaptureQueriesContext(connection) as statements:
        outcomes.write_counts({key: [1, 0] for key in list(outcomes._counts)})
    assert len(statements) == 1
    assert DailyCount.objects.count() == 2


def test_a_token_request_that_works_writes_nothing(program):
    program.token()
    with CaptureQueriesContext(connection) as statements:
        program.token()
    assert not [query for query in statements if not query["sql"].startswith("SELECT")]


def test_nothing_is_lost_while_the_database_is_away(program, service, monkeypatch):
    program.token()
    program.token(scope="nothing")

    def away(_):
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(outcomes, "write_problems", away)
        with pytest.raises(OperationalError):
            outcomes.flush()
    outcomes.flush()
    assert service.problems.get().count == 1
    row = service.daily_counts.get()
    assert (row.issued, row.refused) == (1, 1)


def test_what_the_database_refuses_is_not_tried_for_ever(program, monkeypatch):
    program.token(scope="nothing")

    def refused(_):
        raise DataError

    with monkeypatch.context() as patch:
        patch.setattr(outcomes, "write_problems", refused)
        with pytest.raises(DataError):
            outcomes.flush()
    assert not outcomes._problems


@pytest.mark.parametrize("ip", [None, "", "unix:", "fe80::1%eth0", "::ffff:192.0.2.1", "not an address"])
def test_odd_addresses_of_callers_are_no_fault(service, ip):
    outcomes.problem(service.pk, "x" * 50, "y" * 100, detail={"a": "b"}, error="z" * 100, ip=ip)
    outcomes.flush()
    assert service.problems.get().count == 1


def test_a_client_that_was_deleted_meanwhile_harms_nothing(program, service):
    program.token(scope="nothing")
    service.delete()
    outcomes.flush()
    assert not Problem.objects.exists()
    assert not DailyCount.objects.exists()


def test_what_is_old_is_forgotten(program, service):
    program.token(scope="nothing")
    program.token(scope="else")
    outcomes.flush()
    old = service.problems.earliest("pk")
    Problem.objects.filter(pk=old.pk).update(last_at=timezone.now() - timedelta(days=31))
    DailyCount.objects.update(day=timezone.now().date() - timedelta(days=401))
    outcomes.forget_old()
    assert old not in service.problems.all()
    assert service.problems.count() == 1
    assert not DailyCount.objects.exists()


# -- A stranger cannot fill the database ------------------------------------------------------------------------------


def test_the_same_refusal_is_one_row_with_its_count(program, service):
    for _ in range(3):
        program.token(scope="nothing")
    outcomes.flush()
    first = service.problems.get()
    program.token(scope="nothing")
    outcomes.flush()
    again = service.problems.get()
    assert (first.count, again.count, again.first_at) == (3, 4, first.first_at)
    assert again.last_at > first.last_at
    assert again.last_ip == "127.0.0.1"


@pytest.mark.parametrize("rounds", [1, 4])
def test_many_different_refusals_of_a_kind_fill_few_rows(program, service, rounds):
    for number in range(40):
        program.token(scope=f"nothing-{number}")
        if number % (40 // rounds) == 0:
            outcomes.flush()
    outcomes.flush()
    assert service.problems.count() <= outcomes.DIFFERENT + 1
    assert sum(service.problems.values_list("count", flat=True)) == 40
    assert service.problems.get(detail={}).count >= 30


def test_guesses_of_many_secrets_fill_few_rows(program, service):
    for _ in range(30):
        Program(service, secrets.generate()).token()
    assert len(outcomes._problems) <= outcomes.DIFFERENT + 1
    outcomes.flush()
    assert service.problems.count() <= outcomes.DIFFERENT + 1


def test_unknown_clients_leave_nothing(db):
    class Nobody:
        client_id = "cl_nobody"

    Program(Nobody, "wrong").token()
    assert not outcomes._problems
    assert not outcomes._counts


def test_details_are_short_and_on_one_line(program, service):
    program.token(scope="x" * 5000 + " a\u202eb")
    problem = kept(service)["scope_not_granted"]
    assert all(len(value) <= 201 for value in problem.detail["scopes"])
    assert "\u202e" not in str(problem.detail)


# -- Why --------------------------------------------------------------------------------------------------------------


def test_secret_that_ended_is_told_from_one_that_never_was(service):
    ended, text = give_secret(service, expires_at=timezone.now() - timedelta(days=3))
    revoked, gone = give_secret(service, revoked_at=timezone.now())
    for sent in (text, gone, secrets.generate(), "hunter2"):
        assert Program(service, sent).token().status_code == 401
    found = kept(service)
    assert found["secret_expired"].detail["hint"] == ended.hint
    assert found["secret_revoked"].detail["hint"] == revoked.hint
    assert {tuple(row.detail) for row in service.problems.filter(kind="secret_unknown")} == {("hint",), ()}
    told = problems.describe(found["secret_expired"], service)
    assert f"••••{ended.hint} ended on" in told.what
    assert told.to == "secrets"
    written = str(list(service.problems.values()))
    assert [secret for secret in (text, gone, "hunter2", secrets.digest(text, "1")) if secret in written] == []


def test_the_wire_still_says_nothing_of_all_this(service):
    _, text = give_secret(service, expires_at=timezone.now() - timedelta(days=3))
    bodies = {Program(service, sent).token().content for sent in (text, secrets.generate(), "hunter2")}
    assert len(bodies) == 1


def test_other_method_than_registered(program, service):
    program.http.post(
        "/oauth2/token",
        f"grant_type=client_credentials&client_id={service.client_id}&client_secret={program.secret}",
        content_type=FORM,
    )
    told = words(service)
    assert "registered for client_secret_basic, but the request uses client_secret_post" in told.what


def test_credentials_in_two_ways(program, service):
    program.token(client_id=service.client_id, client_secret=program.secret)
    assert "credentials_twice" in kept(service)


def test_request_that_is_no_form_is_known_by_its_header(program, service):
    program.http.post(
        "/oauth2/token", '{"grant_type": "client_credentials"}', content_type="application/json",
        headers=program.authorization,
    )  # fmt: skip
    assert "application/json" in words(service).what


def test_grants_that_are_not_registered_or_not_offered(program, service):
    program.token(grant_type="authorization_code", code="x", redirect_uri="https://a.example/")
    program.token(grant_type="password", username="a", password="b")
    found = kept(service)
    assert found["grant_not_registered"].detail == {"grant": "authorization_code"}
    assert "unsupported_grant_type" in found
    assert "hunter" not in str(found)


def test_scope_that_is_not_granted(program, service):
    program.token(scope="shipments:read invoices:write")
    told = words(service)
    assert "There is no scope “invoices:write”" in told.what
    assert "“shipments:read, shipments:write”" in told.what or "“shipments:read”" in told.what


def test_disabled_client_and_suspended_consumer(program, service, acme):
    service.disabled_at = timezone.now()
    service.save()
    program.token()
    service.disabled_at = None
    service.save()
    acme.suspended_at = timezone.now()
    acme.save()
    program.token()
    assert set(kept(service)) == {"client_disabled", "consumer_suspended"}


def test_codes_used_twice_or_by_another_client_and_wrong_verifiers(flow, program, web):
    code = flow.code()
    flow.exchange(code, code_verifier="another-verifier-that-is-long-enough-for-the-rule")
    flow.exchange(code)
    flow.exchange(code)
    flow.exchange("never-was")
    assert {"verifier_wrong", "code_used", "code_unknown"} <= set(kept(web.client))


def test_redirect_uri_that_differs(web, client):
    client.get(
        "/oauth2/authorize",
        {
            "response_type": "code",
            "client_id": web.client.client_id,
            "redirect_uri": "https://app.example.com/signed-in/",
        },
    )
    told = words(web.client)
    assert "Registered is https://app.example.com/signed-in: it differs by a trailing slash" in told.what


def test_missing_pkce(web, client):
    client.get(
        "/oauth2/authorize",
        {
            "response_type": "code",
            "client_id": web.client.client_id,
            "redirect_uri": "https://app.example.com/signed-in",
        },
    )
    assert "code_challenge" in words(web.client).what


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ("https://app.example.com/in/", "a trailing slash"),
        ("http://app.example.com/in", "the scheme"),
        ("https://app.example.com:8443/in", "the port"),
        ("https://App.example.com/in", "capital letters in the host"),
        ("https://app.example.com/In", "capital letters in the path"),
        ("https://app.example.org/in", "the host"),
        ("https://app.example.com/in?next=…", "the query"),
        ("https://app.example.com/out", "the path"),
        ("https://[", "no address that can be read"),
    ],
)
def test_difference_of_addresses_in_words(sent, said):
    found = redirects.difference(sent, ["https://other.example/else", "https://app.example.com/in"])
    assert found is not None
    assert said in found.words


def test_page_of_a_foreign_origin(spa, flow):
    spa.post("/oauth2/token", {"grant_type": "authorization_code", "code": "x", "client_id": spa.client.client_id},
             Origin="https://evil.example")  # fmt: skip
    assert kept(spa.client)["origin_not_allowed"].detail == {"origin": "https://evil.example"}


def test_every_reason_that_the_code_gives_has_words():
    given = set()
    for path in (settings.BASE_DIR / "authority").glob("**/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "reasons.because",
                "because",
                "reasons.unread",
            ):
                given |= {each.value for each in ast.walk(node.args[0]) if isinstance(each, ast.Constant)}
    assert len(given) > 12
    assert given - set(problems.TOLD) == set()


@pytest.mark.parametrize("method", AuthMethod.values)
def test_words_of_every_kind_stand_without_details(service, method):
    service.token_endpoint_auth_method = method
    for kind in problems.TOLD:
        told = problems.describe(Problem(client=service, kind=kind, detail={}, error="invalid_client"), service)
        assert all((told.title, told.what, told.todo)), kind
        assert not re.search("“”|[{}]|  ", f"{told.title} {told.what} {told.todo}"), (kind, told)
        assert told.what.endswith("."), (kind, told)


def told_of(client, kind, **detail):
    return problems.describe(Problem(client=client, kind=kind, detail=detail, error="invalid_client"), client)


def test_a_client_on_a_platform_is_not_told_to_mend_keys_that_it_does_not_hold(service):
    assert "Register the public half" in told_of(service, "assertion_key_unknown", kid="k", used="RS256").todo
    service.token_endpoint_auth_method = AuthMethod.FEDERATED
    told = told_of(service, "assertion_key_unknown", kid="k", used="RS256")
    assert told.what == "The issuer publishes no key called “k” that makes signatures with RS256."
    assert "registered" not in f"{told.title} {told.what} {told.todo}".lower()
    assert told_of(service, "assertion_rule_unmet", claim="environment", wanted="production").what == (
        "It has no environment; the nearest rule wants “production”."
    )
