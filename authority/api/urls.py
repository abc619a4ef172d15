"""Routes of tokens and usage below /admin/."""

from authority.api import (
    consent_requests,
    heads,
    login_requests,
    login_sessions,
    logout_requests,
    people,
    test_tokens,
    tokens,
    usage,
)
from consumers.rest.routes import route

TEST_TOKENS = "/admin/clients/{client_id}/test-tokens"
REQUESTS, SESSIONS = "/admin/oauth2/auth/requests", "/admin/oauth2/auth/sessions"
PEOPLE = "/admin/clients/{client_id}/people"

urlpatterns = [
    route("/admin/oauth2/introspect", "introspect", POST=tokens.introspect_token),
    route("/admin/oauth2/tokens", "tokens", DELETE=tokens.delete_tokens),
    route(f"{REQUESTS}/login", "login-request", GET=login_requests.get_login_request),
    route(f"{REQUESTS}/login/accept", "accept-login", PUT=login_requests.accept_login_request),
    route(f"{REQUESTS}/login/reject", "reject-login", PUT=login_requests.reject_login_request),
    route(f"{REQUESTS}/consent", "consent-request", GET=consent_requests.get_consent_request),
    route(f"{REQUESTS}/consent/accept", "accept-consent", PUT=consent_requests.accept_consent_request),
    route(f"{REQUESTS}/consent/reject", "reject-consent", PUT=consent_requests.reject_consent_request),
    route(f"{REQUESTS}/logout", "logout-request", GET=logout_requests.get_logout_request),
    route(f"{REQUESTS}/logout/accept", "accept-logout", PUT=logout_requests.accept_logout_request),
    route(f"{REQUESTS}/logout/reject", "reject-logout", PUT=logout_requests.reject_logout_request),
    route(
        f"{SESSIONS}/consent",
        "consent-sessions",
        GET=login_sessions.list_consent_sessions,
        DELETE=login_sessions.revoke_consent_sessions,
    ),
    route(f"{SESSIONS}/login", "login-sessions", DELETE=login_sessions.revoke_login_sessions),
    route(f"{TEST_TOKENS}/{{jti}}", "test-token", GET=test_tokens.get_test_token, DELETE=test_tokens.revoke_test_token),
    route(TEST_TOKENS, "test-tokens", GET=test_tokens.list_test_tokens, POST=test_tokens.make_test_token),
    route(f"{PEOPLE}/{{subject}}", "signed-in-person", GET=people.get_person, DELETE=people.sign_person_out),
    route(PEOPLE, "signed-in-people", GET=people.list_people, DELETE=people.sign_everybody_out),
    route("/admin/activity/head", "activity-head", POST=heads.export_head),
    route("/admin/usage", "usage", GET=usage.list_usage),
]
