"""What an answer owes to htmx, by which a page swaps a part of itself."""

from django.http import HttpRequest

TARGET = "HX-Target"  # for the header Vary of whatever asks `is_target`
DIALOG = "dialog"  # the id of the dialog in which pages open forms


def is_target(request: HttpRequest, id: str) -> bool:  # as in HTML
    """Say whether the answer goes into the element with this id, instead of being a page."""
    target: str | None = request.htmx.target  # type: ignore[attr-defined]  # by HtmxMiddleware
    return target == id
