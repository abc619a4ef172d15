"""Errors of the management API, besides the refusals of the actions."""

from core.errors import Refusal


class InvalidRequest(Refusal):
    code = "invalid_request"


class InvalidToken(Refusal):
    """RFC 6750 section 3.1."""

    code = "invalid_token"
    status = 401


class MissingToken(InvalidToken):
    """The request shows no token, so that its challenge names no error (RFC 6750 section 3.1)."""


class InsufficientScope(Refusal):
    """RFC 6750 section 3.1."""

    code = "insufficient_scope"
    status = 403


class AccessDenied(Refusal):
    code = "access_denied"
    status = 403


class NotFound(Refusal):
    """What does not exist, and what the caller may not know of: one answer, to the byte."""

    code = "not_found"
    status = 404

    def __init__(self) -> None:
        super().__init__("There is no such thing, or it is beyond the reach of this token.")


class MethodNotAllowed(Refusal):
    code = "invalid_request"
    status = 405


class TooLarge(Refusal):
    code = "invalid_request"
    status = 413


class UnsupportedMediaType(Refusal):
    code = "invalid_request"
    status = 415


class TooManyRequests(Refusal):
    """RFC 6585 section 4; it says when to come back."""

    code = "too_many_requests"
    status = 429

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many requests. Wait {seconds} seconds, and send fewer at a time.")
        self.seconds = seconds
