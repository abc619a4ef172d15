"""What `manage.py check --database default` asks besides Django's own checks."""

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.db import Error, connections

from portal import peppers


def register() -> None:
    checks.register(database_answers, checks.Tags.database)
    checks.register(peppers_are_complete, checks.Tags.database)


def database_answers(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> list[checks.Error]:
    """Find a database that cannot be reached, in one line instead of a traceback at the first statement."""
    found = []
    for alias in databases or ():
        try:
            with connections[alias].cursor() as cursor:
                cursor.execute("SELECT 1")
        except Error as error:
            said = str(error).partition("\n")[0]
            hint = "Look at DATABASE_URL; with sslmode=verify-full, sslrootcert must name the authority of the server."
            found.append(checks.Error(f"The database cannot be reached: {said}", hint=hint, id="portal.E001"))
    return found


def peppers_are_complete(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> list[checks.Error]:
    """Find that a pepper was removed while credentials need it."""
    try:
        missing = peppers.describe_missing() if databases else ""
    except Error:  # no answer, of which the check above tells, or no table before the first migration
        return []
    return [checks.Error(missing, id="portal.E002")] if missing else []
