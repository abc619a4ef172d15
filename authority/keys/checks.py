"""System check that the signing keys decrypt: in `manage.py check --database default`, migrate, and at start."""

import logging
import sys
from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError

from authority.keys import signing_keys

logger = logging.getLogger(__name__)


@register(Tags.database)
def keys_are_decryptable(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if not databases:
        return []
    try:
        signing_keys.require_decryptable()
    except signing_keys.KeysNotDecryptable as undecryptable:
        return [Error(str(undecryptable), id="authority.E001")]
    except DatabaseError:  # before the first migration there is no table, and no key
        return []
    return []


def exit_unless_decryptable() -> None:
    """Exit with one line when KEY_ENCRYPTION_KEYS is wrong, but not when the database does not answer."""
    try:
        signing_keys.require_decryptable()
    except signing_keys.KeysNotDecryptable as undecryptable:
        sys.exit(f"Clientdesk cannot start: {undecryptable}")
    except DatabaseError:
        logger.warning("the database did not answer, so the signing keys could not be checked")
