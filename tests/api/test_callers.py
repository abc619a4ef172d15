"""Who may call: by which token, how far, and how often."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client as Browser
from django.utils import timezone

from authority import client_directory
from authority.tokens import access_tokens
from clients.actions.apis import set_access
from clients.converters import ClientId
from clients.models import Client, Scope
from consumers.actions.personal_tokens import revoke_token
from consumers.audit import SYSTEM
from consumers.models import PersonalToken
from consumers.scopes import MANAGEMENT_SCOPES
from tests.api.conftest import Program
from tests.factories import ClientFactory, UserFactory, actor_for, hold_second_factor

pytestmark = pytest.mark.django_db
CLIENTS = "/admin/clients"


def refused(answer, status, code):
    assert (answer.status_code, answer.json()["error"]) == (status, code), answer.text
    return True


# -- Personal access tokens -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "Bearer cdp_x",
        "Bearer cdp_" + "a" * 49,
        "Bearer a.b.c",
        "Bearer é",
        "x" * 9000,
    ],
)
def test_whatever_is_no_token_of_ours_opens_nothing(header, service):
    answer = Browser().get(CLIENTS, headers={"Authorization": header} if header else {})
    assert refused(answer, 401, "invalid_token")
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.compliance("RFC 6750", "3.1")
def test_request_without_a_token_is_told_how_to_send_one_and_of_no_error(db):
    assert Browser().get(CLIENTS)["WWW-Authenticate"] == 'Bearer realm="management"'
    wrong = Browser().get(CLIENTS, headers={"Authorization": "Bearer cdp_x"})
    assert wrong["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_a_session_cookie_opens_nothing(alice, service, browser_of):
    assert browser_of(alice).get(CLIENTS).status_code == 401
    assert "Set-Cookie" not in browser_of(alice).get(CLIENTS)


def test_no_other_site_may_read_an_answer(alice, service, program_of):
    answer = program_of(alice).get(CLIENTS, Origin="https://evil.example")
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_a_token_rests_as_a_digest(alice, token_of):
    text = token_of(alice)
    row = PersonalToken.objects.get()
    assert row.matches(text)
    assert text not in str(vars(row))
    assert text.startswith("cdp_")


def test_a_token_ends_when_it_is_revoked_expires_or_its_person_goes(alice, service, program_of, token_of):
    revoked = token_of(alice)
    revoke_token(token=PersonalToken.objects.get(), actor=actor_for(alice))
    assert refused(Program(revoked).get(CLIENTS), 401, "invalid_token")
    program = program_of(alice, days=1)
    assert program.get(CLIENTS).status_code == 200
    PersonalToken.objects.update(expires_at=timezone.now())  # the database's clock decides
    assert refused(program.get(CLIENTS), 401, "invalid_token")
    gone = program_of(alice)
    alice.is_active = False
    alice.save()
    assert refused(gone.get(CLIENTS), 401, "invalid_token")


def test_its_last_use_is_noted_once_a_minute(alice, service, program_of):
    program = program_of(alice)
    program.get(CLIENTS)
    first = PersonalToken.objects.get().last_used_at
    program.get(CLIENTS)
    assert PersonalToken.objects.get().last_used_at == first
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        program.get(CLIENTS)
    assert PersonalToken.objects.get().last_used_at > first


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", CLIENTS, "clients:read"),
        ("POST", CLIENTS, "clients:write"),
        ("POST", CLIENTS + "/x/secrets/rotate", "secrets:rotate"),
        ("GET", "/admin/consumers", "consumers:read"),
        ("PUT", "/admin/consumers/acme/access", "apis:write"),
        ("GET", "/admin/activity", "activity:read"),
        ("POST", "/admin/oauth2/introspect", "tokens:read"),
    ],
)
def test_a_token_does_what_its_scopes_say(method, path, scope, olga, program_of):
    others = [each for each in MANAGEMENT_SCOPES if each != scope]
    answer = program_of(olga, scopes=others).send(method, path, {})
    assert refused(answer, 403, "insufficient_scope")
    assert 'error="insufficient_scope"' in answer["WWW-Authenticate"]
    assert (
        program_of(olga, scopes=[scope]).send(method, path, {}).json().get("error") != "insufficient_scope"
        if method != "GET"
        else True
    )


def test_viewers_read_and_do_not_write(service, bob, program_of):
    program, path = program_of(bob), f"{CLIENTS}/{service.client_id}"
    assert program.get(path).status_code == 200
    for answer in (
        program.put(path, program.get(path).json()),
        program.patch(path, [{"op": "add", "path": "/owner", "value": "Bob"}]),
        program.delete(path),
        program.post(f"{path}/secrets/rotate"),
        program.post(f"{path}/disable"),
    ):
        assert refused(answer, 403, "access_denied")
    assert program.post(CLIENTS, {"grant_types": ["client_credentials"]}).status_code == 403
    assert service.secrets.count() == 0


def test_a_narrowed_token_reaches_one_consumer(acme, globex, olga, program_of):
    ours, theirs = ClientFactory(consumer=acme), ClientFactory(consumer=globex)
    program = program_of(olga, consumer=acme)
    assert [each["client_id"] for each in program.get(CLIENTS).json()] == [ours.client_id]
    assert program.get(f"{CLIENTS}/{theirs.client_id}").status_code == 404
    assert [each["slug"] for each in program.get("/admin/consumers").json()] == ["acme"]
    assert len(program_of(olga).get(CLIENTS).json()) == 2


def test_an_operator_without_the_right_reaches_nothing(service, program_of):
    clerk = hold_second_factor(UserFactory(is_staff=True))
    assert program_of(clerk).get(CLIENTS).json() == []
    assert program_of(clerk).get(f"{CLIENTS}/{service.client_id}").status_code == 404


def test_too_many_requests_are_told_to_wait(alice, service, program_of, monkeypatch):
    monkeypatch.setattr("consumers.rest.callers.PER_TOKEN", 3)
    program = program_of(alice)
    answers = [program.get(CLIENTS) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 10
    assert program_of(alice).get(CLIENTS).status_code == 200  # another token has its own count


def test_guessing_is_slowed_down_without_asking_the_database(alice, program_of, settings, django_assert_num_queries):
    settings.FAILURES_PER_MINUTE = 12
    known = program_of(alice)
    assert known.get(CLIENTS).status_code == 200
    answers = [Browser().get(CLIENTS, headers={"Authorization": f"Bearer cdp_{number}"}) for number in range(12)]
    assert {answer.status_code for answer in answers} == {401}
    with django_assert_num_queries(0):
        answer = Browser().get(CLIENTS, headers={"Authorization": "Bearer cdp_new"})
    assert (answer.status_code, answer.json()["error"]) == (429, "too_many_requests")
    assert 0 < int(answer["Retry-After"]) <= 60
    assert known.get(CLIENTS).status_code == 200, "a token that worked from there goes on working"


# -- Access tokens of ours --------------------------------------------------------------------------------------------


@pytest.fixture
def robot(acme, acme_access, management_api):
    """A service of Acme that may read and change Acme's clients."""
    values = ["clientdesk:clients:read", "clientdesk:clients:write"]
    granted = Scope.objects.filter(access__consumer=acme) | Scope.objects.filter(value__in=values)
    set_access(consumer=acme, scopes=granted.distinct(), actor=SYSTEM)
    return ClientFactory(consumer=acme, client_name="Robot", scopes=[*values, "shipments:read"])


def token_for(client, scopes, **extra):
    entry = client_directory.find(client.client_id)
    return access_tokens.token_template(entry, scopes=scopes, seconds=300, **extra).issue()


def test_a_service_manages_its_own_consumers_clients(robot, service, globex, program_of):
    foreign = ClientFactory(consumer=globex)
    program = Program(token_for(robot, ["clientdesk:clients:read", "clientdesk:clients:write"]))
    path = f"{CLIENTS}/{service.client_id}"
    answer = program.patch(path, [{"op": "add", "path": "/owner", "value": "Robot"}])
    assert answer.status_code == 200, answer.text
    assert program.get(f"{CLIENTS}/{foreign.client_id}").status_code == 404
    assert refused(program.get("/admin/consumers"), 403, "insufficient_scope")
    assert Client.objects.get(pk=service.pk).owner == "Robot"


def test_a_token_for_another_api_is_refused(robot, service):
    for scopes in (["shipments:read"], ["shipments:read", "clientdesk:clients:read"]):
        assert refused(Program(token_for(robot, scopes)).get(CLIENTS), 401, "invalid_token")


def test_a_client_named_like_a_person_is_no_person(robot, olga, service):
    Client.objects.filter(pk=robot.pk).update(client_id=str(olga.pk))
    robot.refresh_from_db()
    program = Program(token_for(robot, ["clientdesk:clients:read"]))
    assert [each["consumer"] for each in program.get(CLIENTS).json()] == ["acme", "acme"]
    assert refused(program.get("/admin/consumers"), 403, "insufficient_scope")


def test_a_disabled_client_or_suspended_consumer_calls_no_more(robot, acme, service):
    program = Program(token_for(robot, ["clientdesk:clients:read"]))
    assert program.get(CLIENTS).status_code == 200
    acme.suspended_at = timezone.now()
    acme.save()
    assert refused(program.get(CLIENTS), 401, "invalid_token")


def test_an_id_that_ends_as_the_address_of_a_resource_has_an_address_of_its_own(acme, alice, program_of):
    """Client IDs of metadata documents are URLs, and a path holds them decoded."""
    url = "https://app.example.com/secrets/rotate"
    ClientFactory(consumer=acme, client_id=url)
    ClientFactory(consumer=acme, client_id="https://app.example.com")
    program = program_of(alice)
    name = ClientId().to_url(url)
    assert program.get(f"/admin/clients/{name}").json()["client_id"] == url
    rotated = program.post(f"/admin/clients/{name}/secrets/rotate")
    assert rotated.json()["client_id"] == url
    other = program.post("/admin/clients/https://app.example.com/secrets/rotate")
    assert other.json()["client_id"] == "https://app.example.com"
    for wrong in ("~", "~!", "~gA"):  # nothing, no base64url, and no UTF-8
        assert program.get(f"/admin/clients/{wrong}").status_code == 404
