"""Software statements (RFC 7591 section 2.3): signed metadata, which takes precedence over the request's."""

import json
from dataclasses import dataclass
from typing import Any

from jwcrypto.common import JWException
from jwcrypto.jwk import JWKSet
from jwcrypto.jwt import JWT

from clients.models import SelfRegistration, SoftwareIssuer
from clients.onboarding.endpoints import endpoints
from clients.registration.errors import InvalidSoftwareStatement, UnapprovedSoftwareStatement
from core.http_fetch import documents, target
from core.jose import jws
from core.jose.algorithms import ALGORITHMS
from core.jose.jws import SignedJWT

MAX_LENGTH = 16 * 1024
# Registered claims of JWTs (RFC 7519 section 4.1), which are no client metadata.
JWT_CLAIMS = {"iss", "sub", "aud", "exp", "nbf", "iat", "jti"}


@dataclass(frozen=True)
class SoftwareStatement:
    """A verified software statement: its JWT, its issuer, and the client metadata that it signs."""

    text: str
    issuer: str
    signed: dict[str, Any]


def read_statement(sent: dict[str, Any], kept: SelfRegistration | None = None) -> SoftwareStatement | None:
    """Return the request's software statement, or None where it sends none, or the one that is kept already.

    Raises InvalidSoftwareStatement for a statement that cannot be verified, UnapprovedSoftwareStatement for one of an
    unknown issuer, or for none where one is required and the kept one is good no more.
    """
    text, former = sent.get("software_statement") or "", kept.software_statement if kept else ""
    if text and text != former:
        return _verified(text)
    if SoftwareIssuer.objects.filter(required=True, disabled_at=None).exists():
        if not former:
            raise UnapprovedSoftwareStatement(
                "Clients may register here only with a software statement. Send one that its publisher has signed."
            )
        _verified(former)
    return None


def with_signed(sent: dict[str, Any], signed: dict[str, Any]) -> dict[str, Any]:
    """Return the request with what is signed, which takes precedence (RFC 7591 section 2.3), without other
    translations of it: people would read one in its place."""
    own = {name: value for name, value in sent.items() if name.partition("#")[0] not in signed}
    own.pop("software_statement", None)
    return own | signed


def _verified(text: Any) -> SoftwareStatement:
    try:
        statement = jws.parse(text if isinstance(text, str) else "", max_length=MAX_LENGTH)
    except jws.MalformedJWT:
        raise InvalidSoftwareStatement(
            "The software statement is not a signed JWT.", field="software_statement"
        ) from None
    issuer = _issuer_of(statement)
    _verify(statement, issuer)
    _check_end_and_audience(statement.claims)
    signed = {name: value for name, value in statement.claims.items() if name not in JWT_CLAIMS}
    return SoftwareStatement(statement.text, issuer.issuer, signed)


def _issuer_of(statement: SignedJWT) -> SoftwareIssuer:
    """Return the issuer that the statement names, before it is verified."""
    if "iss" not in statement.claims:
        raise InvalidSoftwareStatement("The software statement is not a signed JWT.", field="software_statement")
    named = statement.claims["iss"]
    found = SoftwareIssuer.objects.filter(issuer=named, disabled_at=None).first() if isinstance(named, str) else None
    if found is None:
        raise UnapprovedSoftwareStatement(
            "The operator of this portal does not trust the issuer of this software statement.",
            field="software_statement",
        )
    return found


def _verify(statement: SignedJWT, issuer: SoftwareIssuer) -> None:
    """Verify signature and times, by jwcrypto. Only the issuer's registered keys count, never one in the header."""
    try:
        document = issuer.jwks or documents.document(issuer.jwks_uri)
        keys = JWKSet.from_json(json.dumps(document))
        JWT(jwt=statement.text, key=keys, algs=list(ALGORITHMS), expected_type="JWS")
    except target.FetchError as problem:
        raise InvalidSoftwareStatement(
            f"The keys of the software statement's issuer cannot be read: {problem}", field="software_statement"
        ) from None
    except (JWException, ValueError, TypeError):
        raise InvalidSoftwareStatement(
            "The signature of the software statement is invalid, or it has expired.", field="software_statement"
        ) from None


def _check_end_and_audience(claims: dict[str, Any]) -> None:
    """Require an end, and us among the audience (RFC 7519 sections 4.1.3 and 4.1.4).

    Statements are public, so one for another server, or for ever, could be used by anybody.
    """
    if "exp" not in claims:
        raise InvalidSoftwareStatement(
            "The software statement never expires. Ask its publisher for one with “exp”.", field="software_statement"
        )
    named = claims.get("aud")
    if endpoints().issuer not in (named if isinstance(named, list) else [named]):
        raise InvalidSoftwareStatement(
            f"The software statement is not for this server. Ask its publisher for one whose “aud” is "
            f"{endpoints().issuer}.",
            field="software_statement",
        )
