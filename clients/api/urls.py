"""Addresses of clients below /admin/."""

from clients.api import clients, rotation
from consumers.rest.addresses import address

urlpatterns = [
    address("/admin/clients", "clients", GET=clients.list_clients, POST=clients.create_client),
    address("/admin/clients/{client_id}/lifespans", "lifespans", PUT=clients.set_lifespans),
    address("/admin/clients/{client_id}/disable", "disable-client", POST=clients.disable_client),
    address("/admin/clients/{client_id}/enable", "enable-client", POST=clients.enable_client),
    address("/admin/clients/{client_id}/secrets/rotate", "rotate", POST=rotation.rotate, DELETE=rotation.drop_rotated),
    address(
        "/admin/clients/{client_id}",
        "client",
        GET=clients.get_client,
        PUT=clients.set_client,
        PATCH=clients.patch_client,
        DELETE=clients.delete_client,
    ),
]
