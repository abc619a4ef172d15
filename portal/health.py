"""Health checks for load balancers: `alive` never touches the database, `ready` does."""

import tomllib

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse

VERSION: str = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]["version"]


SOON = {"Retry-After": "5"}


def alive(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database answers, else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return JsonResponse({"status": "unavailable", "errors": {"database": "no answer"}}, status=503, headers=SOON)
    return JsonResponse({"status": "ok"})


def version(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"version": VERSION})
