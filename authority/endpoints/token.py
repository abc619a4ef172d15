"""POST /oauth2/token: a grant in, tokens out (RFC 6749 section 3.2)."""

from contextlib import nullcontext

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse

from authority.client_authentication import dpop, methods
from authority.endpoints.decorators import endpoint, read_form
from authority.protocol import errors
from authority.server.server import server
from authority.tokens import token_hooks
from authority.tokens.request_context import TokenRequestContext
from authority.tokens.token_hooks import HookAnswer, HookFailedError, HookNeeded
from clients.vocabulary import GrantType
from core.client_ip import caller_ip
from core.credentials import token_digest

MAX_QUESTIONS = 3  # a role that is given in the meantime makes the question to a token hook another


@endpoint("POST")
def token(request: HttpRequest) -> HttpResponse:
    """Authenticate the client, validate the grant, issue tokens: authority/server/validator.py lists the steps.

    What a client gets for itself needs no row, so no transaction. The other grants run in one: of parallel requests
    with the same code or refresh token one wins, and an error leaves nothing behind. A refusal that oauthlib returns
    is committed, because it may have revoked a family of tokens.
    """
    parameters = with_code_digest(read_form(request))
    proof, ip = dpop.read(request), caller_ip(request)
    authorization = request.META.get("HTTP_AUTHORIZATION")
    entry = None
    if "client_assertion" in parameters:  # the client's keys may have to be fetched, for which no transaction waits
        entry = methods.authenticate(parameters, authorization, ip)
    answers: dict[bytes, HookAnswer] = {}
    for _ in range(MAX_QUESTIONS):
        context = TokenRequestContext(ip=ip, proof=proof, hook_answers=answers)
        if entry is not None:
            context.entry, context.is_authenticated = entry, True
        try:
            return _respond(request.path, parameters, authorization, context)
        except HookNeeded as needed:  # the transaction is rolled back, and waits for no other server
            answers[needed.question.key] = token_hooks.ask(needed.question)
    raise HookFailedError()


def _respond(
    path: str, parameters: dict[str, str], authorization: str | None, context: TokenRequestContext
) -> HttpResponse:
    """Take the steps of the grant. Raises HookNeeded where a token hook has to be asked first."""
    context.may_wait = stateless = parameters.get("grant_type") == GrantType.CLIENT_CREDENTIALS
    sent = {} if authorization is None else {"Authorization": authorization}
    try:
        with nullcontext() if stateless else transaction.atomic():
            headers, body, status = server().respond_to_token_request(path, parameters, sent, context)
    except IntegrityError:  # client or person were deleted between the validation and the write
        return errors.refuse("invalid_grant")
    if status != 200:
        return errors.from_oauthlib(headers, body, status)
    return HttpResponse(body, content_type="application/json")


def with_code_digest(parameters: dict[str, str]) -> dict[str, str]:
    """Return the parameters with the digest of a code in its place: codes are stored as digests."""
    code = parameters.get("code")
    return parameters if code is None else parameters | {"code": token_digest(code)}
