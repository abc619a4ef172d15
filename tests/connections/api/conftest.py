"""Programs that speak to the management API about connections."""

import pytest

from tests.api.conftest import program_of, token_of  # noqa: F401  # fixtures
from tests.connections.test_domains import name_server  # noqa: F401  # a fixture


@pytest.fixture
def program(olga, program_of):  # noqa: F811
    return program_of(olga)
