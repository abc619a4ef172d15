"""The hooks that oauthlib calls, each of which is one call into the module that implements it.

A token request passes these steps, in this order. What a step finds out stands in `request.context`, a
TokenRequestContext (authority/tokens/request_context.py), for the steps after it.

1. Form, DPoP proof and caller's address: endpoints/token.py, client_authentication/dpop.py `read`. A code is replaced
   by its digest.
2. Known grant type: server/server.py `validate_token_request`.
3. `authenticate_client`: client_authentication/methods.py `authenticate`, client_authentication/dpop.py `bind`.
4. `validate_grant_type`: the client's registration.
5. The grant itself:
   - client_credentials: `validate_scopes`, tokens/scopes.py.
   - authorization_code: `validate_code`, tokens/codes.py `lock_code`, authorization/sign_ins.py `is_over`,
     tokens/families.py `new_family`; `get_code_challenge`, `get_code_challenge_method` (PKCE); `confirm_redirect_uri`.
   - refresh_token: `validate_refresh_token`, tokens/families.py `lock_refresh_token`, client_authentication/dpop.py
     `bind_or_require`; `get_original_scopes`.
   - device_code: `validate_device_code`, authorization/device_requests.py `lock_allowed`.
6. Resources, and the scopes that belong to them: server/server.py, tokens/resources.py `narrow`.
7. Lifetime and access token: server/server.py, tokens/lifetimes.py, tokens/access_tokens.py `token_template`, which
   adds what the API says (tokens/api_claims.py) and its hook (tokens/token_hooks.py), and signs with a key of
   keys/signing_keys.py.
8. `finalize_id_token`, where `openid` was granted: people/id_tokens.py `issue_id_token`.
9. `save_bearer_token`: tokens/families.py `create` or `rotate`, which spends the code and writes the refresh token.

An authorization request passes `validate_client_id`, `validate_redirect_uri`, authorization/request.py
`check_parameters`, `validate_response_type` and `validate_scopes`; later `_create_authorization_code`.
"""

import hashlib
import hmac
from datetime import timedelta
from typing import Any

from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.settings import oauth2_settings
from oauthlib.oauth2.rfc6749.errors import (
    InvalidClientIdError,
    InvalidGrantError,
    UnsupportedResponseTypeError,
)
from oauthlib.oauth2.rfc6749.utils import scope_to_list

from authority import client_directory
from authority.authorization import device_requests, sign_ins
from authority.client_authentication import dpop, methods
from authority.people import admission, id_tokens
from authority.people.subject import Person
from authority.protocol import redirect_uris
from authority.telemetry import request_trace
from authority.tokens import codes, families, lifetimes, resources
from authority.tokens.request_context import TokenRequestContext
from clients.actions import metadata_documents
from clients.models import Client
from clients.vocabulary import IDENTITY_SCOPES, GrantType
from core import clock
from core.credentials import token_digest
from core.errors import Refusal
from core.jose import base64url


class Validator(OAuth2Validator):
    """One instance serves every thread, so whatever belongs to a request is in the request's context."""

    # -- The client --------------------------------------------------------------------------------------------------

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Have every client authenticated, public ones too."""
        return True

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        context: TokenRequestContext = request.context
        if not context.is_authenticated:
            parameters, authorization = dict(request.decoded_body or []), request.headers.get("Authorization")
            context.entry = methods.authenticate(parameters, authorization, context.ip)
        context.jkt = dpop.bind(context.entry, context.proof)
        request.client = context.entry.client
        return True

    def validate_client_id(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        try:
            metadata_documents.refresh_client(client_id)
        except Refusal as refusal:
            raise InvalidClientIdError(refusal.description, request=request) from None
        entry = client_directory.find(client_id)
        request_trace.set_client(entry.client if entry else None)
        if entry is None:
            return False
        if not entry.is_usable:
            request_trace.set_disabled_reason(entry.client)
            return False
        context = vars(request).setdefault("context", TokenRequestContext())
        context.entry, request.client = entry, entry.client
        return True

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Client, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        if grant_type in client.grant_types:
            return True
        request_trace.set_reason("grant_not_registered", grant=grant_type)
        return False

    # -- The authorization request -----------------------------------------------------------------------------------

    def validate_redirect_uri(self, client_id: str, redirect_uri: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        if redirect_uris.is_registered(redirect_uri, request.client.redirect_uris):
            return True
        request_trace.set_reason("redirect_uri_differs", sent=request_trace.redact_uri(redirect_uri))
        return False

    def validate_response_type(
        self, client_id: str, response_type: str, client: Client, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Serve `code` alone (RFC 9700 section 2.1.2)."""
        if response_type != "code":
            request_trace.set_reason("response_type", sent=response_type)
            raise UnsupportedResponseTypeError(request=request)
        return self.validate_grant_type(client_id, GrantType.AUTHORIZATION_CODE, client, request)

    def _create_authorization_code(self, request: Any, code: dict[str, str], expires: Any = None) -> Any:
        request.claims = {"sign_in": str(request.context.sign_in.pk), "dpop_jkt": getattr(request, "dpop_jkt", None)}
        expires = clock.now() + _code_lifetime()
        return super()._create_authorization_code(request, {**code, "code": token_digest(code["code"])}, expires)

    # -- Scope -------------------------------------------------------------------------------------------------------

    def validate_scopes(
        self, client_id: str, scopes: list[str], client: Client, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        context: TokenRequestContext = request.context
        request.scopes = list(dict.fromkeys(scopes))
        if not scopes:
            if resources.needs_no_scope(context.entry, resources.read_resources(request.resource)):
                return True
            request_trace.set_reason("scope_none")
            return False
        if super().validate_scopes(client_id, scopes, client, request, *args, **kwargs):
            return True
        allowed = context.entry.scopes_for(request.grant_type or GrantType.AUTHORIZATION_CODE)
        request_trace.set_reason("scope_not_granted", scopes=sorted(set(scopes) - set(allowed)))
        return False

    def get_original_scopes(self, refresh_token: str, request: Any, *args: Any, **kwargs: Any) -> list[str]:
        """Return what the person once allowed: asking for less at one refresh gives nothing up (RFC 6749 section 6)."""
        return _still_allowed(request.context.family.scopes, request, request.context.refresh_token.person)

    # -- The code ----------------------------------------------------------------------------------------------------

    def validate_code(self, client_id: str, code: str, client: Client, request: Any, *args: Any, **kwargs: Any) -> bool:
        context: TokenRequestContext = request.context
        found = codes.lock_code(code, client)
        if found is None:
            request_trace.set_reason("code_used" if codes.revoke_issued_tokens(code, client) else "code_unknown")
            return False
        row, person = found
        if row.expires <= clock.now():
            request_trace.set_reason("code_expired")
            return False
        if context.entry.has_signed_out(row.expires - _code_lifetime()):
            request_trace.set_reason("tokens_revoked")
            return False
        if not person.user.is_active:
            request_trace.set_reason("person_inactive")
            return False
        if not request.code_verifier:
            request_trace.set_reason("verifier_missing")
            raise InvalidGrantError("code_verifier is missing.", request=request)
        dpop.require_key(codes.bound_key(row), context.jkt)
        context.code, context.user, context.sign_in = row, person.user, person.sign_in
        granted = scope_to_list(row.scope)
        if sign_ins.is_over(person, granted):
            request_trace.set_reason("sign_in_over")
            return False
        request.scopes = _still_allowed(granted, request, person)
        context.family = families.new_family(
            context.entry,
            person,
            grant_type=GrantType.AUTHORIZATION_CODE,
            code=code,
            scopes=granted,
            dpop_jkt=context.jkt or "",
            resource=row.resource,
        )
        return True

    def invalidate_authorization_code(self, client_id: str, code: str, request: Any, *args: Any, **kwargs: Any) -> None:
        """Do nothing: `families.create` has spent the code."""

    def get_code_challenge(self, code: str, request: Any) -> str | None:
        return request.context.code.code_challenge or None

    def get_code_challenge_method(self, code: str, request: Any) -> str | None:
        if not _matches_challenge(request.code_verifier, request.context.code.code_challenge):
            request_trace.set_reason("verifier_wrong")  # as oauthlib is about to find too
        return "S256"  # the one method that is stored; “plain” proves nothing (RFC 9700 section 2.1.1)

    def get_authorization_code_nonce(self, client_id: str, code: str, redirect_uri: str, request: Any) -> str | None:
        return request.context.code.nonce or None

    def confirm_redirect_uri(
        self, client_id: str, code: str, redirect_uri: str, client: Client, *args: Any, **kwargs: Any
    ) -> bool:
        """Require the address that the code was sent to (RFC 6749 section 4.1.3)."""
        request = args[0]
        if redirect_uri != request.context.code.redirect_uri:
            request_trace.set_reason("code_redirect_uri", sent=request_trace.redact_uri(redirect_uri or ""))
            raise InvalidGrantError("redirect_uri differs from that of the authorization request.", request=request)
        return True

    # -- The refresh token -------------------------------------------------------------------------------------------

    def validate_refresh_token(
        self, refresh_token: str, client: Client, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Lock the token's family, and validate the token; one that was used before revokes the family."""
        context: TokenRequestContext = request.context
        presented = families.lock_refresh_token(context.entry, refresh_token)
        if presented is None:
            return False
        context.refresh_token, context.family = presented, presented.family
        context.user, context.sign_in = presented.person.user, presented.person.sign_in
        dpop.bind_or_require(client, presented.family, context.jkt)
        return True

    # -- The device code ---------------------------------------------------------------------------------------------

    def validate_device_code(self, device_code: str, request: Any) -> None:
        """Raise the error of RFC 8628 section 3.5 unless a person has let the device in."""
        context: TokenRequestContext = request.context
        device, person = device_requests.lock_allowed(context.entry, device_code)
        context.user, context.sign_in = person.user, person.sign_in
        request.scopes = _still_allowed(device.scopes, request, person)
        context.family = device_requests.new_family(context.entry, device, person, context.jkt)

    # -- Tokens ------------------------------------------------------------------------------------------------------

    def save_bearer_token(self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any) -> None:
        """Save the family and its refresh token, unless the client acts for itself."""
        context: TokenRequestContext = request.context
        if context.jkt is not None:
            token["token_type"] = "DPoP"
        if request.grant_type == GrantType.CLIENT_CREDENTIALS:
            return
        assert context.family is not None
        if GrantType.REFRESH_TOKEN not in request.client.grant_types:
            token.pop("refresh_token", None)
        entry, seconds, refresh_token = context.entry, token["expires_in"], token.get("refresh_token")
        if request.grant_type == GrantType.REFRESH_TOKEN:
            families.rotate(entry, context.refresh_token, access_token=seconds, refresh_token=token["refresh_token"])
        else:
            families.create(entry, context.family, access_token=seconds, refresh_token=refresh_token)

    def _check_and_set_request_resource(self, request: Any) -> None:
        """Do nothing: authority/tokens/resources.py validates the resources."""

    def finalize_id_token(self, id_token: dict[str, Any], token: Any, token_handler: Any, request: Any) -> str:
        context: TokenRequestContext = request.context
        return id_tokens.issue_id_token(
            context.entry,
            context.user,
            request.scopes,
            seconds=lifetimes.id_token(context.entry, request.grant_type),
            sign_in=context.sign_in,
            nonce=id_token.get("nonce"),
            access_token=token["access_token"],
            more=context.id_token_claims,
        )

    def _load_id_token(self, token: str) -> None:
        """ID tokens are stateless: no row to tie an access token to."""


def _matches_challenge(verifier: str, challenge: str) -> bool:
    """Say whether the challenge was made of the verifier, as S256 does (RFC 7636 section 4.6)."""
    return hmac.compare_digest(base64url.encode(hashlib.sha256(verifier.encode(errors="replace")).digest()), challenge)


def _still_allowed(scopes: list[str], request: Any, person: Person) -> list[str]:
    """Return what is left of scopes that were granted earlier. Raises InvalidGrantError when nothing is."""
    entry = request.context.entry
    left = [value for value in scopes if value in entry.scopes_for(GrantType.AUTHORIZATION_CODE)]
    if not left:
        request_trace.set_reason("scope_no_longer_allowed", scopes=scopes)
        raise InvalidGrantError("The client may no longer use any of the scopes that were granted.", request=request)
    admitted = admission.scopes_open_to(entry, left, person)
    if not any(value not in IDENTITY_SCOPES for value in admitted) and admitted != left:
        request_trace.set_reason("person_not_admitted")
        raise InvalidGrantError("The person may no longer sign in to apps that use this API.", request=request)
    return admitted


def _code_lifetime() -> timedelta:
    return timedelta(seconds=oauth2_settings.AUTHORIZATION_CODE_EXPIRE_SECONDS)
