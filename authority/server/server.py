"""The oauthlib server: the grants that we serve, and how their tokens are made."""

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any
from urllib.parse import urlencode

from oauthlib.common import Request
from oauthlib.oauth2.rfc6749.endpoints import AuthorizationEndpoint, TokenEndpoint
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError, UnsupportedGrantTypeError
from oauthlib.oauth2.rfc6749.grant_types import AuthorizationCodeGrant, ClientCredentialsGrant
from oauthlib.oauth2.rfc6749.tokens import BearerToken
from oauthlib.oauth2.rfc6749.utils import scope_to_list
from oauthlib.openid.connect.core import grant_types as openid
from oauthlib.openid.connect.core.grant_types.dispatchers import AuthorizationCodeGrantDispatcher

from authority.authorization.request import check_parameters, require_s256
from authority.server.device_grant import OpenIDDeviceGrant
from authority.server.validator import Validator
from authority.tokens import access_tokens, families, lifetimes, resources, token_hooks
from authority.tokens.request_context import TokenRequestContext
from authority.tokens.token_hooks import HookNeeded
from clients.vocabulary import GrantType
from core import credentials


class AuthorizationServer(AuthorizationEndpoint, TokenEndpoint):
    """oauthlib's two endpoints, without implicit, hybrid, password and whatever else RFC 9700 advises against.

    Its resource, introspection and revocation endpoints would take ID tokens for bearer tokens; ours do not use them.
    """

    def __init__(self, validator: Validator) -> None:
        bearer = BearerToken(validator, _access_token, _access_token_lifetime, _refresh_token)
        oauth_code_grant = AuthorizationCodeGrant(validator)
        openid_code_grant = openid.AuthorizationCodeGrant(validator)
        self.credentials_grant = ClientCredentialsGrant(validator)
        refresh_grant = openid.RefreshTokenGrant(validator)
        device_grant = OpenIDDeviceGrant(validator)
        AuthorizationEndpoint.__init__(
            self,
            default_response_type="code",
            default_token_type=bearer,
            response_types={
                "code": AuthorizationCodeGrantDispatcher(default_grant=oauth_code_grant, oidc_grant=openid_code_grant)
            },
        )
        TokenEndpoint.__init__(
            self,
            default_grant_type=GrantType.AUTHORIZATION_CODE.value,
            default_token_type=bearer,
            grant_types={
                GrantType.CLIENT_CREDENTIALS.value: self.credentials_grant,
                GrantType.AUTHORIZATION_CODE.value: openid_code_grant,  # with an ID token where `openid` was granted
                GrantType.REFRESH_TOKEN.value: refresh_grant,
                GrantType.DEVICE_CODE.value: device_grant,
            },
        )
        for grant in (oauth_code_grant, openid_code_grant.proxy_target):
            grant.custom_validators.pre_auth.append(check_parameters)
            grant.custom_validators.post_auth.append(require_s256)
        for grant in (openid_code_grant.proxy_target, self.credentials_grant, refresh_grant, device_grant):
            grant.custom_validators.post_token.append(_narrow_to_resources)

    def respond_to_token_request(
        self, uri: str, parameters: Mapping[str, str], headers: Mapping[str, str], context: TokenRequestContext
    ) -> tuple[dict[str, str], str, int]:
        """Return headers, body and status, as `create_token_response` does, for a request with a context of ours."""
        request = Request(uri, "POST", urlencode(parameters), headers)
        request.context = context
        self.validate_token_request(request)
        request.scopes = scope_to_list(request.scope)
        grant = self.grant_types[request.grant_type]
        return grant.create_token_response(request, self.default_token_type)  # type: ignore[no-any-return]

    def validate_token_request(self, request: Any) -> None:
        super().validate_token_request(request)
        if not request.grant_type:
            raise InvalidRequestError("grant_type is missing.", request=request)
        if request.grant_type not in self.grant_types:
            raise UnsupportedGrantTypeError(request=request)


def _narrow_to_resources(request: Any) -> None:
    """Keep of the scopes what belongs to the resources of a token request (RFC 8707 section 2.2)."""
    context: TokenRequestContext = request.context
    requested = resources.read_resources(request.resource)
    granted = context.family.resource if context.family else None
    request.scopes, context.resources = resources.narrow(context.entry, request.scopes, requested, granted)


def _access_token_lifetime(request: Any) -> int:
    context: TokenRequestContext = request.context
    return lifetimes.access_token(context.entry, request.grant_type, request.scopes)


def _access_token(request: Any, refresh_token: bool = False) -> str:
    """Return the access token, of the family that the grant belongs to; a client that acts for itself has none."""
    context: TokenRequestContext = request.context
    context.template = access_tokens.token_template(
        context.entry,
        scopes=request.scopes,
        seconds=request.expires_in,
        family=context.family,
        named=context.resources,
        jkt=context.jkt,
        ext=(context.sign_in.claims or {}).get("access_token") if context.sign_in else None,
        ask=partial(_hook_claims, request) if context.entry.api_tokens else None,
    )
    return context.template.issue()


def _hook_claims(request: Any, content: Mapping[str, Any], audiences: Sequence[str]) -> Mapping[str, Any]:
    """Return what the API's token hook adds to the access token. Raises HookNeeded, where it may not be asked now."""
    context: TokenRequestContext = request.context
    question = token_hooks.question_about(context.entry, content, audiences, request.grant_type)
    if question is None:
        return {}
    context.asks_hook = True
    answer = context.hook_answers.get(question.key) or token_hooks.known_answer(question)
    if answer is None:
        if not context.may_wait:
            raise HookNeeded(question)
        answer = token_hooks.ask(question)
    answer = token_hooks.claims_or_refuse(question, answer)
    context.id_token_claims = answer.id_token
    return answer.access_token


def _refresh_token(request: Any, refresh_token: bool = False) -> str:
    """Return 256 random bits; a refresh token means nothing to anybody else."""
    return credentials.generate(families.PREFIX)


@cache
def server() -> AuthorizationServer:
    """Return the one server of this process."""
    return AuthorizationServer(Validator())
