"""JSON Patch (RFC 6902), applied to the document of a resource, which is then validated as a whole.

`test` could ask about values one by one, and `move` and `copy` let a document grow with every step; neither is served.
"""

import copy
from itertools import pairwise
from typing import Any

from core.rest.errors import InvalidRequest

MAX_OPERATIONS = 50
MAX_DEPTH = 10
SERVED = ("add", "remove", "replace")
MEDIA_TYPES = ("application/json", "application/json-patch+json")
PATCH: dict[str, Any] = {
    "title": "Patch",
    "type": "array",
    "maxItems": MAX_OPERATIONS,
    "items": {
        "type": "object",
        "required": ["op", "path"],
        "properties": {
            "op": {"type": "string", "enum": list(SERVED)},
            "path": {"type": "string", "maxLength": 500, "description": "A JSON Pointer (RFC 6901), such as /owner."},
            "value": {"description": "The new value, for add and replace."},
        },
    },
}


def apply_patch(document: dict[str, Any], operations: list[dict[str, Any]], fixed: tuple[str, ...]) -> dict[str, Any]:
    """Return a changed copy of the document; the operations are as PATCH says.

    Raises InvalidRequest, also for members that are `fixed`.
    """
    changed = copy.deepcopy(document)
    for operation in operations:
        name, path = operation["op"], _parts(operation["path"])
        if path[0].lower() in fixed:
            raise InvalidRequest(f"{path[0]} cannot be patched.", field=path[0])
        if name != "remove" and "value" not in operation:
            raise InvalidRequest(f"The operation {name} needs a value.")
        if name == "add":
            _prepare(changed, path)
        _change(changed, path, name, operation.get("value"))
    return changed


def _parts(path: str) -> list[str]:
    """Return the steps of a JSON Pointer (RFC 6901); without its first slash it is read as with one."""
    if path in ("", "/"):
        raise InvalidRequest("Each operation needs a path to a member, such as /owner.")
    steps = path.removeprefix("/").split("/")
    if len(steps) > MAX_DEPTH:
        raise InvalidRequest(f"A path has at most {MAX_DEPTH} steps.")
    return [step.replace("~1", "/").replace("~0", "~") for step in steps]


def _prepare(document: dict[str, Any], path: list[str]) -> None:
    """Make what an addition leads through and is unset, as Ory's servers do: lists where a place in one follows."""
    at: Any = document
    for step, following in pairwise(path):
        if isinstance(at, dict) and at.get(step) is None:
            at[step] = [] if following in ("-", "0") else {}
        at = _member(at, step)


def _change(document: dict[str, Any], path: list[str], name: str, value: Any) -> None:
    """Carry one operation out. Raises InvalidRequest where the path leads nowhere."""
    at: Any = document
    for step in path[:-1]:
        at = _member(at, step)
    step = path[-1]
    if isinstance(at, dict):
        if name == "remove":
            if step not in at:
                raise _nowhere(step)
            del at[step]
        else:  # replacing what is unset sets it
            at[step] = value
    elif isinstance(at, list):
        if name == "add":
            at.insert(len(at) if step == "-" else _index(step, len(at) + 1), value)
        elif name == "remove":
            del at[_index(step, len(at))]
        else:
            at[_index(step, len(at))] = value
    else:
        raise _nowhere(step)


def _member(at: Any, step: str) -> Any:
    if isinstance(at, dict) and step in at:
        return at[step]
    if isinstance(at, list):
        return at[_index(step, len(at))]
    raise _nowhere(step)


def _index(step: str, size: int) -> int:
    """Return a place in a list, without leading zeros (RFC 6901 section 4)."""
    if not (step.isascii() and step.isdecimal() and str(int(step[:9])) == step and int(step) < size):
        raise _nowhere(step)
    return int(step)


def _nowhere(step: str) -> InvalidRequest:
    return InvalidRequest(f"The path leads nowhere: there is no “{ascii(step[:60])[1:-1]}”.")
