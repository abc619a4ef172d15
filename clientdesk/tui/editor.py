"""The editor of a client, in tabs: its metadata, its secrets and its activity."""

import asyncio
from typing import Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Footer, Header, TabbedContent, TabPane

from clientdesk.api_client import path_segment
from clientdesk.errors import CommandError
from clientdesk.flags import FLAGS, LIFESPANS, Flag
from clientdesk.sanitize import sanitize
from clientdesk.tui.base import ApiScreen
from clientdesk.tui.dialogs import ConfirmDialog, JsonDialog, SecretDialog
from clientdesk.tui.fields import MetadataField
from clientdesk.tui.tables import ActivityTable, SecretTable

TABS = ["Basic", "Tokens", "Logout", "Software", "Keys", "Advanced"]
Client = dict[str, Any]


class ClientEditor(ApiScreen[bool]):
    """Changes a client, or creates one; returns whether anything was saved."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", priority=True),
        Binding("f2", "document", "JSON"),
        Binding("f3", "previous_tab", "Tab ←"),
        Binding("f4", "next_tab", "Tab →"),
        Binding("escape", "leave", "Back"),
    ]

    def __init__(self, *, client_id: str = "", consumer: str = "") -> None:
        super().__init__()
        self.client_id, self.consumer = client_id, consumer
        self.client: Client = {}
        self.etag = ""
        self.is_saved = False

    def compose(self) -> ComposeResult:
        yield Header(icon="")
        yield Footer()

    async def on_mount(self) -> None:
        if self.client_id:
            try:
                await self._load()
            except CommandError as error:
                self.api_app.show_error(error)
                self.dismiss(False)
                return
        await self._show_client()

    @property
    def _path(self) -> str:
        return f"/admin/clients/{path_segment(self.client_id)}"

    async def _load(self) -> None:
        answer = await asyncio.to_thread(self.api_app.api.request, "GET", self._path)
        self.client, self.etag = answer.json(), answer.headers.get("ETag", "")

    async def _show_client(self) -> None:
        """Rebuild the tabs from the client as the server returned it."""
        self.sub_title = sanitize(str(self.client.get("client_name") or self.client_id or "New client"))
        for old in self.query(TabbedContent):
            await old.remove()
        panes = [
            TabPane(
                tab,
                VerticalScroll(*(self._field(each) for each in [*FLAGS, *LIFESPANS] if each.tab == tab)),
                id=tab.lower(),
            )
            for tab in TABS
        ]
        if self.client_id:
            panes += [
                TabPane("Secrets", SecretTable(self.client_id), id="secrets"),
                TabPane("Activity", ActivityTable(self.client_id), id="activity"),
            ]
        tabs = TabbedContent()
        await self.mount(tabs, after=self.query_one(Header))
        for pane in panes:
            await tabs.add_pane(pane)
        self.query_one("#basic").query("Input").first().focus()

    def _field(self, flag: Flag) -> MetadataField:
        return MetadataField(flag, self.client.get(flag.member))

    def _changes(self) -> Client:
        """Return the members that differ from the server's. Raises CommandError for what can't be parsed."""
        return {field.flag.member: field.read() for field in self.query(MetadataField) if field.changed}

    @work(exclusive=True)
    async def action_save(self) -> None:
        """Send what changed; with If-Match, so that a change of somebody else is not overwritten."""
        try:
            changes = self._changes()
            if self.client_id and not changes:
                self.notify("Nothing has changed.")
                return
            if self.client_id:
                patch = [{"op": "replace", "path": f"/{member}", "value": value} for member, value in changes.items()]
                headers = {"If-Match": self.etag} if self.etag else {}
                await self.api_app.call_api("PATCH", self._path, json=patch, headers=headers)
            else:
                body = changes | ({"consumer": self.consumer} if self.consumer else {})
                created = await self.api_app.call_api("POST", "/admin/clients", json=body)
                self.client_id = str(created["client_id"])
                if created.get("client_secret"):
                    await self.app.push_screen_wait(SecretDialog(self.client_id, created["client_secret"]))
            await self._load()
        except CommandError as error:
            self.api_app.show_error(error)
            return
        self.is_saved = True
        await self._show_client()
        self.notify("Saved.")

    def action_document(self) -> None:
        self.app.push_screen(
            JsonDialog(str(self.client.get("client_name") or self.client_id or "New client"), self.client)
        )

    @work
    async def action_leave(self) -> None:
        try:
            unsaved = bool(self._changes())
        except CommandError:
            unsaved = True
        if not unsaved or await self.app.push_screen_wait(ConfirmDialog("Leave without saving?", "Leave")):
            self.dismiss(self.is_saved)

    def action_next_tab(self) -> None:
        self._switch_tab(1)

    def action_previous_tab(self) -> None:
        self._switch_tab(-1)

    def _switch_tab(self, by: int) -> None:
        tabs = self.query_one(TabbedContent)
        names = [str(pane.id) for pane in tabs.query(TabPane)]
        tabs.active = names[(names.index(tabs.active) + by) % len(names)]
        pane = tabs.get_pane(tabs.active)
        first = next(iter(pane.query("Input, TextArea, Checkbox, DataTable")), None)
        if first is not None:
            first.focus()
