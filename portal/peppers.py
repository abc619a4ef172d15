"""Which versions of SECRET_PEPPERS the stored credentials need, and whether they are there."""

import logging
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import Error
from django.db.models import Count, QuerySet

from clients.models import ClientSecret, InitialAccessToken, RegistrationAccessToken
from connections.models import Directory
from consumers.models import PersonalToken

logger = logging.getLogger(__name__)


def live_credentials() -> dict[str, QuerySet[Any]]:
    """Return what is stored under a pepper and works now, by what people call it."""
    return {
        "client secrets": ClientSecret.objects.live(),
        "personal access tokens": PersonalToken.objects.live(),
        "initial access tokens": InitialAccessToken.objects.live(),
        "registration access tokens": RegistrationAccessToken.objects.live(),
        "tokens of directories": Directory.objects.all(),
    }


def in_use() -> dict[str, Counter[str]]:
    """Count live credentials by the version of their pepper. Raises django.db.Error."""
    return {
        what: Counter(dict(live.order_by().values_list("pepper_version").annotate(Count("pk"))))
        for what, live in live_credentials().items()
    }


def describe_missing() -> str:
    """Say which versions live credentials need that SECRET_PEPPERS lacks, or nothing. Raises django.db.Error."""
    missing: dict[str, list[str]] = {}
    for what, live in live_credentials().items():
        for version in _versions(live):
            if version not in settings.SECRET_PEPPERS and live.filter(pepper_version=version).exists():
                missing.setdefault(version, []).append(what)
    if not missing:
        return ""
    kinds = "; ".join(f"version {version} for {', '.join(missing[version])}" for version in sorted(missing))
    return f"SECRET_PEPPERS lacks what stored credentials need ({kinds}). Put it back, behind the others."


def _versions(rows: QuerySet[Any]) -> Iterator[str]:
    """Yield each version in the table once, by a look at its index for each."""
    after = rows.model._default_manager.order_by("pepper_version").values_list("pepper_version", flat=True)
    version = after.first()
    while version is not None:
        yield version
        version = after.filter(pepper_version__gt=version).first()


def exit_unless_complete() -> None:
    """Exit with one line when a pepper was removed too early, but not when the database does not answer."""
    try:
        missing = describe_missing()
    except Error:
        logger.warning("the database did not answer, so SECRET_PEPPERS could not be checked")
        return
    if missing:
        sys.exit(f"Clientdesk cannot start: {missing}")
