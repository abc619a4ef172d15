"""Routes of the management API: one path template each, which also stands in the OpenAPI description."""

import re
from typing import Any

from django.urls import URLPattern, re_path

from consumers.rest.operations import Operation, view_for

# Ids that may hold slashes: a client may be named by the URL of its metadata document, a person by the provider.
WIDE = {"client_id", "subject"}


def route(template: str, name: str, **operations: Operation) -> URLPattern:
    """Return the route of a template such as /admin/clients/{client_id}; a slash at its end changes nothing."""

    def capture(match: re.Match[str]) -> str:
        return f"(?P<{match[1]}>{'.+?' if match[1] in WIDE else '[^/]+'})"

    pattern = re.sub(r"\{(\w+)\}", capture, re.escape(template.lstrip("/")).replace(r"\{", "{").replace(r"\}", "}"))
    routed: Any = re_path(rf"^{pattern}/?\Z", view_for(operations), name=name)
    routed.template = template
    return routed  # type: ignore[no-any-return]
