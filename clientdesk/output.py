"""Answers in the format that the caller asked for. A table is for eyes; everything else is for programs."""

import json
import os
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from clientdesk.printable import printable
from clientdesk.problems import USAGE, Problem

FORMATS = "table, json, json-pretty, jsonpath=EXPRESSION, jsonpointer=/PATH, yaml"
Row = dict[str, Any]

WIDEST = 10_000  # columns for whoever reads in a pipe, where folding would tear values apart
console = Console(soft_wrap=True, width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDEST)
errors = Console(stderr=True, soft_wrap=True)


class Printer:
    """Prints what a command found, as `--format` and `--quiet` say."""

    def __init__(self, shape: str = "table", *, quiet: bool = False) -> None:
        self.shape, _, self.expression = shape.partition("=")
        self.quiet = quiet
        if self.shape == "default":
            self.shape = "table"
        if self.shape not in ("table", "json", "json-pretty", "jsonpath", "jsonpointer", "yaml"):
            raise Problem(f"The format “{self.shape}” is unknown. Use {FORMATS}.", USAGE)

    def show(self, found: Any, columns: Iterable[str], identifier: str = "client_id") -> None:
        """Print one thing or a list of things; quietly, its identifier alone."""
        rows: list[Row] = found if isinstance(found, list) else [found]
        if self.quiet:
            for row in rows:
                print(printable(str(row.get(identifier, ""))))
        elif self.shape != "table":
            print(self.document(found))
        elif isinstance(found, list):
            console.print(listing(rows, list(columns), identifier) if rows else "None.")
        else:
            for line in card(found, list(columns)):
                console.print(line, no_wrap=True, overflow="ignore", crop=False)

    def show_each(self, rows: list[Row], columns: Iterable[str]) -> None:
        """Print things that a table has no room for: each by itself."""
        if self.quiet or self.shape != "table":
            self.show(rows, columns)
            return
        for number, row in enumerate(rows):
            if number:
                print()
            self.show(row, columns)

    def dump(self, found: Any) -> None:
        """Print what has no columns: as JSON where a table was asked for."""
        self.shape = "json-pretty" if self.shape == "table" else self.shape
        print(self.document(found))

    def document(self, found: Any) -> str:
        if self.shape == "yaml":
            import yaml  # takes a moment, which most commands need not wait for

            return str(yaml.safe_dump(found, sort_keys=False, allow_unicode=False)).rstrip()
        if self.shape == "jsonpath":
            return "\n".join(plain(value) for value in by_path(self.expression, found))
        if self.shape == "jsonpointer":
            return plain(by_pointer(self.expression, found))
        # ASCII, so that no name can hold an escape sequence; pretty where a person may read it.
        return json.dumps(found, indent=2 if self.shape == "json-pretty" else None)

    def say(self, sentence: str) -> None:
        """Tell a person something beside the answer."""
        if not self.quiet:
            errors.print(Text(printable(sentence)))


def plain(value: Any) -> str:
    return printable(value) if isinstance(value, str) else json.dumps(value)


def by_path(expression: str, found: Any) -> list[Any]:
    from jsonpath_ng import parse  # takes a moment, too
    from jsonpath_ng.exceptions import JSONPathError

    path = expression.removeprefix("{").removesuffix("}")  # as kubectl writes it
    try:
        return [match.value for match in parse(f"${path}" if path[:1] in ("", ".", "[") else path).find(found)]
    except (JSONPathError, ValueError, AttributeError):
        raise Problem(f"“{expression}” is not a JSONPath. Write for example jsonpath=$.client_id.", USAGE) from None


def by_pointer(expression: str, found: Any) -> Any:
    """Return what an RFC 6901 pointer names."""
    if expression and not expression.startswith("/"):
        raise Problem(f"“{expression}” is not a JSON pointer. Write for example jsonpointer=/client_id.", USAGE)
    for raw in expression.split("/")[1:]:
        token = raw.replace("~1", "/").replace("~0", "~")
        try:
            found = found[int(token)] if isinstance(found, list) else found[token]
        except (KeyError, IndexError, ValueError, TypeError):
            raise Problem(f"There is nothing at {expression}.", USAGE) from None
    return found


EMPTY: tuple[Any, ...] = (None, "", [], {})


def listing(rows: list[Row], columns: list[str], identifier: str) -> Table:
    """Return a table of the columns that hold anything; what people copy stays on one line."""
    shown = [name for name in columns if name == identifier or any(row.get(name) not in EMPTY for row in rows)]
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in shown:
        table.add_column(heading(name), overflow="fold", no_wrap=name == identifier)
    for row in rows:
        table.add_row(*(cell(row.get(name), ", ") for name in shown))
    return table


def card(found: Row, columns: list[str]) -> Iterable[Text]:
    """Yield a line for each member that holds anything. The terminal folds them, so that a token is copied whole."""
    shown = [name for name in columns if found.get(name) not in EMPTY]
    margin = max((len(heading(name)) for name in shown), default=0) + 2
    for name in shown:
        for number, line in enumerate(cell(found[name], "\n").split("\n")):
            yield Text.assemble(("" if number else heading(name)).ljust(margin), line)


def heading(name: str) -> str:
    return name.replace("_", " ").upper()


def cell(value: Any, between: str) -> Text:
    """Return a value as plain text: Rich must not read markup in it."""
    if isinstance(value, list):
        return Text(printable(between.join(str(item) for item in value)))
    if isinstance(value, dict):
        return Text(json.dumps(value))
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    return Text("" if value is None else printable(str(value)))
