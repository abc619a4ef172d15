"""Dialogs: a confirmation, an input, a secret that is shown once, JSON."""

import json
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static

from clientdesk.sanitize import sanitize


class ConfirmDialog(ModalScreen[bool]):
    """Asks for confirmation; Escape means no."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(False)", "No")]

    def __init__(self, question: str, yes: str) -> None:
        super().__init__()
        self.question, self.yes = question, yes

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(sanitize(self.question), markup=False)
            with Horizontal(classes="buttons"):
                yield Button("Cancel", id="no")
                yield Button(self.yes, id="yes", variant="error")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")


class InputDialog(ModalScreen[str | None]):
    """Asks for a line of text."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(self, question: str, help_text: str = "") -> None:
        super().__init__()
        self.question, self.help_text = question, help_text

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(self.question, markup=False)
            yield Input()
            yield Label(self.help_text, classes="help", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip() or None)


class SecretDialog(ModalScreen[None]):
    """Shows a new secret, which nobody can read again later."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("c", "copy", "Copy"), Binding("escape,enter", "dismiss", "Done")]

    def __init__(self, client_id: str, secret: str) -> None:
        super().__init__()
        self.client_id, self.secret = client_id, secret

    def __repr__(self) -> str:
        return f"<SecretDialog of {self.client_id}>"

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label("Keep the secret now: it is shown only once.")
            yield Static(f"Client ID  {sanitize(self.client_id)}", markup=False)
            yield Static(f"Secret     {sanitize(self.secret)}", markup=False, id="secret")
            yield Label("c copies it, Escape closes.", classes="help")

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self.secret)
        self.notify("Copied.")


class JsonDialog(ModalScreen[None]):
    """Shows JSON, with every character beyond ASCII escaped."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,v,f2", "dismiss", "Close")]

    def __init__(self, title: str, document: Any) -> None:
        super().__init__()
        self.heading, self.document = title, document

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide"):
            yield Label(sanitize(self.heading), markup=False)
            with VerticalScroll():
                yield Static(json.dumps(self.document, indent=2), markup=False)
            yield Label("Escape closes.", classes="help")
