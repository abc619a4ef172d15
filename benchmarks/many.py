"""The token endpoint with ten clients and ten issued tokens, and with a million and ten million, in turns.

Run it with `uv run python -m benchmarks.many`, on the terms of benchmarks/harness.py; it takes ten minutes, and 10 GB
of disk for as long. CLIENTS=20000 TOKENS=200000 make it shorter. Equally many clients ask both servers, for looking one
up and noting when it was last used is work for each that asks, however many others there are.
"""

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import people
from benchmarks.harness import CONNECTIONS, Sent, Target, basic, compare
from benchmarks.servers import BODY, Clientdesk, data_folder, demo, manage, serving

CLIENTS, TOKENS = int(os.environ.get("CLIENTS", "1000000")), int(os.environ.get("TOKENS", "10000000"))
FEW, SEVERAL = 10, 5_000  # clients that ask
CHAINS = 100
CONNECTED = [16] if 16 in CONNECTIONS else CONNECTIONS


@dataclass(kw_only=True)
class Crowd(Target):
    """A token endpoint that several clients ask, one after the other."""

    secrets: dict[str, str] = field(repr=False)

    load = "list.lua"

    def requests(self, connections: int, seconds: int) -> Sequence[Sent]:
        return [Sent(BODY, basic(*each)) for each in self.secrets.items()]

    def was_sent(self, count: int) -> None:
        """Go on where the round has ended, so that nobody is asked for who is still remembered."""
        turn = list(self.secrets.items())
        begin = count % len(turn)
        self.secrets = dict(turn[begin:] + turn[:begin])


@dataclass
class Place:
    """A database with a crowd in it, which is served again and again."""

    data: Path
    port: str
    demo: dict[str, dict[str, Any]] = field(repr=False)
    clients: int = 0
    secrets: dict[str, str] = field(default_factory=dict, repr=False)

    def fill(self, clients: int, tokens: int, asking: int) -> None:
        """Let the crowd grow, and choose who asks."""
        self.clients = clients
        self.secrets = self.shell(f"crowd.fill({clients}, {tokens}) or crowd.give_secrets({asking})")

    def shell(self, expression: str, **environ: str) -> Any:
        program = f"import json\nfrom benchmarks import crowd, remembered\nprint(json.dumps({expression}))"
        return json.loads(manage(self.data, "shell", "--verbosity", "0", "--command", program, **environ))

    def crowd(self, target: Clientdesk) -> Crowd:
        return Crowd(target.name, target.url, target.basic, target.processes, secrets=self.secrets)


@contextmanager
def both(places: Sequence[Place], **environ: str) -> Iterator[list[Clientdesk]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(serving(place.data, place.demo, f"{place.clients:,} clients", place.port, **environ))
            for place in places
        ]


def few(places: Sequence[Place]) -> None:
    with both(places) as targets:
        print(f"\n{FEW} clients, remembered")
        compare([place.crowd(target) for place, target in zip(places, targets, strict=True)], CONNECTED)
        print("\na client whose tokens are opaque")
        compare(targets, CONNECTED)
        print("\nrefreshing")
        compare([people.refreshing(people.of_clientdesk(target, CHAINS), CHAINS) for target in targets], CONNECTED)
    with both(places, DIRECTORY_SIZE="0") as targets:
        print(f"\n{FEW} clients, looked up each time")
        compare([place.crowd(target) for place, target in zip(places, targets, strict=True)], CONNECTED)


def several(places: Sequence[Place]) -> None:
    with both(places) as targets:
        print(f"\n{SEVERAL:,} clients in turn, more than are remembered")
        compare([place.crowd(target) for place, target in zip(places, targets, strict=True)], CONNECTED)


def main() -> None:
    with ExitStack() as stack:
        folders = [stack.enter_context(data_folder()) for _ in range(2)]
        small, large = places = [
            Place(data, port, demo(data)) for data, port in zip(folders, ("7702", "7705"), strict=True)
        ]
        for place in places:
            manage(place.data, "shell", "--command", OPAQUE)
        small.fill(FEW, 10, FEW)
        begun = time.monotonic()
        large.fill(CLIENTS, TOKENS, FEW)
        print(f"{CLIENTS:,} clients and {TOKENS:,} tokens written in {time.monotonic() - begun:.0f} s")
        few(places)
        small.fill(SEVERAL, 0, SEVERAL)
        large.secrets = large.shell(f"crowd.give_secrets({SEVERAL})")
        several(places)
        asking = large.data / "asking.json"
        asking.write_text(json.dumps(large.secrets))
        each = large.shell(f"remembered.kilobytes_each({str(asking)!r})", DIRECTORY_SIZE=str(SEVERAL))
        print(f"\na remembered client takes {each:.1f} kB")


# The demo's service; the crowd, which is copied from it, gets JWTs.
OPAQUE = "Client.objects.filter(client_name='Billing sync').update(access_token_strategy='opaque')"

if __name__ == "__main__":
    main()
