"""Forms that are carried out once, however often the browser sends them."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.utils import timezone

from core.models import Submission
from core.sweeps import delete_in_batches

RETENTION = timedelta(days=2)


class AlreadySubmitted(Exception):
    """The same form was carried out before; `outcome` is the address of what it made."""

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome


def new_idempotency_key() -> str:
    """Return the value of a form's hidden field that names this showing of the form."""
    return str(uuid.uuid4())


@contextmanager
def idempotent(*, key: str, user: AbstractBaseUser) -> Iterator[Submission]:
    """Run the block in one transaction with the form's key; the block sets the submission's `outcome`.

    Raises AlreadySubmitted, before the block runs, when the same person's form was carried out. A block that raises
    gives the key back, so that a corrected form can be sent again. Of two submissions at the same moment, the second
    waits for the end of the first at the key, which is taken before the block runs.
    """
    # Within the person's own name space: a key that somebody else made tells nothing, and blocks nobody.
    mine = uuid.uuid5(user.pk, key) if key else uuid.uuid4()
    with transaction.atomic():
        try:
            with transaction.atomic():
                submission = Submission.objects.create(key=mine, user_id=user.pk, outcome="")
        except IntegrityError:
            raise AlreadySubmitted(Submission.objects.get(key=mine).outcome) from None
        yield submission
        submission.save(update_fields=["outcome"])


def delete_old() -> None:
    """Delete the keys of forms that nobody has open any more."""
    delete_in_batches(Submission.objects.filter(created_at__lt=timezone.now() - RETENTION), "created_at")
