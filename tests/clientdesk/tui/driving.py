"""Drive the screens by pressing keys, and read what they show."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from textual.widgets import DataTable

from clientdesk.tui.app import ClientdeskApp
from clientdesk.tui.clients import ClientList
from clientdesk.tui.editor import ClientEditor
from clientdesk.tui.fields import MetadataField

SIZE = (80, 24)


def drive(remote, steps):
    """Run the steps, which press keys, on a screen of their own."""

    async def run():
        app = ClientdeskApp(remote)
        async with app.run_test(size=SIZE) as pilot:
            await settled(pilot)
            await steps(app, pilot)

    with ThreadPoolExecutor(1) as pool:  # in this thread, the browser of other tests may have a loop that runs
        pool.submit(lambda: asyncio.run(run())).result()


async def settled(pilot, until=lambda: True):
    """Wait until the server has answered and the screen shows it."""
    deadline = time.monotonic() + 60
    await pilot.pause(0.05)
    while not until():
        assert time.monotonic() < deadline, "it never showed"
        await pilot.pause(0.05)


def rows(app):
    """Count the rows of the table on the screen, which may have none yet."""
    return sum(table.row_count for table in app.screen.query(DataTable))


def editing(app):
    """Say whether the editor stands complete: the last that it does is to focus its first field."""
    return isinstance(app.screen, ClientEditor) and app.focused in app.screen.query("#basic Input")


async def open_clients(app, pilot):
    await settled(pilot, lambda: rows(app))
    await pilot.press("enter")
    await settled(pilot, lambda: isinstance(app.screen, ClientList) and rows(app))


async def find(app, pilot, client):
    """Leave the client alone on the list."""
    await open_clients(app, pilot)
    await pilot.press("slash", *client["client_id"], "enter")
    await settled(pilot, lambda: rows(app) == 1)


def text(app):
    """Return what stands on the screen, in letters."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def words(app):
    """Return what a dialog says."""
    return "\n".join(str(each.render()) for each in app.screen.query("Static, Label"))


def saved(app):
    return any(each.message == "Saved." for each in app._notifications)


async def open_editor(app, pilot, client):
    await find(app, pilot, client)
    await pilot.press("enter")
    await settled(pilot, lambda: editing(app))


def field(app, member):
    return next(each for each in app.screen.query(MetadataField) if each.flag.member == member)
