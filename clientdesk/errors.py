"""Errors of a command, and the exit status that scripts see."""

from http import HTTPStatus

# Exit statuses: 0 done, 1 refused or failed, 2 wrong command line, 3 not signed in or not allowed, 4 not found,
# 5 changed by somebody else meanwhile, 6 no answer from the server, 130 stopped by Ctrl-C.
FAILED, USAGE, NOT_ALLOWED, NOT_FOUND, CONFLICT, UNREACHABLE, STOPPED = 1, 2, 3, 4, 5, 6, 130
EXIT_STATUS_OF = {
    HTTPStatus.UNAUTHORIZED: NOT_ALLOWED,
    HTTPStatus.FORBIDDEN: NOT_ALLOWED,
    HTTPStatus.NOT_FOUND: NOT_FOUND,
    HTTPStatus.CONFLICT: CONFLICT,
    HTTPStatus.PRECONDITION_FAILED: CONFLICT,
}


class CommandError(Exception):
    """A sentence for the person at the terminal, and the exit status.

    `code` is the server's error code, such as invalid_client; empty for an error of the program itself.
    """

    def __init__(self, sentence: str, status: int = FAILED, code: str = "") -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
