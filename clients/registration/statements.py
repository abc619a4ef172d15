"""Software statements (RFC 7591 section 2.3): signed metadata, which takes precedence over the request's."""

import json
from typing import Any

from jwcrypto.common import JWException
from jwcrypto.jwk import JWKSet
from jwcrypto.jwt import JWT

from clients.models import SoftwareIssuer
from clients.registration.errors import InvalidSoftwareStatement, UnapprovedSoftwareStatement
from core.http_fetch import documents, target
from core.jose import jws
from core.jose.algorithms import ALGORITHMS
from core.jose.jws import SignedJWT

MAX_LENGTH = 16 * 1024
# Registered claims of JWTs (RFC 7519 section 4.1), which are no client metadata.
JWT_CLAIMS = {"iss", "sub", "aud", "exp", "nbf", "iat", "jti"}


def apply_statement(sent: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the request with the metadata of its software statement, and the statement's issuer or "".

    Raises InvalidSoftwareStatement for a statement that cannot be verified, UnapprovedSoftwareStatement for one of an
    unknown issuer, or for none where one is required.
    """
    text = sent.get("software_statement")
    if text in (None, ""):
        if SoftwareIssuer.objects.filter(required=True, disabled_at=None).exists():
            raise UnapprovedSoftwareStatement("Clients may register here only with a software statement.")
        return {name: value for name, value in sent.items() if name != "software_statement"}, ""
    try:
        statement = jws.parse(text if isinstance(text, str) else "", max_length=MAX_LENGTH)
    except jws.MalformedJWT:
        raise InvalidSoftwareStatement(
            "The software statement is not a signed JWT.", field="software_statement"
        ) from None
    issuer = _issuer_of(statement)
    _verify(statement, issuer)
    described = {name: value for name, value in statement.claims.items() if name not in JWT_CLAIMS}
    return {name: value for name, value in sent.items() if name != "software_statement"} | described, issuer.issuer


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
