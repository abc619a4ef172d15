"""Rules for trusted issuers, and for trust rules: each must identify one owner, without patterns."""

import re
from collections.abc import Mapping
from functools import partial

from clients.errors import InvalidClientMetadata
from clients.federation.matching import are_disjoint
from clients.federation.platforms import PlatformName
from clients.models import Client, TrustedIssuer, TrustRule
from clients.policy.common import every
from clients.policy.texts import plain_text
from clients.policy.uris import fetchable_uri
from core.errors import Refusal
from core.jose import jwk
from core.limits import longest

MAX_RULES = 20
MAX_CLAIMS = 20
MAX_CLAIM_NAME = 200
MAX_CLAIM_VALUE = 500
MAX_AUDIENCE = longest(TrustRule, "audience")
AUDIENCE = re.compile(rf"[\x21-\x7e]{{1,{MAX_AUDIENCE}}}")
# Wildcards of cloud platforms' policies, which are not supported here.
PATTERN = re.compile(r"[*?]|\$\{|\.\+")
# Claims that are validated in any case; a rule that names one would never match, or only once.
CHECKED_CLAIMS = {"iss", "aud", "exp", "iat", "nbf", "jti"}


# -- Issuers ----------------------------------------------------------------------------------------------------------

TRUST_DOMAIN = re.compile(r"spiffe://[a-z0-9._-]{1,255}")


def trusted_issuer(issuer: TrustedIssuer) -> None:
    """Raise Refusal unless tokens of the issuer could be verified."""
    every((partial(_issuer_identifier, issuer), partial(_issuer_keys, issuer)))


def _issuer_identifier(issuer: TrustedIssuer) -> None:
    """Require a valid iss; where its keys come by discovery, a URL that this server may request."""
    if issuer.platform == PlatformName.SPIFFE:
        if not TRUST_DOMAIN.fullmatch(issuer.issuer):
            raise Refusal("Write the trust domain as spiffe://acme.example, without a path.", field="issuer")
        if not (issuer.jwks_uri or issuer.jwks):
            raise Refusal("Give the address of the trust bundle: a trust domain has no discovery.", field="jwks_uri")
    elif not (issuer.jwks_uri or issuer.jwks):
        fetchable_uri(issuer.issuer, "issuer")
        if "?" in issuer.issuer:
            raise Refusal("An issuer has no query (OpenID Connect Core section 2).", field="issuer")
    elif not re.fullmatch(r"[\x21-\x7e]+", issuer.issuer):
        raise Refusal("Write the issuer in ASCII, without spaces.", field="issuer")


def _issuer_keys(issuer: TrustedIssuer) -> None:
    if issuer.jwks is not None and issuer.jwks_uri:
        raise Refusal("Give the keys or their address, not both.", field="jwks")
    if issuer.jwks_uri:
        fetchable_uri(issuer.jwks_uri, "jwks_uri")
    if issuer.jwks is not None:
        try:
            jwk.check(issuer.jwks)
            if not issuer.jwks["keys"]:
                raise Refusal("There is no key in it, so every token would be refused.", field="jwks")
        except jwk.UnfitKey as reason:
            raise Refusal(str(reason), field="jwks") from None


# -- Rules ------------------------------------------------------------------------------------------------------------


def trust_rule(client: Client, issuer: TrustedIssuer, audience: str, claims: Mapping[str, str]) -> None:
    """Raise Refusal unless the client may have the trust rule."""
    others = list(client.trust_rules.filter(issuer=issuer))
    every(
        (
            partial(_eligible_client, client),
            partial(_issuer_allowed, client, issuer),
            partial(_audience, audience),
            partial(_claims, claims),
            partial(_binding_claim, issuer, claims),
            partial(_trust_domain, issuer, claims),
            partial(_disjoint, others, audience, claims),
        )
    )


def _eligible_client(client: Client) -> None:
    """Limit the rules of a client. One with another method may have them, to prepare the change without an outage."""
    if client.is_public:
        raise Refusal("This is a public client: anybody can send its ID. Create one that authenticates.")
    if client.trust_rules.count() >= MAX_RULES:
        raise Refusal(f"A client has at most {MAX_RULES} rules. Delete one that is not needed.")


def _issuer_allowed(client: Client, issuer: TrustedIssuer) -> None:
    if not issuer.serves(client.consumer_id):
        raise Refusal("This issuer is not allowed here. Ask the operator of this portal.", field="issuer")


def _audience(audience: str) -> None:
    if not AUDIENCE.fullmatch(audience):
        raise Refusal(
            f"Write the audience with up to {MAX_AUDIENCE} characters of ASCII, without spaces.", field="audience"
        )
    if PATTERN.search(audience):
        raise Refusal("The audience must match exactly: leave out wildcards.", field="audience")


def _claims(claims: Mapping[str, str]) -> None:
    """Require names and values that can be compared as exact strings (RFC 7519 section 7.3)."""
    if len(claims) > MAX_CLAIMS:
        raise Refusal(f"Compare at most {MAX_CLAIMS} claims.", field="claims")
    for name, value in claims.items():
        plain_text(name + value, "claims", f"“{name[:60]}”")
        if name in CHECKED_CLAIMS:
            raise Refusal(f"{name} is checked in any case. Leave it out.", field="claims")
        if not (0 < len(name) <= MAX_CLAIM_NAME and 0 < len(value) <= MAX_CLAIM_VALUE) or (
            (name, value) != (name.strip(), value.strip())
        ):
            raise Refusal(
                f"Write each claim with up to {MAX_CLAIM_NAME} characters, and its value with up to {MAX_CLAIM_VALUE}.",
                field="claims",
            )
        if PATTERN.search(value):
            raise Refusal(
                f"{name}: values must match exactly, so “{value[:60]}” would never match. Leave out wildcards and "
                f"patterns; create a rule for each value.",
                field="claims",
            )


def _binding_claim(issuer: TrustedIssuer, claims: Mapping[str, str]) -> None:
    """Require a claim that identifies an owner; without one, any workload on the platform would match."""
    names = [claim.name for claim in issuer.kind.claims if claim.binds]
    if not set(names) & claims.keys():
        raise InvalidClientMetadata(
            f"Anybody on {issuer} could match this rule. Name who it is for: {' or '.join(names)}.", field="claims"
        )


def _trust_domain(issuer: TrustedIssuer, claims: Mapping[str, str]) -> None:
    """Require a SPIFFE ID of the issuer's own trust domain (SPIFFE JWT-SVID section 4.3)."""
    subject = claims.get("sub", "")
    if issuer.platform == PlatformName.SPIFFE and subject and not subject.startswith(f"{issuer.issuer}/"):
        raise Refusal(f"Write the SPIFFE ID with its trust domain and path: {issuer.issuer}/…", field="claims")


def _disjoint(others: list[TrustRule], audience: str, claims: Mapping[str, str]) -> None:
    """Require that no token matches two rules of a client, so that the last use is recorded for the right one."""
    for other in others:
        if other.audience == audience and not are_disjoint(other.claims, claims):
            raise Refusal(
                f"A token could match this rule and the one for {other}. "
                "Give both the same claim with different values, or delete the other.",
                field="claims",
            )
