"""May this rule be made? So narrow that no stranger meets it, so plain that it reads in one way."""

import re
from collections.abc import Mapping
from functools import partial

from clients.errors import InvalidClientMetadata
from clients.federation.matching import exclusive
from clients.federation.platforms import PlatformName
from clients.models import Client, TrustedIssuer, TrustRule
from clients.policy.common import every
from clients.policy.texts import plain_text
from clients.policy.uris import may_be_asked
from core.errors import Refusal
from core.jose import jwk

MAX_RULES = 20
MAX_CLAIMS = 20
AUDIENCE = re.compile(r"[\x21-\x7e]{1,200}")
# What others take for a pattern, so that nobody believes in one here.
PATTERN = re.compile(r"[*?]|\$\{|\.\+")
# What every token has, and what a rule on it would only break.
OWN_CLAIMS = {"iss", "aud", "exp", "iat", "nbf", "jti"}


# -- Issuers ----------------------------------------------------------------------------------------------------------

TRUST_DOMAIN = re.compile(r"spiffe://[a-z0-9._-]{1,255}")


def issuer(wanted: TrustedIssuer) -> None:
    """Raise Refusal unless the issuer's tokens could be checked."""
    every((partial(_issuer_name, wanted), partial(_issuer_keys, wanted)))


def _issuer_name(wanted: TrustedIssuer) -> None:
    """Require what a token can carry as iss; where its keys are looked up, an address that we may ask."""
    if wanted.platform == PlatformName.SPIFFE:
        if not TRUST_DOMAIN.fullmatch(wanted.issuer):
            raise Refusal("Write the trust domain as spiffe://acme.example, without a path.", field="issuer")
        if not (wanted.jwks_uri or wanted.jwks):
            raise Refusal("Give the address of the trust bundle: a trust domain has no discovery.", field="jwks_uri")
    elif not (wanted.jwks_uri or wanted.jwks):
        may_be_asked(wanted.issuer, "issuer")
        if "?" in wanted.issuer:
            raise Refusal("An issuer has no query (OpenID Connect Core section 2).", field="issuer")
    elif not re.fullmatch(r"[\x21-\x7e]{1,300}", wanted.issuer):
        raise Refusal("Write the issuer in ASCII, without spaces.", field="issuer")


def _issuer_keys(wanted: TrustedIssuer) -> None:
    if wanted.jwks is not None and wanted.jwks_uri:
        raise Refusal("Give the keys or their address, not both.", field="jwks")
    if wanted.jwks_uri:
        may_be_asked(wanted.jwks_uri, "jwks_uri")
    if wanted.jwks is not None:
        try:
            jwk.check(wanted.jwks)
            if not wanted.jwks["keys"]:
                raise Refusal("There is no key in it, so every token would be refused.", field="jwks")
        except jwk.UnfitKey as reason:
            raise Refusal(str(reason), field="jwks") from None


# -- Rules ------------------------------------------------------------------------------------------------------------


def rule(client: Client, issuer: TrustedIssuer, audience: str, claims: Mapping[str, str]) -> None:
    """Raise Refusal unless the client may have the rule."""
    others = list(client.trust_rules.filter(issuer=issuer))
    every(
        (
            partial(_method, client),
            partial(_offered, client, issuer),
            partial(_meant_for, audience),
            partial(_readable, claims),
            partial(_binding, issuer, claims),
            partial(_own_domain, issuer, claims),
            partial(_alone, others, audience, claims),
        )
    )


def _method(client: Client) -> None:
    """Let a client that proves itself otherwise have rules too: they wait, so that it can change without an outage."""
    if client.is_public:
        raise Refusal("This client proves nothing: anybody can send its ID. Register one that proves who it is.")
    if client.trust_rules.count() >= MAX_RULES:
        raise Refusal(f"A client has at most {MAX_RULES} rules. Remove one that is not needed.")


def _offered(client: Client, issuer: TrustedIssuer) -> None:
    if not issuer.serves(client.consumer_id):
        raise Refusal("This issuer is not allowed here. Ask the operator of this portal.", field="issuer")


def _meant_for(audience: str) -> None:
    if not AUDIENCE.fullmatch(audience):
        raise Refusal("Write the audience with up to 200 characters of ASCII, without spaces.", field="audience")
    if PATTERN.search(audience):
        raise Refusal("An audience is compared letter by letter: leave out wildcards.", field="audience")


def _readable(claims: Mapping[str, str]) -> None:
    """RFC 7519 section 4: names and values are compared as they are."""
    if len(claims) > MAX_CLAIMS:
        raise Refusal(f"Compare at most {MAX_CLAIMS} claims.", field="claims")
    for name, value in claims.items():
        plain_text(name + value, "claims", f"“{name[:60]}”")
        if name in OWN_CLAIMS:
            raise Refusal(f"{name} is checked in any case. Leave it out.", field="claims")
        if not 0 < len(name) <= 200 or not 0 < len(value) <= 500 or value != value.strip() or name != name.strip():
            raise Refusal("Write each claim with up to 200 characters, and its value with up to 500.", field="claims")
        if PATTERN.search(value):
            raise Refusal(
                f"{name}: values are compared letter by letter, so “{value[:60]}” would never be met. "
                "Leave out wildcards and patterns; make a rule for each value.",
                field="claims",
            )


def _binding(issuer: TrustedIssuer, claims: Mapping[str, str]) -> None:
    """Refuse a rule that names nobody: everybody on the platform could meet it."""
    names = [claim.name for claim in issuer.kind.claims if claim.binds]
    if not set(names) & claims.keys():
        raise InvalidClientMetadata(
            f"Anybody on {issuer} could meet this rule. Name who it is for: {' or '.join(names)}.", field="claims"
        )


def _own_domain(issuer: TrustedIssuer, claims: Mapping[str, str]) -> None:
    """Keep a trust domain's keys to its own names (SPIFFE JWT-SVID section 4.3): they prove nobody else's."""
    subject = claims.get("sub", "")
    if issuer.platform == PlatformName.SPIFFE and subject and not subject.startswith(f"{issuer.issuer}/"):
        raise Refusal(f"Write the SPIFFE ID with its trust domain and path: {issuer.issuer}/…", field="claims")


def _alone(others: list[TrustRule], audience: str, claims: Mapping[str, str]) -> None:
    """Require that no token meets two rules of a client, so that it is clear which one let it in."""
    for other in others:
        if other.audience == audience and not exclusive(other.claims, claims):
            raise Refusal(
                f"A token could meet this rule and the one for {other}. "
                "Give both the same claim with different values, or remove the other.",
                field="claims",
            )
