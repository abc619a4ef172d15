"""What every screen asks of the application: the server, and a way to say what went wrong."""

import asyncio
from typing import Any, cast

from textual.app import App
from textual.screen import Screen

from clientdesk.printable import printable
from clientdesk.problems import Problem
from clientdesk.remote import Remote


class Desk(App[None]):
    """Holds the server."""

    def __init__(self, remote: Remote) -> None:
        super().__init__()
        self.remote = remote

    async def ask(self, method: str, path: str, **options: Any) -> Any:
        """Return the server's JSON without holding up the screen. Raises Problem."""
        return await asyncio.to_thread(self.remote.json, method, path, **options)

    async def everything(self, path: str, **query: Any) -> list[Any]:
        return await asyncio.to_thread(self.remote.everything, path, **query)

    def tell(self, problem: Problem) -> None:
        """Show a refusal in words; what was typed stays."""
        self.notify(printable(str(problem)), severity="error", timeout=10, markup=False)


class DeskScreen[Result](Screen[Result]):
    @property
    def desk(self) -> Desk:
        return cast(Desk, self.app)
