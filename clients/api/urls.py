"""Addresses of clients, their secrets, and what they may ask for, below /admin/."""

from clients.api import catalogue, clients, decisions, registration, rotation, secrets, trusted
from consumers.rest.addresses import address

CLIENT = "/admin/clients/{client_id}"
ISSUER = "/admin/trusted-issuers/{issuer_id}"

urlpatterns = [
    address("/admin/clients", "clients", GET=clients.list_clients, POST=clients.create_client),
    # An id may hold slashes, so what lies below a client comes first.
    address(f"{CLIENT}/lifespans", "lifespans", PUT=clients.set_lifespans),
    address(f"{CLIENT}/claims", "claims", PUT=decisions.set_claims),
    address(f"{CLIENT}/trust-rules/{{rule_id}}", "trust-rule", DELETE=decisions.remove_rule),
    address(f"{CLIENT}/trust-rules", "trust-rules", GET=decisions.list_rules, POST=decisions.add_rule),
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
    address("/admin/apis", "apis", GET=catalogue.list_apis, POST=catalogue.create_api),
    address("/admin/apis/{api_id}", "api", GET=catalogue.get_api, PUT=catalogue.set_api, DELETE=catalogue.delete_api),
    address("/admin/apis/{api_id}/resource-servers", "resource-servers", PUT=catalogue.set_resource_servers),
    address("/admin/consumers/{consumer}/secret-rules", "secret-rules", PUT=decisions.set_rules),
    address("/admin/consumers/{consumer}/access", "access", GET=catalogue.get_access, PUT=catalogue.set_access),
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
    address("/admin/trusted-issuers", "trusted-issuers", GET=trusted.list_issuers, POST=trusted.allow_issuer),
    address(f"{ISSUER}/disable", "disable-issuer", POST=trusted.disable_issuer),
    address(f"{ISSUER}/enable", "enable-issuer", POST=trusted.enable_issuer),
    address(ISSUER, "trusted-issuer", PUT=trusted.set_issuer, DELETE=trusted.remove_issuer),
    address("/admin/registration/software-issuers", "software-issuers", **trusted.ALL_PUBLISHERS),
    address("/admin/registration/software-issuers/{source_id}", "software-issuer", **trusted.ONE_PUBLISHER),
    address("/admin/registration/document-hosts", "document-hosts", **trusted.ALL_HOSTS),
    address("/admin/registration/document-hosts/{source_id}", "document-host", **trusted.ONE_HOST),
    address(
        "/admin/registration",
        "open-registration",
        GET=registration.get_door,
        PUT=registration.set_door,
        DELETE=registration.close_door,
    ),
]
