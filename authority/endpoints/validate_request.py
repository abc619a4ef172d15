"""Validation of authorization requests, from the browser and pushed by the client."""

from collections.abc import Mapping
from urllib.parse import urlencode

from authority.authorization.request import (
    VALIDATED_PARAMETERS,
    AuthorizationRequest,
    read_acr,
    read_max_age,
    read_prompts,
    read_subject,
)
from authority.protocol.errors import InvalidRequestError, OAuth2Error
from authority.server.server import server
from authority.tokens import resources
from authority.tokens.request_context import TokenRequestContext

PATH = "/oauth2/authorize"


def validate_request(parameters: Mapping[str, str], *, is_pushed: bool = False) -> AuthorizationRequest:
    """Return the valid authorization request.

    Raises FatalClientError while client or redirect URI are not known to be valid. Later errors say where they may
    be sent: `redirect_uri`, `state`, `response_mode`.
    """
    scopes, credentials = server().validate_authorization_request(authorization_uri(parameters))
    request = credentials["request"]
    context: TokenRequestContext = request.context
    entry = context.entry
    try:
        if entry.client.require_pushed_authorization_requests and not is_pushed:  # RFC 9126 section 5
            raise InvalidRequestError("This client must push its requests to pushed_authorization_request_endpoint.")
        kept, named = resources.narrow(entry, scopes, resources.read_resources(parameters.get("resource")))
        return AuthorizationRequest(
            entry=entry,
            redirect_uri=request.redirect_uri,
            response_mode=request.response_mode or "query",
            state=request.state,
            scopes=kept,
            resources=named,
            prompts=read_prompts(parameters),
            max_age=read_max_age(parameters, entry),
            acr=read_acr(parameters, entry),
            login_hint=parameters.get("login_hint", ""),
            subject=read_subject(parameters, entry),
        )
    except OAuth2Error as error:
        error.redirect_uri, error.state = request.redirect_uri, request.state
        error.response_mode = request.response_mode
        raise


def authorization_uri(parameters: Mapping[str, str], **more: str) -> str:
    """Return the request as the URI that oauthlib reads."""
    validated = {name: parameters[name] for name in VALIDATED_PARAMETERS if name in parameters} | more
    return f"{PATH}?{urlencode(validated)}"
