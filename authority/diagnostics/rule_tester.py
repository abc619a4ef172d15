"""What would we make of a platform's token? The tester behind its page: nothing is spent, stored or logged."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from authority.client_authentication import assertions, issuer_keys
from authority.client_authentication.assertions import Assertion
from authority.client_authentication.federation import LONGEST, issuer_of
from authority.diagnostics.problem_messages import Words
from authority.diagnostics.problem_messages.messages import spoken
from authority.diagnostics.problem_messages.platforms import OF_PLATFORMS
from authority.protocol.errors import InvalidClientError
from authority.telemetry import request_trace
from clients.federation import matching
from clients.federation.matching import Difference
from clients.models import Client, TrustedIssuer, TrustRule


@dataclass
class Report:
    """What a token is, which rule it meets, and in what it differs from the others."""

    problems: list[Words] = field(default_factory=list)
    issuer: str = ""
    trusted: TrustedIssuer | None = None
    met: list[TrustRule] = field(default_factory=list)
    unmet: list[tuple[TrustRule, list[Difference]]] = field(default_factory=list)
    claims: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not self.problems and len(self.met) == 1


def try_token(client: Client, text: str) -> Report:
    """Judge the token as the token endpoint would, to the end instead of to the first fault."""
    report = Report()
    read: list[Assertion] = []
    if problem := fault(lambda: read.append(assertions.read(text)), _of_platform):
        report.problems.append(problem)
        return report
    assertion = read[0]
    report.issuer = issuer_of(assertion.claims)
    report.claims = list(_flat(assertion.claims))
    rules = client.trust_rules.select_related("issuer").filter(issuer__issuer=report.issuer)
    for rule in rules:
        if different := matching.differences(rule.audience, rule.claims, assertion.claims):
            report.unmet.append((rule, different))
        else:
            report.met.append(rule)
    offered = TrustedIssuer.objects.offered_to(client.consumer).filter(issuer=report.issuer).first()
    report.trusted = offered
    if offered is not None:
        steps: list[Callable[[], object]] = [
            lambda: assertions.prove(assertion, issuer_keys.of(offered)),
            lambda: assertions.judge_times(assertion, LONGEST),
        ]
        report.problems += [problem for step in steps if (problem := fault(step, _of_platform))]
    return report


def fault(step: Callable[[], object], teller: Callable[[str, dict[str, Any]], Words]) -> Words | None:
    """Return what the step finds wrong, as the teller words its kind and details."""
    inquiry = request_trace.begin("rules")
    try:
        step()
    except InvalidClientError:
        return teller(inquiry.kind, inquiry.detail)
    return None


def _of_platform(kind: str, detail: dict[str, Any]) -> Words:
    """Word it as for a client on a platform, which this one may be about to become."""
    return spoken(OF_PLATFORMS[kind], detail)


def _flat(claims: Any, place: str = "") -> Any:
    """Yield each claim by the name that a rule gives it, with its value as a rule writes it."""
    for name, value in claims.items():
        here = f"{place}/{name.replace('~', '~0').replace('/', '~1')}"
        if isinstance(value, dict):
            yield from _flat(value, here)
        else:
            said = matching.said(value)
            if not place and name in ("exp", "iat", "nbf") and isinstance(value, int) and 0 <= value < 2**33:
                said += f" ({datetime.fromtimestamp(value, UTC):%-d %B %Y at %H:%M UTC})"
            yield here if place else name, said
