"""The screens: `tui`."""

import typer

from clientdesk.session import Session, command


def tui(session: Session) -> None:
    """Manage clients on screens, by keyboard alone: consumers, clients, an editor, secrets and activity."""
    from clientdesk.tui.app import ClientdeskApp  # Textual is slow to import

    session.api.request("GET", "/admin/consumers", params={"page_size": 1})  # errors show before the screens open
    ClientdeskApp(session.api).run()


def add_to(app: typer.Typer) -> None:
    app.command("tui")(command(tui))
