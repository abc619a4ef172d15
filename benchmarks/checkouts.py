"""This checkout beside another one of the same project, in one run: has a change cost speed?

Run it with `uv run python -m benchmarks.checkouts CHECKOUT [tokens] [introspection] [keys]`, on the terms of
benchmarks/harness.py. CHECKOUT is a clone or worktree of another commit, on which `uv sync` ran. Each serves a demo of
its own, on an embedded database of its own, with the dependencies that it locks. The other one comes first, so ratios
above one say that this one is faster.
"""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks.harness import ROOT, Target, compare
from benchmarks.other_endpoints import introspecting, reading_keys
from benchmarks.servers import Clientdesk, data_folder, demo, serving


def served(stack: ExitStack, checkout: Path, name: str, port: str) -> Clientdesk:
    data = stack.enter_context(data_folder())
    return stack.enter_context(serving(data, demo(data, checkout), name, port, checkout))


def main(other: Path, *names: str) -> None:
    with ExitStack() as stack:
        targets = served(stack, other, "the other", "7705"), served(stack, ROOT, "this one", "7702")
        known: dict[str, Callable[[Clientdesk], Target]] = {
            "tokens": lambda each: each,
            "introspection": lambda each: introspecting(each, "/oauth2/introspect"),
            "keys": lambda each: reading_keys(each, "/.well-known/jwks.json"),
        }
        for name in names or known:
            print(f"\n{name}")
            compare([known[name](each) for each in targets])


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), *sys.argv[2:])
