"""CONNECTIONS_FILE, which each server and worker applies when it starts."""

import logging
import sys

from django.conf import settings
from django.db import OperationalError

logger = logging.getLogger(__name__)


def exit_unless_applied() -> None:
    """Apply the file, where there is one, or exit with one line; but not when the database does not answer."""
    if not settings.CONNECTIONS_FILE:
        return
    from connections.configuration.applying import apply_file  # most servers have no file, and no use for its reader
    from connections.configuration.reading import WrongFile

    try:
        changes = apply_file(settings.CONNECTIONS_FILE)
    except WrongFile as wrong:
        sys.exit(f"Clientdesk cannot start: CONNECTIONS_FILE: {wrong.description}")
    except OperationalError:
        logger.warning("the database did not answer, so CONNECTIONS_FILE was not applied")
        return
    for change in changes:
        logger.info("%s", change)
