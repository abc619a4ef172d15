"""GET or POST /oauth2/userinfo: claims about the signed-in person (OpenID Connect Core section 5.3)."""

from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse

from authority.client_directory import ClientEntry
from authority.endpoints.decorators import endpoint
from authority.models import SignIn
from authority.people import id_tokens
from authority.protocol import cors
from authority.protocol.errors import DESCRIPTIONS, InvalidDpopProofError, TooManyFailuresError, UseDpopNonceError
from authority.telemetry import request_trace
from authority.tokens import bearer
from authority.tokens.validation import ActiveToken
from core import throttling
from core.client_ip import caller_ip
from core.jose.algorithms import ALGORITHMS
from core.rest import responses

DPOP_ALGORITHMS = f'algs="{" ".join(ALGORITHMS)}"'


@endpoint("GET", "POST")
def userinfo(request: HttpRequest) -> HttpResponse:
    scheme, token = bearer.read_authorization(request)
    if scheme not in (bearer.BEARER, bearer.DPOP) or not token:
        return _challenge()
    if _is_sent_twice(request):
        return _challenge(scheme, "invalid_request", "Send the access token in the header Authorization alone.", 400)
    ip = caller_ip(request)
    if seconds := throttling.retry_after(ip, token):
        cors.allow_no_origin()
        raise TooManyFailuresError(seconds)
    try:
        found = bearer.active_token_of(request, scheme, token)
    except (InvalidDpopProofError, UseDpopNonceError) as error:
        return _challenge(scheme, error.error, error.description)
    if found is None:
        request_trace.auth_failed(ip, token)
        return _challenge(scheme, "invalid_token")
    if found.user is None or "openid" not in found.scopes:
        return _challenge(scheme, "insufficient_scope", status=403)
    return _claims_response(found.entry, _claims(found))


def _claims(found: ActiveToken) -> dict[str, Any]:
    assert found.user is not None
    claims = id_tokens.user_claims(found.user, found.scopes)
    if found.user.login_subject is None:
        return claims
    return id_tokens.login_claims(SignIn.objects.filter(pk=found.claims["family_id"]).first()) | claims


def _claims_response(entry: ClientEntry, claims: dict[str, Any]) -> HttpResponse:
    """Return the claims as JSON or, to the client that asks for one, as a signed JWT (section 5.3.2)."""
    if entry.client.userinfo_signed_response_alg:
        return HttpResponse(id_tokens.signed_userinfo(entry, claims), content_type="application/jwt")
    return JsonResponse(claims)


def _is_sent_twice(request: HttpRequest) -> bool:
    """Say whether the token stands in the address, which is logged, or in the body too (RFC 6750 section 2)."""
    try:
        return "access_token" in request.GET or "access_token" in request.POST
    except (SuspiciousOperation, BadRequest):  # a body that cannot be read holds no token for us
        return False


def _challenge(scheme: str = "", code: str = "", description: str = "", status: int = 401) -> HttpResponse:
    """Refuse as RFC 6750 section 3 and RFC 9449 section 7.1 word it.

    A request without a token learns no error code (RFC 6750 section 3.1), but which schemes there are.
    """
    if not code:
        response: HttpResponse = HttpResponse(status=status)
        response["WWW-Authenticate"] = f'Bearer realm="userinfo", DPoP {DPOP_ALGORITHMS}'
        return response
    description = description or DESCRIPTIONS[code]
    request_trace.set_error(code, description=description)
    response = responses.error(code, description, status)
    members = [f'error="{code}", error_description="{description}"']
    if code == "insufficient_scope":
        members.append('scope="openid"')
    if scheme == bearer.DPOP:
        response["WWW-Authenticate"] = f"DPoP {', '.join([*members, DPOP_ALGORITHMS])}"
    else:
        response["WWW-Authenticate"] = f"Bearer {', '.join(['realm="userinfo"', *members])}"
    return response
