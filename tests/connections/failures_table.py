"""The table of failures in docs/connect-identity-provider.md; run as a program, it writes the page again."""

import os
import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "connect-identity-provider.md"
MARK = "<!-- Made of connections/relying_party/failures.py: uv run python -m tests.connections.failures_table -->\n"
END = "<!-- end -->\n"


def table() -> str:
    from connections.relying_party.failures import WORDS  # needs Django set up

    rows = [
        f"| `{reason}` | {words.title.format(name='Okta')} | {words.operator or words.text.format(name='Okta')} |\n"
        for reason, words in WORDS.items()
    ]
    return "".join(["| Reason | People read | What it means, and what to do |\n", "|---|---|---|\n", *rows])


def written(page: str) -> str:
    """Return the page with the table as it has to be."""
    return re.sub(f"{re.escape(MARK)}.*?{re.escape(END)}", lambda _: f"{MARK}\n{table()}\n{END}", page, flags=re.DOTALL)


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    PAGE.write_text(written(PAGE.read_text()))
