"""The commonest requests, answered ahead of Django's handler: by the same rules, or not at all.

The fast path answers 200 or nothing. Whatever is unusual, and every refusal, takes the slow path, through Django, which
validates it anew. What is left out is parsing and middleware, never a rule: the steps of a grant are oauthlib's, which
calls our validator.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.db import transaction

from authority import client_directory
from authority.client_authentication import methods
from authority.client_directory import ClientEntry, LiveSecret
from authority.endpoints import introspection, token
from authority.endpoints.decorators import single_values
from authority.server.server import server
from authority.telemetry import last_used, metrics, request_trace
from authority.tokens import validation
from authority.tokens.access_tokens import TokenTemplate
from authority.tokens.introspection import introspect
from authority.tokens.request_context import TokenRequestContext
from authority.tokens.token_hooks import HookNeeded
from clients.vocabulary import GrantType
from core import cache, clock
from core.cache import NotifiedCache
from core.client_ip import caller_ip

Environ = Mapping[str, Any]

TOKEN_ENDPOINT, INTROSPECTION_ENDPOINT = token.token.__name__, introspection.introspect.__name__
MAX_BODY_LENGTH = 4096  # bytes
MAX_PARAMETERS = 10
# The bytes of a form that needs no guess about its encoding.
PLAIN_BODY = re.compile(rb"[\x21-\x7e]*")
TOKEN_PARAMETERS = {"grant_type", "scope", "client_id", "client_secret"} | {
    *("code", "code_verifier", "redirect_uri", "refresh_token"),
}
INTROSPECTION_PARAMETERS = {"token", "token_type_hint", "client_id", "client_secret"}
ONE_TIME_GRANTS = {GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN}
# Headers that change what we do or answer, or that frame the body in another way.
SLOW_PATH_HEADERS = {
    *("HTTP_ORIGIN", "HTTP_DPOP", "HTTP_COOKIE"),
    *("HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_ENCODING", "HTTP_EXPECT"),
}


def is_plain(environ: Environ) -> bool:
    return not environ.get("QUERY_STRING") and environ.keys().isdisjoint(SLOW_PATH_HEADERS)


# -- Tokens -----------------------------------------------------------------------------------------------------------


def respond_to_token_request(environ: Environ, body: bytes) -> bytes | None:
    """Return the response to a client with a secret, or None for the slow path. Raises OAuth2Error."""
    key = _request_key(environ, body)
    cached = grants.get(key)
    if cached is not None:
        return cached.respond(_caller_ip(environ))
    try:
        return _grant(environ, body, key)
    except HookNeeded:  # the slow path asks it
        return None


def respond_from_memory(environ: Environ, body: bytes) -> bytes | None:
    """Return the response to a request that was granted before, or None where the database must be asked."""
    cached = grants.get(_request_key(environ, body))
    return cached.respond(_caller_ip(environ)) if cached is not None and cached.template.signer is not None else None


def _grant(environ: Environ, body: bytes, key: bytes) -> bytes | None:
    """Take the steps of the grant, and cache what stays true while the client is unchanged."""
    parameters = parse_form(body, TOKEN_PARAMETERS)
    if parameters is None or parameters.get("grant_type") not in (GrantType.CLIENT_CREDENTIALS, *ONE_TIME_GRANTS):
        return None
    if parameters["grant_type"] in ONE_TIME_GRANTS:
        return _redeem(environ, parameters)
    generation = cache.current_generation()
    request_trace.start(TOKEN_ENDPOINT)
    request = _TokenRequest(environ, parameters)
    _, response, status = server().credentials_grant.create_token_response(request, server().default_token_type)
    if status != 200:
        return None
    request_trace.finish(status)
    entry = request.context.entry
    secret = _cacheable_secret(entry, environ, parameters)
    # A hook's answer may be another the next time.
    if secret is not None and not entry.has_ends and not request.context.asks_hook:
        before, _, after = response.encode().partition(json.loads(response)["access_token"].encode())
        grant = CachedGrant(entry, secret, request.context.template, before, after)
        grants.set(key, grant, client_directory.invalidation_subjects(entry), generation=generation)
    return response.encode()  # type: ignore[no-any-return]


def _redeem(environ: Environ, parameters: dict[str, str]) -> bytes | None:
    """Exchange a code or refresh token. A refusal is rolled back, so that the slow path validates it anew."""
    request_trace.start(TOKEN_ENDPOINT)
    with transaction.atomic():
        request = _TokenRequest(environ, token.with_code_digest(parameters))
        grant = server().grant_types[parameters["grant_type"]]
        _, response, status = grant.create_token_response(request, server().default_token_type)
        if status != 200:
            transaction.set_rollback(True)
            return None
    request_trace.finish(status)
    return response.encode()  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class CachedGrant:
    """A request that was granted: it is granted again until its client changes."""

    entry: ClientEntry
    secret: LiveSecret
    template: TokenTemplate
    before: bytes  # the part of the response before the token
    after: bytes

    def respond(self, ip: str | None) -> bytes | None:
        """Return the response with a new token; None when client or secret have expired since."""
        if not (self.secret.is_live() and self.entry.is_usable):
            return None
        client: int = self.entry.client.pk
        metrics.count_cache_hit()
        request_trace.name_client(self.entry.client)
        last_used.record(client, self.secret.id, ip)
        access_token = self.template.issue()
        request_trace.count_issued(TOKEN_ENDPOINT, client)
        return self.before + access_token.encode() + self.after


# By the request's digest, for a request holds a secret.
grants: NotifiedCache[bytes, CachedGrant] = NotifiedCache(settings.DIRECTORY_SIZE)


# -- Introspection ----------------------------------------------------------------------------------------------------


def respond_to_introspection(environ: Environ, body: bytes) -> bytes | None:
    """Return what the client with a secret may know of a token, or None for the slow path. Raises OAuth2Error."""
    key = _request_key(environ, body)
    cached = introspections.get(key)
    if cached is not None:
        return cached.respond(_caller_ip(environ))
    parameters = parse_form(body, INTROSPECTION_PARAMETERS)
    if parameters is None:
        return None
    generation = cache.current_generation()
    request_trace.start(INTROSPECTION_ENDPOINT)
    caller = introspection.authenticate_caller(parameters, environ.get("HTTP_AUTHORIZATION"), _caller_ip(environ))
    result = introspect(parameters["token"], caller)
    request_trace.finish(200)
    response = json.dumps(result).encode()
    secret = _cacheable_secret(caller, environ, parameters)
    is_cacheable = introspection.is_cacheable(result, parameters["token"])
    owner = client_directory.get_cached(result["client_id"]) if is_cacheable else None
    if secret is not None and owner is not None and not owner.has_ends:
        cached = CachedIntrospection(caller, secret, owner, result["jti"], result["exp"], response)
        subjects = client_directory.invalidation_subjects(caller) | client_directory.invalidation_subjects(owner)
        introspections.set(key, cached, subjects, generation=generation)
    return response


@dataclass(frozen=True, slots=True)
class CachedIntrospection:
    """What a client was told of a token: the same until a client changes, or the token expires or is revoked."""

    caller: ClientEntry
    secret: LiveSecret
    owner: ClientEntry
    jti: str
    exp: int
    response: bytes

    def respond(self, ip: str | None) -> bytes | None:
        """Return the response again; None when a client, the secret or the token have expired or were revoked."""
        if clock.seconds() >= self.exp:
            return None
        if not (self.secret.is_live() and self.caller.is_usable and self.owner.is_usable):
            return None
        if validation.is_revoked(self.jti):
            return None
        last_used.record(self.caller.client.pk, self.secret.id, ip)
        request_trace.name_client(self.caller.client)
        metrics.count_cache_hit()
        metrics.count_response(INTROSPECTION_ENDPOINT, 200, "")
        return self.response


introspections: NotifiedCache[bytes, CachedIntrospection] = NotifiedCache(settings.DIRECTORY_SIZE)


# -- What both have in common -----------------------------------------------------------------------------------------


def _cacheable_secret(entry: ClientEntry, environ: Environ, parameters: dict[str, str]) -> LiveSecret | None:
    """Return the secret that authenticated the client; None where no notification would tell of a change of the two."""
    if client_directory.get_cached(entry.client.client_id) is not entry:
        return None
    credentials = methods.read_credentials(parameters, environ.get("HTTP_AUTHORIZATION"))
    return methods.find_client(credentials)[1]


def _request_key(environ: Environ, body: bytes) -> bytes:
    """Return the digest of all that a request consists of, which is the key of its cached response."""
    return hashlib.sha256(environ.get("HTTP_AUTHORIZATION", "").encode() + b"\0" + body).digest()


def parse_form(body: bytes, known: set[str]) -> dict[str, str] | None:
    """Return the parameters of a plain form, parsed as Django does, or None. Raises InvalidRequestError."""
    if not PLAIN_BODY.fullmatch(body) or body.count(b"&") >= MAX_PARAMETERS:
        return None
    pairs = parse_qsl(body.decode(), keep_blank_values=True)
    parameters = single_values((name, [value]) for name, value in pairs)
    return parameters if len(pairs) == len(parameters) and parameters.keys() <= known else None


class _TokenRequest:
    """As much of oauthlib's request as a grant and our validator use, without parsing the form a second time."""

    duplicate_params = ()
    extra_credentials = None

    def __init__(self, environ: Environ, parameters: dict[str, str]) -> None:
        self.decoded_body = parameters
        self.scopes: list[str] | None = None
        self.context = TokenRequestContext(ip=_caller_ip(environ))
        self.headers = {"Authorization": environ["HTTP_AUTHORIZATION"]} if "HTTP_AUTHORIZATION" in environ else {}

    def __getattr__(self, name: str) -> str | None:
        """Return the parameter, or None when it was not sent, as oauthlib's requests do."""
        return self.__dict__["decoded_body"].get(name)  # type: ignore[no-any-return]


def _caller_ip(environ: Environ) -> str | None:
    return _derive_caller_ip(environ.get("REMOTE_ADDR"), environ.get("HTTP_X_FORWARDED_FOR"))


@lru_cache(maxsize=1024)
def _derive_caller_ip(remote: str | None, forwarded: str | None) -> str | None:
    return caller_ip(_RequestOrigin(remote, forwarded))  # type: ignore[arg-type]


class _RequestOrigin:
    """As much of Django's request as `caller_ip` reads."""

    def __init__(self, remote: str | None, forwarded: str | None) -> None:
        self.META = {"REMOTE_ADDR": remote}
        self.headers = {"x-forwarded-for": forwarded} if forwarded is not None else {}


def reset_for_tests() -> None:
    """Forget the addresses that were derived under other settings."""
    _derive_caller_ip.cache_clear()
