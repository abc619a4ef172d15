"""Changes to a client by JSON Patch (RFC 6902): made to its document, which is then judged as a whole.

`test` could ask about values one by one, and `move` and `copy` let a document grow with every step; neither is served.
"""

import copy
from typing import Any

from consumers.errors import Refusal

MAX_OPERATIONS = 50
MAX_DEPTH = 10
SERVED = ("add", "remove", "replace")


class InvalidPatch(Refusal):
    code = "invalid_request"


def apply(document: dict[str, Any], operations: list[dict[str, Any]], fixed: tuple[str, ...]) -> dict[str, Any]:
    """Return a changed copy of the document. Raises InvalidPatch, also for members that are `fixed`."""
    if len(operations) > MAX_OPERATIONS:
        raise InvalidPatch(f"Send at most {MAX_OPERATIONS} operations.")
    changed = copy.deepcopy(document)
    for operation in operations:
        name = operation.get("op")
        if name not in SERVED:
            raise InvalidPatch(f"Use the operations {', '.join(SERVED)}.")
        path = parts(operation.get("path"))
        if path[0].lower() in fixed:
            raise InvalidPatch(f"{path[0]} cannot be patched.", field=path[0])
        if name != "remove" and "value" not in operation:
            raise InvalidPatch(f"The operation {name} needs a value.")
        change(changed, path, name, operation.get("value"))
    return changed


def parts(path: Any) -> list[str]:
    """Return the steps of a JSON Pointer (RFC 6901); without its first slash it is read as with one."""
    if not isinstance(path, str) or path in ("", "/"):
        raise InvalidPatch("Each operation needs a path to a member, such as /owner.")
    steps = path.removeprefix("/").split("/")
    if len(steps) > MAX_DEPTH:
        raise InvalidPatch(f"A path has at most {MAX_DEPTH} steps.")
    return [step.replace("~1", "/").replace("~0", "~") for step in steps]


def change(document: dict[str, Any], path: list[str], name: str, value: Any) -> None:
    """Carry one operation out. Raises InvalidPatch where the path leads nowhere."""
    at: Any = document
    for step in path[:-1]:
        at = member(at, step)
    step = path[-1]
    if isinstance(at, dict):
        if name == "remove":
            if step not in at:
                raise nowhere(step)
            del at[step]
        else:  # replacing what is unset sets it
            at[step] = value
    elif isinstance(at, list):
        if name == "add":
            at.insert(len(at) if step == "-" else index(step, len(at) + 1), value)
        elif name == "remove":
            del at[index(step, len(at))]
        else:
            at[index(step, len(at))] = value
    else:
        raise nowhere(step)


def member(at: Any, step: str) -> Any:
    if isinstance(at, dict) and step in at:
        return at[step]
    if isinstance(at, list):
        return at[index(step, len(at))]
    raise nowhere(step)


def index(step: str, size: int) -> int:
    """Return a place in a list, without leading zeros (RFC 6901 section 4)."""
    if not (step.isascii() and step.isdecimal() and str(int(step[:9])) == step and int(step) < size):
        raise nowhere(step)
    return int(step)


def nowhere(step: str) -> InvalidPatch:
    return InvalidPatch(f"The path leads nowhere: there is no “{ascii(step[:60])[1:-1]}”.")
