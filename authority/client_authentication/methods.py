"""Client authentication (RFC 6749 section 2.3), by exactly the method that the client registered.

Every endpoint that authenticates clients calls `authenticate`.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus
from uuid import UUID

from django.conf import settings

from authority import client_directory
from authority.client_authentication import assertions, federation, replay
from authority.client_directory import ClientEntry, LiveSecret
from authority.protocol import cors
from authority.protocol.errors import InvalidClientError, InvalidRequestError, TooManyFailuresError
from authority.telemetry import last_used, redigests, request_trace
from clients import secrets
from clients.models import Client
from clients.vocabulary import SECRET_METHODS, AuthMethod
from core import throttling
from core.jose.algorithms import ALGORITHMS
from core.jose.jws import SignedJWT


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials in a request, not verified yet."""

    method: AuthMethod
    client_id: str
    secret: str = ""
    assertion: SignedJWT | None = None

    def __repr__(self) -> str:
        return f"<Credentials {self.method}>"


def authenticate(parameters: Mapping[str, str], authorization: str | None, ip: str | None) -> ClientEntry:
    """Return the client that sent the request.

    Raises InvalidRequestError for two methods at once, InvalidClientError for invalid credentials. An unknown client
    and a wrong secret get the same answer after the same work, so that client IDs cannot be enumerated.
    TooManyFailuresError is raised before that work, to callers that failed too often.
    """
    credentials = read_credentials(parameters, authorization)
    _throttle(credentials, ip)
    try:
        entry, credential = _verify_credentials(credentials)
    except InvalidClientError:
        request_trace.auth_failed(ip, credentials.client_id)
        raise
    throttling.mark_authenticated(ip, credentials.client_id)
    _require_usable(entry)
    if credentials.method != AuthMethod.NONE:
        last_used.record(entry.client.pk, credential, ip)
    return entry


def _verify_credentials(credentials: Credentials) -> tuple[ClientEntry, UUID | None]:
    """Return the client, and the ID of its secret or trust rule, whose use is recorded. Raises InvalidClientError."""
    entry, secret = find_client(credentials)
    request_trace.set_client(entry.client if entry else None)
    registered = entry.client.token_endpoint_auth_method if entry else ""
    credential: UUID | None = None
    if credentials.assertion is not None:
        if entry is None or registered not in (credentials.method, AuthMethod.FEDERATED):
            request_trace.set_reason("method_differs", used=credentials.method, registered=registered)
            raise InvalidClientError()
        if registered == AuthMethod.FEDERATED:
            credential = federation.matching_rule(entry.client, credentials.assertion).pk
        else:
            _verify_client_assertion(entry.client, credentials.assertion)
    elif credentials.method == AuthMethod.NONE:
        if entry is None or registered != AuthMethod.NONE:
            request_trace.set_reason("method_differs", used=credentials.method, registered=registered)
            raise InvalidClientError()
    else:
        if entry is not None and registered not in SECRET_METHODS:
            request_trace.set_reason("method_differs", used=credentials.method, registered=registered)
            raise InvalidClientError()
        if entry is None or secret is None:  # the same work for both
            request_trace.set_secret_reason(credentials.secret)
            raise InvalidClientError()
        if registered != credentials.method:
            request_trace.set_reason("method_differs", used=credentials.method, registered=registered)
            raise InvalidClientError(f"This client is registered for {registered}. Authenticate that way.")
        credential = secret.id
    return entry, credential


def _require_usable(entry: ClientEntry) -> None:
    """Refuse an authenticated client that is disabled. Raises InvalidClientError."""
    cors.allow_origins_of(entry.client)
    if not entry.is_usable:
        request_trace.set_disabled_reason(entry.client)
        raise InvalidClientError("This client is disabled, or its consumer is suspended.")


def _throttle(credentials: Credentials, ip: str | None) -> None:
    """Refuse callers that failed too often, before the database is queried, unless the cache confirms their secret.

    A secret of 256 bits cannot be guessed, so the limit protects our capacity, and the cache costs none: a client is
    not locked out by a stranger who uses its ID from the same address. Raises TooManyFailuresError.
    """
    seconds = throttling.retry_after(ip, credentials.client_id)
    if seconds and not _matches_cache(credentials):
        cors.allow_no_origin()
        raise TooManyFailuresError(seconds)


def _matches_cache(credentials: Credentials) -> bool:
    entry = client_directory.get_cached(credentials.client_id)
    if credentials.method in SECRET_METHODS:
        return _match_secret(entry.secrets if entry else (), credentials.secret) is not None
    registered = entry.client.token_endpoint_auth_method if entry else ""
    return credentials.method == registered == AuthMethod.NONE


def find_client(credentials: Credentials) -> tuple[ClientEntry | None, LiveSecret | None]:
    """Return the claimed client, and which of its secrets was sent, from the cache or else from the database."""
    entry, secret = None, None
    for entry in client_directory.cached_then_current(credentials.client_id):
        if credentials.method not in SECRET_METHODS:
            break
        secret = _match_secret(entry.secrets if entry else (), credentials.secret)
        if secret is not None:
            break
    return entry, secret


def read_credentials(parameters: Mapping[str, str], authorization: str | None) -> Credentials:
    """Return the one set of credentials in the request (RFC 6749 section 2.3: no more than one method).

    A header of another scheme is ignored: some libraries send their last access token.
    """
    if authorization is not None and authorization.partition(" ")[0].lower() != "basic":
        authorization = None
    methods = [authorization is not None, "client_secret" in parameters, "client_assertion" in parameters]
    if sum(methods) > 1:
        request_trace.set_reason("credentials_twice")
        raise InvalidRequestError("Authenticate the client in one way, not in several.")
    if authorization is not None:
        credentials = read_basic(authorization)
        if parameters.get("client_id", credentials.client_id) != credentials.client_id:
            raise InvalidRequestError("client_id differs from the client in the Authorization header.")
        return credentials
    if "client_assertion" in parameters:
        return _read_assertion(parameters)
    if "client_id" not in parameters:
        raise InvalidClientError()
    if "client_secret" in parameters:
        return Credentials(AuthMethod.POST, parameters["client_id"], parameters["client_secret"])
    return Credentials(AuthMethod.NONE, parameters["client_id"])


def read_basic(authorization: str) -> Credentials:
    """Read a Basic header, whose parts are form-encoded (RFC 6749 section 2.3.1)."""
    try:
        text = base64.b64decode(authorization.partition(" ")[2].strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        raise InvalidClientError() from None
    client_id, colon, secret = text.partition(":")
    if not colon:
        raise InvalidClientError()
    return Credentials(AuthMethod.BASIC, unquote_plus(client_id), unquote_plus(secret))


# -- Assertions (RFC 7523) --------------------------------------------------------------------------------------------


def _read_assertion(parameters: Mapping[str, str]) -> Credentials:
    """Read an assertion: its client is its own issuer, or named in client_id (RFC 7521 section 4.2)."""
    if parameters.get("client_assertion_type") not in (assertions.TYPE, federation.SPIFFE_TYPE):
        raise InvalidClientError(f"Send client_assertion_type={assertions.TYPE} with client_assertion.")
    assertion = assertions.read(parameters["client_assertion"])
    method = AuthMethod.PRIVATE_KEY_JWT
    if parameters["client_assertion_type"] == federation.SPIFFE_TYPE:
        method = AuthMethod.FEDERATED  # clients do not issue such tokens themselves
    subject = assertion.claim("sub")
    if "client_id" not in parameters and assertion.claim("iss") != subject:
        raise InvalidClientError("Send client_id too: the token of another issuer does not say which client it is for.")
    return Credentials(method, parameters.get("client_id", subject), assertion=assertion)


def _verify_client_assertion(client: Client, assertion: SignedJWT) -> None:
    """Verify an assertion that the client signed, for us, not expired, used once (OpenID Connect Core section 9).

    Raises InvalidClientError.
    """
    only = client.token_endpoint_auth_signing_alg
    own = client.client_jwks
    keys = assertions.given(own) if own is not None else assertions.published(client.client_jwks_uri)
    assertions.prove(assertion, keys, (only,) if only else ALGORITHMS)
    if {assertion.claim("iss"), assertion.claim("sub")} != {client.client_id}:
        raise assertions.refusal("assertion_issuer", "The assertion's iss and sub must both be the client_id.")
    end = assertions.judge(assertion, settings.ISSUER)
    jti = assertion.claim("jti")
    if not jti:
        raise assertions.refusal(
            "assertion_no_jti", "The assertion needs jti, a text that no other assertion of the client has."
        )
    if not replay.spend("client assertion", client.client_id, jti, until=end + assertions.LEEWAY):
        raise assertions.refusal(
            "assertion_replayed", "This assertion was used before (jti). Create a new one for each request."
        )


# -- Secrets ----------------------------------------------------------------------------------------------------------


def _match_secret(live: tuple[LiveSecret, ...], text: str) -> LiveSecret | None:
    """Return the secret that the text is, or None. One digest per pepper version; one also without any secret."""
    digests = {  # empty where a pepper is gone, which is no text's digest
        version: secrets.keyed_digest(text, version)
        for version in {secret.pepper_version for secret in live} or {secrets.current_pepper()}
    }
    found = None
    for secret in live:
        digest = digests[secret.pepper_version]
        if digest and hmac.compare_digest(digest, secret.digest) and secret.is_live():
            found = secret
    if found is not None:
        redigests.record(found.id, found.digest, found.pepper_version, text)
    return found
