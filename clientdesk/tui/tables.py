"""The tabs with tables: a client's secrets and its activity."""

from typing import Any, ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from clientdesk.api_client import path_segment
from clientdesk.errors import CommandError
from clientdesk.tui.base import ApiApp
from clientdesk.tui.dialogs import ConfirmDialog, InputDialog, SecretDialog
from clientdesk.tui.lists import Row, cell_text


class RecordTable(DataTable[Text]):
    """A table of records about a client."""

    COLUMNS: ClassVar[dict[str, str]] = {}

    def __init__(self, client_id: str) -> None:
        super().__init__(cursor_type="row", zebra_stripes=True)
        self.client_id = client_id
        self.records: list[Row] = []

    @property
    def api_app(self) -> ApiApp:
        assert isinstance(self.app, ApiApp)
        return self.app

    @property
    def path(self) -> str:
        raise NotImplementedError

    async def on_mount(self) -> None:
        self.add_columns(*self.COLUMNS.values())
        await self.reload()

    async def reload(self) -> None:
        try:
            self.records = await self.api_app.call_api("GET", self.path)
        except CommandError as error:
            self.api_app.show_error(error)
            return
        self.clear()
        for record in self.records:
            self.add_row(*(Text(cell_text(record.get(member))) for member in self.COLUMNS))


class SecretTable(RecordTable):
    COLUMNS: ClassVar[dict[str, str]] = {
        "hint": "Ends in",
        "name": "Name",
        "state": "State",
        "expires_at": "Expires",
        "last_used_at": "Last used",
    }
    BINDINGS: ClassVar[list[BindingType]] = [Binding("n", "add", "New secret"), Binding("x", "revoke", "Revoke")]

    @property
    def path(self) -> str:
        return f"/admin/clients/{path_segment(self.client_id)}/secrets"

    @work
    async def action_add(self) -> None:
        name = await self.app.push_screen_wait(
            InputDialog("Name of the new secret", "Enter creates it, Escape cancels.")
        )
        if name is None:
            return
        try:
            created: dict[str, Any] = await self.api_app.call_api("POST", self.path, json={"name": name})
        except CommandError as error:
            self.api_app.show_error(error)
        else:
            await self.app.push_screen_wait(SecretDialog(self.client_id, created["client_secret"]))
            await self.reload()

    @work
    async def action_revoke(self) -> None:
        if not self.records:
            return
        record = self.records[self.cursor_row]
        question = f"Revoke the secret ending in {record['hint']}? Requests that still use it will fail."
        if await self.app.push_screen_wait(ConfirmDialog(question, "Revoke")):
            try:
                await self.api_app.call_api("DELETE", f"{self.path}/{path_segment(str(record['id']))}")
            except CommandError as error:
                self.api_app.show_error(error)
            await self.reload()


class ActivityTable(RecordTable):
    COLUMNS: ClassVar[dict[str, str]] = {"at": "When", "sentence": "What"}

    @property
    def path(self) -> str:
        return f"/admin/activity?client_id={path_segment(self.client_id)}&page_size=50"
