"""What the pages of sign-in share."""

from allauth.account.utils import get_next_redirect_url
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from connections.actions import identities
from connections.models import Connection
from connections.relying_party.claims import Person
from connections.relying_party.failures import SignInFailed
from consumers.audit import Actor, request_origin
from consumers.models import User


def anybody(request: HttpRequest) -> Actor:
    """Return the actor of a request before it is known who sends it."""
    return Actor(kind="person", id="", label="Somebody", **request_origin(request))


def live_connection(slug: str) -> Connection:
    """Return a connection by which somebody can sign in. Raises SignInFailed for one that is off or deleted."""
    connection = Connection.objects.live().filter(slug=slug).first()
    if connection is None:
        raise SignInFailed("off")
    return connection


def failed(
    request: HttpRequest,
    slug: str,
    failure: SignInFailed,
    person: Person | None = None,
) -> HttpResponse:
    """Say why the sign-in came to nothing and what to do, and keep the reason for operators."""
    connection = Connection.objects.filter(slug=slug).first()
    name = connection.name if connection is not None else "Your identity provider"
    if connection is not None:
        actor = Actor.of(request) if isinstance(request.user, User) else anybody(request)
        identities.record_refusal(connection=connection, failure=failure, person=person, actor=actor)
    next_url = get_next_redirect_url(request) or ""
    context = {
        "connection": connection,
        "title": failure.words.title.format(name=name),
        "text": failure.words.text.format(name=name),
        "reason": failure.reason,
        "email": person.email if person is not None else "",
        "next": next_url,
        "connect_url": reverse("connections:connect", args=[slug]) if failure.reason == "unproven" else "",
        "can_retry": connection is not None and connection.sign_in != "off" and failure.reason != "unknown",
        "has_other_ways": connection is None or connection.sign_in != "required",
    }
    response = render(request, "connections/failed.html", context, status=failure.words.status)
    response.headers["Cache-Control"] = "no-store"
    return response
