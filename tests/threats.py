"""Writes the table in docs/security.md: what each threat comes to, and which tests show it. `python -m tests.threats`.

The rows are in tests/threats.toml. The tests of a row together show all of its outcome; where there is none, a reason
says why.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "security.md"
DATA = ROOT / "tests" / "threats.toml"
MARK = "<!-- What follows is written by `uv run python -m tests.threats`, from tests/threats.toml. -->"


@dataclass(frozen=True)
class Threat:
    """A threat by its number; what happens, and the tests and drills that show it, as `path::name`."""

    number: int
    threat: str
    outcome: str = ""
    tests: tuple[str, ...] = ()
    reason: str = ""

    def problem(self) -> str:
        """Return why the row is no proof; empty when it is one."""
        if missing := [test for test in self.tests if not exists(test)]:
            return f"{', '.join(missing)} does not exist"
        if len(set(self.tests)) < len(self.tests):
            return "a test is repeated"
        if bool(self.tests) == bool(self.reason):
            return "it needs tests, or a reason why there are none"
        if self.tests and not self.outcome:
            return "it does not say what happens"
        return ""

    @property
    def cells(self) -> tuple[str, ...]:
        shown = ", ".join(link(test) for test in self.tests) or "—"
        return str(self.number), self.threat, self.outcome or self.reason, shown


def sections() -> Iterator[tuple[str, list[Threat]]]:
    """Yield each heading with its rows."""
    for heading, rows in tomllib.loads(DATA.read_text()).items():
        yield heading, [Threat(**row | {"tests": tuple(row.get("tests", ()))}) for row in rows]


def exists(test: str) -> bool:
    path, _, name = test.partition("::")
    file = ROOT / path
    return file.is_file() and bool(re.search(rf"^(?:async )?def {re.escape(name)}\(", file.read_text(), re.MULTILINE))


def link(test: str) -> str:
    path, _, name = test.partition("::")
    return f"[`{name}`](../{path})"


def table() -> str:
    lines = [MARK]
    for heading, rows in sections():
        lines += ["", f"### {heading}", "", "| | Threat | What happens | Shown by |", "|---|---|---|---|"]
        lines += [f"| {' | '.join(row.cells)} |" for row in rows]
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return the whole page: what people wrote before the mark, and the table."""
    return PAGE.read_text().partition(MARK)[0] + table()


if __name__ == "__main__":
    PAGE.write_text(page())
