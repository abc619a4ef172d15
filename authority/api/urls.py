"""Routes of tokens and usage below /admin/."""

from authority.api import heads, people, test_tokens, tokens, usage
from consumers.rest.routes import route

TEST_TOKENS = "/admin/clients/{client_id}/test-tokens"
PEOPLE = "/admin/clients/{client_id}/people"

urlpatterns = [
    route("/admin/oauth2/introspect", "introspect", POST=tokens.introspect_token),
    route("/admin/oauth2/tokens", "tokens", DELETE=tokens.delete_tokens),
    route(f"{TEST_TOKENS}/{{jti}}", "test-token", GET=test_tokens.get_test_token, DELETE=test_tokens.revoke_test_token),
    route(TEST_TOKENS, "test-tokens", GET=test_tokens.list_test_tokens, POST=test_tokens.make_test_token),
    route(f"{PEOPLE}/{{subject}}", "signed-in-person", GET=people.get_person, DELETE=people.sign_person_out),
    route(PEOPLE, "signed-in-people", GET=people.list_people, DELETE=people.sign_everybody_out),
    route("/admin/activity/head", "activity-head", POST=heads.export_head),
    route("/admin/usage", "usage", GET=usage.list_usage),
]
