"""Which actions there are, and which of them ran (PEP 669)."""

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import CodeType

monitoring = sys.monitoring
TOOL = 4  # none of those that debuggers, coverage and profilers use
RETURNED = monitoring.events.PY_RETURN


@cache
def actions() -> dict[str, CodeType]:
    """Return the code of every function that changes something in somebody's name, by the function's name."""
    found = {}
    for room in ("consumers", "connections", "clients", "authority"):
        package = importlib.import_module(room)
        for module in pkgutil.walk_packages(package.__path__, f"{room}."):
            if ".migrations" in module.name:
                continue
            for name, function in inspect.getmembers(importlib.import_module(module.name), inspect.isfunction):
                actor = inspect.signature(function).parameters.get("actor")
                own = function.__module__ == module.name and not name.startswith("_")
                if own and actor is not None and actor.kind is actor.KEYWORD_ONLY:
                    found[f"{module.name}.{name}"] = inspect.unwrap(function).__code__
    return found


@contextmanager
def completed_actions() -> Iterator[set[str]]:
    """Collect the names of the actions that run to their end, and raise nothing, within the block."""
    names = {code: name for name, code in actions().items()}
    completed: set[str] = set()
    monitoring.use_tool_id(TOOL, "actions")
    monitoring.register_callback(TOOL, RETURNED, lambda code, offset, value: completed.add(names[code]))
    for code in names:
        monitoring.set_local_events(TOOL, code, RETURNED)
    try:
        yield completed
    finally:
        for code in names:
            monitoring.set_local_events(TOOL, code, monitoring.events.NO_EVENTS)
        monitoring.register_callback(TOOL, RETURNED, None)
        monitoring.free_tool_id(TOOL)
