"""A form is carried out once, however often the browser sends it."""

import uuid

from django.db import IntegrityError, transaction

from consumers.models import Submission, User


class AlreadyDone(Exception):
    """The same form was carried out before; `outcome` is the address of what it made."""

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome


def new_key() -> str:
    return str(uuid.uuid4())


def carry_out_once(*, key: str, user: User, outcome: str) -> None:
    """Take the key, in the transaction of the deed. Raises AlreadyDone when somebody took it before.

    Two submissions at the same moment: the second waits for the first's commit, then learns of it here.
    """
    try:
        parsed = uuid.UUID(key)
    except ValueError:
        parsed = uuid.uuid4()  # a form without a usable key is a first submission
    try:
        with transaction.atomic():
            Submission.objects.create(key=parsed, user=user, outcome=outcome)
    except IntegrityError:
        raise AlreadyDone(Submission.objects.get(key=parsed).outcome) from None
