"""Client authentication by another issuer's token instead of a secret (RFC 7523 section 3, RFC 7521).

The token's issuer is trusted by operators, its signature verifies with that issuer's keys, and its claims match exactly
one trust rule of the client that the request names. The client is always named: if it were found by rules alone, a
stranger's rule that matches the same token could take the client over, or lock it out.
"""

from collections.abc import Mapping
from typing import Any

from authority.client_authentication import assertions, issuer_keys, replay
from authority.client_authentication.assertions import refusal
from clients.federation import matching
from clients.models import Client, TrustRule
from core.jose import jws
from core.jose.jws import SignedJWT

MAX_LIFETIME = 24 * 3600  # seconds from now to the end of a platform's token
SPIFFE_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe"  # as draft-ietf-oauth-spiffe-client-auth has it


def matching_rule(client: Client, assertion: SignedJWT) -> TrustRule:
    """Return the client's rule that the token matches, after verifying it. Raises InvalidClientError."""
    name = issuer_of(assertion.claims)
    rules = list(TrustRule.objects.select_related("issuer").filter(client=client, issuer__issuer=name))
    if not rules:
        raise refusal("assertion_no_rule", issuer=name)
    issuer = rules[0].issuer
    if not issuer.serves(client.consumer_id):
        raise refusal("assertion_issuer_off", issuer=name)
    assertions.prove(assertion, issuer_keys.key_set_of(issuer), verify=jws.verify_foreign)
    rule = _single_match(rules, assertion.claims)
    end = assertions.judge_times(assertion, MAX_LIFETIME)
    jti = assertion.claim("jti")
    if (
        jti
        and not issuer.kind.reused
        and not replay.spend("outside assertion", name, jti, until=end + assertions.LEEWAY)
    ):
        raise refusal("assertion_replayed", "This token was used before (jti). Ask the platform for a new one.")
    return rule


def issuer_of(claims: Mapping[str, Any]) -> str:
    """Return the token's issuer; a SPIFFE token may have none but its trust domain."""
    issuer, subject = claims.get("iss"), claims.get("sub")
    if issuer is None and isinstance(subject, str) and subject.startswith("spiffe://"):
        return "spiffe://" + subject.removeprefix("spiffe://").partition("/")[0]
    return issuer if isinstance(issuer, str) and "\0" not in issuer and len(issuer) <= 300 else ""


def _single_match(rules: list[TrustRule], claims: Mapping[str, Any]) -> TrustRule:
    """Return the one rule that the claims match. Raises InvalidClientError for none, and for two."""
    met = [rule for rule in rules if not matching.mismatches(rule.audience, rule.claims, claims)]
    if len(met) == 1:
        return met[0]
    if met:
        raise refusal(
            "assertion_two_rules", "The token matches two rules of the client. Its rules must exclude each other."
        )
    nearest = min((matching.mismatches(rule.audience, rule.claims, claims) for rule in rules), key=len)
    raise refusal(
        "assertion_rule_unmet",
        "The token matches no rule of the client. Its page in the portal shows which claim differs.",
        claim=nearest[0].claim,
        wanted=nearest[0].expected,
        found=nearest[0].actual,
    )
