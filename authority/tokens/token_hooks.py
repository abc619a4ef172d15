"""Token hooks: a server of the operator is asked for claims that live elsewhere, before an API's token is issued.

The question and the answer have the shape of Ory Hydra's token hook. A question is signed (RFC 9421), and its answer
kept for as long as the operator says, by all that was asked: another role or scope is another question.

Nobody waits for a hook while a transaction is open, since that would hold what it has locked. A grant that needs one to
be asked raises HookNeeded, which rolls it back, and is taken once more with the answer (authority/endpoints/token.py).

Of a process's few threads one is always left for those who need no hook. An API has two of them, or one while its hook
is slow; a hook that did not answer in time is left alone for a while. So a slow one slows its own API, and no other.
"""

import hashlib
import json
import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal

from django.conf import settings

from authority.client_directory import ApiTokens, ClientEntry, Hook
from authority.keys import signing_keys
from authority.people import id_tokens
from authority.protocol.errors import OAuth2Error
from authority.telemetry import request_trace
from authority.tokens.api_claims import the_one_api
from clients.claim_sources import ROLES
from clients.models import HookFailure, TokenHook
from clients.onboarding.token_hooks import HookTest
from consumers import policy
from core import cache, clock, foreign_json
from core.cache import NotifiedCache
from core.errors import Refusal
from core.http_fetch import signatures, transport
from core.http_fetch.target import FetchError
from core.http_fetch.transport import Answer

logger = logging.getLogger(__name__)

TAG = "clientdesk-token-hook"
# Claims that a question says elsewhere, or that differ from token to token.
NOT_ASKED = frozenset(("iss", "sub", "aud", "client_id", "scope", "cnf", "family_id"))
JSON = "application/json"
SIGNATURE_LIFETIME = 300  # seconds that the key of a signature stays published
MAX_WAITING = 3  # threads of a process that ask hooks, or wait to: one less than it has
MAX_ASKING = 2  # of one API
PATIENCE = 0.5  # seconds that a thread waits for its turn
SLOW = 0.5  # seconds; a hook that takes longer gets one thread
PAUSE = 5.0  # seconds in which a hook that answered too late is not asked
RETRY_AFTER = 5  # seconds

# Why a hook gave no claims.
Failure = Literal["busy", "paused", "timeout", "connection", "status", "json", "claims"]


@dataclass(frozen=True, slots=True)
class Question:
    """What a hook is asked, and of which API."""

    hook: Hook
    has_roles: bool  # whether the API defines roles, which a hook then does not set
    body: bytes = field(repr=False)

    @property
    def key(self) -> bytes:
        return hashlib.sha256(f"{self.hook} {self.has_roles} ".encode() + self.body).digest()


@dataclass(frozen=True, slots=True)
class HookAnswer:
    """The claims that a hook adds; what it denies, or why there is no answer."""

    access_token: Mapping[str, Any] = field(default_factory=dict)
    id_token: Mapping[str, Any] = field(default_factory=dict)
    is_denied: bool = False
    failure: Failure | None = None
    text: str = ""  # of the failure, for operators


class HookNeeded(Exception):
    """The grant needs an answer, for which no transaction waits."""

    def __init__(self, question: Question) -> None:
        super().__init__("a token hook has to be asked")
        self.question = question


class HookDeniedError(OAuth2Error):
    """The API's token hook denies the token."""

    error = "access_denied"
    status_code = 403
    description = "The API that the token is for denies it to this client or person. Ask its operator."


class HookFailedError(OAuth2Error):
    """The API's token hook does not answer, and the operator wants no token without it."""

    error = "temporarily_unavailable"
    status_code = 503
    description = "What decides about tokens for this API does not answer. Try again in a few seconds."

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(RETRY_AFTER)}


# -- The question -----------------------------------------------------------------------------------------------------


def question_about(
    entry: ClientEntry, content: Mapping[str, Any], audiences: Sequence[str], grant_type: str
) -> Question | None:
    """Return what the hook of the token's API is asked, or None where it has none; `content` are the claims so far."""
    api: ApiTokens | None = entry.api_tokens.get(the_one_api(audiences) or "")
    if api is None or api.hook is None:
        return None
    subject, scopes = content["sub"], content["scope"].split()
    extra = {name: value for name, value in content.items() if name not in NOT_ASKED}
    asked = {
        "session": {
            "id_token": {
                "subject": subject,
                "id_token_claims": {"iss": content["iss"], "sub": subject, "aud": [entry.client.client_id]},
            },
            "client_id": entry.client.client_id,
            "extra": extra,
        },
        "request": _request_about(entry.client.client_id, scopes, audiences, grant_type),
    }
    return Question(api.hook, api.has_roles, _encoded(asked))


def _request_about(client_id: str, scopes: list[str], audiences: Sequence[str], grant_type: str) -> dict[str, Any]:
    return {
        "client_id": client_id,
        "requested_scopes": scopes,
        "granted_scopes": scopes,
        "granted_audience": list(audiences),
        "grant_types": [grant_type],
        "payload": {},  # Hydra's has assertions, which are nobody's but ours
    }


def _encoded(asked: dict[str, Any]) -> bytes:
    """Return the same bytes for the same question."""
    return json.dumps(asked, separators=(",", ":"), sort_keys=True).encode()


# -- The answer -------------------------------------------------------------------------------------------------------

_answers: NotifiedCache[bytes, tuple[HookAnswer, float]] = NotifiedCache(settings.DIRECTORY_SIZE)


def known_answer(question: Question) -> HookAnswer | None:
    """Return the answer that is kept, or None where the hook must be asked."""
    kept = _answers.get(question.key)
    return kept[0] if kept is not None and time.monotonic() < kept[1] else None


def ask(question: Question) -> HookAnswer:
    """Ask the hook, within its time limit; keep an answer, and no failure. Opens no transaction."""
    generation = cache.current_generation()
    answer = _asked(question)
    if answer.failure is not None:
        logger.warning("the token hook %s failed: %s", question.hook.id, answer.text)
    elif question.hook.cache_seconds:
        until = time.monotonic() + question.hook.cache_seconds
        _answers.set(question.key, (answer, until), frozenset(("catalogue",)), generation=generation)
    return answer


def claims_or_refuse(question: Question, answer: HookAnswer) -> HookAnswer:
    """Return the answer, without claims where the hook failed open. Raises HookDeniedError and HookFailedError."""
    if answer.is_denied:
        request_trace.set_reason("hook_denied")
        raise HookDeniedError()
    if answer.failure is not None and question.hook.failure == HookFailure.CLOSED:
        request_trace.set_reason("hook_failed")
        raise HookFailedError()
    return answer


def _asked(question: Question) -> HookAnswer:
    hook = question.hook
    seconds = min(hook.timeout, 2000) / 1000
    deadline = time.monotonic() + seconds
    try:
        with _turn(hook.id, seconds):
            left = deadline - time.monotonic()
            headers = _signed_headers(question)
            got = transport.fetch(
                hook.url, body=question.body, content_type=JSON, headers=headers, seconds=left, place=nullcontext()
            )
    except FetchError as error:
        reason: Failure = error.reason if error.reason in ("busy", "paused", "timeout") else "connection"  # type: ignore[assignment]
        return HookAnswer(failure=reason, text=str(error))
    return _read(question, got)


def _signed_headers(question: Question) -> dict[str, str]:
    signer = signing_keys.signer(signing_keys.DEFAULT_ALGORITHM, seconds=SIGNATURE_LIFETIME)
    return signatures.signed_headers(
        question.hook.url, question.body, signer, content_type=JSON, created=int(clock.seconds()), tag=TAG
    )


def _read(question: Question, got: Answer) -> HookAnswer:
    """Read Hydra's answer: 200 with claims, 204 without, 403 to deny. Whatever else is a failure."""
    if got.status in (204, 403):
        return HookAnswer(is_denied=got.status == 403)
    if got.status != 200:
        return HookAnswer(failure="status", text=f"It answered with status {got.status}, and not 200, 204 or 403.")
    try:
        session = _member(foreign_json.loads(got.body, max_bytes=transport.MAX_BODY), "session")
        access_token, id_token = _member(session, "access_token"), _member(session, "id_token")
        _require_claims(question, access_token, id_token)
    except (foreign_json.InvalidJSON, ValueError):
        expected = '{"session": {"access_token": {}, "id_token": {}}}'
        return HookAnswer(failure="json", text=f"The answer does not look like {expected}.")
    except Refusal as refusal:
        return HookAnswer(failure="claims", text=refusal.description)
    return HookAnswer(access_token, id_token)


def _require_claims(question: Question, access_token: dict[str, Any], id_token: dict[str, Any]) -> None:
    """Require claims that are nobody else's, and fit into a header. Raises Refusal."""
    policy.claims(access_token)
    policy.claims(id_token)
    if question.has_roles and ROLES in access_token:
        raise Refusal("Rename roles: the API defines roles, which the portal gives.")
    if taken := sorted(id_token.keys() & set(id_tokens.CLAIMS)):
        raise Refusal(f"Rename {', '.join(taken)}: the ID token says this already.")


def _member(document: Any, name: str) -> dict[str, Any]:
    """Return a member that is an object; nothing where it is left out. Raises ValueError."""
    if not isinstance(document, dict):
        raise ValueError(name)
    found = document.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ValueError(name)
    return found


def try_hook(hook: TokenHook) -> HookTest:
    """Ask the hook about nobody, whatever it answered before. Opens no transaction."""
    entry = Hook(hook.pk, hook.url, hook.timeout, hook.failure, 0)
    person, client = "00000000-0000-4000-8000-000000000000", "cl_test"
    session = {"id_token": {"subject": person, "id_token_claims": {"iss": settings.ISSUER, "sub": person}}}
    request = _request_about(client, [], [hook.api.identifier], "authorization_code")
    asked = {"session": {**session, "client_id": client, "extra": {}}, "request": request}
    began = time.monotonic()
    answer = _asked(Question(entry, hook.api.roles.exists(), _encoded(asked)))
    milliseconds = round((time.monotonic() - began) * 1000)
    if answer.failure is not None:
        return HookTest(False, answer.text, milliseconds)
    said = "It denies the token, as it may." if answer.is_denied else f"It answered in {milliseconds:,} ms."
    return HookTest(True, said, milliseconds, {"access_token": answer.access_token, "id_token": answer.id_token})


# -- Turns ------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Line:
    """Those who ask one hook."""

    asking: int = 0
    is_slow: bool = False  # its latest answer was
    paused_until: float = float("-inf")


_lines: dict[int, _Line] = {}
_waiting = 0  # threads that ask a hook, or wait to
_change = threading.Condition()


@contextmanager
def _turn(hook_id: int, seconds: float) -> Iterator[None]:
    """Ask the hook meanwhile. Raises FetchError where it is not its turn, or the hook was too slow just now."""
    global _waiting  # noqa: PLW0603
    with _change:
        if _waiting >= MAX_WAITING:
            raise FetchError("busy", "Too many requests wait for token hooks.")
        line = _lines.setdefault(hook_id, _Line())
        _waiting += 1
        try:
            _take_place(line, min(PATIENCE, seconds))
        except FetchError:
            _waiting -= 1
            raise
    began, is_late = time.monotonic(), False
    try:
        yield
    except FetchError as error:
        is_late = error.reason == "timeout"
        raise
    finally:
        with _change:
            line.asking -= 1
            _waiting -= 1
            line.is_slow = is_late or time.monotonic() - began > SLOW
            line.paused_until = time.monotonic() + PAUSE if is_late else float("-inf")
            _change.notify_all()


def _take_place(line: _Line, patience: float) -> None:
    """Wait for a place; of a slow hook there is one, for which nobody waits. Raises FetchError."""
    if time.monotonic() < line.paused_until:
        raise FetchError("paused", f"It answered too late, and is left alone for {PAUSE:g} seconds.")
    if not _change.wait_for(lambda: line.asking < _places_of(line), 0 if line.is_slow else patience):
        raise FetchError("busy", "Too many requests wait for this token hook.")
    line.asking += 1


def _places_of(line: _Line) -> int:
    return 1 if line.is_slow else MAX_ASKING


def reset_for_tests() -> None:
    """Forget that hooks were slow."""
    with _change:
        _lines.clear()
