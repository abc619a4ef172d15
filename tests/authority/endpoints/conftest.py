"""An API with a login of its own."""

import pytest

from clients.models import SignInBy
from tests.api.conftest import program_of, token_of  # noqa: F401  # fixtures
from tests.authority.flows import Flow
from tests.authority.own_login import CONSENT, LOGIN, LOGOUT, OwnLogin


@pytest.fixture
def own_api(api):
    api.sign_in, api.login_url, api.consent_url, api.logout_url = SignInBy.OWN_LOGIN, LOGIN, CONSENT, LOGOUT
    api.save()
    return api


@pytest.fixture
def own(web, own_api, client):
    """A flow of a client whose people the provider's own login signs in, in a browser of nobody."""
    web.client.post_logout_redirect_uris = ["https://app.example.com/signed-out"]
    web.client.save()
    return Flow(web, client)


@pytest.fixture
def login(own_api, olga, program_of):  # noqa: F811
    return OwnLogin(program_of(olga))
