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

    @property
    def for_programs(self) -> str:
        """The sentence, after the member that it is about: a program has no form to show it at."""
        if self.field is None or self.field in self.description:
            return self.description
        return f"{self.field}: {self.description}"


class Conflict(Refusal):
    """What was asked for was true a moment ago and is no longer."""

    code = "conflict"
    status = 409
