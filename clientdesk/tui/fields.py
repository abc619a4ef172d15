"""A member of a client's metadata as a field on the screen: how it is shown, and how what was typed is read."""

import json
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Checkbox, Input, Label, TextArea

from clientdesk.flags import Flag
from clientdesk.printable import printable
from clientdesk.reading import parse


class Field(Vertical):
    """A label, a control and a sentence of help."""

    def __init__(self, flag: Flag, value: Any) -> None:
        super().__init__(classes="field document" if flag.kind == "json" else "field")
        self.flag, self.value = flag, value
        self.start = ""  # the control's text as it was before anybody typed

    def compose(self) -> ComposeResult:
        label = self.flag.label
        if self.flag.kind == "switch":
            yield Checkbox(label, bool(self.value), compact=True)
        else:
            yield Label(label)
            yield self.control()
        yield Label(self.help_text, classes="help", markup=False)

    def control(self) -> Input | TextArea:
        if self.flag.kind == "many":
            self.start = "\n".join(map(printable, self.value or []))
            return TextArea(self.start, tab_behavior="focus", compact=True)
        if self.flag.kind == "json":
            self.start = json.dumps(self.value, indent=2) if self.value else ""
            return TextArea(self.start, tab_behavior="focus", compact=True)
        self.start = printable(str(self.value or ""))
        return Input(self.start, compact=True, type="integer" if self.flag.kind == "number" else "text")

    @property
    def help_text(self) -> str:
        if self.flag.kind == "many":
            return self.flag.help.replace("Repeatable.", "One a line.")
        return self.flag.help.replace("Repeatable.", "Parted by spaces.").replace("JSON, or @FILE", "JSON")

    def read(self) -> Any:
        """Return the value as JSON has it; what nobody touched is what it was. Raises Problem."""
        control = self.query_one("Input, TextArea, Checkbox")
        if isinstance(control, Checkbox):
            return control.value
        text = control.text if isinstance(control, TextArea) else control.value if isinstance(control, Input) else ""
        if text == self.start:
            return self.value
        if self.flag.kind == "many":
            return [line.strip() for line in text.splitlines() if line.strip()]
        if self.flag.kind == "json":
            return self.json(text)
        if self.flag.kind == "number":
            return int(text) if text.strip("-") else None
        return " ".join(text.split()) if self.flag.kind == "words" else text.strip()

    def json(self, text: str) -> Any:
        return parse(text, self.flag.member) if text.strip() else None

    @property
    def changed(self) -> bool:
        value = self.read()
        return value != self.value and not (value in (None, "", [], {}, False) and not self.value)
