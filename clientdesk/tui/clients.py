"""The clients of a consumer: search, filter, create, edit, rotate, disable and delete."""

from typing import Any, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from clientdesk.api_client import path_segment
from clientdesk.errors import CommandError
from clientdesk.sanitize import sanitize
from clientdesk.tui.dialogs import ConfirmDialog, JsonDialog, SecretDialog
from clientdesk.tui.editor import ClientEditor
from clientdesk.tui.lists import ListScreen, Row, cell_text

# What the key `f` cycles through: a label, and which clients it shows.
_FILTERS: list[tuple[str, Any]] = [
    ("all", bool),
    ("services", lambda client: "client_credentials" in client.get("grant_types", [])),
    ("sign people in", lambda client: "authorization_code" in client.get("grant_types", [])),
    ("public", lambda client: client.get("token_endpoint_auth_method") == "none"),
]


def _display_name(client: Row) -> str:
    """Return the name of a client, or its ID where it has none, and whether it is disabled."""
    name = str(client.get("client_name") or "").strip() or str(client["client_id"])
    return f"{name} (disabled)" if client.get("disabled") else name


class ClientList(ListScreen):
    COLUMNS: ClassVar[dict[str, str]] = {"title": "Name", "client_id": "Client ID", "grant_types": "Grants"}
    IDENTIFIER = "client_id"
    PROMPT = "Search names, IDs, grants"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "create", "New"),
        Binding("f", "filter", "Filter"),
        Binding("v", "document", "JSON"),
        Binding("k", "rotate", "Rotate"),
        Binding("s", "switch", "Disable"),
        Binding("d", "delete", "Delete"),
    ]

    def __init__(self, consumer: Row) -> None:
        super().__init__()
        self.consumer = consumer
        self.filter = 0
        self.found: list[Row] = []

    async def fetch(self) -> list[Row]:
        found = await self.api_app.list_all("/admin/clients", consumer=self.consumer["slug"])
        self.found = [each | {"title": _display_name(each)} for each in found]
        return self._filtered()

    def _filtered(self) -> list[Row]:
        name, is_shown = _FILTERS[self.filter]
        self.sub_title = f"{sanitize(str(self.consumer['name']))}: {name}"
        return [client for client in self.found if is_shown(client)]

    def cell(self, member: str, row: Row) -> str:
        """Show the first grant type and how many more there are: 80 columns have no room for all."""
        grants = row["grant_types"] if member == "grant_types" else []
        return cell_text(grants[:1]) + f" +{len(grants) - 1}" if len(grants) > 1 else super().cell(member, row)

    def open(self, row: Row) -> None:
        self.edit(str(row["client_id"]))

    def action_filter(self) -> None:
        self.filter = (self.filter + 1) % len(_FILTERS)
        self.rows = self._filtered()
        self.apply_search()

    @work
    async def edit(self, client_id: str) -> None:
        if await self.app.push_screen_wait(ClientEditor(client_id=client_id)):
            await self.reload()

    @work
    async def action_create(self) -> None:
        if await self.app.push_screen_wait(ClientEditor(consumer=str(self.consumer["slug"]))):
            await self.reload()

    @work
    async def action_document(self) -> None:
        if row := self.selected():
            try:
                document = await self.api_app.call_api("GET", f"/admin/clients/{path_segment(row['client_id'])}")
            except CommandError as error:
                self.api_app.show_error(error)
            else:
                await self.app.push_screen_wait(JsonDialog(str(row["title"]), document))

    @work
    async def action_rotate(self) -> None:
        if (row := self.selected()) is None:
            return
        question = "Create a new secret for {}? The present ones stay valid until you revoke them."
        if await self.app.push_screen_wait(ConfirmDialog(question.format(row["title"]), "Rotate")):
            path = f"/admin/clients/{path_segment(row['client_id'])}/secrets/rotate"
            try:
                created = await self.api_app.call_api("POST", path)
            except CommandError as error:
                self.api_app.show_error(error)
            else:
                await self.app.push_screen_wait(SecretDialog(created["client_id"], created["client_secret"]))

    @work
    async def action_switch(self) -> None:
        """Disable a client, or enable one that is disabled."""
        if (row := self.selected()) is None:
            return
        action = "enable" if row.get("disabled") else "disable"
        question = (
            "Enable {}?" if row.get("disabled") else "Disable {}? Every request is refused until you enable it again."
        )
        if await self.app.push_screen_wait(ConfirmDialog(question.format(row["title"]), action.capitalize())):
            try:
                await self.api_app.call_api("POST", f"/admin/clients/{path_segment(row['client_id'])}/{action}")
            except CommandError as error:
                self.api_app.show_error(error)
            else:
                await self.reload()

    @work
    async def action_delete(self) -> None:
        if (row := self.selected()) is None:
            return
        question = "Delete {}? Its secrets and tokens are revoked. This can't be undone."
        if await self.app.push_screen_wait(ConfirmDialog(question.format(row["title"]), "Delete")):
            try:
                await self.api_app.call_api("DELETE", f"/admin/clients/{path_segment(row['client_id'])}")
            except CommandError as error:
                self.api_app.show_error(error)
            else:
                self.notify(f"{sanitize(str(row['title']))} is deleted.", markup=False)
                await self.reload()
