"""Token hooks: what they are asked, what they may add, and what happens when they fail."""

import base64
import hashlib
import re
import socket
import threading
import time

import pytest
from django.db import connection

from authority.client_authentication import dpop
from authority.client_directory import Hook
from authority.models import RefreshToken
from authority.tokens import token_hooks
from clients.actions import roles as role_actions
from clients.actions import token_hooks as hook_actions
from clients.models import ApiRole, TokenHook
from consumers.audit import SYSTEM
from consumers.models import Event
from core.errors import Refusal
from core.jose import jwk, jws
from tests.authority.conftest import kept
from tests.authority.hook_server import ADDED, serving
from tests.authority.listening import eventually
from tests.authority.pasted import parts
from tests.authority.proofs import Prover
from tests.authority.test_pinned_sql import CLIENT, asked

pytestmark = pytest.mark.django_db


@pytest.fixture
def hook(settings):
    settings.FETCH_LOCAL_HOSTS = ["127.0.0.1"]
    token_hooks.reset_for_tests()
    with serving() as hook:
        yield hook


@pytest.fixture
def set_hook(api, hook):
    def set_to(**options):
        return hook_actions.set_token_hook(api=api, **{"url": hook.url, "actor": SYSTEM} | options)

    return set_to


def claims_of(token):
    return parts(token)[1]


def own_claims(program):
    answer = program.token()
    assert answer.status_code == 200, answer.text
    return claims_of(answer.json()["access_token"])


# -- Question and answer ----------------------------------------------------------------------------------------------


def test_a_client_s_token_has_the_claims_of_the_hook(program, hook, set_hook, api):
    set_hook()
    assert own_claims(program)["depot"] == "HAM-02"
    (question,) = hook.asked
    assert question["request"] == {
        "client_id": program.client.client_id,
        "requested_scopes": ["shipments:read", "shipments:write"],
        "granted_scopes": ["shipments:read", "shipments:write"],
        "granted_audience": [api.identifier],
        "grant_types": ["client_credentials"],
        "payload": {},
    }
    session = question["session"]
    assert (session["client_id"], session["id_token"]["subject"]) == (program.client.client_id,) * 2
    assert session["extra"] == {"consumer_id": str(program.client.consumer_id)}


def test_a_person_s_tokens_have_them_by_a_code_and_by_each_refresh(flow, alice, hook, set_hook, api):
    set_hook()
    role_actions.update_api_roles(api=api, roles=[ApiRole(value="driver", name="Driver")], actor=SYSTEM)
    role_actions.set_roles(api=api, user=alice, roles=api.roles.all(), source="operator", consumer=None, actor=SYSTEM)
    tokens = flow.tokens()
    assert claims_of(tokens["access_token"])["depot"] == "HAM-02"
    assert claims_of(tokens["id_token"])["fleet"] == 7
    hook.answer = lambda asked: (200, {"session": {"access_token": {"depot": "BRE-01"}}})
    refreshed = flow.refresh(tokens["refresh_token"]).json()
    assert claims_of(refreshed["access_token"])["depot"] == "BRE-01"
    assert "fleet" not in claims_of(refreshed["id_token"])
    first, second = hook.asked
    assert [each["request"]["grant_types"] for each in hook.asked] == [["authorization_code"], ["refresh_token"]]
    assert first["session"]["id_token"]["subject"] == str(alice.pk)
    assert first["session"]["extra"]["roles"] == second["session"]["extra"]["roles"] == ["driver"]


def test_204_leaves_the_token_as_it_is(program, hook, set_hook):
    set_hook(failure="closed")
    hook.answer = lambda asked: (204, b"")
    assert "depot" not in own_claims(program)


def test_403_denies_the_token_and_spends_nothing(flow, program, web, hook, set_hook):
    set_hook()
    hook.answer = lambda asked: (403, {})
    refused = program.token()
    assert (refused.status_code, refused.json()["error"]) == (403, "access_denied")
    code = flow.code()
    assert flow.exchange(code).status_code == 403
    assert "hook_denied" in kept(web.client)
    assert not RefreshToken.objects.exists()
    hook.answer = lambda asked: (200, ADDED)
    assert flow.exchange(code).status_code == 200  # the code was not spent


def test_a_proof_of_possession_is_not_spent_by_the_first_try(flow, hook, set_hook):
    set_hook()
    prover = Prover()
    prover.nonce = dpop.nonce()
    code = flow.code()
    answer = flow.exchange(code, headers={"DPoP": prover.proof("POST", "/oauth2/token")})
    assert answer.status_code == 200, answer.text
    assert claims_of(answer.json()["access_token"])["depot"] == "HAM-02"


def test_a_token_for_another_api_asks_nobody(flow, program, hook, set_hook, api):
    set_hook()
    hook_actions.delete_token_hook(api=api, actor=SYSTEM)
    assert "depot" not in own_claims(program)
    flow.tokens()
    assert hook.asked == []


# -- The signature ----------------------------------------------------------------------------------------------------


@pytest.mark.compliance("RFC 9421", "3.1")
@pytest.mark.compliance("RFC 9530", "2")
def test_a_question_is_signed_by_a_published_key(program, hook, set_hook, client):
    set_hook()
    own_claims(program)
    headers, body = hook.headers[0], hook.bodies[0]
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert headers["content-digest"] == f"sha-256=:{digest}:"
    label, _, parameters = headers["signature-input"].partition("=")
    assert re.fullmatch(
        r'\("@method" "@target-uri" "content-type" "content-digest"\);created=\d+;keyid="[\w-]+"'
        r';alg="ecdsa-p256-sha256";tag="clientdesk-token-hook"',
        parameters,
    )
    assert abs(int(re.search(r"created=(\d+)", parameters)[1]) - time.time()) < 60
    base = "\n".join(
        [
            '"@method": POST',
            f'"@target-uri": {hook.url}',
            '"content-type": application/json',
            f'"content-digest": {headers["content-digest"]}',
            f'"@signature-params": {parameters}',
        ]
    )
    kid = re.search(r'keyid="([^"]+)"', parameters)[1]
    (key,) = [each for each in client.get("/.well-known/jwks.json").json()["keys"] if each["kid"] == kid]
    signature = base64.b64decode(headers["signature"].removeprefix(f"{label}=:").removesuffix(":"))
    jws.verify_signature(jwk.own_public_key(key), "ES256", signature, base.encode())


# -- What it may add --------------------------------------------------------------------------------------------------

WRONG = {
    "a reserved claim": {"session": {"access_token": {"sub": "root"}}},
    "a reserved claim of the ID token": {"session": {"id_token": {"email": "root@example.com"}}},
    "too much": {"session": {"access_token": {"long": "x" * 2100}}},
    "no object": {"session": {"access_token": ["depot"]}},
    "no session": [],
    "a null character": {"session": {"access_token": {"a": "\0"}}},
    "no JSON": b"{",
    "NaN": b'{"session": {"access_token": {"a": NaN}}}',
    "a member twice": b'{"session": {}, "session": {"access_token": {"a": 1}}}',
    "deep nesting": b'{"session": {"access_token": {"a": ' + b"[" * 5000 + b"]" * 5000 + b"}}}",
    "megabytes": b'{"session": {"access_token": {"a": "' + b"x" * 2_000_000 + b'"}}}',
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("failure", ["open", "closed"])
def test_an_answer_that_is_wrong_is_a_failure(program, hook, set_hook, wrong, failure):
    set_hook(failure=failure)
    hook.answer = lambda asked: (200, wrong)
    answer = program.token()
    if failure == "open":
        content = claims_of(answer.json()["access_token"])
        assert content["sub"] == program.client.client_id
        assert not {"a", "long"} & content.keys()
    else:
        assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
        assert answer["Retry-After"] == "5"
        assert "hook_failed" in kept(program.client)


def test_roles_of_a_hook_stand_where_the_api_defines_none(program, hook, set_hook, api):
    set_hook(failure="closed")
    hook.answer = lambda asked: (200, {"session": {"access_token": {"roles": ["batch"]}}})
    assert own_claims(program)["roles"] == ["batch"]
    role_actions.update_api_roles(api=api, roles=[ApiRole(value="driver", name="Driver")], actor=SYSTEM)
    assert program.token().status_code == 503


@pytest.mark.parametrize("status", [301, 400, 404, 500])
def test_any_other_status_is_a_failure(program, hook, set_hook, status):
    set_hook(failure="closed")
    hook.answer = lambda asked: (status, {})
    assert program.token().status_code == 503


# -- Bounds -----------------------------------------------------------------------------------------------------------


def test_a_slow_hook_is_waited_for_as_long_as_set_and_then_left_alone(program, hook, set_hook, monkeypatch):
    set_hook(failure="closed", timeout=200)
    door = threading.Event()
    hook.answer = lambda asked: (door.wait(10) and 200, ADDED)
    began = time.monotonic()
    assert program.token().status_code == 503
    assert 0.15 < time.monotonic() - began < 5
    assert program.token().status_code == 503
    assert len(hook.asked) == 1  # nobody has asked it again
    door.set()
    monkeypatch.setattr(time, "monotonic", lambda now=time.monotonic: now() + token_hooks.PAUSE)
    assert own_claims(program)["depot"] == "HAM-02"


def test_a_hook_that_does_not_listen_fails_at_once(program, set_hook):
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    set_hook(url=f"http://127.0.0.1:{port}/", failure="closed")
    assert program.token().status_code == 503
    set_hook(url=f"http://127.0.0.1:{port}/", failure="open")
    assert "depot" not in own_claims(program)


def questions(url, count, hook_id):
    """Return so many questions to a hook that nobody has asked before."""
    hook = Hook(hook_id, url, 2000, "open", 0)
    return [token_hooks.Question(hook, False, b"%d" % number) for number in range(count)]


def test_a_slow_hook_holds_two_threads_at_most_and_leaves_others_theirs(hook, monkeypatch):
    monkeypatch.setattr(token_hooks, "_signed_headers", lambda question: {})  # the threads share no test database
    door, answers = threading.Event(), []
    hook.answer = lambda asked: (door.wait(10) and 200, ADDED)
    threads = [
        threading.Thread(target=lambda each=each: answers.append(token_hooks.ask(each)))
        for each in questions(hook.url, 6, 1)
    ]
    for thread in threads:
        thread.start()
    eventually(lambda: len(hook.asked) == 2 and len(answers) == 4)
    assert {answer.failure for answer in answers} == {"busy"}
    with serving() as other:  # another API's hook answers in the meantime
        (question,) = questions(other.url, 1, 2)
        assert token_hooks.ask(question).access_token == {"depot": "HAM-02"}
    door.set()
    for thread in threads:
        thread.join()
    assert [answer.failure for answer in answers].count(None) == 2


def test_a_hook_that_was_slow_gets_one_thread_for_which_nobody_waits(hook, monkeypatch):
    monkeypatch.setattr(token_hooks, "_signed_headers", lambda question: {})
    monkeypatch.setattr(token_hooks, "SLOW", 0)
    first, second, third = questions(hook.url, 3, 1)
    assert token_hooks.ask(first).failure is None
    door, answers = threading.Event(), []
    hook.answer = lambda asked: (door.wait(10) and 200, ADDED)
    thread = threading.Thread(target=lambda: answers.append(token_hooks.ask(second)))
    thread.start()
    eventually(lambda: len(hook.asked) == 2)
    assert token_hooks.ask(third).failure == "busy"
    door.set()
    thread.join()
    assert answers[0].failure is None


# -- Kept answers -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_an_answer_is_kept_by_what_was_asked_until_something_changes(listening, program, hook, set_hook, api):
    set_hook(cache_seconds=60)
    eventually(lambda: own_claims(program)["depot"] == "HAM-02" and len(token_hooks._answers) == 1)
    count = len(hook.asked)
    for _ in range(3):
        assert own_claims(program)["depot"] == "HAM-02"
    assert len(hook.asked) == count
    program.token(scope="shipments:read")  # another question
    assert len(hook.asked) == count + 1
    set_hook(cache_seconds=0)
    eventually(lambda: own_claims(program) and len(hook.asked) > count + 1)
    count = len(hook.asked)
    own_claims(program)
    assert len(hook.asked) == count + 1


@pytest.mark.django_db(transaction=True)
def test_no_failure_is_kept(listening, program, hook, set_hook):
    set_hook()
    hook.answer = lambda asked: (500, {})
    for _ in range(3):
        assert "depot" not in own_claims(program)
    hook.answer = lambda asked: (200, ADDED)
    assert own_claims(program)["depot"] == "HAM-02"


@pytest.mark.django_db(transaction=True)
def test_no_transaction_waits_for_a_hook(flow, hook, set_hook):
    set_hook()
    seen = []

    def look(question):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%%'"
                " AND datname = current_database() AND pid <> pg_backend_pid()"
            )
            seen.append(cursor.fetchone()[0])
        connection.close()
        return 200, ADDED

    hook.answer = look
    tokens = flow.tokens()
    assert claims_of(tokens["access_token"])["depot"] == "HAM-02"
    flow.refresh(tokens["refresh_token"])
    assert seen == [0, 0]


# -- Statements, and who may set one ----------------------------------------------------------------------------------


def test_without_a_hook_the_statements_are_those_without_any(program, flow):
    program.token()
    assert asked(program.token) == [CLIENT]


@pytest.mark.parametrize(
    "options",
    [
        {"url": "http://hooks.example.com/"},
        {"url": "https://10.0.0.1/"},
        {"url": "https://localhost/"},
        {"url": "https://user:secret@hooks.example.com/"},
        {"url": "https://hooks.example.com/#a"},
        {"url": ""},
        {"timeout": 3000},
        {"timeout": 1},
        {"failure": "sometimes"},
        {"cache_seconds": 90_000},
    ],
    ids=str,
)
def test_a_hook_that_could_harm_is_refused(set_hook, api, options, settings):
    settings.FETCH_LOCAL_HOSTS = []
    with pytest.raises(Refusal):
        set_hook(**{"url": "https://hooks.example.com/claims"} | options)
    assert not TokenHook.objects.exists()


def test_the_record_holds_no_query_in_which_a_secret_may_be(set_hook):
    set_hook(url="https://hooks.example.com/claims?key=hush")
    assert Event.objects.get(name="api.token_hook.set").detail["url"] == "https://hooks.example.com/claims"
