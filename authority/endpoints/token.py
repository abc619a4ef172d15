"""POST /oauth2/token: a grant in, tokens out (RFC 6749 section 3.2)."""

from contextlib import nullcontext

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse

from authority.client_authentication import dpop, methods
from authority.endpoints.decorators import endpoint, read_form
from authority.protocol import errors
from authority.server.server import server
from authority.tokens.request_context import TokenRequestContext
from clients.vocabulary import GrantType
from core.client_ip import caller_ip
from core.credentials import token_digest


@endpoint("POST")
def token(request: HttpRequest) -> HttpResponse:
    """Authenticate the client, validate the grant, issue tokens: authority/server/validator.py lists the steps.

    What a client gets for itself needs no row, so no transaction. The other grants run in one: of parallel requests
    with the same code or refresh token one wins, and an error leaves nothing behind. A refusal that oauthlib returns
    is committed, because it may have revoked a family of tokens.
    """
    parameters = with_code_digest(read_form(request))
    stateless = parameters.get("grant_type") == GrantType.CLIENT_CREDENTIALS
    context = TokenRequestContext(ip=caller_ip(request), proof=dpop.read(request))
    authorization = request.META.get("HTTP_AUTHORIZATION")
    sent = {} if authorization is None else {"Authorization": authorization}
    if "client_assertion" in parameters:  # the client's keys may have to be fetched, for which no transaction waits
        context.entry = methods.authenticate(parameters, authorization, context.ip)
        context.is_authenticated = True
    try:
        with nullcontext() if stateless else transaction.atomic():
            headers, body, status = server().respond_to_token_request(request.path, parameters, sent, context)
    except IntegrityError:  # client or person were deleted between the validation and the write
        return errors.refuse("invalid_grant")
    if status != 200:
        return errors.from_oauthlib(headers, body, status)
    return HttpResponse(body, content_type="application/json")


def with_code_digest(parameters: dict[str, str]) -> dict[str, str]:
    """Return the parameters with the digest of a code in its place: codes are stored as digests."""
    code = parameters.get("code")
    return parameters if code is None else parameters | {"code": token_digest(code)}
