"""The commonest requests, answered ahead of Django's handler: by the same rules, or not at all.

A shortcut says yes or nothing. Whatever is unusual, and every refusal, takes the ordinary way, which judges it anew.
What it leaves out is parsing and middleware, never a rule: the steps of the grant are oauthlib's, asking our validator.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings

from authority import reasons
from authority.endpoints import token as ordinary
from authority.endpoints.protocol import caller_ip, once
from authority.server import server
from authority.validator import CALLER_IP, PROOF
from clients.vocabulary import GrantType

Environ = Mapping[str, Any]

LONGEST = 4096  # bytes of a plain request's body
# What a form is made of that no client has to think about: ASCII, in which nothing needs guessing.
PLAIN = re.compile(rb"[\x21-\x7e]*")
PARAMETERS = {"grant_type", "scope", "client_id", "client_secret"}
# A header that changes what we do or say makes a request unusual. So does one that frames the body in another way.
UNUSUAL = ("HTTP_ORIGIN", "HTTP_DPOP", "HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_ENCODING", "HTTP_EXPECT", "HTTP_COOKIE")


def is_plain(environ: Environ) -> bool:
    return not environ.get("QUERY_STRING") and not any(name in environ for name in UNUSUAL)


def token(environ: Environ, body: bytes) -> bytes | None:
    """Return the answer to a client that wants a token for itself by its secret, or None."""
    parameters = form(body)
    if parameters is None or parameters.get("grant_type") != GrantType.CLIENT_CREDENTIALS:
        return None
    reasons.begin(ordinary.token.__name__)
    grant = server().credentials_grant
    _, answer, status = grant.create_token_response(Request(environ, parameters), server().default_token_type)
    if status != 200:
        return None
    reasons.conclude(status)
    return answer.encode()  # type: ignore[no-any-return]


def form(body: bytes) -> dict[str, str] | None:
    """Return the parameters of a form that is plain, read as Django reads it. Raises InvalidRequestError."""
    if not PLAIN.fullmatch(body):
        return None
    pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=settings.DATA_UPLOAD_MAX_NUMBER_FIELDS)
    parameters = once((name, [value]) for name, value in pairs)
    return parameters if len(pairs) == len(parameters) and parameters.keys() <= PARAMETERS else None


class Request:
    """What oauthlib's steps and our validator ask of a request, without the parsing that is done already."""

    duplicate_params = ()
    extra_credentials = None

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
