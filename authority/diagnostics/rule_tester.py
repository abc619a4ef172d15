"""The trust rule tester: validates a platform's token without using it up, storing or logging it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from authority.client_authentication import assertions, issuer_keys
from authority.client_authentication.federation import MAX_LIFETIME, issuer_of
from authority.diagnostics.problem_messages import ProblemMessage
from authority.diagnostics.problem_messages.messages import render
from authority.diagnostics.problem_messages.platforms import PLATFORM_MESSAGES
from authority.protocol.errors import InvalidClientError
from authority.telemetry import request_trace
from clients.federation import matching
from clients.federation.matching import ClaimMismatch
from clients.models import Client, TrustedIssuer, TrustRule
from core.jose import jws
from core.jose.jws import SignedJWT


@dataclass
class RuleReport:
    """What a token is, which rules it matches, and how it differs from the others."""

    problems: list[ProblemMessage] = field(default_factory=list)
    issuer: str = ""
    trusted: TrustedIssuer | None = None
    met: list[TrustRule] = field(default_factory=list)
    unmet: list[tuple[TrustRule, list[ClaimMismatch]]] = field(default_factory=list)
    claims: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not self.problems and len(self.met) == 1


def try_token(client: Client, text: str) -> RuleReport:
    """Validate the token as the token endpoint would, but report all faults instead of the first."""
    report = RuleReport()
    read: list[SignedJWT] = []
    if problem := find_problem(lambda: read.append(assertions.read(text)), _platform_message):
        report.problems.append(problem)
        return report
    assertion = read[0]
    report.issuer = issuer_of(assertion.claims)
    report.claims = list(_flatten(assertion.claims))
    rules = client.trust_rules.select_related("issuer").filter(issuer__issuer=report.issuer)
    for rule in rules:
        if different := matching.mismatches(rule.audience, rule.claims, assertion.claims):
            report.unmet.append((rule, different))
        else:
            report.met.append(rule)
    offered = TrustedIssuer.objects.offered_to(client.consumer).filter(issuer=report.issuer).first()
    report.trusted = offered
    if offered is not None:
        steps: list[Callable[[], object]] = [
            lambda: assertions.prove(assertion, issuer_keys.key_set_of(offered), verify=jws.verify_foreign),
            lambda: assertions.judge_times(assertion, MAX_LIFETIME),
        ]
        report.problems += [problem for step in steps if (problem := find_problem(step, _platform_message))]
    return report


def find_problem(
    step: Callable[[], object], message_for: Callable[[str, dict[str, Any]], ProblemMessage]
) -> ProblemMessage | None:
    """Return the message for the fault that the step finds, or None."""
    trace = request_trace.start("rules")
    try:
        step()
    except InvalidClientError:
        return message_for(trace.kind, trace.detail)
    return None


def _platform_message(kind: str, detail: dict[str, Any]) -> ProblemMessage:
    """Return the message for a client on a platform, which this one may be about to become."""
    return render(PLATFORM_MESSAGES[kind], detail)


def _flatten(claims: Any, place: str = "") -> Any:
    """Yield each claim with its value, as a rule writes them."""
    for name, value in claims.items():
        here = f"{place}/{name.replace('~', '~0').replace('/', '~1')}"
        if isinstance(value, dict):
            yield from _flatten(value, here)
        else:
            text = matching.display_claim(value)
            if not place and name in ("exp", "iat", "nbf") and isinstance(value, int) and 0 <= value < 2**33:
                text += f" ({datetime.fromtimestamp(value, UTC):%-d %B %Y at %H:%M UTC})"
            yield here if place else name, text
