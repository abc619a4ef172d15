"""The application: screens on a stack, which opens with the consumers that the person may see."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from clientdesk.printable import printable
from clientdesk.tui.consumers import Consumers
from clientdesk.tui.desk import Desk


class Screens(Desk):
    """Consumers, the clients of one, one client."""

    TITLE = "Clientdesk"
    CSS_PATH = "tui.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+q", "quit", "Quit", priority=True)]

    def on_mount(self) -> None:
        self.sub_title = printable(self.remote.endpoint)
        self.push_screen(Consumers())
