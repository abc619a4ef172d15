"""`manage.py migrate`: Django's own, but for a database that another version has migrated."""

from typing import Any

from django.core.management.commands import migrate

from portal.database_version import refuse_unknown_database


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        refuse_unknown_database()
        super().handle(*args, **options)
