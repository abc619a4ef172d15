"""Software statements (RFC 7591 section 2.3): metadata that somebody trusted has signed stands before what is sent."""

import json
from typing import Any

from jwcrypto.common import JWException
from jwcrypto.jwk import JWKSet
from jwcrypto.jws import JWS
from jwcrypto.jwt import JWT

from clients.models import SoftwareIssuer
from clients.registration.errors import InvalidSoftwareStatement, UnapprovedSoftwareStatement
from core.http_fetch import documents, target
from core.jose import jwk

MAX_LENGTH = 16 * 1024
# Claims of the token itself, which describe no client.
REGISTERED = {"iss", "sub", "aud", "exp", "nbf", "iat", "jti"}


def apply(sent: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the document with what its software statement says, and the statement's issuer; empty without one.

    Raises InvalidSoftwareStatement for one that cannot be verified, UnapprovedSoftwareStatement for one of a stranger,
    or for none where one is required.
    """
    text = sent.get("software_statement")
    if text in (None, ""):
        if SoftwareIssuer.objects.filter(required=True, disabled_at=None).exists():
            raise UnapprovedSoftwareStatement("Clients may register here only with a software statement.")
        return {name: value for name, value in sent.items() if name != "software_statement"}, ""
    if not isinstance(text, str) or not text.isascii() or len(text) > MAX_LENGTH:
        raise InvalidSoftwareStatement("The software statement is no signed JWT.", field="software_statement")
    issuer = _issuer_of(text)
    claims = _verified(text, issuer)
    described = {name: value for name, value in claims.items() if name not in REGISTERED}
    return {name: value for name, value in sent.items() if name != "software_statement"} | described, issuer.issuer


def _issuer_of(text: str) -> SoftwareIssuer:
    """Return whom the statement says it is from, unproven."""
    try:
        statement = JWS()
        statement.deserialize(text)
        named = json.loads(statement.objects["payload"])["iss"]
    except (JWException, ValueError, KeyError, TypeError):
        raise InvalidSoftwareStatement("The software statement is no signed JWT.", field="software_statement") from None
    found = SoftwareIssuer.objects.filter(issuer=named, disabled_at=None).first() if isinstance(named, str) else None
    if found is None:
        raise UnapprovedSoftwareStatement(
            "The operator of this portal does not trust the issuer of this software statement.",
            field="software_statement",
        )
    return found


def _verified(text: str, issuer: SoftwareIssuer) -> dict[str, Any]:
    """Return the statement's claims. Its header chooses among the issuer's own keys, and brings none."""
    try:
        document = issuer.jwks or documents.document(issuer.jwks_uri)
        keys = JWKSet.from_json(json.dumps(document))
        statement = JWT(jwt=text, key=keys, algs=list(jwk.ALGORITHMS), expected_type="JWS")
        claims = json.loads(statement.claims)
    except target.FetchError as problem:
        raise InvalidSoftwareStatement(
            f"The keys of the software statement's issuer cannot be read: {problem}", field="software_statement"
        ) from None
    except (JWException, ValueError, TypeError):
        raise InvalidSoftwareStatement(
            "The signature of the software statement does not hold, or it has ended.", field="software_statement"
        ) from None
    if not isinstance(claims, dict):
        raise InvalidSoftwareStatement("The software statement holds no claims.", field="software_statement")
    return claims
