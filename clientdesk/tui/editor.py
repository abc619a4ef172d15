"""One client, in tabs: its metadata to change, its secrets and activity to see."""

import asyncio
from typing import Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Footer, Header, TabbedContent, TabPane

from clientdesk.flags import FLAGS, LIFETIMES, Flag
from clientdesk.printable import printable
from clientdesk.problems import Problem
from clientdesk.remote import part
from clientdesk.tui.desk import DeskScreen
from clientdesk.tui.dialogs import Confirm, Document, Secret
from clientdesk.tui.fields import Field
from clientdesk.tui.records import Activity, Secrets

TABS = ["Basic", "Tokens", "Logout", "Software", "Keys", "Advanced"]
Client = dict[str, Any]


class Editor(DeskScreen[bool]):
    """Changes a client, or registers a new one; returns whether anything became of it."""

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
        self.made_something = False

    def compose(self) -> ComposeResult:
        yield Header(icon="")
        yield Footer()

    async def on_mount(self) -> None:
        if self.client_id:
            try:
                await self.load()
            except Problem as problem:
                self.desk.tell(problem)
                self.dismiss(False)
                return
        await self.show_client()

    @property
    def path(self) -> str:
        return f"/admin/clients/{part(self.client_id)}"

    async def load(self) -> None:
        answer = await asyncio.to_thread(self.desk.remote.request, "GET", self.path)
        self.client, self.etag = answer.json(), answer.headers.get("ETag", "")

    async def show_client(self) -> None:
        """Build the tabs anew from what the server says."""
        self.sub_title = printable(str(self.client.get("client_name") or self.client_id or "New client"))
        for old in self.query(TabbedContent):
            await old.remove()
        panes = [
            TabPane(
                tab,
                VerticalScroll(*(self.field(each) for each in [*FLAGS, *LIFETIMES] if each.tab == tab)),
                id=tab.lower(),
            )
            for tab in TABS
        ]
        if self.client_id:
            panes += [
                TabPane("Secrets", Secrets(self.client_id), id="secrets"),
                TabPane("Activity", Activity(self.client_id), id="activity"),
            ]
        tabs = TabbedContent()
        await self.mount(tabs, after=self.query_one(Header))
        for pane in panes:
            await tabs.add_pane(pane)
        self.query_one("#basic").query("Input").first().focus()

    def field(self, flag: Flag) -> Field:
        return Field(flag, self.client.get(flag.member))

    def changes(self) -> Client:
        """Return the members that differ from the server's. Raises Problem for what can't be read."""
        return {field.flag.member: field.read() for field in self.query(Field) if field.changed}

    @work(exclusive=True)
    async def action_save(self) -> None:
        """Send what changed; the server refuses when somebody else changed the client meanwhile."""
        try:
            changes = self.changes()
            if self.client_id and not changes:
                self.notify("Nothing has changed.")
                return
            if self.client_id:
                patch = [{"op": "replace", "path": f"/{member}", "value": value} for member, value in changes.items()]
                headers = {"If-Match": self.etag} if self.etag else {}
                await self.desk.ask("PATCH", self.path, json=patch, headers=headers)
            else:
                body = changes | ({"consumer": self.consumer} if self.consumer else {})
                made = await self.desk.ask("POST", "/admin/clients", json=body)
                self.client_id = str(made["client_id"])
                if made.get("client_secret"):
                    await self.app.push_screen_wait(Secret(self.client_id, made["client_secret"]))
            await self.load()
        except Problem as problem:
            self.desk.tell(problem)
            return
        self.made_something = True
        await self.show_client()
        self.notify("Saved.")

    def action_document(self) -> None:
        self.app.push_screen(
            Document(str(self.client.get("client_name") or self.client_id or "New client"), self.client)
        )

    @work
    async def action_leave(self) -> None:
        try:
            unsaved = bool(self.changes())
        except Problem:
            unsaved = True
        if not unsaved or await self.app.push_screen_wait(Confirm("Leave without saving?", "Leave")):
            self.dismiss(self.made_something)

    def action_next_tab(self) -> None:
        self.turn(1)

    def action_previous_tab(self) -> None:
        self.turn(-1)

    def turn(self, by: int) -> None:
        tabs = self.query_one(TabbedContent)
        names = [str(pane.id) for pane in tabs.query(TabPane)]
        tabs.active = names[(names.index(tabs.active) + by) % len(names)]
        pane = tabs.get_pane(tabs.active)
        first = next(iter(pane.query("Input, TextArea, Checkbox, DataTable")), None)
        if first is not None:
            first.focus()
