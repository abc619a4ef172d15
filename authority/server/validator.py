"""What oauthlib asks, in the order in which a token request runs: each step is one call into the module that knows."""

import hashlib
import hmac
from typing import Any

from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.oauth2.rfc6749.errors import (
    InvalidClientIdError,
    InvalidGrantError,
    UnsupportedResponseTypeError,
)
from oauthlib.oauth2.rfc6749.utils import scope_to_list

from authority import client_directory
from authority.authorization import device_requests, sign_ins
from authority.client_authentication import dpop, methods
from authority.client_directory import Entry
from authority.people import id_tokens
from authority.protocol import redirect_uris
from authority.telemetry import request_trace
from authority.tokens import codes, families, lifetimes, resources
from clients.actions import metadata_documents
from clients.models import Client
from clients.vocabulary import GrantType
from core.digests import digest
from core.errors import Refusal
from core.jose import jws

# Where our doors put the caller's address among the headers; no header of a request can have this name.
CALLER_IP = "clientdesk.ip"
PROOF = "clientdesk.proof"  # that the sender holds a key, or None


class Validator(OAuth2Validator):
    """One instance serves every thread, so whatever belongs to a request lives on the request: `entry`, `grant`."""

    # -- The client --------------------------------------------------------------------------------------------------

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Send every client, public ones too, through the one door below."""
        return True

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        headers = request.headers
        _know(
            request,
            methods.authenticate(
                dict(request.decoded_body or []), headers.get("Authorization"), headers.get(CALLER_IP)
            ),
        )
        request.jkt = dpop.bind(request.entry, headers.get(PROOF))
        return True

    def validate_client_id(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        try:
            metadata_documents.ensure(client_id)
        except Refusal as refusal:
            raise InvalidClientIdError(refusal.description, request=request) from None
        entry = client_directory.find(client_id)
        request_trace.about(entry.client if entry else None)
        if entry is None:
            return False
        if not entry.is_usable:
            request_trace.because_unusable(entry.client)
            return False
        _know(request, entry)
        return True

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Client, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        if grant_type in client.grant_types:
            return True
        request_trace.because("grant_not_registered", grant=grant_type)
        return False

    # -- The authorization request -----------------------------------------------------------------------------------

    def validate_redirect_uri(self, client_id: str, redirect_uri: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        if redirect_uris.allowed(redirect_uri, request.client.redirect_uris):
            return True
        request_trace.because("redirect_uri_differs", sent=request_trace.address(redirect_uri))
        return False

    def validate_response_type(
        self, client_id: str, response_type: str, client: Client, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Serve `code` alone (RFC 9700 section 2.1.2)."""
        if response_type != "code":
            request_trace.because("response_type", sent=response_type)
            raise UnsupportedResponseTypeError(request=request)
        return self.validate_grant_type(client_id, GrantType.AUTHORIZATION_CODE, client, request)

    def _create_authorization_code(self, request: Any, code: dict[str, str], expires: Any = None) -> Any:
        request.claims = {"sign_in": str(request.sign_in.pk), "dpop_jkt": getattr(request, "dpop_jkt", None)}
        return super()._create_authorization_code(request, {**code, "code": digest(code["code"])}, expires)

    # -- Scope -------------------------------------------------------------------------------------------------------

    def validate_scopes(
        self, client_id: str, scopes: list[str], client: Client, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        request.scopes = list(dict.fromkeys(scopes))
        if not scopes:
            if resources.needs_no_scope(request.entry, resources.read(request.resource)):
                return True
            request_trace.because("scope_none")
            return False
        if super().validate_scopes(client_id, scopes, client, request, *args, **kwargs):
            return True
        allowed = request.entry.scopes_for(request.grant_type or GrantType.AUTHORIZATION_CODE)
        request_trace.because("scope_not_granted", scopes=sorted(set(scopes) - set(allowed)))
        return False

    def get_original_scopes(self, refresh_token: str, request: Any, *args: Any, **kwargs: Any) -> list[str]:
        """Return what the person once allowed: asking for less at one refresh gives nothing up (RFC 6749 section 6)."""
        return _still_allowed(request.family.scopes, request)

    # -- The code ----------------------------------------------------------------------------------------------------

    def validate_code(self, client_id: str, code: str, client: Client, request: Any, *args: Any, **kwargs: Any) -> bool:
        found = codes.lock(code, client)
        if found is None:
            request_trace.because("code_used" if codes.revoke_what_it_gave(code, client) else "code_unknown")
            return False
        grant, person = found
        if grant.is_expired():
            request_trace.because("code_expired")
            return False
        if request.entry.has_revoked(grant.created):
            request_trace.because("tokens_revoked")
            return False
        if not person.user.is_active:
            request_trace.because("person_inactive")
            return False
        if not request.code_verifier:
            request_trace.because("verifier_missing")
            raise InvalidGrantError("code_verifier is missing.", request=request)
        dpop.require_key(codes.bound_to(grant), request.jkt)
        request.grant, request.user, request.sign_in = grant, person.user, person.sign_in
        granted = scope_to_list(grant.scope)
        if sign_ins.is_over(person, granted):
            request_trace.because("sign_in_over")
            return False
        request.scopes = _still_allowed(granted, request)
        request.family = families.new(
            request.entry,
            person,
            grant_type=GrantType.AUTHORIZATION_CODE,
            code=code,
            scopes=granted,
            dpop_jkt=request.jkt or "",
            resource=grant.resource,
        )
        return True

    def invalidate_authorization_code(self, client_id: str, code: str, request: Any, *args: Any, **kwargs: Any) -> None:
        """Leave it to `families.begin`, which has spent it."""

    def get_code_challenge(self, code: str, request: Any) -> str | None:
        return request.grant.code_challenge or None

    def get_code_challenge_method(self, code: str, request: Any) -> str | None:
        if not _proves(request.code_verifier, request.grant.code_challenge):
            request_trace.because("verifier_wrong")  # as oauthlib is about to find too
        return request.grant.code_challenge_method or None

    def get_authorization_code_nonce(self, client_id: str, code: str, redirect_uri: str, request: Any) -> str | None:
        return request.grant.nonce or None

    def confirm_redirect_uri(
        self, client_id: str, code: str, redirect_uri: str, client: Client, *args: Any, **kwargs: Any
    ) -> bool:
        """Require the address that the code was sent to (RFC 6749 section 4.1.3)."""
        request = args[0]
        if redirect_uri != request.grant.redirect_uri:
            request_trace.because("code_redirect_uri", sent=request_trace.address(redirect_uri or ""))
            raise InvalidGrantError("redirect_uri differs from that of the authorization request.", request=request)
        return True

    # -- The refresh token -------------------------------------------------------------------------------------------

    def validate_refresh_token(
        self, refresh_token: str, client: Client, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Judge the token while nobody else changes its family; one that was spent before ends the family."""
        spent = families.present(request.entry, refresh_token)
        if spent is None:
            return False
        request.spent, request.family = spent, spent.family
        request.user, request.sign_in = spent.person.user, spent.person.sign_in
        dpop.hold_on(client, request.family, request.jkt)
        return True

    # -- The device code ---------------------------------------------------------------------------------------------

    def validate_device_code(self, device_code: str, request: Any) -> None:
        """Raise the error of RFC 8628 section 3.5 unless a person has let the device in."""
        device, person = device_requests.present(request.entry, device_code)
        request.user, request.sign_in = person.user, person.sign_in
        request.scopes = _still_allowed(device.scopes, request)
        request.family = device_requests.family(request.entry, device, person, request.jkt)

    # -- Tokens ------------------------------------------------------------------------------------------------------

    def save_bearer_token(self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any) -> None:
        """Write down the family and its refresh token, if this is no client that acts for itself."""
        if request.jkt is not None:
            token["token_type"] = "DPoP"
        if request.grant_type == GrantType.CLIENT_CREDENTIALS:
            return
        if GrantType.REFRESH_TOKEN not in request.client.grant_types:
            token.pop("refresh_token", None)
        seconds, refresh_token = token["expires_in"], token.get("refresh_token")
        if request.grant_type == GrantType.REFRESH_TOKEN:
            families.rotate(request.entry, request.spent, access_token=seconds, refresh_token=token["refresh_token"])
        else:
            families.begin(request.entry, request.family, access_token=seconds, refresh_token=refresh_token)

    def _check_and_set_request_resource(self, request: Any) -> None:
        """Leave the resources to authority/tokens/resources.py, which has judged them by then."""

    def finalize_id_token(self, id_token: dict[str, Any], token: Any, token_handler: Any, request: Any) -> str:
        return id_tokens.id_token(
            request.entry,
            request.user,
            request.scopes,
            seconds=lifetimes.id_token(request.entry, request.grant_type),
            sign_in=request.sign_in,
            nonce=id_token.get("nonce"),
            access_token=token["access_token"],
        )

    def _load_id_token(self, token: str) -> None:
        """ID tokens are stateless: no row to tie an access token to."""


def _know(request: Any, entry: Entry) -> None:
    request.entry, request.client = entry, entry.client


def _proves(verifier: str, challenge: str) -> bool:
    """Say whether the challenge was made of the verifier, as S256 does (RFC 7636 section 4.6)."""
    return hmac.compare_digest(jws.to_base64(hashlib.sha256(verifier.encode(errors="replace")).digest()), challenge)


def _still_allowed(scopes: list[str], request: Any) -> list[str]:
    """Return what is left of scopes that were granted earlier. Raises InvalidGrantError when nothing is."""
    left = [value for value in scopes if value in request.entry.scopes_for(GrantType.AUTHORIZATION_CODE)]
    if not left:
        request_trace.because("scope_withdrawn", scopes=scopes)
        raise InvalidGrantError("The client may no longer use any of the scopes that were granted.", request=request)
    return left
