"""The tabs that show: a client's secrets, and what happened to it."""

from typing import Any, ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from clientdesk.problems import Problem
from clientdesk.remote import part
from clientdesk.tui.desk import Desk
from clientdesk.tui.dialogs import Ask, Confirm, Secret
from clientdesk.tui.lists import Row, shown


class Records(DataTable[Text]):
    """A table of what the server has to tell about a client."""

    COLUMNS: ClassVar[dict[str, str]] = {}

    def __init__(self, client_id: str) -> None:
        super().__init__(cursor_type="row", zebra_stripes=True)
        self.client_id = client_id
        self.records: list[Row] = []

    @property
    def desk(self) -> Desk:
        assert isinstance(self.app, Desk)
        return self.app

    @property
    def path(self) -> str:
        raise NotImplementedError

    async def on_mount(self) -> None:
        self.add_columns(*self.COLUMNS.values())
        await self.reload()

    async def reload(self) -> None:
        try:
            self.records = await self.desk.ask("GET", self.path)
        except Problem as problem:
            self.desk.tell(problem)
            return
        self.clear()
        for record in self.records:
            self.add_row(*(Text(shown(record.get(member))) for member in self.COLUMNS))


class Secrets(Records):
    COLUMNS: ClassVar[dict[str, str]] = {
        "hint": "Ends in",
        "name": "Name",
        "state": "State",
        "expires_at": "Ends",
        "last_used_at": "Last used",
    }
    BINDINGS: ClassVar[list[BindingType]] = [Binding("n", "add", "New secret"), Binding("x", "revoke", "Revoke")]

    @property
    def path(self) -> str:
        return f"/admin/clients/{part(self.client_id)}/secrets"

    @work
    async def action_add(self) -> None:
        name = await self.app.push_screen_wait(Ask("Name of the new secret", "Enter makes it, Escape doesn't."))
        if name is None:
            return
        try:
            made: dict[str, Any] = await self.desk.ask("POST", self.path, json={"name": name})
        except Problem as problem:
            self.desk.tell(problem)
        else:
            await self.app.push_screen_wait(Secret(self.client_id, made["client_secret"]))
            await self.reload()

    @work
    async def action_revoke(self) -> None:
        if not self.records:
            return
        record = self.records[self.cursor_row]
        question = f"Revoke the secret ending in {record['hint']}? What uses it fails at once."
        if await self.app.push_screen_wait(Confirm(question, "Revoke")):
            try:
                await self.desk.ask("DELETE", f"{self.path}/{part(str(record['id']))}")
            except Problem as problem:
                self.desk.tell(problem)
            await self.reload()


class Activity(Records):
    COLUMNS: ClassVar[dict[str, str]] = {"at": "When", "sentence": "What"}

    @property
    def path(self) -> str:
        return f"/admin/activity?client_id={part(self.client_id)}&page_size=50"
