"""Addresses of tokens and usage below /admin/."""

from authority.api import test_tokens, tokens, usage
from consumers.rest.routes import address

TEST_TOKENS = "/admin/clients/{client_id}/test-tokens"

urlpatterns = [
    address("/admin/oauth2/introspect", "introspect", POST=tokens.introspect_token),
    address("/admin/oauth2/tokens", "tokens", DELETE=tokens.delete_tokens),
    address(f"{TEST_TOKENS}/{{jti}}", "test-token", DELETE=test_tokens.revoke_test_token),
    address(TEST_TOKENS, "test-tokens", GET=test_tokens.list_test_tokens, POST=test_tokens.make_test_token),
    address("/admin/usage", "usage", GET=usage.list_usage),
]
