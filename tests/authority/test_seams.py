"""What we build on in the toolkit and oauthlib. When one changes upstream, read it, then update its hash here."""

import hashlib
import inspect

import oauthlib.openid
import pytest
from oauth2_provider.models import AbstractRefreshToken, clear_expired
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.oauth2.rfc6749.endpoints.token import TokenEndpoint
from oauthlib.oauth2.rfc6749.grant_types.authorization_code import AuthorizationCodeGrant
from oauthlib.openid.connect.core.grant_types.base import GrantTypeBase

SEAMS = [
    (OAuth2Validator._create_authorization_code, "6aa66b1d0397"),
    (OAuth2Validator._save_bearer_token, "bbf80b89d0b5"),
    (OAuth2Validator._create_access_token, "b9b36b168ac8"),
    (OAuth2Validator._create_refresh_token, "eca3713cacfd"),
    (OAuth2Validator._check_and_set_request_resource, "83be54687240"),
    (OAuth2Validator.validate_refresh_token, "50e7ceb3ce23"),
    (OAuth2Validator.get_original_scopes, "628b41eea1be"),
    (OAuth2Validator.validate_scopes, "7d81caeec372"),
    (OAuth2Validator.invalidate_authorization_code, "71143192a5cd"),
    (AbstractRefreshToken.revoke_family, "6acd57a4360e"),
    (clear_expired, "ecb96672ef97"),
    (TokenEndpoint.create_token_response, "0e9727e9c09a"),
    (AuthorizationCodeGrant.validate_authorization_request, "b42cb141197c"),
    (AuthorizationCodeGrant.validate_token_request, "ccdae4595c96"),
    (AuthorizationCodeGrant.create_token_response, "c30a8172a7f2"),
    (GrantTypeBase.add_id_token, "32ddd836892a"),
    (oauthlib.openid.Server.__init__, "8d1cd8d8110d"),
]


@pytest.mark.parametrize(("function", "known"), SEAMS, ids=lambda value: getattr(value, "__qualname__", ""))
def test_what_we_build_on_is_what_we_have_read(function, known):
    assert hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:12] == known
