"""An API with a login of its own, and what answers for it."""

from tests.api.conftest import program_of, token_of  # noqa: F401  # fixtures
from tests.authority.endpoints.conftest import login, own, own_api  # noqa: F401  # fixtures
