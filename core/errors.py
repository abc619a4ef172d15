"""Domain errors."""


class Refusal(Exception):
    """A rule forbids the change. Pages turn it into a form error, endpoints into an OAuth error.

    `code` is the registered error code where a specification has one; `description` is a sentence that tells the
    person what to do; `field` names the form or metadata field that it is about, if any. `detail` is for the
    server's log alone and may hold what the public must not read; `others` are further refusals of the same change.
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
    """The state that the request relies on has changed."""

    code = "conflict"
    status = 409


class PreconditionFailed(Conflict):
    """RFC 9110 section 13.1.1: the entity tag is another one by now."""

    code = "precondition_failed"
    status = 412

    def __init__(self) -> None:
        super().__init__("It has changed since you read it. Read it again, then repeat your change.")
