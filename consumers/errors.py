"""The one way to say no."""


class Refusal(Exception):
    """A rule forbids the deed. Each door turns it into a form error, an OAuth error or an admin message.

    `code` is the registered error code where a specification has one; `description` is a sentence that tells the
    person what to do; `field` names the form or metadata field that it is about, if any. `detail` is for the
    server's log alone and may hold what the public must not read; `others` are further refusals of the same deed.
    """

    code = "invalid_request"
    status = 400

    def __init__(self, description: str, *, field: str | None = None, detail: str = "") -> None:
        super().__init__(description)
        self.description = description
        self.field = field
        self.detail = detail
        self.others: tuple[Refusal, ...] = ()


class Conflict(Refusal):
    """What was asked for was true a moment ago and is no longer."""

    code = "conflict"
    status = 409
