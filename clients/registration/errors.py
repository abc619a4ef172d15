"""Errors of dynamic registration: codes of RFC 7591 section 3.2.2 and RFC 6750 section 3.1."""

from core.errors import Refusal
from core.rest.errors import InvalidToken


class InvalidRegistrationToken(InvalidToken):
    """The request's token does not allow this; the error does not tell unknown, expired and others' tokens apart."""

    def __init__(self, description: str = "The token is unknown, has expired, or is for another client.") -> None:
        super().__init__(description)


class InvalidSoftwareStatement(Refusal):
    code = "invalid_software_statement"


class UnapprovedSoftwareStatement(Refusal):
    code = "unapproved_software_statement"
