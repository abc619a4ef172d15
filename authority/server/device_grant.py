"""The device_code grant at the token endpoint (RFC 8628 section 3.4): oauthlib's own does not work with the toolkit."""

import json
from typing import Any

from oauthlib.oauth2.rfc6749.errors import InvalidRequestError, OAuth2Error
from oauthlib.oauth2.rfc6749.grant_types.base import GrantTypeBase
from oauthlib.openid.connect.core.grant_types.base import GrantTypeBase as OpenIDGrantTypeBase


class _DeviceGrant(GrantTypeBase):
    def create_token_response(self, request: Any, token_handler: Any) -> tuple[dict[str, str], str, int]:
        """Exchange an allowed device code (RFC 8628 section 3.4)."""
        headers = self._get_default_headers()
        try:
            self.validate_token_request(request)
        except OAuth2Error as error:
            return headers | error.headers, error.json, error.status_code
        token = token_handler.create_token(request, refresh_token=True)
        for modifier in self._token_modifiers:
            token = modifier(token, token_handler, request)
        self.request_validator.save_token(token, request)
        return headers, json.dumps(token), 200

    def validate_token_request(self, request: Any) -> None:
        for check in self.custom_validators.pre_token:
            check(request)
        self.validate_client_authentication(request)
        self.validate_grant_type(request)
        device_code = dict(request.decoded_body or []).get("device_code")
        if not device_code:
            raise InvalidRequestError("device_code is missing.", request=request)
        self.request_validator.validate_device_code(device_code, request)
        for check in self.custom_validators.post_token:
            check(request)


class OpenIDDeviceGrant(OpenIDGrantTypeBase):
    """The same with an ID token, where `openid` was granted (OpenID Connect Core section 3.1.3.3)."""

    def __init__(self, request_validator: Any) -> None:
        self.proxy_target = _DeviceGrant(request_validator)
        self.register_token_modifier(self.add_id_token)
