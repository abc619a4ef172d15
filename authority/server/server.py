"""The oauthlib server: the grants that we serve, and how their tokens are made."""

from functools import cache
from typing import Any

import oauthlib.openid
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError, UnsupportedGrantTypeError

from authority.authorization import request as authorization_requests
from authority.server.device_grant import OpenIDDeviceGrant
from authority.server.validator import Validator
from authority.tokens import access_tokens, families, lifetimes, resources
from clients.vocabulary import GrantType
from core import credentials


class Server(oauthlib.openid.Server):
    """OpenID Connect's server without implicit, hybrid, password and whatever else RFC 9700 advises against."""

    def __init__(self, validator: Any, **kwargs: Any) -> None:
        super().__init__(
            validator,
            token_expires_in=lambda request: lifetimes.access_token(request.entry, request.grant_type, request.scopes),
            token_generator=_access_token,
            refresh_token_generator=_refresh_token,
        )
        device_grant = OpenIDDeviceGrant(validator)
        self._response_types = {"code": self.auth_grant_choice}
        self._grant_types = {
            GrantType.CLIENT_CREDENTIALS.value: self.credentials_grant,
            GrantType.AUTHORIZATION_CODE.value: self.openid_connect_auth,  # with an ID token where `openid` was granted
            GrantType.REFRESH_TOKEN.value: self.refresh_grant,
            GrantType.DEVICE_CODE.value: device_grant,
        }
        for grant in (self.auth_grant, self.openid_connect_auth.proxy_target):
            methods = grant._code_challenge_methods
            grant._code_challenge_methods = {"S256": methods["S256"]}  # “plain” proves nothing (RFC 9700 section 2.1.1)
            grant.custom_validators.pre_auth.append(authorization_requests.check)
        for grant in (
            self.auth_grant,
            self.openid_connect_auth.proxy_target,
            self.credentials_grant,
            self.refresh_grant,
            device_grant,
        ):
            grant.custom_validators.post_token.append(_narrow)
        # Else oauthlib takes our JWT access tokens for ID tokens, and ID tokens for bearer tokens.
        self.tokens.pop("JWT")

    def validate_token_request(self, request: Any) -> None:
        super().validate_token_request(request)
        if not request.grant_type:
            raise InvalidRequestError("grant_type is missing.", request=request)
        if request.grant_type not in self.grant_types:
            raise UnsupportedGrantTypeError(request=request)


def _narrow(request: Any) -> None:
    """Keep of the scopes what belongs to the resources of a token request (RFC 8707 section 2.2)."""
    asked = resources.read(request.resource)
    family = vars(request).get("family")  # not a parameter of the request that has this name
    request.scopes, request.resource = resources.choose(
        request.entry, request.scopes, asked, family.resource if family else None
    )


def _access_token(request: Any, refresh_token: bool = False) -> str:
    """Return the access token, of the family that the grant belongs to; a client that acts for itself has none."""
    draft = access_tokens.draft(
        request.entry,
        scopes=request.scopes,
        seconds=request.expires_in,
        family=vars(request).get("family"),
        named=request.resource,
        jkt=request.jkt,
    )
    request.draft = draft  # which other requests may come back to
    return draft.issue()


def _refresh_token(request: Any, refresh_token: bool = False) -> str:
    """Return 256 random bits; a refresh token means nothing to anybody else."""
    return credentials.generate(families.PREFIX)


@cache
def server() -> Server:
    """Return the one server of this process."""
    return Server(Validator())
