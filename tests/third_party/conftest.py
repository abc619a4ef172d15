"""Other people's OAuth clients, unmodified, against the running server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live import Server
from tests.node import node_with_packages
from tests.third_party.conversation import converse
from tests.third_party.person import Person, alice_of

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def node() -> str:
    """Node, with the packages beside the scripts."""
    return node_with_packages(HERE)


@pytest.fixture(scope="session")
def alice(server: Server) -> Iterator[Person]:
    with alice_of(server) as alice:
        yield alice


@pytest.fixture
def person(alice: Person) -> Person:
    """Alice, signed in; she signs in again only where a test has signed her out, because tries are limited."""
    alice.stay_signed_in()
    return alice


Script = Callable[..., dict[str, Any]]


@pytest.fixture
def script(node, server: Server, person) -> Script:
    """Run a script of this folder to its end; the person does in their browser what it asks for."""

    def run(name: str, **told: Any) -> dict[str, Any]:
        return converse([node, name], HERE, person, {"issuer": server.demo["issuer"], **told})

    return run
