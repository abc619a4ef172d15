from typing import Any

from django.apps import AppConfig
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models.signals import post_migrate


class ClientsConfig(AppConfig):
    name = "clients"
    verbose_name = "APIs and clients"

    def ready(self) -> None:
        from clients import events  # these need the models loaded
        from clients.actions import sign_in_rules
        from clients.actions.sign_ins import keep_roles, lets_people_in
        from clients.credentials import client_credentials
        from connections.actions.identities import register_end_user_check, register_sign_in_listener
        from connections.policy import Use, register_use
        from consumers.credentials import register_credentials

        events.register_events()
        register_credentials(client_credentials)
        register_end_user_check(lets_people_in)
        register_sign_in_listener(keep_roles)
        register_use(
            Use(
                hinders_deletion=sign_in_rules.hinders_deletion,
                hinders_no_groups=sign_in_rules.hinders_no_groups,
                ends_with=sign_in_rules.ends_with,
            )
        )
        post_migrate.connect(describe_management_api, sender=self)


def describe_management_api(**kwargs: Any) -> None:
    """Create the management API, unless `migrate` was told to stop before the last migration: its columns may lack."""
    from clients.actions import apis as api_actions  # needs the applications loaded

    if "plan" in kwargs:  # `flush` has none
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return
    api_actions.create_management_api()
