"""The inspector's report: a verdict, the facts that were checked, and the claims."""

from dataclasses import dataclass, field
from functools import cached_property

from clients.models import Api, Client, TrustedIssuer, TrustRule
from consumers.models import Consumer


def replace_surrogates(text: str) -> str:
    """Return the text with surrogates replaced, which cannot be encoded as UTF-8."""
    return text.encode(errors="replace").decode()


@dataclass(frozen=True)
class Viewer:
    """The person who asks: a member of a consumer, or an operator, who sees everything."""

    consumer: Consumer | None = None

    def client(self, client_id: object) -> Client | None:
        """Return the client if it is visible to this person."""
        if not isinstance(client_id, str) or not client_id.isprintable() or not client_id.isascii():
            return None
        mine = Client.objects.select_related("consumer").filter(client_id=client_id)
        return (mine.of(self.consumer) if self.consumer else mine).first()

    def trusted(self, name: str) -> TrustedIssuer | None:
        """Return the trusted issuer if it is offered to this person's consumer."""
        mine = TrustedIssuer.objects.filter(issuer=name) if name else TrustedIssuer.objects.none()
        return (mine & TrustedIssuer.objects.offered_to(self.consumer) if self.consumer else mine).first()

    def rules(self, issuer: TrustedIssuer) -> list[TrustRule]:
        """Return the rules for the issuer that this person may see."""
        mine = TrustRule.objects.select_related("client__consumer").filter(issuer=issuer)
        return list(mine.filter(client__consumer=self.consumer) if self.consumer else mine)

    @cached_property
    def apis(self) -> list[Api]:
        """Return the APIs that are visible to this person: those that the consumer may access."""
        known = Api.objects.prefetch_related("scopes", "roles", "claims")
        return list(known.granted_to(self.consumer).distinct() if self.consumer else known)


@dataclass(frozen=True)
class Fact:
    """One check. `tone` is good, bad, warn or empty; `word` says it in text."""

    label: str
    word: str = ""
    tone: str = ""
    text: str = ""


@dataclass(frozen=True)
class ClaimRow:
    """A claim, its value as a person reads it, and what it means."""

    name: str
    value: str
    meaning: str
    word: str = ""
    tone: str = ""


@dataclass
class InspectionReport:
    """The verdict is the first fault, with what to do about it."""

    kind: str
    verdict: str = ""
    advice: str = ""
    tone: str = "good"
    facts: list[Fact] = field(default_factory=list)
    rows: list[ClaimRow] = field(default_factory=list)
    client: Client | None = None  # whose problems tell more

    def error(self, label: str, verdict: str, advice: str, word: str = "Wrong.", text: str = "") -> None:
        """Add a fault. The first one is the verdict."""
        self.facts.append(Fact(label, word, "bad", text or verdict))
        if self.tone != "bad":
            self.verdict, self.advice, self.tone = verdict, advice, "bad"

    def ok(self, label: str, text: str, word: str = "Right.") -> None:
        self.facts.append(Fact(label, word, "good", text))

    def info(self, label: str, text: str) -> None:
        self.facts.append(Fact(label, text=text))
