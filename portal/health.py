"""Health checks for load balancers: `alive` never touches the database, `ready` does."""

import tomllib

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse

from core import clock
from core.db import outages
from core.rest import responses
from portal import work_status

VERSION: str = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]["version"]


def alive(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database answers and can be written, else 503. Warnings are for operators.

    A full disk is a warning: whatever reads goes on, and no other machine has another disk.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW transaction_read_only")
            is_read_only = cursor.fetchone() == ("on",)
        late = [part.name for part in work_status.parts() if part.is_late]
        is_sealing_late = work_status.is_sealing_late()
    except Error:
        return _unavailable("no answer")
    if is_read_only:
        return _unavailable("it may only be read")
    warnings = {}
    if late:
        warnings["worker"] = f"no worker has run for some time: {', '.join(late)}"
    if is_sealing_late:
        warnings["record"] = "events have waited for more than 15 minutes to be sealed"
    if outages.is_disk_full():
        warnings["database"] = "its disk is full: what writes is refused"
    if clock.is_wrong():
        warnings["clock"] = clock.describe()
    return JsonResponse({"status": "ok"} | ({"warnings": warnings} if warnings else {}))


def _unavailable(why: str) -> JsonResponse:
    content = {"status": "unavailable", "errors": {"database": why}}
    return JsonResponse(content, status=503, headers=responses.SOON)
