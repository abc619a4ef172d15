from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ClientsConfig(AppConfig):
    name = "clients"
    verbose_name = "APIs and clients"

    def ready(self) -> None:
        from clients import events  # needs the models loaded

        events.register_events()
        post_migrate.connect(describe_management_api, sender=self)


def describe_management_api(**kwargs: Any) -> None:
    from clients.actions import apis as api_actions  # needs the applications loaded

    api_actions.create_management_api()
