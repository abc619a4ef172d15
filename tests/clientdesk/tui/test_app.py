"""`clientdesk tui` on a terminal of 80 by 24, by keyboard alone, against the running server."""

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from textual.app import App
from textual.screen import Screen
from textual.widgets import Input, TabbedContent

from clientdesk.api_client import ApiClient
from clientdesk.tui.clients import ClientList
from clientdesk.tui.connections import ConnectionList
from clientdesk.tui.consumers import ConsumerList
from clientdesk.tui.dialogs import ConfirmDialog, InputDialog, JsonDialog, SecretDialog
from clientdesk.tui.editor import TABS, ClientEditor
from clientdesk.tui.fields import Box, MetadataField
from connections.models import Connection
from tests.clientdesk.tui.driving import (
    drive,
    editing,
    field,
    find,
    open_clients,
    open_editor,
    rows,
    saved,
    settled,
    text,
    words,
)


@pytest.fixture
def remote(server):
    with ApiClient(server.url, server.demo["manager_token"]) as api:
        yield api


@pytest.fixture
def client(remote):
    """A service that no other test touches."""
    name = f"Screen {uuid.uuid4().hex[:6]}"
    body = {"client_name": name, "grant_types": ["client_credentials"], "scope": "shipments:read"}
    return remote.json("POST", "/admin/clients", json=body)


def test_consumers_lead_to_their_clients(remote, client):
    async def steps(app, pilot):
        await open_clients(app, pilot)
        assert "Acme Logistics" in str(app.screen.sub_title)
        await pilot.press("escape")
        await settled(pilot, lambda: not isinstance(app.screen, ClientList))

    drive(remote, steps)


def test_operator_reads_the_connections(server, client):
    with server.database():
        made = Connection.objects.create(
            name="Northwind Okta", slug="northwind", issuer="https://northwind.example", client_id="us"
        )

    async def steps(app, pilot):
        await settled(pilot, lambda: rows(app))
        await pilot.press("c")
        await settled(pilot, lambda: isinstance(app.screen, ConnectionList) and rows(app) == 1)
        for shown in ("Northwind Okta", "off", "every consumer"):
            assert shown in text(app)
        await pilot.press("enter")
        await settled(pilot, lambda: isinstance(app.screen, JsonDialog))
        await pilot.press("escape", "escape")
        await settled(pilot, lambda: isinstance(app.screen, ConsumerList))

    try:
        with ApiClient(server.url, server.demo["operator_token"]) as api:
            drive(api, steps)
    finally:
        with server.database():
            made.delete()


def test_search_and_filter_narrow_the_list(remote, client):
    async def steps(app, pilot):
        await open_clients(app, pilot)
        assert rows(app) > 1
        await pilot.press("slash", *client["client_id"])
        await settled(pilot, lambda: rows(app) == 1)
        await pilot.press("enter", "f", "f")
        await settled(pilot, lambda: rows(app) == 0)  # it signs nobody in

    drive(remote, steps)


def test_client_is_edited_and_saved(remote, client):
    async def steps(app, pilot):
        await open_editor(app, pilot, client)
        field(app, "owner").query_one(Input).focus()
        await pilot.press(*"Team", "ctrl+s")
        await settled(pilot, lambda: saved(app))

    drive(remote, steps)
    assert remote.json("GET", f"/admin/clients/{client['client_id']}")["owner"] == "Team"


def test_refused_change_loses_nothing(remote, client):
    async def steps(app, pilot):
        await open_editor(app, pilot, client)
        scope = field(app, "scope").query_one(Input)
        scope.focus()
        await pilot.press("end", "space", *"billing", "ctrl+s")
        await settled(pilot, lambda: bool(app._notifications))
        assert "billing" in next(iter(app._notifications)).message
        assert scope.value == "shipments:read billing"

    drive(remote, steps)


def test_somebody_elses_change_is_not_overwritten(remote, client):
    async def steps(app, pilot):
        await open_editor(app, pilot, client)
        path = f"/admin/clients/{client['client_id']}"
        remote.json("PATCH", path, json=[{"op": "replace", "path": "/owner", "value": "Another"}])
        field(app, "owner").query_one(Input).focus()
        await pilot.press(*"Mine", "ctrl+s")
        await settled(pilot, lambda: bool(app._notifications))
        assert "changed" in next(iter(app._notifications)).message

    drive(remote, steps)
    assert remote.json("GET", f"/admin/clients/{client['client_id']}")["owner"] == "Another"


def test_every_tab_is_reached_by_keyboard(remote, client):
    async def steps(app, pilot):
        await open_editor(app, pilot, client)
        tabs = app.screen.query_one(TabbedContent)
        seen = [tabs.active]
        for _ in range(7):
            await pilot.press("f4")
            await settled(pilot, lambda: tabs.active != seen[-1])
            seen.append(tabs.active)
        assert seen == ["basic", "tokens", "logout", "software", "keys", "advanced", "secrets", "activity"]
        await settled(pilot, lambda: app.screen.query_one("#activity DataTable").row_count)

    drive(remote, steps)


PICTURES = {ConsumerList: "consumers", ClientList: "clients", ConfirmDialog: "rotate", InputDialog: "new-secret"}
PICTURES |= {ConnectionList: "connections", SecretDialog: "secret-once", JsonDialog: "json", ClientEditor: "new"}


def leaves(kind):
    """Return the screens of ours that are no mere base of others."""
    for each in kind.__subclasses__():
        below = set(leaves(each))
        yield from below or ({each} if each.__module__.startswith("clientdesk.tui.") else ())


def test_every_screen_and_every_tab_has_its_picture_in_the_documentation():
    assert set(leaves(Screen)) == PICTURES.keys()
    page = (settings.BASE_DIR / "docs/cli.md").read_text()
    for name in [*PICTURES.values(), *(tab.lower() for tab in TABS), "secrets", "activity"]:
        assert f"(images/tui-{name}.png)" in page


def test_client_is_disabled_and_enabled_by_one_key(remote, client):
    path = f"/admin/clients/{client['client_id']}"

    async def steps(app, pilot):
        await find(app, pilot, client)
        for disabled in (True, False):
            await pilot.press("s")
            await settled(pilot, lambda: isinstance(app.screen, ConfirmDialog))
            await pilot.press("tab", "enter")
            await settled(pilot, lambda expected=disabled: remote.json("GET", path)["disabled"] is expected)
            await settled(pilot, lambda expected=disabled: ("(disabled)" in text(app)) is expected)

    drive(remote, steps)


def test_every_field_says_what_it_is_for(remote, client):
    async def steps(app, pilot):
        await open_editor(app, pilot, client)
        for each in app.screen.query(MetadataField):
            assert each.help_text.endswith(".")

    drive(remote, steps)


def test_a_check_box_tells_by_its_mark_whether_it_is_on():
    class Boxes(App):
        def compose(self):
            yield Box("Off", False, compact=True)
            yield Box("On", True, compact=True)

    async def run():
        app = Boxes()
        async with app.run_test() as pilot:
            off, on = app.query(Box)
            assert ("X" in str(off.render()), "X" in str(on.render())) == (False, True)
            on.focus()
            await pilot.press("space")
            assert "X" not in str(on.render())

    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(run())).result()


def test_client_is_created_and_its_secret_is_shown_once(remote, client):
    async def steps(app, pilot):
        await open_clients(app, pilot)
        await pilot.press("n")
        await settled(pilot, lambda: editing(app))
        await pilot.press(*"Made here")
        field(app, "grant_types").query_one("TextArea").focus()
        await pilot.press(*"client_credentials")
        field(app, "scope").query_one(Input).focus()
        await pilot.press(*"shipments:read", "ctrl+s")
        await settled(pilot, lambda: isinstance(app.screen, SecretDialog))
        assert "cdsk_" in words(app)
        await pilot.press("escape")
        await settled(pilot, lambda: isinstance(app.screen, ClientEditor))
        await settled(pilot, lambda: saved(app))
        assert "cdsk_" not in text(app)

    drive(remote, steps)


def test_secret_is_rotated_and_client_deleted_after_a_question(remote, client):
    async def steps(app, pilot):
        await find(app, pilot, client)
        await pilot.press("k")
        await settled(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("tab", "enter")
        await settled(pilot, lambda: isinstance(app.screen, SecretDialog))
        await pilot.press("escape")
        await settled(pilot, lambda: isinstance(app.screen, ClientList))
        await pilot.press("d")
        await settled(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("escape")
        await settled(pilot, lambda: isinstance(app.screen, ClientList))
        assert remote.json("GET", f"/admin/clients/{client['client_id']}")
        await pilot.press("d")
        await settled(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("tab", "enter")
        await settled(pilot, lambda: isinstance(app.screen, ClientList) and rows(app) == 0)

    drive(remote, steps)
    listed = [each["client_id"] for each in remote.list_all("/admin/clients")]
    assert client["client_id"] not in listed


def test_json_is_shown(remote, client):
    async def steps(app, pilot):
        await find(app, pilot, client)
        await pilot.press("v")
        await settled(pilot, lambda: isinstance(app.screen, JsonDialog))
        await settled(pilot, lambda: client["client_id"] in words(app))

    drive(remote, steps)


def test_escape_sequences_in_names_do_no_harm(server, remote, client):
    from clients.models import Client

    with server.database():
        Client.objects.filter(client_id=client["client_id"]).update(client_name="\x1b[31mred[/b] [bold]x\x07")

    async def steps(app, pilot):
        await open_editor(app, pilot, client)
        assert "\x1b" not in text(app)
        await pilot.press("escape")
        await settled(pilot, lambda: isinstance(app.screen, ClientList) and "[bold]x" in text(app))
        assert not {"\x1b", "\x07"} & set(text(app))

    drive(remote, steps)


def test_server_that_is_away_is_told_in_words():
    async def steps(app, pilot):
        await settled(pilot, lambda: bool(app._notifications))
        assert "does not answer" in next(iter(app._notifications)).message

    with ApiClient("http://127.0.0.1:1", "x") as nobody:
        drive(nobody, steps)
