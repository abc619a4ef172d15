"""Errors of client registration, with the codes of RFC 7591 section 3.2.2."""

from core.errors import Refusal


class InvalidClientMetadata(Refusal):
    code = "invalid_client_metadata"


class InvalidRedirectURI(Refusal):
    code = "invalid_redirect_uri"
