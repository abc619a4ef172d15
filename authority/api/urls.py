"""Addresses of tokens and usage below /admin/."""

from authority.api import tokens, trials, usage
from consumers.rest.addresses import address

TEST_TOKENS = "/admin/clients/{client_id}/test-tokens"

urlpatterns = [
    address("/admin/oauth2/introspect", "introspect", POST=tokens.introspect_token),
    address("/admin/oauth2/tokens", "tokens", DELETE=tokens.delete_tokens),
    address(f"{TEST_TOKENS}/{{jti}}", "test-token", DELETE=trials.revoke_test_token),
    address(TEST_TOKENS, "test-tokens", GET=trials.list_test_tokens, POST=trials.make_test_token),
    address("/admin/usage", "usage", GET=usage.list_usage),
]
