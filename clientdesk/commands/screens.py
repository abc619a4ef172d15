"""`tui`: the same on screens."""

import typer

from clientdesk.session import Session, command


def tui(session: Session) -> None:
    """Work on the terminal's screen: consumers, clients, an editor, secrets and activity, by keyboard alone."""
    from clientdesk.tui.app import Screens  # Textual takes a moment that other commands need not wait for

    session.remote.request(
        "GET", "/admin/consumers", params={"page_size": 1}
    )  # what is wrong is said before the screens
    Screens(session.remote).run()


def add_to(app: typer.Typer) -> None:
    app.command("tui")(command(tui))
