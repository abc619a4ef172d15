"""The description of the management API, for programs and for people."""

import json
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from consumers.rest.operations import Operation, refuse
from core.rest.errors import NotFound
from portal.api.openapi import REFUSALS, TAGS, description, operations

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")  # in the order that the page shows them


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """Tell programs what they can ask for. It is the same for everybody, so anybody may keep it."""
    response = JsonResponse(description())
    response["Cache-Control"] = "public, max-age=300"
    return response


@login_required
@require_safe
def reference(request: HttpRequest) -> HttpResponse:
    """Show the description to people, part by part."""
    document = description()
    parts = []
    for tag, words in TAGS.items():
        found = [
            _entry(template, method, operation, document["paths"][template][method.lower()])
            for template, method, operation in sorted(operations(), key=lambda each: (each[0], METHODS.index(each[1])))
            if operation.tag == tag
        ]
        parts.append({"name": tag, "words": words, "operations": found})
    return render(request, "portal/reference.html", {"parts": parts, "server": document["servers"][0]["url"]})


def _entry(template: str, method: str, operation: Operation, described: dict[str, Any]) -> dict[str, Any]:
    """Return what the page says about one operation."""
    body = operation.body or {}
    members = body.get("properties") or body.get("items", {}).get("properties", {})
    return {
        "method": method,
        "template": template,
        "operation": operation,
        "parameters": [each for each in described["parameters"] if each["in"] != "header"],
        "members": [
            {"name": name, "words": schema.get("description", ""), "required": name in body.get("required", ())}
            for name, schema in members.items()
        ],
        "example": json.dumps(operation.example, indent=2, ensure_ascii=False) if operation.example else "",
        "done": ", ".join(str(status) for status in operation.answers),
        "refusals": [(status, REFUSALS[status]) for status in operation.refusals],
    }


@csrf_exempt  # there is nothing to do, so no cookie can do it
def nowhere(request: HttpRequest, rest: str) -> HttpResponse:
    """Answer programs that ask for an address that is none, in their language."""
    return refuse(NotFound(), {})
