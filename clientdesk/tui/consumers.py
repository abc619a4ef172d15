"""The consumers that the person may see: the first screen."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from clientdesk.tui.clients import ClientList
from clientdesk.tui.connections import ConnectionList
from clientdesk.tui.lists import ListScreen, Row


class ConsumerList(ListScreen):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("c", "connections", "Connections")]
    COLUMNS: ClassVar[dict[str, str]] = {"name": "Consumer", "slug": "Short name", "state": "State"}
    IDENTIFIER = "slug"
    PROMPT = "Search consumers"

    async def fetch(self) -> list[Row]:
        found = await self.api_app.list_all("/admin/consumers")
        return [each | {"state": "suspended" if each["suspended"] else ""} for each in found]

    def action_connections(self) -> None:
        self.app.push_screen(ConnectionList())

    def open(self, row: Row) -> None:
        self.app.push_screen(ClientList(row))
