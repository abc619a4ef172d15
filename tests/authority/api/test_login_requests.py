"""Login, consent and logout requests over the management API: what is refused, and how often one is answered."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import Permission
from django.db import connection

from authority.models import Challenge
from clients.models import ApiRole
from consumers.models import Role, User
from tests.authority.own_login import CONSENT, LOGIN, OwnLogin, challenge_of, path_of
from tests.factories import MembershipFactory, UserFactory, hold_second_factor

pytestmark = pytest.mark.django_db
KINDS = ("login", "consent", "logout")


@pytest.fixture
def asked(own, login):
    """The challenge of an open login request."""
    return challenge_of(own.open(), LOGIN)


@pytest.fixture
def consent(own, login):
    """The challenge of an open consent request."""
    return challenge_of(login.begin(own), CONSENT)


def refused(answer, status=400, code="invalid_request"):
    assert (answer.status_code, answer.json()["error"]) == (status, code), answer.json()
    return answer.json()["error_description"]


LOGINS = [
    ({}, "subject"),
    ({"subject": ""}, "printable ASCII"),
    ({"subject": "x" * 256}, "printable ASCII"),
    ({"subject": " user"}, "printable ASCII"),
    ({"subject": "dana\n"}, "printable ASCII"),
    ({"subject": "müller"}, "printable ASCII"),
    ({"subject": 7}, "a text"),
    ({"subject": "a", "remember_for": -1}, "0 or more"),
    ({"subject": "a", "remember_for": 10 * 366 * 24 * 3600}, "or less"),
    ({"subject": "a", "extend_session_lifespan": True}, "only a session that exists"),
    ({"subject": "a", "force_subject_identifier": "b"}, "one subject"),
    ({"subject": "a", "acr": "x" * 201}, "shorten"),
    ({"subject": "a", "amr": ["x"] * 21}, "at most"),
    ({"subject": "a", "amr": "pwd"}, "list"),
    ({"subject": "a", "context": "x" * 20_000}, "Shorten"),
    ({"subject": "a", "identity_provider_session_id": "x" * 256}, "shorten"),
    ({"subject": "a", "unknown": 1}, "unknown"),
    ({"subject": "a", "session": {"id_token": {"iss": "https://evil.example"}}}, "iss"),
    ({"subject": "a", "session": {"more": {}}}, "more"),
]


def test_bad_answers_to_login_requests_are_refused_with_a_sentence(login, asked):
    for body, words in LOGINS:
        assert words in refused(login.answer("login", "accept", asked, body)), body
    refused(login.answer("login", "accept", asked, "no JSON at all"))
    assert not Challenge.objects.exclude(answered_at=None).exists()
    assert login.accept_login(asked, subject="a")


def test_subject_of_somebody_else_is_refused(login, asked, alice, web):
    for taken in (str(alice.pk), str(alice.pk).upper(), web.client.client_id):
        assert "somebody else" in refused(login.answer("login", "accept", asked, {"subject": taken}))
    known = User.objects.create_end_user(login_subject="user-4711")
    assert login.accept_login(asked, subject=known.login_subject)


CONSENTS = [
    ({"grant_scope": ["openid", "shipments:write"]}, "what was requested"),
    ({"grant_access_token_audience": ["https://api.example.com/other"]}, "what was requested"),
    ({"session": {"id_token": {"sub": "x", "iss": "y"}}}, "iss, sub"),
    ({"session": {"id_token": {"plan": "x" * 3000}}}, "bytes"),
    ({"session": {"access_token": {"plan": "x" * 3000}}}, "bytes"),
    ({"session": {"access_token": {"roles": ["owner"]}}}, "dispatcher"),
    ({"session": {"access_token": {"roles": "dispatcher"}}}, "dispatcher"),
    ({"session": {"access_token": {"roles": [{}]}}}, "dispatcher"),
    ({"session": {"access_token": []}}, "object"),
    ({"remember_for": -1}, "0 or more"),
    ({"subject": "a"}, "subject"),
    ({"context": ["x" * 20_000]}, "Shorten"),
]


def test_bad_answers_to_consent_requests_are_refused_with_a_sentence(login, consent, own_api):
    ApiRole.objects.create(api=own_api, value="dispatcher", name="Dispatcher")
    for body, words in CONSENTS:
        assert words in refused(login.answer("consent", "accept", consent, body)), body
    granted = {"grant_scope": None, "handled_at": "2027-01-31T12:00:00Z", "session": None, "remember": None}
    assert login.answer("consent", "accept", consent, granted).status_code == 200


def test_bad_rejections_are_refused_with_a_sentence(login, asked):
    for body, words in [
        ({"error": 'a "quote"'}, "RFC 6749"),
        ({"error": "x" * 101}, "shorten"),
        ({"error_description": "x" * 501}, "shorten"),
        ({"status_code": "403"}, "number"),
        ({"more": 1}, "more"),
    ]:
        assert words in refused(login.answer("login", "reject", asked, body)), body


def test_requests_are_found_by_either_name_and_only_as_what_they_are(login, asked):
    at = "/admin/oauth2/auth/requests"
    by_alias = login.program.get(f"{at}/login?challenge={asked}")
    assert by_alias.json() == login.request("login", asked).json()
    assert login.program.get(f"{at}/login?challenge={asked}&login_challenge={asked}").status_code == 200
    assert "login_challenge" in refused(login.program.get(f"{at}/login"))
    refused(login.program.get(f"{at}/login?challenge={asked}&login_challenge=other"))
    refused(login.program.get(f"{at}/consent?login_challenge={asked}"))
    for kind in KINDS:
        refused(login.request(kind, "cdch_nothing"), 404, "not_found")
        for verb in ("accept", "reject"):
            body = {"subject": "a"} if (kind, verb) == ("login", "accept") else {}
            refused(login.answer(kind, verb, "cdch_nothing", body), 404, "not_found")
    refused(login.request("consent", asked), 404, "not_found")


def test_what_was_answered_is_gone_and_says_where_it_begins_again(own, login, asked):
    began = login.request("login", asked).json()["request_url"]
    login.accept_login(asked)
    for again in (
        login.request("login", asked),
        login.answer("login", "accept", asked, {"subject": "another"}),
        login.answer("login", "reject", asked, {}),
    ):
        assert (again.status_code, again.json()) == (410, {"redirect_to": began})
    assert challenge_of(own.browser.get(path_of(began)), LOGIN)


@pytest.mark.django_db(transaction=True)
def test_of_two_answers_at_once_one_counts(login, asked):
    def accept(subject):
        try:
            return login.answer("login", "accept", asked, {"subject": subject}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(accept, ("a", "b", "c", "d")))
    assert statuses == [200, 410, 410, 410]


def test_only_operators_answer_and_only_with_the_scope_and_the_right(asked, program_of, alice, acme, olga):
    body = {"subject": "a"}
    assert refused(OwnLogin(program_of(alice)).answer("login", "accept", asked, body), 403, "access_denied")
    reads = OwnLogin(program_of(olga, scopes=["logins:read"]))
    assert reads.request("login", asked).status_code == 200
    refused(reads.answer("login", "accept", asked, body), 403, "insufficient_scope")
    MembershipFactory(consumer=acme, user=olga, role=Role.MANAGER)
    narrow = OwnLogin(program_of(olga, consumer=acme))
    assert "one workspace" in refused(narrow.request("login", asked), 403, "access_denied")
    limited = hold_second_factor(UserFactory(is_staff=True))
    limited.user_permissions.set(Permission.objects.filter(codename="view_challenge"))
    views = OwnLogin(program_of(limited))
    assert views.request("login", asked).status_code == 200
    refused(views.answer("login", "accept", asked, body), 403, "access_denied")


def test_documents_hold_no_secret_and_are_not_kept(login, asked, web):
    answer = login.request("login", asked)
    assert web.secret not in json.dumps(answer.json())
    assert answer["Cache-Control"] == "no-store"


def test_a_login_may_ask_more_often_than_other_programs(login):
    at = "/admin/oauth2/auth/requests/logout?challenge=cdch_nothing"
    assert {login.program.get(at).status_code for _ in range(101)} == {404}
    assert login.program.get("/admin/clients").status_code == 429
    assert login.program.get(at).status_code == 404
