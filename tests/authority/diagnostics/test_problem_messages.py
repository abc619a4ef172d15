"""Why requests are refused, in words that a developer can act on."""

import re
from datetime import timedelta
from typing import get_args

import pytest
from django.utils import timezone

from authority.diagnostics import problem_messages
from authority.models import Problem
from authority.protocol import redirect_uris
from authority.telemetry.reasons import Reason
from clients import secrets
from clients.vocabulary import AuthMethod
from tests.authority.conftest import FORM, Program, basic, kept
from tests.factories import give_secret

pytestmark = pytest.mark.django_db


def words(client):
    (problem,) = kept(client).values()
    return problem_messages.describe(problem, client)


def test_secret_that_ended_is_told_from_one_that_never_was(service):
    ended, text = give_secret(service, expires_at=timezone.now() - timedelta(days=3))
    revoked, gone = give_secret(service, revoked_at=timezone.now())
    for sent in (text, gone, secrets.generate(), "hunter2"):
        assert Program(service, sent).token().status_code == 401
    found = kept(service)
    assert found["secret_expired"].detail["hint"] == ended.hint
    assert found["secret_revoked"].detail["hint"] == revoked.hint
    assert {tuple(row.detail) for row in service.problems.filter(kind="secret_unknown")} == {("hint",), ()}
    told = problem_messages.describe(found["secret_expired"], service)
    assert f"••••{ended.hint} expired on" in told.what
    assert f"••••{revoked.hint} was revoked on" in problem_messages.describe(found["secret_revoked"], service).what
    assert told.to == "secrets"
    written = str(list(service.problems.values()))
    assert [secret for secret in (text, gone, "hunter2", secrets.keyed_digest(text, "1")) if secret in written] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: f"{text}\n", "a space, a line end or quotes around it"),
        (lambda text: f'"{text}"', "a space, a line end or quotes around it"),
        (lambda text: text[:-3], "was cut off or changed"),
        (lambda text: "hunter2", "does not look like one of our secrets"),
    ],
)
def test_what_was_done_to_a_secret_is_told(service, change, said):
    secret, text = give_secret(service)
    assert Program(service, change(text)).token().status_code == 401
    told = words(service)
    assert said in told.what
    assert f"Active secrets: ••••{secret.hint}" in told.what
    assert text not in str(list(service.problems.values()))


def test_empty_secret_is_told(service):
    Program(service).post(
        "/oauth2/token", {"grant_type": "client_credentials"}, Authorization=basic(service.client_id, "")
    )
    assert words(service).what.startswith("They send an empty secret.")


def test_what_has_no_words_of_its_own_tells_what_was_answered(web, client):
    usual = {
        "client_id": web.client.client_id,
        "redirect_uri": "https://app.example.com/signed-in",
        "response_type": "code",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    for more in ({"request": "x.y.z"}, {"max_age": "soon"}, {"response_type": "token"}):
        client.get("/oauth2/authorize", usual | more)
    found = {kind: problem_messages.describe(problem, web.client) for kind, problem in kept(web.client).items()}
    assert found["request_not_supported"].title == "Signed requests are not served"
    assert found["invalid_request"].what == "We answered: max_age must be a number of seconds."
    assert "response_type=code" in found["response_type"].todo


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
    assert "There is no scope “invoices:write”: check the spelling." in told.what
    service.problems.all().delete()
    program.token(scope="openid shipment:read")
    told = words(service)
    assert "There is no scope “shipment:read”: perhaps “shipments:read” is meant." in told.what
    assert "“openid” needs a user who signs in." in told.what
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
        ("https://[", "not a valid URI"),
    ],
)
def test_difference_of_addresses_in_words(sent, said):
    found = redirect_uris.nearest_difference(sent, ["https://other.example/else", "https://app.example.com/in"])
    assert found is not None
    assert said in found.words


def test_page_of_a_foreign_origin(spa, flow):
    spa.post("/oauth2/token", {"grant_type": "authorization_code", "code": "x", "client_id": spa.client.client_id},
             Origin="https://evil.example")  # fmt: skip
    assert kept(spa.client)["origin_not_allowed"].detail == {"origin": "https://evil.example"}


def test_every_reason_has_words():
    """The code gives no other reason: its type says which there are."""
    assert set(get_args(Reason)) - set(problem_messages.MESSAGES) == set()


@pytest.mark.parametrize("method", AuthMethod.values)
def test_words_of_every_kind_stand_without_details(service, method):
    service.token_endpoint_auth_method = method
    for kind in problem_messages.MESSAGES:
        told = problem_messages.describe(Problem(client=service, kind=kind, detail={}, error="invalid_client"), service)
        assert all((told.title, told.what, told.todo)), kind
        assert not re.search("“”|[{}]|  ", f"{told.title} {told.what} {told.todo}"), (kind, told)
        assert told.what.endswith("."), (kind, told)


def told_of(client, kind, **detail):
    return problem_messages.describe(Problem(client=client, kind=kind, detail=detail, error="invalid_client"), client)


def test_a_client_on_a_platform_is_not_told_to_mend_keys_that_it_does_not_hold(service):
    assert "Register the public key" in told_of(service, "assertion_key_unknown", kid="k", used="RS256").todo
    service.token_endpoint_auth_method = AuthMethod.FEDERATED
    told = told_of(service, "assertion_key_unknown", kid="k", used="RS256")
    assert told.what == "The issuer publishes no key called “k” that makes signatures with RS256."
    assert "registered" not in f"{told.title} {told.what} {told.todo}".lower()
    assert told_of(service, "assertion_rule_unmet", claim="environment", wanted="production").what == (
        "It has no environment; the nearest rule wants “production”."
    )
