"""The base of the screens with a list: a search box above a table."""

import re
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Footer, Header, Input

from clientdesk.errors import CommandError
from clientdesk.sanitize import sanitize
from clientdesk.tui.base import ApiScreen

Row = dict[str, Any]
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:[\d.]+Z$")
_GRANT_PREFIX = "urn:ietf:params:oauth:grant-type:"  # of every extension grant, and wider than the column


class ListScreen(ApiScreen[None]):
    """A table; `/` goes to the search, Enter opens a row, Escape goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Find", key_display="/"),
        Binding("r", "reload", "Reload", show=False),  # 80 columns have no room for it
        Binding("escape", "back", "Back"),
    ]
    COLUMNS: ClassVar[dict[str, str]] = {}  # member to heading
    IDENTIFIER: ClassVar[str] = "id"
    PROMPT: ClassVar[str] = "Search"

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []

    def compose(self) -> ComposeResult:
        yield Header(icon="")
        yield Input(placeholder=self.PROMPT, id="search", compact=True)
        yield DataTable(cursor_type="row", zebra_stripes=True)
        yield Footer(compact=True)

    async def on_mount(self) -> None:
        self.table.add_columns(*self.COLUMNS.values())
        self.table.focus()
        await self.reload()

    @property
    def table(self) -> DataTable[Text]:
        return self.query_one(DataTable)

    async def fetch(self) -> list[Row]:
        """Return the rows. Raises CommandError."""
        raise NotImplementedError

    def open(self, row: Row) -> None:
        raise NotImplementedError

    async def reload(self) -> None:
        self.table.loading = True
        try:
            self.rows = await self.fetch()
        except CommandError as error:
            self.api_app.show_error(error)
        self.table.loading = False
        self.apply_search()

    def apply_search(self) -> None:
        """Show the rows in which every word of the search occurs, in any column."""
        words = self.query_one("#search", Input).value.lower().split()
        self.table.clear()
        for row in self.rows:
            cells = [cell_text(row.get(member)) for member in self.COLUMNS]
            haystack = " ".join([*cells, str(row.get(self.IDENTIFIER, ""))]).lower()
            if all(word in haystack for word in words):
                self.table.add_row(
                    *(Text(self.cell(member, row)) for member in self.COLUMNS), key=str(row[self.IDENTIFIER])
                )

    def cell(self, member: str, row: Row) -> str:
        """Return what a column shows; the search looks at all of it."""
        return cell_text(row.get(member))

    def selected(self) -> Row | None:
        """Return the row under the cursor."""
        if not self.table.row_count:
            return None
        key = self.table.coordinate_to_cell_key(self.table.cursor_coordinate).row_key.value
        return next(row for row in self.rows if str(row[self.IDENTIFIER]) == key)

    def on_input_changed(self, event: Input.Changed) -> None:
        self.apply_search()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.table.focus()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        if row := self.selected():
            self.open(row)

    def action_search(self) -> None:
        self.query_one("#search").focus()

    async def action_reload(self) -> None:
        await self.reload()

    def action_back(self) -> None:
        """Leave the search first, then the screen; the first screen stays."""
        if self.query_one("#search").has_focus:
            self.table.focus()
        elif len(self.app.screen_stack) > 2:
            self.app.pop_screen()


def cell_text(value: Any) -> str:
    """Return a value in one line, without control characters."""
    text = (
        ", ".join(str(each).removeprefix(_GRANT_PREFIX) for each in value)
        if isinstance(value, list)
        else ""
        if value is None
        else str(value)
    )
    if _TIMESTAMP.match(text):
        text = f"{text[:10]} {text[11:16]} UTC"
    return sanitize(text.replace("\n", " "))
