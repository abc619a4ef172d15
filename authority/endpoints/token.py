"""POST /oauth2/token: a grant in, tokens out (RFC 6749 section 3.2)."""

from contextlib import nullcontext
from urllib.parse import urlencode

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse

from authority.client_authentication import dpop
from authority.endpoints.decorators import endpoint, read_form
from authority.protocol import errors
from authority.server.server import server
from authority.server.validator import CALLER_IP, PROOF
from clients.vocabulary import GrantType
from core.client_ip import caller_ip
from core.digests import digest


@endpoint("POST")
def token(request: HttpRequest) -> HttpResponse:
    """Authenticate the client, judge the grant, issue.

    What a client gets for itself needs no row, so no transaction. The other grants run in one: of parallel requests
    with the same code or refresh token one wins, and an error leaves nothing behind. A refusal that oauthlib returns
    is committed, because it may have ended a family of tokens.
    """
    parameters = hashed(read_form(request))
    stateless = parameters.get("grant_type") == GrantType.CLIENT_CREDENTIALS
    sent = {CALLER_IP: caller_ip(request), PROOF: dpop.read(request)}
    if (authorization := request.META.get("HTTP_AUTHORIZATION")) is not None:
        sent["Authorization"] = authorization
    try:
        with nullcontext() if stateless else transaction.atomic():
            headers, body, status = server().create_token_response(request.path, "POST", urlencode(parameters), sent)
    except IntegrityError:  # client or person were deleted between the question and the answer
        return errors.refuse("invalid_grant")
    if status != 200:
        return errors.from_oauthlib(headers, body, status)
    return HttpResponse(body, content_type="application/json")


def hashed(parameters: dict[str, str]) -> dict[str, str]:
    """Return the parameters with the digest of a code as the code: what rests is compared to that."""
    code = parameters.get("code")
    return parameters if code is None else parameters | {"code": digest(code)}
