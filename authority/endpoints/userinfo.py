"""GET or POST /oauth2/userinfo: who signed in? (OpenID Connect Core section 5.3)"""

from django.http import HttpRequest, HttpResponse, JsonResponse

from authority import identity, tokens
from authority.endpoints.protocol import endpoint
from authority.errors import DESCRIPTIONS


@endpoint("GET", "POST")
def userinfo(request: HttpRequest) -> HttpResponse:
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return challenge()
    found = tokens.access(token.strip())
    if found is None:
        return challenge("invalid_token")
    if found.user is None or "openid" not in found.scopes:
        return challenge("insufficient_scope", status=403)
    return JsonResponse(identity.claims(found.user, found.scopes))


def challenge(code: str = "", status: int = 401) -> HttpResponse:
    """Refuse as RFC 6750 section 3 words it; a request without a token learns no error code (section 3.1)."""
    if not code:
        response = HttpResponse(status=status)
        response["WWW-Authenticate"] = 'Bearer realm="userinfo"'
        return response
    response = JsonResponse({"error": code, "error_description": DESCRIPTIONS[code]}, status=status)
    scope = ', scope="openid"' if code == "insufficient_scope" else ""
    response["WWW-Authenticate"] = (
        f'Bearer realm="userinfo", error="{code}", error_description="{DESCRIPTIONS[code]}"{scope}'
    )
    return response
