"""The forms of a page, and what a browser sends of them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

Value = str | list[str]


@dataclass
class Button:
    """A button that sends its form. Its label is what a screen reader says."""

    label: str
    name: str = ""
    value: str = ""
    action: str = ""


@dataclass
class Form:
    """A form: where it leads, its controls by name, and what a browser would send of them untouched."""

    action: str
    names: set[str] = field(default_factory=set)
    sent: dict[str, list[str]] = field(default_factory=dict)
    offered: dict[str, list[str]] = field(default_factory=dict)  # the values of what can only be chosen, by name
    buttons: list[Button] = field(default_factory=list)

    def filled_in(self, button: Button, **typed: Value) -> dict[str, list[str]]:
        """Return what is sent by the button after a person has typed and chosen these values; [] chooses none."""
        values = {name: [value] if isinstance(value, str) else list(value) for name, value in typed.items()}
        assert values.keys() <= self.names, f"the form asks for {sorted(self.names)}"
        for name in values.keys() & self.offered.keys():
            assert set(values[name]) <= set(self.offered[name]), f"{name} offers {self.offered[name]}"
        return self.sent | values | ({button.name: [button.value]} if button.name else {})


class Forms(HTMLParser):
    """Reads a page and finds its forms."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self.of_id: dict[str, Form] = {}
        self.around: Form | None = None  # the form whose tags are around what is being read
        self.form: Form | None = None  # the form of the select, textarea or button that is being read
        self.values: dict[str, str] = {}  # the attributes of that
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.around = Form(values.get("action", ""))
            self.found.append(self.around)
            self.of_id[values.get("id", "")] = self.around
        elif tag == "option":
            self.handle_option(values)
        elif tag in ("input", "select", "textarea", "button"):
            form = self.of_id.get(values["form"]) if "form" in values else self.around
            if form is None or "disabled" in values:
                self.form = None
                return
            if values.get("name"):
                form.names.add(values["name"])
            if tag == "input":
                self.handle_input(form, values)
            else:
                self.form, self.values, self.text = form, values, ""
            if tag == "select":
                form.offered[values["name"]] = []

    def handle_input(self, form: Form, values: dict[str, str]) -> None:
        kind, name = values.get("type", "text"), values.get("name", "")
        if kind == "submit":
            form.buttons.append(Button(values["value"], name, values["value"], values.get("formaction", "")))
        elif kind in ("checkbox", "radio"):
            form.offered.setdefault(name, []).append(values.get("value", "on"))
            if "checked" in values:
                form.sent.setdefault(name, []).append(values.get("value", "on"))
        elif name:
            form.sent.setdefault(name, []).append(values.get("value", ""))

    def handle_option(self, values: dict[str, str]) -> None:
        if self.form is not None:
            name = self.values["name"]
            self.form.offered[name].append(values["value"])
            if "selected" in values:
                self.form.sent.setdefault(name, []).append(values["value"])

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.around = None
        if tag not in ("select", "textarea", "button") or self.form is None:
            return
        form, values, self.form = self.form, self.values, None
        name = values.get("name", "")
        if tag == "textarea":
            form.sent.setdefault(name, []).append(self.text.removeprefix("\n"))
        elif tag == "select" and name not in form.sent and "multiple" not in values:
            form.sent[name] = form.offered[name][:1]  # a browser chooses the first
        elif tag == "button" and values.get("type", "submit") == "submit":
            label = values.get("aria-label") or " ".join(self.text.split())
            form.buttons.append(Button(label, name, values.get("value", ""), values.get("formaction", "")))


def save(browser: Any, address: str, sent: dict[str, Any], **options: Any) -> Any:
    """Send an operators' form as its page asks for it: with the values that it shows when it is opened."""
    forms = Forms(browser.get(address).text).found
    shown = next((form.sent["shown"] for form in forms if "shown" in form.names), [])
    return browser.post(address, sent | {"shown": shown}, **options)
