"""Print answers in the format that the caller asked for: a table for people, everything else for programs."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from clientdesk.errors import FAILED, USAGE, CommandError
from clientdesk.sanitize import sanitize

FORMATS = "table, json, json-pretty, jsonpath=EXPRESSION, jsonpointer=/PATH, yaml"
# Members that the server sends once and keeps nowhere: whatever is asked to be printed, these are never dropped.
_SHOWN_ONCE = (
    "client_secret",
    "registration_access_token",
    "initial_access_token",
    "access_token",
    "refresh_token",
)
Row = dict[str, Any]


class _Output(Console):
    def on_broken_pipe(self) -> None:
        """Raise it: a secret may be in what the pipe did not take."""
        raise  # noqa: PLE0704  # inside of Rich's handler


_PIPE_WIDTH = 10_000  # columns for whoever reads in a pipe, where folding would tear values apart
stdout = _Output(
    soft_wrap=True, width=None if (sys.stdout and sys.stdout.isatty()) or "COLUMNS" in os.environ else _PIPE_WIDTH
)
stderr = Console(stderr=True, soft_wrap=True)


class Printer:
    """Prints what a command found, as `--format` and `--quiet` say."""

    def __init__(self, format_: str = "table", *, quiet: bool = False) -> None:
        self.format, _, self.expression = format_.partition("=")
        self.quiet = quiet
        if self.format == "default":
            self.format = "table"
        if sys.stdout is None:  # print() would say nothing
            raise CommandError("Standard output is closed, so that nothing can be printed.", USAGE)
        if self.format not in ("table", "json", "json-pretty", "jsonpath", "jsonpointer", "yaml"):
            raise CommandError(f"The format “{self.format}” is unknown. Use {FORMATS}.", USAGE)

    def show(self, found: Any, columns: Iterable[str], identifier: str = "client_id") -> None:
        """Print one thing or a list of things; quietly, a line each: the identifier, and after tabs what is secret."""
        rows: list[Row] = found if isinstance(found, list) else [found]
        with writing(rows):
            self._show(found, rows, columns, identifier)

    def _show(self, found: Any, rows: list[Row], columns: Iterable[str], identifier: str) -> None:
        if self.quiet:
            for row in rows:
                secrets = [row[name] for name in _SHOWN_ONCE if name != identifier and row.get(name)]
                print("\t".join(sanitize(str(value)) for value in (row.get(identifier, ""), *secrets)))
        elif self.format != "table":
            self._print_document(found, rows)
        elif isinstance(found, list):
            stdout.print(_table(rows, list(columns), identifier) if rows else "None.")
        else:
            for line in _record(found, list(columns)):
                stdout.print(line, no_wrap=True, overflow="ignore", crop=False)

    @contextmanager
    def showing_each(self, columns: list[str]) -> Iterator[Callable[[Row], None]]:
        """Print things as soon as they are there, by what it yields: together as `show` prints a list of them.

        Of an expression, which is about all of them, what it matches is printed at the end.
        """
        rows: list[Row] = []

        def show(row: Row) -> None:
            rows.append(row)
            with writing([row]):
                if self.quiet or self.format == "yaml":
                    self._show([row], [row], columns, "client_id")
                elif self.format == "table":
                    print(end="\n" if len(rows) > 1 else "")
                    self._show(row, [row], columns, "client_id")
                elif self.format in ("json", "json-pretty"):
                    print(",\n" if len(rows) > 1 else "[", self._document(row), sep="", end="")

        try:
            yield show
        finally:
            if rows and not self.quiet and self.format.startswith("jsonp"):
                self.show(rows, columns)
            elif rows and not self.quiet and self.format.startswith("json"):
                with writing():
                    print("]")

    def dump(self, found: Any) -> None:
        """Print what has no columns: as JSON where a table was asked for."""
        self.format = "json-pretty" if self.format == "table" else self.format
        self._print_document(found, found if isinstance(found, list) else [found])

    def say(self, sentence: str) -> None:
        """Tell a person something beside the answer."""
        if not self.quiet:
            stderr.print(Text(sanitize(sentence)))

    def _print_document(self, found: Any, rows: list[Any]) -> None:
        """Print a format for programs. A secret that an expression leaves out goes to standard error, as JSON."""
        text = ""
        try:
            text = self._document(found)
        finally:
            if text:
                print(text)
            for row in rows:
                if any(str(value) not in text for value in _shown_once(row).values()):
                    _rescue(row)

    def _document(self, found: Any) -> str:
        if self.format == "yaml":
            import yaml  # slow to import, and most commands do without

            return str(yaml.safe_dump(found, sort_keys=False, allow_unicode=False)).rstrip()
        if self.format == "jsonpath":
            return "\n".join(_scalar(value) for value in _by_jsonpath(self.expression, found))
        if self.format == "jsonpointer":
            return _scalar(_by_jsonpointer(self.expression, found))
        # ASCII, so that no name can hold an escape sequence; pretty where a person may read it.
        return json.dumps(found, indent=2 if self.format == "json-pretty" else None)


def _shown_once(row: Any) -> Row:
    return {name: row[name] for name in _SHOWN_ONCE if isinstance(row, dict) and row.get(name)}


def _rescue(row: Row) -> None:
    """Print what is shown only once to standard error, as JSON, with the name of what it belongs to."""
    named = {name: row[name] for name in ("client_id", "id") if row.get(name)}
    print(json.dumps(named | _shown_once(row)), file=sys.stderr, flush=True)


@contextmanager
def writing(rows: Iterable[Any] = ()) -> Iterator[None]:
    """Write to standard output at once; what it does not take of the rows' secrets goes to standard error.

    Raises CommandError.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        with suppress(OSError, ValueError):  # else the interpreter fails to flush once more
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)
        secrets = [row for row in rows if _shown_once(row)]
        if not secrets and isinstance(error, BrokenPipeError):
            raise  # whoever reads has read enough
        for row in secrets:
            _rescue(row)
        kept = " Keep what stands above, on standard error: it is shown only once." if secrets else ""
        raise CommandError(f"Standard output can't be written: {error.strerror}.{kept}", FAILED) from None


def _scalar(value: Any) -> str:
    return sanitize(value) if isinstance(value, str) else json.dumps(value)


def _by_jsonpath(expression: str, found: Any) -> list[Any]:
    """Return the values that an RFC 9535 expression matches; of an empty list, none. Raises CommandError for none."""
    from jsonpath_ng import parse  # slow to import
    from jsonpath_ng.exceptions import JSONPathError

    path = expression.removeprefix("{").removesuffix("}")  # as kubectl writes it
    try:
        matches = parse(f"${path}" if path[:1] in ("", ".", "[") else path).find(found)
    except (JSONPathError, ValueError, AttributeError):
        message = f"“{expression}” is not a JSONPath. Write for example jsonpath=$.client_id."
        raise CommandError(message, USAGE) from None
    if not matches and found != []:
        hint = " In a list, write jsonpath=$[*].client_id." if isinstance(found, list) else ""
        raise CommandError(f"Nothing matches the JSONPath “{expression}”.{hint}", USAGE)
    return [match.value for match in matches]


def _by_jsonpointer(expression: str, found: Any) -> Any:
    """Return what an RFC 6901 pointer names. Raises CommandError."""
    if expression and not expression.startswith("/"):
        raise CommandError(f"“{expression}” is not a JSON pointer. Write for example jsonpointer=/client_id.", USAGE)
    for raw in expression.split("/")[1:]:
        token = raw.replace("~1", "/").replace("~0", "~")
        try:
            found = found[int(token)] if isinstance(found, list) else found[token]
        except (KeyError, IndexError, ValueError, TypeError):
            raise CommandError(f"Nothing matches the JSON pointer “{expression}”.", USAGE) from None
    return found


_EMPTY: tuple[Any, ...] = (None, "", [], {})


def _table(rows: list[Row], columns: list[str], identifier: str) -> Table:
    """Return a table of the columns that hold anything; what people copy stays on one line."""
    used = [name for name in columns if name == identifier or any(row.get(name) not in _EMPTY for row in rows)]
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in used:
        table.add_column(_heading(name), overflow="fold", no_wrap=name == identifier)
    for row in rows:
        table.add_row(*(_cell(row.get(name), ", ") for name in used))
    return table


def _record(found: Row, columns: list[str]) -> Iterable[Text]:
    """Yield a line for each member that holds anything. The terminal folds them, so that a token is copied whole."""
    used = [name for name in columns if found.get(name) not in _EMPTY]
    margin = max((len(_heading(name)) for name in used), default=0) + 2
    for name in used:
        for number, line in enumerate(_cell(found[name], "\n").split("\n")):
            yield Text.assemble(("" if number else _heading(name)).ljust(margin), line)


def _heading(name: str) -> str:
    return name.replace("_", " ").upper()


def _cell(value: Any, separator: str) -> Text:
    """Return a value as plain text: Rich must not read markup in it."""
    if isinstance(value, list):
        return Text(sanitize(separator.join(str(item) for item in value)))
    if isinstance(value, dict):
        return Text(json.dumps(value))
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    return Text("" if value is None else sanitize(str(value)))
