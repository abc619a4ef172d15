"""The first screen: the consumers whose clients the person may see."""

from typing import ClassVar

from clientdesk.tui.clients import Clients
from clientdesk.tui.lists import Listing, Row


class Consumers(Listing):
    COLUMNS: ClassVar[dict[str, str]] = {"name": "Consumer", "slug": "Short name", "state": "State"}
    IDENTIFIER = "slug"
    PROMPT = "Search consumers"

    async def fetch(self) -> list[Row]:
        found = await self.desk.everything("/admin/consumers")
        return [each | {"state": "suspended" if each["suspended"] else ""} for each in found]

    def open(self, row: Row) -> None:
        self.app.push_screen(Clients(row))
