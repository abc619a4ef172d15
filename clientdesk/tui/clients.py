"""The clients of a consumer: search, filter, create, open, rotate, delete."""

from typing import Any, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from clientdesk.printable import printable
from clientdesk.problems import Problem
from clientdesk.remote import part
from clientdesk.tui.dialogs import Confirm, Document, Secret
from clientdesk.tui.editor import Editor
from clientdesk.tui.lists import Listing, Row, shown

# What the key `f` walks through: a name for the person, and which clients it keeps.
FILTERS: list[tuple[str, Any]] = [
    ("all", bool),
    ("services", lambda client: "client_credentials" in client.get("grant_types", [])),
    ("sign people in", lambda client: "authorization_code" in client.get("grant_types", [])),
    ("public", lambda client: client.get("token_endpoint_auth_method") == "none"),
]


def title(client: Row) -> str:
    """Return what people call a client; one without a name by its ID, and one that is disabled as such."""
    named = str(client.get("client_name") or "").strip() or str(client["client_id"])
    return f"{named} (disabled)" if client.get("disabled") else named


class Clients(Listing):
    COLUMNS: ClassVar[dict[str, str]] = {"title": "Name", "client_id": "Client ID", "grant_types": "Grants"}
    IDENTIFIER = "client_id"
    PROMPT = "Search names, IDs, grants"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "create", "New"),
        Binding("f", "filter", "Filter"),
        Binding("v", "document", "JSON"),
        Binding("k", "rotate", "Rotate"),
        Binding("s", "switch", "Stop"),
        Binding("d", "delete", "Delete"),
    ]

    def __init__(self, consumer: Row) -> None:
        super().__init__()
        self.consumer = consumer
        self.filter = 0
        self.found: list[Row] = []

    async def fetch(self) -> list[Row]:
        found = await self.desk.everything("/admin/clients", consumer=self.consumer["slug"])
        self.found = [each | {"title": title(each)} for each in found]
        return self.kept()

    def kept(self) -> list[Row]:
        name, keeps = FILTERS[self.filter]
        self.sub_title = f"{printable(str(self.consumer['name']))}: {name}"
        return [client for client in self.found if keeps(client)]

    def cell(self, member: str, row: Row) -> str:
        """Show the first grant, and how many more there are: 80 columns have no room for all."""
        grants = row["grant_types"] if member == "grant_types" else []
        return shown(grants[:1]) + f" +{len(grants) - 1}" if len(grants) > 1 else super().cell(member, row)

    def open(self, row: Row) -> None:
        self.edit(str(row["client_id"]))

    def action_filter(self) -> None:
        self.filter = (self.filter + 1) % len(FILTERS)
        self.rows = self.kept()
        self.narrow()

    @work
    async def edit(self, client_id: str) -> None:
        if await self.app.push_screen_wait(Editor(client_id=client_id)):
            await self.reload()

    @work
    async def action_create(self) -> None:
        if await self.app.push_screen_wait(Editor(consumer=str(self.consumer["slug"]))):
            await self.reload()

    @work
    async def action_document(self) -> None:
        if row := self.chosen():
            try:
                document = await self.desk.ask("GET", f"/admin/clients/{part(row['client_id'])}")
            except Problem as problem:
                self.desk.tell(problem)
            else:
                await self.app.push_screen_wait(Document(str(row["title"]), document))

    @work
    async def action_rotate(self) -> None:
        if (row := self.chosen()) is None:
            return
        question = "Make a new secret for {}? The present ones keep working until you end them."
        if await self.app.push_screen_wait(Confirm(question.format(row["title"]), "Rotate")):
            path = f"/admin/clients/{part(row['client_id'])}/secrets/rotate"
            try:
                made = await self.desk.ask("POST", path)
            except Problem as problem:
                self.desk.tell(problem)
            else:
                await self.app.push_screen_wait(Secret(made["client_id"], made["client_secret"]))

    @work
    async def action_switch(self) -> None:
        """Disable a client, or enable one that is disabled."""
        if (row := self.chosen()) is None:
            return
        deed = "enable" if row.get("disabled") else "disable"
        question = (
            "Let {} in again?" if row.get("disabled") else "Disable {}? It is refused everything until you enable it."
        )
        if await self.app.push_screen_wait(Confirm(question.format(row["title"]), deed.capitalize())):
            try:
                await self.desk.ask("POST", f"/admin/clients/{part(row['client_id'])}/{deed}")
            except Problem as problem:
                self.desk.tell(problem)
            else:
                await self.reload()

    @work
    async def action_delete(self) -> None:
        if (row := self.chosen()) is None:
            return
        question = "Delete {}? Its secrets and tokens stop working at once. It can't be undone."
        if await self.app.push_screen_wait(Confirm(question.format(row["title"]), "Delete")):
            try:
                await self.desk.ask("DELETE", f"/admin/clients/{part(row['client_id'])}")
            except Problem as problem:
                self.desk.tell(problem)
            else:
                self.notify(f"{printable(str(row['title']))} is deleted.", markup=False)
                await self.reload()
