"""What the inspector answers: a verdict first, then what it rests on, then every claim."""

from dataclasses import dataclass, field
from functools import cached_property

from clients.models import Api, Client, TrustedIssuer, TrustRule
from consumers.models import Consumer


def readable(text: str) -> str:
    """Return the text without halves of characters, which no page can hold."""
    return text.encode(errors="replace").decode()


@dataclass(frozen=True)
class Viewer:
    """Whoever asks: a member of a consumer, or an operator, who sees everything."""

    consumer: Consumer | None = None

    def client(self, client_id: object) -> Client | None:
        """Return the client if it is one that this person may know."""
        if not isinstance(client_id, str) or not client_id.isprintable() or not client_id.isascii():
            return None
        mine = Client.objects.select_related("consumer").filter(client_id=client_id)
        return (mine.of(self.consumer) if self.consumer else mine).first()

    def trusted(self, name: str) -> TrustedIssuer | None:
        """Return the outside issuer of that name if this person's clients may be trusted by it."""
        mine = TrustedIssuer.objects.filter(issuer=name) if name else TrustedIssuer.objects.none()
        return (mine & TrustedIssuer.objects.offered_to(self.consumer) if self.consumer else mine).first()

    def rules(self, issuer: TrustedIssuer) -> list[TrustRule]:
        """Return the rules for the issuer that this person may see."""
        mine = TrustRule.objects.select_related("client__consumer").filter(issuer=issuer)
        return list(mine.filter(client__consumer=self.consumer) if self.consumer else mine)

    @cached_property
    def apis(self) -> list[Api]:
        """Return the APIs that this person may know: those that the consumer's clients can ask for."""
        known = Api.objects.prefetch_related("scopes")
        return list(known.filter(scopes__access__consumer=self.consumer).distinct() if self.consumer else known)


@dataclass(frozen=True)
class Fact:
    """One thing that was checked. `tone` is good, bad, warn or empty; the word says it before the text."""

    label: str
    word: str = ""
    tone: str = ""
    text: str = ""


@dataclass(frozen=True)
class Row:
    """A claim, its value as a person reads it, and what it means."""

    name: str
    value: str
    meaning: str
    word: str = ""
    tone: str = ""


@dataclass
class Report:
    """The verdict is the first thing that is wrong, in words that say what to do."""

    kind: str
    verdict: str = ""
    advice: str = ""
    tone: str = "good"
    facts: list[Fact] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    client: Client | None = None  # whose problems tell more

    def fails(self, label: str, verdict: str, advice: str, word: str = "Wrong.", text: str = "") -> None:
        """Note what is wrong. The first one is the verdict."""
        self.facts.append(Fact(label, word, "bad", text or verdict))
        if self.tone != "bad":
            self.verdict, self.advice, self.tone = verdict, advice, "bad"

    def holds(self, label: str, text: str, word: str = "Right.") -> None:
        self.facts.append(Fact(label, word, "good", text))

    def tells(self, label: str, text: str) -> None:
        self.facts.append(Fact(label, text=text))
