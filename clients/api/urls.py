"""Addresses of clients, their secrets, and what they may ask for, below /admin/."""

from clients.api import catalogue, clients, decisions, registration, rotation, secrets
from consumers.rest.addresses import address

CLIENT = "/admin/clients/{client_id}"

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
    address(
        "/admin/registration",
        "open-registration",
        GET=registration.get_door,
        PUT=registration.set_door,
        DELETE=registration.close_door,
    ),
]
