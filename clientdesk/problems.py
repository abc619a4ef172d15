"""What can go wrong in a terminal, and the exit status that scripts see."""

from http import HTTPStatus

# Exit statuses: 0 done, 1 refused or failed, 2 the command line is wrong, 3 not signed in or not allowed, 4 no such
# thing, 5 somebody else changed it meanwhile, 6 the server does not answer.
FAILED, USAGE, NOT_ALLOWED, NOT_FOUND, CONFLICT, UNREACHABLE = 1, 2, 3, 4, 5, 6
BY_STATUS = {
    HTTPStatus.UNAUTHORIZED: NOT_ALLOWED,
    HTTPStatus.FORBIDDEN: NOT_ALLOWED,
    HTTPStatus.NOT_FOUND: NOT_FOUND,
    HTTPStatus.CONFLICT: CONFLICT,
    HTTPStatus.PRECONDITION_FAILED: CONFLICT,
}


class Problem(Exception):
    """A sentence for the person at the terminal, and the status to leave with."""

    def __init__(self, sentence: str, status: int = FAILED, code: str = "") -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
