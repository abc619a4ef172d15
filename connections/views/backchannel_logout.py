"""Where a provider says that a session there is over (OpenID Connect Back-Channel Logout 1.0)."""

import hashlib

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from connections.actions import identities
from connections.models import Connection
from connections.relying_party import logout_tokens
from connections.relying_party.failures import SignInFailed
from consumers.audit import Actor, request_origin

KEPT = 900  # seconds that a jti is known, longer than a logout token is accepted


@csrf_exempt
@require_POST
def logout(request: HttpRequest, slug: str) -> HttpResponse:
    """End the sessions that the logout token names: 200, also when there are none (sections 2.7 and 2.8)."""
    connection = Connection.objects.filter(slug=slug).first()
    if connection is None:
        return _error("There is no such connection.", 404)
    try:
        asked = logout_tokens.verify(request.POST.get("logout_token", ""), connection)
    except SignInFailed as failure:
        return _error(f"The logout token is refused: {failure.reason}.", 400)
    digest = hashlib.sha256(f"{connection.issuer} {asked.jti}".encode()).hexdigest()
    if not asked.jti or not cache.add(f"logout-token:{digest}", True, KEPT):
        return _error("The jti is missing, or was used before.", 400)
    actor = Actor(kind="system", id="", label=connection.name, **request_origin(request))
    identities.log_out(connection=connection, subject=asked.subject, sid=asked.sid, actor=actor)
    return _uncached(HttpResponse(status=200))


def _error(description: str, status: int) -> HttpResponse:
    body = {"error": "invalid_request", "error_description": description[:300]}
    return _uncached(JsonResponse(body, status=status))


def _uncached(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "no-store"
    return response
