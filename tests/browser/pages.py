"""Every page that a person can open, by who opens it. tests/browser/test_accessibility.py fails when one is missing."""

from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver

# Addresses that show no page of their own: they redirect, answer programs, or take only a POST.
NO_PAGE = {
    "home",
    "alive",
    "ready",
    "version",
    "metrics",
    "admin-redirect",
    "mailbox-download",
    "token",
    "device-authorization",
    "jwks",
    "introspect",
    "par",
    "register",
    "register-client",
    "authorize-decision",
    "authorize-switch",
    "end-session-decision",
    "revoke",
    "userinfo",
    "oidc-discovery",
    "connections:scim",
    "connections:scim-resource",
    "oauth-metadata",
    "workload-discovery",
    "workload-jwks",
    "workload-token",
    "workload-identity-token",
    "clients:download-credentials",
    "clients:generate-key",
    "clients:download-key",
    "clients:delete-rule",
    "tokens:revoke-test-token",
    "tokens:try",
    "tokens:revoke-person",
    "end-browser-session",
    "end-login-session",
    "consumers:activity-csv",
    "consumers:resend-invitation",
    "consumers:revoke-invitation",
    "clients:enable",
    "account_confirm_login_code",
    "account_confirm_password_reset_code",
    "account_complete_password_reset",
    "account_email_verification_sent",
    "account_inactive",
    "account_password_reset_completed",
    "mfa_authenticate",
    "mfa_login_webauthn",
    "mfa_signup_webauthn",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "mfa_download_recovery_codes",
    "mfa_edit_webauthn",
    "mfa_remove_webauthn",
    "mfa_trust",
    "connections:reauthenticate",
    "connections:reauthenticated",
    "connections:disconnect",
    "connections:backchannel-logout",
}


@dataclass(frozen=True)
class Opened:
    """A page: the URL name that it shows, its path with {places} of the demo's world, and its HTTP status."""

    name: str
    path: str
    status: int = 200


SIGNED_OUT = [
    Opened("account_login", "/account/login/"),
    Opened("account_request_login_code", "/account/login/code/"),
    Opened("account_signup", "/account/signup/"),
    Opened("account_reset_password", "/account/password/reset/"),
    Opened("consumers:invitation", "/invitations/{invitation}/"),
    Opened("consumers:invitation", "/invitations/unknown-and-long-enough-to-be-a-token/", 404),
    Opened("consumers:portal-link", "/portal-links/{portal_link}/"),
    Opened("consumers:portal-link", "/portal-links/unknown/", 404),
    Opened("requests:ask", "/request-access/"),
    Opened("requests:sent", "/request-access/sent/"),
    Opened("requests:status", "/request-access/{workspace_request}/"),
    Opened("requests:status", "/request-access/unknown/", 404),
    # Those of a connection that there is: tests/browser/test_identity_providers.py.
    Opened("connections:login", "/sso/nowhere/login", 404),
    Opened("connections:callback", "/sso/nowhere/callback", 400),
    Opened("authorize", "{no_connection}"),
    Opened("mailbox", "/demo/mail/"),
    Opened("mailbox-message", "{message}"),
    Opened("404", "/nowhere/", 404),
]
MANAGER = [
    Opened("consumers:choose", "/consumers/"),
    Opened("dashboard", "/consumers/acme/"),
    Opened("clients:index", "/consumers/acme/clients/"),
    Opened("clients:create", "/consumers/acme/clients/new"),
    Opened("clients:secret-review", "/consumers/acme/clients/secrets/"),
    Opened("clients:registration", "/consumers/acme/clients/registration/"),
    Opened("clients:create-initial-access-token", "/consumers/acme/clients/registration/initial-access-tokens/new/"),
    Opened(
        "clients:revoke-initial-access-token",
        "/consumers/acme/clients/registration/initial-access-tokens/{initial_access_token}/revoke/",
    ),
    Opened("clients:detail", "/consumers/acme/clients/{service}/"),
    Opened("clients:detail", "/consumers/acme/clients/{web}/"),
    Opened("clients:detail", "/consumers/acme/clients/{spa}/"),
    Opened("clients:settings", "/consumers/acme/clients/{web}/settings/"),
    Opened("clients:advanced", "/consumers/acme/clients/{web}/settings/advanced/"),
    Opened("clients:activity", "/consumers/acme/clients/{service}/activity/"),
    Opened("clients:disable", "/consumers/acme/clients/{service}/disable/"),
    Opened("clients:revoke-tokens", "/consumers/acme/clients/{web}/revoke-tokens/"),
    Opened("clients:delete", "/consumers/acme/clients/{service}/delete/"),
    Opened("clients:secrets", "/consumers/acme/clients/{service}/secrets/"),
    Opened("clients:create-secret", "/consumers/acme/clients/{service}/secrets/new/"),
    Opened("clients:rotate-secret", "/consumers/acme/clients/{service}/secrets/{secret}/rotate/"),
    Opened("clients:revoke-secret", "/consumers/acme/clients/{service}/secrets/{secret}/revoke/"),
    Opened(
        "clients:revoke-registration-access-token",
        "/consumers/acme/clients/{service}/registration-access-token/revoke/",
    ),
    Opened("clients:permissions", "/consumers/acme/clients/permissions/"),
    Opened("clients:request-permission", "/consumers/acme/clients/permissions/{scope}/request/"),
    Opened("clients:permission-request", "/consumers/acme/clients/permissions/requests/{permission_request}/"),
    Opened("tokens:identity", "/consumers/acme/clients/{workload}/identity/"),
    Opened("tokens:guide", "/consumers/acme/clients/{workload}/identity/gcp/"),
    Opened("tokens:guide", "/consumers/acme/clients/{workload}/identity/nginx/"),
    Opened("clients:authentication", "/consumers/acme/clients/{service}/authentication/"),
    Opened("clients:authentication", "/consumers/acme/clients/{deploy}/authentication/"),
    Opened("clients:detail", "/consumers/acme/clients/{deploy}/"),
    Opened("clients:create-rule", "/consumers/acme/clients/{deploy}/rules/new/{issuer}/"),
    Opened("tokens:try-rules", "/consumers/acme/clients/{deploy}/rules/try/"),
    Opened("tokens:problems", "/consumers/acme/clients/{service}/problems/"),
    Opened("tokens:problems", "/consumers/acme/clients/{web}/problems/"),
    Opened("tokens:people", "/consumers/acme/clients/{web}/people/"),
    Opened("tokens:revoke-people", "/consumers/acme/clients/{web}/people/revoke-all/"),
    Opened("tokens:test-tokens", "/consumers/acme/test-tokens/"),
    Opened("tokens:create-test-token", "/consumers/acme/clients/{service}/test-token/"),
    Opened("tokens:inspector", "/consumers/acme/inspect/"),
    Opened("consumers:people", "/consumers/acme/people/"),
    Opened("consumers:invite", "/consumers/acme/people/invite/"),
    Opened("consumers:member", "/consumers/acme/people/{member}/"),
    Opened("roles:member", "/consumers/acme/people/{member}/roles/"),
    Opened("consumers:activity", "/consumers/acme/activity/"),
    Opened("authorize", "{authorize}"),
    Opened("authorize", "{not_admitted}", 403),
    Opened("authorize", "{one_factor}", 403),
    Opened("authorize", "/oauth2/authorize?client_id=nobody", 400),
    Opened("authorize", "{authorize}&prompt=select_account"),
    Opened("device", "/device?user_code=BCDF-GHJK"),
    Opened("end-session", "/oauth2/logout"),
    Opened("apps", "/account/apps/"),
    Opened("revoke-app", "/account/apps/{app}/"),
    Opened("sign-out-of-app", "/account/apps/{web}/sign-out/"),
    Opened("connections:connect", "/account/connections/nowhere/connect/", 404),
    Opened("consumers:name", "/account/name/"),
    Opened("consumers:tokens", "/account/tokens/"),
    Opened("consumers:create-token", "/account/tokens/new/"),
    Opened("consumers:revoke-token", "/account/tokens/{token}/revoke/"),
    Opened("api:reference", "/reference/"),
    Opened("usersessions_list", "/account/sessions/"),
    Opened("sign-out-everywhere", "/account/sessions/everywhere/"),
    Opened("mfa_index", "/account/2fa/"),
    Opened("mfa_activate_totp", "/account/2fa/totp/activate/"),
    Opened("mfa_list_webauthn", "/account/2fa/webauthn/"),
    Opened("mfa_add_webauthn", "/account/2fa/webauthn/add/"),
    Opened("account_email", "/account/email/"),
    Opened("account_change_password", "/account/password/change/"),
    Opened("account_set_password", "/account/password/set/"),
    Opened("consumers:reauthenticate-by-code", "/account/reauthenticate/code/"),
    Opened("account_reauthenticate", "/account/reauthenticate/"),
    Opened("account_logout", "/account/logout/"),
]


# With a second factor, which changes what one's account shows.
WITH_SECOND_FACTOR = [
    Opened("mfa_index", "/account/2fa/"),
    Opened("mfa_view_recovery_codes", "/account/2fa/recovery-codes/"),
    Opened("mfa_generate_recovery_codes", "/account/2fa/recovery-codes/generate/"),
    Opened("mfa_deactivate_totp", "/account/2fa/totp/deactivate/"),
]


def pages_of_the_portal() -> set[str]:
    """Return the names of every address outside the operators' admin."""
    named = set(_names(get_resolver(), "")) - NO_PAGE
    return {name for name in named if not name.startswith("api:") or name == "api:reference"}  # programs read JSON


def _names(resolver: URLResolver, prefix: str) -> list[str]:
    found = []
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            found.append(f"{prefix}{pattern.name}")
        elif pattern.namespace != "admin":
            found += _names(pattern, f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix)
    return found
