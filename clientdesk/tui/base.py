"""Base classes of the application and its screens: calls of the API, and messages of errors."""

import asyncio
from typing import Any, TypeVar, cast

from textual.app import App
from textual.screen import Screen

from clientdesk.api_client import ApiClient
from clientdesk.errors import CommandError
from clientdesk.sanitize import sanitize

Result = TypeVar("Result")  # what a screen returns; Python 3.11 has no type parameters in brackets


class ApiApp(App[None]):
    """Calls the API in threads, so that the screen stays responsive."""

    def __init__(self, api: ApiClient) -> None:
        super().__init__()
        self.api = api

    async def call_api(self, method: str, path: str, **options: Any) -> Any:
        """Return the JSON of an answer. Raises CommandError."""
        return await asyncio.to_thread(self.api.json, method, path, **options)

    async def list_all(self, path: str, **query: Any) -> list[Any]:
        """Return the items of every page. Raises CommandError."""
        return await asyncio.to_thread(self.api.list_all, path, **query)

    def show_error(self, error: CommandError) -> None:
        """Show the error as a notification; what was typed stays."""
        self.notify(sanitize(str(error)), severity="error", timeout=10, markup=False)


class ApiScreen(Screen[Result]):
    """A screen of the application."""

    @property
    def api_app(self) -> ApiApp:
        return cast(ApiApp, self.app)
