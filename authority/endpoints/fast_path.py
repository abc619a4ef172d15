"""The commonest requests, answered ahead of Django's handler: by the same rules, or not at all.

A shortcut says yes or nothing. Whatever is unusual, and every refusal, takes the ordinary way, which judges it anew.
What it leaves out is parsing and middleware, never a rule: the steps of the grant are oauthlib's, asking our validator.
"""

import hashlib
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.db import transaction

from authority import client_directory
from authority.client_authentication import methods
from authority.client_directory import Entry, Secret
from authority.endpoints import introspection
from authority.endpoints import token as ordinary
from authority.endpoints.decorators import once
from authority.server.server import server
from authority.server.validator import CALLER_IP, PROOF
from authority.telemetry import last_used, metrics, request_trace
from authority.tokens import validation
from authority.tokens.access_tokens import Draft
from authority.tokens.introspection import introspect as judge_token
from clients.vocabulary import GrantType
from core import cache
from core.cache import Memory
from core.client_ip import caller_ip

Environ = Mapping[str, Any]

ENDPOINT, ASKING = ordinary.token.__name__, introspection.introspect.__name__
LONGEST = 4096  # bytes of a plain request's body
MOST = 10  # parameters of a plain request
# What a form is made of that no client has to think about: ASCII, in which nothing needs guessing.
PLAIN = re.compile(rb"[\x21-\x7e]*")
OF_TOKENS = {"grant_type", "scope", "client_id", "client_secret"} | {
    *("code", "code_verifier", "redirect_uri", "refresh_token"),
}
OF_INTROSPECTION = {"token", "token_type_hint", "client_id", "client_secret"}
SPENT = {GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN}  # grants that are used up
# A header that changes what we do or say makes a request unusual. So does one that frames the body in another way.
UNUSUAL = {"HTTP_ORIGIN", "HTTP_DPOP", "HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_ENCODING", "HTTP_EXPECT", "HTTP_COOKIE"}


def is_plain(environ: Environ) -> bool:
    return not environ.get("QUERY_STRING") and environ.keys().isdisjoint(UNUSUAL)


def token(environ: Environ, body: bytes) -> bytes | None:
    """Return the answer to a client that wants a token for itself by its secret, or None."""
    alike = _likeness(environ, body)
    judged = _judged.recall(alike)
    return judged.again(address(environ)) if judged is not None else _judge(environ, body, alike)


def _judge(environ: Environ, body: bytes, alike: bytes) -> bytes | None:
    """Take the steps of the grant, and remember what cannot come out otherwise while the client stays as it is."""
    parameters = form(body, OF_TOKENS)
    if parameters is None or parameters.get("grant_type") not in (GrantType.CLIENT_CREDENTIALS, *SPENT):
        return None
    if parameters["grant_type"] in SPENT:
        return _exchange(environ, parameters)
    asked_at = cache.news()
    request_trace.begin(ENDPOINT)
    request = Request(environ, parameters)
    _, answer, status = server().credentials_grant.create_token_response(request, server().default_token_type)
    if status != 200:
        return None
    request_trace.conclude(status)
    entry = request.entry
    secret = _lasting_proof(entry, environ, parameters)
    if secret is not None:
        before, _, after = answer.encode().partition(json.loads(answer)["access_token"].encode())
        judged = Judged(entry, secret, request.draft, before, after)
        _judged.remember(alike, judged, client_directory.subjects(entry), asked_at=asked_at)
    return answer.encode()  # type: ignore[no-any-return]


def _exchange(environ: Environ, parameters: dict[str, str]) -> bytes | None:
    """Answer a client that spends a code or a refresh token. A refusal leaves no trace, so that it is judged anew."""
    request_trace.begin(ENDPOINT)
    with transaction.atomic():
        request = Request(environ, ordinary.hashed(parameters))
        grant = server().grant_types[parameters["grant_type"]]
        _, answer, status = grant.create_token_response(request, server().default_token_type)
        if status != 200:
            transaction.set_rollback(True)
            return None
    request_trace.conclude(status)
    return answer.encode()  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Judged:
    """A request that was granted, by a client that stays as it is until we hear otherwise."""

    entry: Entry
    secret: Secret
    draft: Draft
    before: bytes  # of the answer, what stands before the token
    after: bytes

    def again(self, ip: str | None) -> bytes | None:
        """Answer a request that is alike with a token of its own; None when time has decided otherwise."""
        if not (self.secret.is_live() and self.entry.is_usable):
            return None
        client: int = self.entry.client.pk
        metrics.found_in_memory()
        last_used.record(client, self.secret.id, ip)
        token = self.draft.issue()
        request_trace.granted(ENDPOINT, client)
        return self.before + token.encode() + self.after


# By what a request consists of, hashed: it holds a secret.
_judged: Memory[bytes, Judged] = Memory(settings.DIRECTORY_SIZE)


def introspect(environ: Environ, body: bytes) -> bytes | None:
    """Return what a client that proves itself by a secret may know of a token, or None. Raises OAuth2Error."""
    alike = _likeness(environ, body)
    told = _told.recall(alike)
    if told is not None:
        return told.again(address(environ))
    parameters = form(body, OF_INTROSPECTION)
    if parameters is None:
        return None
    asked_at = cache.news()
    request_trace.begin(ASKING)
    caller = introspection.asking(parameters, environ.get("HTTP_AUTHORIZATION"), address(environ))
    worth = judge_token(parameters["token"], caller)
    request_trace.conclude(200)
    answer = json.dumps(worth).encode()
    secret = _lasting_proof(caller, environ, parameters)
    owner = (
        client_directory.recall(worth["client_id"]) if introspection.is_settled(worth, parameters["token"]) else None
    )
    if secret is not None and owner is not None:
        told = Told(caller, secret, owner, worth["jti"], worth["exp"], answer)
        _told.remember(
            alike, told, client_directory.subjects(caller) | client_directory.subjects(owner), asked_at=asked_at
        )
    return answer


@dataclass(frozen=True, slots=True)
class Told:
    """What a client was told of a token that stays as it is, but for its end and its revocation."""

    caller: Entry
    secret: Secret
    owner: Entry
    jti: str
    exp: int
    answer: bytes

    def again(self, ip: str | None) -> bytes | None:
        """Tell the same again; None when time or somebody has decided otherwise."""
        if not (self.secret.is_live() and self.caller.is_usable and self.owner.is_usable and time.time() < self.exp):
            return None
        if validation.is_revoked(self.jti):
            return None
        last_used.record(self.caller.client.pk, self.secret.id, ip)
        metrics.found_in_memory()
        metrics.answered(ASKING, 200, "")
        return self.answer


# As above.
_told: Memory[bytes, Told] = Memory(settings.DIRECTORY_SIZE)


# -- What both have in common -----------------------------------------------------------------------------------------


def _lasting_proof(entry: Entry, environ: Environ, parameters: dict[str, str]) -> Secret | None:
    """Return the secret by which the client came in; None where we would not hear of a change of the two."""
    if client_directory.recall(entry.client.client_id) is not entry:
        return None
    credentials = methods.read(parameters, environ.get("HTTP_AUTHORIZATION"))
    return methods.proven(credentials)[1]


def _likeness(environ: Environ, body: bytes) -> bytes:
    """Return the digest of what a request consists of, by which it is remembered: it holds a secret."""
    return hashlib.sha256(environ.get("HTTP_AUTHORIZATION", "").encode() + b"\0" + body).digest()


def form(body: bytes, known: set[str]) -> dict[str, str] | None:
    """Return the parameters of a form that is plain, read as Django reads it. Raises InvalidRequestError."""
    if not PLAIN.fullmatch(body) or body.count(b"&") >= MOST:
        return None
    pairs = parse_qsl(body.decode(), keep_blank_values=True)
    parameters = once((name, [value]) for name, value in pairs)
    return parameters if len(pairs) == len(parameters) and parameters.keys() <= known else None


class Request:
    """What oauthlib's steps and our validator ask of a request, without the parsing that is done already."""

    duplicate_params = ()
    extra_credentials = None
    entry: Entry
    draft: Draft

    def __init__(self, environ: Environ, parameters: dict[str, str]) -> None:
        self.decoded_body = parameters
        self.scopes: list[str] | None = None
        self.headers = {CALLER_IP: address(environ), PROOF: None}
        if "HTTP_AUTHORIZATION" in environ:
            self.headers["Authorization"] = environ["HTTP_AUTHORIZATION"]

    def __getattr__(self, name: str) -> str | None:
        """Return the parameter, or None when it was not sent, as oauthlib's requests do."""
        return self.__dict__["decoded_body"].get(name)  # type: ignore[no-any-return]


def address(environ: Environ) -> str | None:
    return _address(environ.get("REMOTE_ADDR"), environ.get("HTTP_X_FORWARDED_FOR"))


@lru_cache(maxsize=1024)
def _address(remote: str | None, forwarded: str | None) -> str | None:
    return caller_ip(Caller(remote, forwarded))  # type: ignore[arg-type]


class Caller:
    """As much of a request as tells where it comes from."""

    def __init__(self, remote: str | None, forwarded: str | None) -> None:
        self.META = {"REMOTE_ADDR": remote}
        self.headers = {"x-forwarded-for": forwarded} if forwarded is not None else {}
