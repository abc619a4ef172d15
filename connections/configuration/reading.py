"""Reading CONNECTIONS_FILE: JSON, or YAML without its tags and aliases."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from django.views.decorators.debug import sensitive_variables

from connections.documents import ANSWERS, DOMAIN, MEMBERS, RULE, TEXT
from connections.policy import MAX_DOMAINS, MAX_SECRET
from core import foreign_json
from core.errors import Refusal
from core.foreign_json import Fault, InvalidJSON
from core.rest.schemas import validate

MAX_BYTES = 256 * 1024
MAX_CONNECTIONS = 200
MAX_RULES = 200
ENTRY: dict[str, Any] = {
    "type": "object",
    "required": ["slug", "name", "client_id"],
    "properties": MEMBERS
    | {
        "preset_answers": ANSWERS,
        "client_secret_file": TEXT | {"minLength": 1, "description": "The path of a file that holds the secret alone."},
        "client_secret_env": TEXT | {"minLength": 1, "description": "The variable that holds the secret."},
        "domains": {"type": "array", "items": DOMAIN, "maxItems": MAX_DOMAINS, "description": "Trusted by the file."},
        "joining_rules": {
            "type": "array",
            "maxItems": MAX_RULES,
            "description": "Who becomes a member of which consumer.",
            "items": {
                "type": "object",
                "required": ["consumer", "kind", "value"],
                "properties": RULE | {"consumer": TEXT | {"description": "Short name or ID of the consumer."}},
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
FILE: dict[str, Any] = {
    "type": "object",
    "required": ["connections"],
    "properties": {"connections": {"type": "array", "items": ENTRY, "maxItems": MAX_CONNECTIONS}},
    "additionalProperties": False,
}
_FAULTS = {
    Fault.TOO_LARGE: f"It is larger than {MAX_BYTES:,} bytes.",
    Fault.DUPLICATE: "A member is repeated.",
    Fault.CHARACTER: "Leave out the character U+0000 and halves of surrogate pairs.",
    Fault.DEPTH: f"Nest at most {foreign_json.MAX_DEPTH} levels deep.",
}


class WrongFile(Refusal):
    """The file cannot be taken as it is; the description says where and why, on one line and without its secrets."""


@dataclass(frozen=True)
class Entry:
    """A connection as the file has it."""

    slug: str
    sent: dict[str, Any]  # the members of MEMBERS, and preset_answers
    client_secret: str = field(repr=False, default="")
    domains: tuple[str, ...] = ()
    rules: tuple[dict[str, Any], ...] = ()


def read(path: str) -> list[Entry]:
    """Return the connections of the file. Raises WrongFile."""
    document = parse(_bytes(path, MAX_BYTES), is_json=path.endswith(".json"))
    validate(document, FILE, WrongFile)
    entries = [_entry(each, Path(path).parent) for each in document["connections"]]
    slugs = [entry.slug for entry in entries]
    if twice := sorted({slug for slug in slugs if slugs.count(slug) > 1}):
        raise WrongFile(f"{twice[0]}: two connections have this slug.")
    return entries


def parse(text: bytes, *, is_json: bool) -> Any:
    """Return the value of a JSON or YAML text: what JSON can say, and nothing twice. Raises WrongFile."""
    try:
        if not is_json:
            text = json.dumps(_yaml(text)).encode()  # so that one reader judges the values of both
        return foreign_json.loads(text, max_bytes=4 * MAX_BYTES, integers=True)
    except InvalidJSON as error:
        raise WrongFile(_FAULTS.get(error.fault, f"It cannot be read as {'JSON' if is_json else 'YAML'}.")) from None
    except TypeError:
        raise WrongFile("Write dates and the like as texts, in quotes.") from None


class _Loader(yaml.SafeLoader):
    """Reads what JSON can say: aliases can grow without bounds, and of a member that is repeated one is lost."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases are not read", problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(set(names)) != len(names):
            raise yaml.MarkedYAMLError(problem="a member is repeated", problem_mark=node.start_mark)
        return super().construct_mapping(node, deep=deep)


def _yaml(text: bytes) -> Any:
    try:
        return yaml.load(text.decode("utf-8-sig"), _Loader)  # noqa: S506  # a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"Line {mark.line + 1}: " if mark is not None else ""
        problem = " ".join(str(error.problem or error.context or "it is no YAML").split())
        raise WrongFile(f"{where}{problem[:200]}.") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise WrongFile("It cannot be read as YAML in UTF-8.") from None


def _bytes(path: str, most: int) -> bytes:
    try:
        with open(path, "rb") as file:
            found = file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "no such path"
        raise WrongFile(f"{path} cannot be read: {reason}.") from None
    if len(found) > most:
        raise WrongFile(f"{path} is larger than {most:,} bytes.")
    return found


@sensitive_variables("secret")
def _entry(each: dict[str, Any], folder: Path) -> Entry:
    try:
        secret = _secret(each, folder)
    except WrongFile as wrong:
        raise WrongFile(f"{each['slug']}: {wrong.description}") from None
    sent = {name: value for name, value in each.items() if name in MEMBERS or name == "preset_answers"}
    return Entry(each["slug"], sent, secret, tuple(each.get("domains", [])), tuple(each.get("joining_rules", [])))


@sensitive_variables("secret")
def _secret(each: dict[str, Any], folder: Path) -> str:
    """Return the client secret from the file or the variable that the entry names; "" where it names none."""
    path, name = each.get("client_secret_file"), each.get("client_secret_env")
    if path and name:
        raise WrongFile("Name client_secret_file or client_secret_env, not both.")
    if not path and not name:
        return ""
    try:
        secret = _bytes(str(folder / path), 4 * MAX_SECRET + 2).decode() if path else os.environ.get(name or "", "")
    except UnicodeDecodeError:
        raise WrongFile(f"{path} is not text in UTF-8.") from None
    if not secret.strip():
        raise WrongFile(f"{path} is empty." if path else f"The variable {name} is not set.")
    return secret.strip()
