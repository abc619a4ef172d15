"""Does an authorization request hold? Asked for what a browser brings, and for what a client pushes."""

from collections.abc import Mapping
from urllib.parse import urlencode

from authority.authorization.request import JUDGED, Asked, read_acr, read_max_age, read_prompts, read_subject
from authority.protocol.errors import InvalidRequestError, OAuth2Error
from authority.server.server import server
from authority.tokens import resources

PATH = "/oauth2/authorize"


def judge(parameters: Mapping[str, str], *, is_pushed: bool = False) -> Asked:
    """Return what is asked.

    Raises FatalClientError while client or redirect URI are not proven. From then on the errors say where they may
    be sent: `redirect_uri`, `state`, `response_mode`.
    """
    scopes, credentials = server().validate_authorization_request(address(parameters))
    request = credentials["request"]
    entry = request.entry
    try:
        if entry.client.require_pushed_authorization_requests and not is_pushed:  # RFC 9126 section 5
            raise InvalidRequestError("This client must push its requests to pushed_authorization_request_endpoint.")
        kept, named = resources.choose(entry, scopes, resources.read(parameters.get("resource")))
        return Asked(
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


def address(parameters: Mapping[str, str], **more: str) -> str:
    """Return the request as oauthlib reads it."""
    judged = {name: parameters[name] for name in JUDGED if name in parameters} | more
    return f"{PATH}?{urlencode(judged)}"
