"""The context processor of names and contacts that every template may use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from consumers.accounts.bound_sessions import binding_of


def brand(request: HttpRequest) -> dict[str, Any]:
    return {
        "portal_name": settings.PORTAL_NAME,
        "operator_contact": settings.OPERATOR_CONTACT,
        "mail_in_browser": settings.MAIL_IN_BROWSER,
        "request_id": getattr(request, "id", ""),
        "membership": getattr(request, "membership", None),
        "takes_requests": settings.WORKSPACE_REQUESTS,
        "bound": binding_of(request),
    }
