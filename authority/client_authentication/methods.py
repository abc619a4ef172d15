"""Who is this client? RFC 6749 section 2.3, with exactly the method that it registered.

Every endpoint at which clients prove themselves comes through `authenticate`.
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
from authority.client_authentication.assertions import Assertion
from authority.client_directory import Entry, Secret
from authority.protocol import cors
from authority.protocol.errors import InvalidClientError, InvalidRequestError, TooManyFailuresError
from authority.telemetry import last_used, request_trace
from clients import secrets
from clients.models import Client
from clients.vocabulary import SECRET_METHODS, AuthMethod
from core import throttling
from core.jose import jwk


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request says about its client, unproven."""

    method: AuthMethod
    client_id: str
    secret: str = ""
    assertion: Assertion | None = None

    def __repr__(self) -> str:
        return f"<Credentials {self.method}>"


def authenticate(parameters: Mapping[str, str], authorization: str | None, ip: str | None) -> Entry:
    """Return the client that sent the request.

    Raises InvalidRequestError for two methods at once, InvalidClientError for whatever proves nothing. An unknown
    client and a wrong secret get the same answer after the same work, so that nobody can find out client IDs.
    TooManyFailuresError comes before that work, to whoever failed too often of late.
    """
    credentials = read(parameters, authorization)
    _limit(credentials, ip)
    try:
        entry, proof = _prove(credentials)
    except InvalidClientError:
        request_trace.unproven(ip, credentials.client_id)
        raise
    throttling.proven(ip, credentials.client_id)
    _admit(entry)
    if credentials.method != AuthMethod.NONE:
        last_used.record(entry.client.pk, proof, ip)
    return entry


def _prove(credentials: Credentials) -> tuple[Entry, UUID | None]:
    """Return the client, and the row that lets it in, whose last use is noted. Raises InvalidClientError."""
    entry, secret = proven(credentials)
    request_trace.about(entry.client if entry else None)
    registered = entry.client.token_endpoint_auth_method if entry else ""
    proof: UUID | None = None
    if credentials.assertion is not None:
        if entry is None or registered not in (credentials.method, AuthMethod.FEDERATED):
            request_trace.because("method_differs", used=credentials.method, registered=registered)
            raise InvalidClientError()
        if registered == AuthMethod.FEDERATED:
            proof = federation.vouched_for(entry.client, credentials.assertion).pk
        else:
            _signed_by_client(entry.client, credentials.assertion)
    elif credentials.method == AuthMethod.NONE:
        if entry is None or registered != AuthMethod.NONE:
            request_trace.because("method_differs", used=credentials.method, registered=registered)
            raise InvalidClientError()
    else:
        if entry is None or registered not in SECRET_METHODS:
            request_trace.because("method_differs", used=credentials.method, registered=registered)
            raise InvalidClientError()
        if secret is None:
            request_trace.because_secret(credentials.secret)
            raise InvalidClientError()
        if registered != credentials.method:
            request_trace.because("method_differs", used=credentials.method, registered=registered)
            raise InvalidClientError(f"This client is registered for {registered}. Authenticate that way.")
        proof = secret.id
    return entry, proof


def _admit(entry: Entry) -> None:
    """Let in a client that has proven itself, unless it is turned off. Raises InvalidClientError."""
    cors.answers(entry.client)
    if not entry.is_usable:
        request_trace.because_unusable(entry.client)
        raise InvalidClientError("This client is disabled, or its consumer is suspended.")


def _limit(credentials: Credentials, ip: str | None) -> None:
    """Refuse, before the database is asked, whoever failed too often of late; memory may still let them in.

    A secret of 256 bits cannot be guessed, so the limit protects our time, and what we remember costs none: a client
    that works is not locked out by a stranger who uses its name behind the same address. Raises TooManyFailuresError.
    """
    seconds = throttling.seconds_to_wait(ip, credentials.client_id)
    if seconds and not _is_remembered(credentials):
        cors.answers_nobody()
        raise TooManyFailuresError(seconds)


def _is_remembered(credentials: Credentials) -> bool:
    entry = client_directory.recall(credentials.client_id)
    if credentials.method in SECRET_METHODS:
        return _matching(entry.secrets if entry else (), credentials.secret) is not None
    registered = entry.client.token_endpoint_auth_method if entry else ""
    return credentials.method == registered == AuthMethod.NONE


def proven(credentials: Credentials) -> tuple[Entry | None, Secret | None]:
    """Return the named client, and which of its secrets was sent: by what is remembered, or else by the database."""
    entry, secret = None, None
    for entry in client_directory.opinions(credentials.client_id):
        if credentials.method not in SECRET_METHODS:
            break
        secret = _matching(entry.secrets if entry else (), credentials.secret)
        if secret is not None:
            break
    return entry, secret


def read(parameters: Mapping[str, str], authorization: str | None) -> Credentials:
    """Return the one set of credentials in the request (RFC 6749 section 2.3: no more than one method).

    A header of another scheme is no client authentication: some libraries send the token that they last had.
    """
    if authorization is not None and authorization.partition(" ")[0].lower() != "basic":
        authorization = None
    methods = [authorization is not None, "client_secret" in parameters, "client_assertion" in parameters]
    if sum(methods) > 1:
        request_trace.because("credentials_twice")
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
    """Read an assertion: whoever made it itself is its subject, others are named beside it (RFC 7521 section 4.2)."""
    if parameters.get("client_assertion_type") not in (assertions.TYPE, federation.SPIFFE_TYPE):
        raise InvalidClientError(f"Send client_assertion_type={assertions.TYPE} with client_assertion.")
    assertion = assertions.read(parameters["client_assertion"])
    method = AuthMethod.PRIVATE_KEY_JWT
    if parameters["client_assertion_type"] == federation.SPIFFE_TYPE:
        method = AuthMethod.FEDERATED  # no client makes such a token itself
    subject = assertion.claim("sub")
    if "client_id" not in parameters and assertion.claim("iss") != subject:
        raise InvalidClientError("Send client_id too: the token of another issuer does not say which client it is for.")
    return Credentials(method, parameters.get("client_id", subject), assertion=assertion)


def _signed_by_client(client: Client, assertion: Assertion) -> None:
    """Require an assertion that the client made itself, for us, now and once (OpenID Connect Core section 9).

    Raises InvalidClientError.
    """
    only = client.token_endpoint_auth_signing_alg
    own = client.client_jwks
    keys = assertions.given(own) if own is not None else assertions.published(client.client_jwks_uri)
    assertions.prove(assertion, keys, (only,) if only else jwk.ALGORITHMS)
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
            "assertion_replayed", "This assertion was used before (jti). Make a new one for each request."
        )


# -- Secrets ----------------------------------------------------------------------------------------------------------


def _matching(live: tuple[Secret, ...], text: str) -> Secret | None:
    """Return the secret that the text is. Digests once per pepper version, and once where there is no secret at all."""
    digests = {
        version: secrets.digest(text, version) or ""
        for version in {secret.pepper_version for secret in live} or {secrets.current_pepper()}
    }
    found = None
    for secret in live:
        if hmac.compare_digest(digests[secret.pepper_version], secret.digest) and secret.is_live():
            found = secret
    return found
