"""The application, which opens with the list of consumers."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from clientdesk.sanitize import sanitize
from clientdesk.tui.base import ApiApp
from clientdesk.tui.consumers import ConsumerList


class ClientdeskApp(ApiApp):
    """Leads from the consumers to the clients of one, and to one client."""

    TITLE = "Clientdesk"
    CSS_PATH = "tui.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+q", "quit", "Quit", priority=True)]

    def on_mount(self) -> None:
        self.sub_title = sanitize(self.api.endpoint)
        self.push_screen(ConsumerList())
