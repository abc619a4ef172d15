"""Forms of passkeys: allauth's, which also refuse what is malformed and what a page of another origin has made."""

import struct
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.conf import settings
from fido2.webauthn import AuthenticationResponse, RegistrationResponse

from consumers.accounts import second_steps
from core import foreign_json

MAX_BYTES = 64 * 1024
# What the parser raises for what no authenticator sends.
MALFORMED = (ValueError, TypeError, KeyError, IndexError, AttributeError, struct.error, RecursionError)

type _Response = type[RegistrationResponse] | type[AuthenticationResponse]


class CredentialField(forms.JSONField):
    """A credential as the browser's script sends it. It is one of this origin: allauth also takes those below it.

    A page at another port, or at a name below ours, may use our passkeys (WebAuthn section 13.4.9).
    """

    widget = forms.HiddenInput

    def __init__(self, response: _Response) -> None:
        super().__init__()
        self.response = response

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        try:
            credential = foreign_json.loads(value, max_bytes=MAX_BYTES)
            origin = self.response.from_dict(credential).response.client_data.origin
        except MALFORMED:
            raise get_adapter().validation_error("incorrect_code") from None
        if origin != settings.PUBLIC_URL and not settings.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN:
            raise get_adapter().validation_error("incorrect_code")
        return credential


class AddForm(AddWebAuthnForm):
    """Propose a passkey, which signs in alone, rather than a second step."""

    credential = CredentialField(RegistrationResponse)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["passwordless"].initial = True


class AuthenticateForm(AuthenticateWebAuthnForm):
    credential = CredentialField(AuthenticationResponse)

    def clean_credential(self) -> Any:
        with second_steps.own_try(self.user):
            return super().clean_credential()


class LoginForm(LoginWebAuthnForm):
    credential = CredentialField(AuthenticationResponse)


class ReauthenticateForm(ReauthenticateWebAuthnForm):
    credential = CredentialField(AuthenticationResponse)

    def clean_credential(self) -> Any:
        with second_steps.own_try(self.user):
            return super().clean_credential()
