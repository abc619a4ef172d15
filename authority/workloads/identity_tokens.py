"""Identity tokens of workloads, for clouds and backends, from an issuer with a name and keys of its own.

It is not the issuer of access tokens, so that a party that trusts one of them trusts no token of the other.
"""

import uuid
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import transaction

from authority.client_directory import ClientEntry
from authority.events import AuthorityEvent
from authority.keys import signing_keys
from authority.keys.workload_issuer import issuer
from authority.models import SigningKey
from authority.protocol.errors import InvalidTargetError, InvalidTokenError, OAuth2Error, UnauthorizedClientError
from authority.telemetry import request_trace
from authority.tokens import validation
from clients.models import Client, Workload
from clients.workloads import LIFESPAN, MAX_LIFETIME
from consumers import audit
from consumers.audit import Actor
from core import clock
from core.errors import Conflict, Refusal
from core.jose import jws
from core.jose.algorithms import SigningAlgorithm

TYPE = "JWT"
ALGORITHM = SigningAlgorithm.RS256  # the one that every cloud accepts
PURPOSE = SigningKey.Purpose.WORKLOADS
CLAIMS = ("iss", "sub", "aud", "exp", "iat", "jti", "account", "project", "deployment", "environment_type")


@dataclass(frozen=True, slots=True)
class IdentityToken:
    claims: dict[str, Any]
    kid: str
    text: str = field(repr=False)

    @property
    def seconds(self) -> int:
        return int(self.claims["exp"] - self.claims["iat"])


# -- Tokens -----------------------------------------------------------------------------------------------------------


def issue(client: Client, audience: str | None = None) -> IdentityToken:
    """Return a new identity token of the client, for the audience or its default one.

    Raises UnauthorizedClientError for what is no workload, InvalidTargetError for an audience that is not on its list.
    """
    workload = Workload.objects.select_related("client__consumer").filter(client=client.pk).first()
    if workload is None or workload.client is None or not workload.client.is_workload:
        request_trace.set_reason("no_workload")
        raise UnauthorizedClientError("This client is not a workload, so it has no identity tokens.")
    client = workload.client
    now = int(clock.seconds())
    seconds = int(client.lifespans.get(LIFESPAN, MAX_LIFETIME))
    claims = {
        "account": workload.account,
        "project": client.project,
        "deployment": client.deployment,
        "environment_type": client.environment_type,
        "iss": issuer(),
        "sub": workload.subject,
        "aud": _allowed_audience(client, audience),
        "iat": now,
        "exp": now + seconds,
        "jti": uuid.uuid4().hex,
    }
    signer = signing_keys.signer(ALGORITHM, seconds=seconds, purpose=PURPOSE)
    return IdentityToken(claims, signer.kid, jws.encode(claims, signer, typ=TYPE))


def audiences(client: Client) -> list[str]:
    """Return the audiences of the client's identity tokens, the default first; without a list, itself alone."""
    return client.identity_token_audience or [client.client_id]


def _allowed_audience(client: Client, wanted: str | None) -> str:
    if wanted is None:
        return audiences(client)[0]
    if wanted not in audiences(client):
        request_trace.set_reason("audience_not_listed", asked=wanted)
        raise InvalidTargetError("The audience is not on this client's list. A manager can add it in its settings.")
    return wanted


@transaction.atomic
def issue_to_person(*, client: Client, audience: str, actor: Actor) -> IdentityToken:
    """Issue an identity token of the client to a person, with an audit event. Raises Refusal."""
    if not client.is_usable(None):
        raise Conflict(f"{client} is disabled or has expired, so it gets no identity token.")
    try:
        issued = issue(client, audience)
    except OAuth2Error as error:
        raise Refusal(error.description, field="audience") from None
    audit.record(
        AuthorityEvent.IDENTITY_TOKEN_ISSUED,
        actor=actor,
        consumer=client.consumer,
        target=client,
        detail={"audience": audience, "environment_type": client.environment_type, "jti": issued.claims["jti"]},
    )
    return issued


def read_identity_token(token: str) -> dict[str, Any] | None:
    """Return the claims of an identity token of ours that has not expired, or None."""
    claims = jws.decode(token, lambda kid: signing_keys.verification_key(kid, PURPOSE), typ=TYPE)
    if claims is None or claims.get("iss") != issuer() or claims.get("exp", 0) <= clock.seconds():
        return None
    return claims


# -- Bearer ----------------------------------------------------------------------------------------------------------


def authenticate_bearer(token: str) -> ClientEntry:
    """Return the client of an access token that it got for itself, with us as its audience.

    An API that received the token could use it here as the client: so its audience must be us (RFC 9068 section 4), it
    must not be bound to a key (RFC 9449), nor be a test token. Raises InvalidTokenError.
    """
    claims = validation.read_access_token(token)
    holder = validation.active_holder(claims) if claims else None
    request_trace.set_client(holder.entry.client if holder else None)
    if claims is None or holder is None or holder.user is not None or "cnf" in claims or "token_use" in claims:
        raise InvalidTokenError()
    audience = validation.audiences(claims)
    if not {settings.ISSUER, issuer()} & set(audience):
        request_trace.set_reason("bearer_of_an_api", audience=audience)
        raise InvalidTokenError(f"This access token is for an API. Ask for one with resource={issuer()}")
    return holder.entry
