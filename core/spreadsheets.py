"""CSV for spreadsheets, whose cells are text and never a formula."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

# The wide ones are the same to spreadsheets in East Asian languages.
FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")


class Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def safe_cell(value: Any) -> str:
    """Return the value as text. A quote before = + - @ tab or return keeps a spreadsheet from computing it."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text


def csv_lines(header: Iterable[str], table: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Yield the table line by line, so that a long one needs no memory."""
    writer = csv.writer(Echo())
    yield writer.writerow(header)
    for row in table:
        yield writer.writerow([safe_cell(cell) for cell in row])
