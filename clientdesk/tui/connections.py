"""The connections to identity providers, to read. For operators."""

from typing import ClassVar

from clientdesk.tui.dialogs import JsonDialog
from clientdesk.tui.lists import ListScreen, Row


class ConnectionList(ListScreen):
    COLUMNS: ClassVar[dict[str, str]] = {
        "name": "Connection",
        "sign_in": "Sign-in",
        "state": "State",
        "people": "People",
        "consumers": "For",
    }
    IDENTIFIER = "slug"
    PROMPT = "Search connections"

    async def fetch(self) -> list[Row]:
        found = await self.api_app.list_all("/admin/connections")
        return [each | {"consumers": each["consumers"] or ["every consumer"]} for each in found]

    def open(self, row: Row) -> None:
        self.app.push_screen(JsonDialog(str(row["name"]), row))
