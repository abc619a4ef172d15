"""Why a client may not register itself, in the codes of RFC 7591 section 3.2.2 and RFC 6750 section 3.1."""

from core.errors import Refusal


class InvalidToken(Refusal):
    """The token of the request lets nobody do this; it does not say whether it is unknown, spent or another's."""

    code = "invalid_token"
    status = 401

    def __init__(self, description: str = "The token is unknown, has ended, or is for another client.") -> None:
        super().__init__(description)


class AccessDenied(Refusal):
    code = "access_denied"
    status = 403


class InvalidSoftwareStatement(Refusal):
    code = "invalid_software_statement"


class UnapprovedSoftwareStatement(Refusal):
    code = "unapproved_software_statement"
