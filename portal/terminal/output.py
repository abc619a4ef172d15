"""Answers in the format that the caller asked for. A table is for eyes; everything else is for programs."""

import json
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from portal.terminal.printable import printable
from portal.terminal.problems import USAGE, Problem

FORMATS = "table, json, json-pretty, jsonpath=EXPRESSION, jsonpointer=/PATH, yaml"
Row = dict[str, Any]

console = Console(soft_wrap=True)
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
            console.print(listing(rows, list(columns)) if rows else "None.")
        else:
            console.print(card(found, list(columns)))

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

    try:
        return [match.value for match in parse(expression.strip("{}") or "$").find(found)]
    except (JSONPathError, ValueError, AttributeError):
        raise Problem(f"“{expression}” is not a JSONPath. Write for example jsonpath=$.client_id.", USAGE) from None


def by_pointer(expression: str, found: Any) -> Any:
    """Return what an RFC 6901 pointer names."""
    for raw in expression.split("/")[1:]:
        token = raw.replace("~1", "/").replace("~0", "~")
        try:
            found = found[int(token)] if isinstance(found, list) else found[token]
        except (KeyError, IndexError, ValueError, TypeError):
            raise Problem(f"There is nothing at {expression}.", USAGE) from None
    return found


def listing(rows: list[Row], columns: list[str]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in columns:
        table.add_column(heading(name), overflow="fold")
    for row in rows:
        table.add_row(*(cell(row.get(name)) for name in columns))
    return table


def card(found: Row, columns: list[str]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name in columns:
        if found.get(name) not in (None, "", [], {}):
            table.add_row(heading(name), cell(found[name]))
    return table


def heading(name: str) -> str:
    return name.replace("_", " ").upper()


def cell(value: Any) -> Text:
    """Return a value as plain text: Rich must not read markup in it."""
    if isinstance(value, list):
        return Text(printable("\n".join(str(item) for item in value)))
    if isinstance(value, dict):
        return Text(json.dumps(value))
    return Text("" if value is None else printable(str(value)))


def read_input(source: str) -> str:
    """Return a file's text, or what comes by standard input for `-`."""
    if source == "-":
        return sys.stdin.read()
    try:
        with open(source, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{source} can't be read: {error}.", USAGE) from None
