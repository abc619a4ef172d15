"""Refuses a database whose migrations this version does not know."""

import sys

from django.conf import settings
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader

APPS = ("core", "consumers", "connections", "clients", "authority")


def refuse_unknown_database() -> None:
    """Stop with one clear line when another version has migrated the database; it is left as it is.

    A database that is away is not refused, for it may come back.
    """
    try:
        loader = MigrationLoader(connection)
    except OperationalError:
        return
    unknown = [key for key in loader.applied_migrations if key[0] in APPS and key not in loader.disk_migrations]
    if not unknown:
        return
    said = "Clientdesk cannot start: another version of it made this database, which this one cannot read."
    if settings.DEMO:
        sys.exit(f"{said} Remove {settings.DATA_DIR}, and the demo is set up again.")
    sys.exit(f"{said} Use the version that made it, or an empty database.")
