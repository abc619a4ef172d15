"""Addresses of the management API: one template each, which routes requests and stands in the description."""

import re
from typing import Any

from django.urls import URLPattern, re_path

from consumers.rest.operations import Operation, door

# Ids that may hold slashes: a client may be named by the URL of its metadata document.
WIDE = {"client_id"}


def address(template: str, name: str, **operations: Operation) -> URLPattern:
    """Return the route of a template such as /admin/clients/{client_id}; a slash at its end changes nothing."""

    def capture(match: re.Match[str]) -> str:
        return f"(?P<{match[1]}>{'.+?' if match[1] in WIDE else '[^/]+'})"

    pattern = re.sub(r"\{(\w+)\}", capture, re.escape(template.lstrip("/")).replace(r"\{", "{").replace(r"\}", "}"))
    route: Any = re_path(rf"^{pattern}/?\Z", door(operations), name=name)
    route.template = template
    return route  # type: ignore[no-any-return]
