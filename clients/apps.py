from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ClientsConfig(AppConfig):
    name = "clients"
    verbose_name = "APIs and clients"

    def ready(self) -> None:
        from clients import events  # these need the models loaded
        from clients.credentials import client_credentials
        from consumers.credentials import register_credentials

        events.register_events()
        register_credentials(client_credentials)
        post_migrate.connect(describe_management_api, sender=self)


def describe_management_api(**kwargs: Any) -> None:
    from clients.actions import apis as api_actions  # needs the applications loaded

    api_actions.create_management_api()
