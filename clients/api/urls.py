"""Routes of the management API below /admin/: clients, secrets, APIs, roles, trust and registration."""

from clients.api import (
    apis,
    claims,
    clients,
    metadata_sources,
    registration,
    roles,
    rotation,
    secret_policy,
    secrets,
    token_hooks,
    trust_rules,
    trusted_issuers,
)
from consumers.rest.routes import route

CLIENT = "/admin/clients/{client_id}"
ISSUER = "/admin/trusted-issuers/{issuer_id}"
REGISTRATION = "/admin/registration"

urlpatterns = [
    route("/admin/clients", "clients", GET=clients.list_clients, POST=clients.create_client),
    # An id may hold slashes, so what lies below a client comes first.
    route(f"{CLIENT}/lifespans", "lifespans", PUT=clients.set_lifespans),
    route(f"{CLIENT}/claims", "claims", PUT=claims.set_claims),
    route(f"{CLIENT}/trust-rules/{{rule_id}}", "trust-rule", GET=trust_rules.get_rule, DELETE=trust_rules.delete_rule),
    route(f"{CLIENT}/trust-rules", "trust-rules", GET=trust_rules.list_rules, POST=trust_rules.create_rule),
    route(
        f"{CLIENT}/registration-access-token",
        "registration-access-token",
        GET=registration.get_registration_access_token,
        DELETE=registration.revoke_registration_access_token,
    ),
    route(f"{CLIENT}/disable", "disable-client", POST=clients.disable_client),
    route(f"{CLIENT}/enable", "enable-client", POST=clients.enable_client),
    route(f"{CLIENT}/secrets/rotate", "rotate", POST=rotation.rotate, DELETE=rotation.delete_rotated),
    route(f"{CLIENT}/secrets/{{secret_id}}/rotate", "rotate-secret", POST=secrets.rotate_secret),
    route(
        f"{CLIENT}/secrets/{{secret_id}}",
        "secret",
        GET=secrets.get_secret,
        PUT=secrets.expire_secret,
        DELETE=secrets.revoke_secret,
    ),
    route(f"{CLIENT}/secrets", "secrets", GET=secrets.list_secrets, POST=secrets.create_secret),
    route(
        CLIENT,
        "client",
        GET=clients.get_client,
        PUT=clients.set_client,
        PATCH=clients.patch_client,
        DELETE=clients.delete_client,
    ),
    route("/admin/apis", "apis", GET=apis.list_apis, POST=apis.create_api),
    route("/admin/apis/{api_id}", "api", GET=apis.get_api, PUT=apis.set_api, DELETE=apis.delete_api),
    route(
        "/admin/apis/{api_id}/resource-servers",
        "resource-servers",
        GET=apis.get_resource_servers,
        PUT=apis.set_resource_servers,
    ),
    route("/admin/apis/{api_id}/roles", "api-roles", GET=roles.get_roles, PUT=roles.set_roles),
    route("/admin/apis/{api_id}/claims", "api-claims", GET=roles.get_claims, PUT=roles.set_claims),
    route(
        "/admin/apis/{api_id}/token-hook",
        "token-hook",
        GET=token_hooks.get_hook,
        PUT=token_hooks.set_hook,
        DELETE=token_hooks.delete_hook,
    ),
    route("/admin/apis/{api_id}/token-hook/test", "test-token-hook", POST=token_hooks.test_hook),
    route(
        "/admin/consumers/{consumer}/members/{member_id}/roles",
        "member-roles",
        GET=roles.list_member_roles,
        PUT=roles.set_member_roles,
    ),
    route("/admin/role-grants", "role-grants", GET=roles.list_grants, POST=roles.create_grant),
    route("/admin/role-grants/{grant_id}", "role-grant", GET=roles.get_grant, DELETE=roles.delete_grant),
    route(
        "/admin/consumers/{consumer}/secret-policy",
        "secret-policy",
        GET=secret_policy.get_secret_policy,
        PUT=secret_policy.set_secret_policy,
    ),
    route("/admin/consumers/{consumer}/access", "access", GET=apis.get_access, PUT=apis.set_access),
    route(
        "/admin/consumers/{consumer}/initial-access-tokens",
        "initial-access-tokens",
        GET=registration.list_tokens,
        POST=registration.create_token,
    ),
    route(
        "/admin/consumers/{consumer}/initial-access-tokens/{token_id}",
        "registration-token",
        GET=registration.get_token,
        DELETE=registration.revoke_token,
    ),
    route(
        "/admin/trusted-issuers",
        "trusted-issuers",
        GET=trusted_issuers.list_issuers,
        POST=trusted_issuers.create_issuer,
    ),
    route(f"{ISSUER}/disable", "disable-issuer", POST=trusted_issuers.disable_issuer),
    route(f"{ISSUER}/enable", "enable-issuer", POST=trusted_issuers.enable_issuer),
    route(
        ISSUER,
        "trusted-issuer",
        GET=trusted_issuers.get_issuer,
        PUT=trusted_issuers.set_issuer,
        DELETE=trusted_issuers.delete_issuer,
    ),
    route(f"{REGISTRATION}/software-issuers", "software-issuers", **metadata_sources.ALL_SOFTWARE_ISSUERS),
    route(f"{REGISTRATION}/software-issuers/{{source_id}}", "software-issuer", **metadata_sources.ONE_SOFTWARE_ISSUER),
    route(f"{REGISTRATION}/document-hosts", "document-hosts", **metadata_sources.ALL_DOCUMENT_HOSTS),
    route(f"{REGISTRATION}/document-hosts/{{source_id}}", "document-host", **metadata_sources.ONE_DOCUMENT_HOST),
    route(
        REGISTRATION,
        "open-registration",
        GET=registration.get_open_registration,
        PUT=registration.enable_open_registration,
        DELETE=registration.disable_open_registration,
    ),
]
