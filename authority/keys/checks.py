"""Can the signing keys be opened? Asked by `manage.py check --database default`, by migrate, and at start."""

import logging
import sys
from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError

from authority.keys import signing_keys

logger = logging.getLogger(__name__)


@register(Tags.database)
def keys_open(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if not databases:
        return []
    try:
        signing_keys.require_openable()
    except signing_keys.KeysSealed as sealed:
        return [Error(str(sealed), id="authority.E001")]
    except DatabaseError:  # before the first migration there is no table, and no key
        return []
    return []


def refuse_to_start_sealed() -> None:
    """Stop with one clear line when KEY_ENCRYPTION_KEYS is wrong; start when the database is only away for a while."""
    try:
        signing_keys.require_openable()
    except signing_keys.KeysSealed as sealed:
        sys.exit(f"Clientdesk cannot start: {sealed}")
    except DatabaseError:
        logger.warning("the database did not answer, so the signing keys could not be checked")
