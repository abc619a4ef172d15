"""A member of a client's metadata as a field on the screen."""

import json
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Checkbox, Input, Label, TextArea

from clientdesk.flags import Flag
from clientdesk.input import parse_json
from clientdesk.sanitize import sanitize


class Box(Checkbox):
    """A check box whose mark is there or not: colour alone tells nothing to whoever can't see it."""

    @property
    def BUTTON_INNER(self) -> str:  # type: ignore[override]  # an attribute there
        return "X" if self.value else " "


class MetadataField(Vertical):
    """A label, a control and a sentence of help."""

    def __init__(self, flag: Flag, value: Any) -> None:
        super().__init__(classes="field document" if flag.kind == "json" else "field")
        self.flag, self.value = flag, value
        self._original_text = ""  # of the control, before anybody typed

    def compose(self) -> ComposeResult:
        label = self.flag.label
        if self.flag.kind == "boolean":
            yield Box(label, bool(self.value), compact=True)
        else:
            yield Label(label)
            yield self._control()
        yield Label(self.help_text, classes="help", markup=False)

    def _control(self) -> Input | TextArea:
        if self.flag.kind == "list":
            self._original_text = "\n".join(map(sanitize, self.value or []))
            return TextArea(self._original_text, tab_behavior="focus", compact=True)
        if self.flag.kind == "json":
            self._original_text = json.dumps(self.value, indent=2) if self.value else ""
            return TextArea(self._original_text, tab_behavior="focus", compact=True)
        self._original_text = sanitize(str(self.value or ""))
        return Input(self._original_text, compact=True, type="integer" if self.flag.kind == "integer" else "text")

    @property
    def help_text(self) -> str:
        if self.flag.kind == "list":
            return self.flag.help.replace("Repeatable.", "One per line.")
        return self.flag.help.replace("Repeatable.", "Separated by spaces.").replace("JSON, or @FILE", "JSON")

    def read(self) -> Any:
        """Return the value as JSON has it; an untouched field keeps its value as it was. Raises CommandError."""
        control = self.query_one("Input, TextArea, Checkbox")
        if isinstance(control, Checkbox):
            return control.value
        text = control.text if isinstance(control, TextArea) else control.value if isinstance(control, Input) else ""
        if text == self._original_text:
            return self.value
        if self.flag.kind == "list":
            return [line.strip() for line in text.splitlines() if line.strip()]
        if self.flag.kind == "json":
            return parse_json(text, self.flag.member) if text.strip() else None
        if self.flag.kind == "integer":
            return int(text) if text.strip("-") else None
        return " ".join(text.split()) if self.flag.kind == "space_separated" else text.strip()

    @property
    def changed(self) -> bool:
        value = self.read()
        return value != self.value and not (value in (None, "", [], {}, False) and not self.value)
