from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ClientsConfig(AppConfig):
    name = "clients"
    verbose_name = "APIs and clients"

    def ready(self) -> None:
        post_migrate.connect(describe_management_api, sender=self)


def describe_management_api(**kwargs: Any) -> None:
    from clients.actions import apis as api_actions  # needs the applications loaded

    api_actions.describe_management_api()
