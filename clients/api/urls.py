"""Addresses of clients, their secrets, and what they may ask for, below /admin/."""

from clients.api import apis, clients, registration, rotation, secrets, trust_rules, trusted_issuers
from consumers.rest.routes import address

CLIENT = "/admin/clients/{client_id}"
ISSUER = "/admin/trusted-issuers/{issuer_id}"

urlpatterns = [
    address("/admin/clients", "clients", GET=clients.list_clients, POST=clients.create_client),
    # An id may hold slashes, so what lies below a client comes first.
    address(f"{CLIENT}/lifespans", "lifespans", PUT=clients.set_lifespans),
    address(f"{CLIENT}/claims", "claims", PUT=trust_rules.set_claims),
    address(f"{CLIENT}/trust-rules/{{rule_id}}", "trust-rule", DELETE=trust_rules.remove_rule),
    address(f"{CLIENT}/trust-rules", "trust-rules", GET=trust_rules.list_rules, POST=trust_rules.add_rule),
    address(f"{CLIENT}/disable", "disable-client", POST=clients.disable_client),
    address(f"{CLIENT}/enable", "enable-client", POST=clients.enable_client),
    address(f"{CLIENT}/secrets/rotate", "rotate", POST=rotation.rotate, DELETE=rotation.drop_rotated),
    address(f"{CLIENT}/secrets/{{secret_id}}/rotate", "rotate-secret", POST=secrets.rotate_secret),
    address(f"{CLIENT}/secrets/{{secret_id}}", "secret", PUT=secrets.expire_secret, DELETE=secrets.revoke_secret),
    address(f"{CLIENT}/secrets", "secrets", GET=secrets.list_secrets, POST=secrets.add_secret),
    address(
        CLIENT,
        "client",
        GET=clients.get_client,
        PUT=clients.set_client,
        PATCH=clients.patch_client,
        DELETE=clients.delete_client,
    ),
    address("/admin/apis", "apis", GET=apis.list_apis, POST=apis.create_api),
    address("/admin/apis/{api_id}", "api", GET=apis.get_api, PUT=apis.set_api, DELETE=apis.delete_api),
    address("/admin/apis/{api_id}/resource-servers", "resource-servers", PUT=apis.set_resource_servers),
    address("/admin/consumers/{consumer}/secret-rules", "secret-rules", PUT=trust_rules.set_rules),
    address("/admin/consumers/{consumer}/access", "access", GET=apis.get_access, PUT=apis.set_access),
    address(
        "/admin/consumers/{consumer}/registration-tokens",
        "registration-tokens",
        GET=registration.list_tokens,
        POST=registration.create_token,
    ),
    address(
        "/admin/consumers/{consumer}/registration-tokens/{token_id}",
        "registration-token",
        DELETE=registration.revoke_token,
    ),
    address(
        "/admin/trusted-issuers", "trusted-issuers", GET=trusted_issuers.list_issuers, POST=trusted_issuers.allow_issuer
    ),
    address(f"{ISSUER}/disable", "disable-issuer", POST=trusted_issuers.disable_issuer),
    address(f"{ISSUER}/enable", "enable-issuer", POST=trusted_issuers.enable_issuer),
    address(ISSUER, "trusted-issuer", PUT=trusted_issuers.set_issuer, DELETE=trusted_issuers.remove_issuer),
    address("/admin/registration/software-issuers", "software-issuers", **trusted_issuers.ALL_PUBLISHERS),
    address("/admin/registration/software-issuers/{source_id}", "software-issuer", **trusted_issuers.ONE_PUBLISHER),
    address("/admin/registration/document-hosts", "document-hosts", **trusted_issuers.ALL_HOSTS),
    address("/admin/registration/document-hosts/{source_id}", "document-host", **trusted_issuers.ONE_HOST),
    address(
        "/admin/registration",
        "open-registration",
        GET=registration.get_door,
        PUT=registration.set_door,
        DELETE=registration.close_door,
    ),
]
