"""Carries out a change of keys in child processes, each killed one statement later than the one before.

Run by test_keys.py with a database's name and a deed; prints what each child left behind, and what a restart made of
it, as JSON.
"""

import json
import os
import signal
import sys
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from authority.keys import rotation  # noqa: E402
from authority.models import SigningKey  # noqa: E402
from consumers.audit import SYSTEM  # noqa: E402

LONG_AGO = timedelta(days=100)


def age() -> None:
    """Make the rotation due; that of RSA keys would only take longer."""
    then, keys = timezone.now() - LONG_AGO, SigningKey.objects.filter(algorithm="ES256")
    keys.update(created_at=then)
    keys.filter(state="active").update(activated_at=then)


def states() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"active": [], "next": [], "retired": [], "revoked": []}
    for state, kid in SigningKey.objects.filter(algorithm="ES256").values_list("state", "kid"):
        found[state].append(kid)
    return found


def rotate() -> None:
    rotation.rotate(SigningKey.objects.get(algorithm="ES256", state="active"), actor=SYSTEM)


def revoke() -> None:
    rotation.revoke(SigningKey.objects.get(algorithm="ES256", state="active"), actor=SYSTEM)


def killed_before(number: int, deed) -> bool:
    """Do the deed in a child that kills itself before that statement; say whether it did."""
    connection.close()
    child = os.fork()
    if child == 0:
        count = 0

        def count_down(execute, *args):
            nonlocal count
            count += 1
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return execute(*args)

        with connection.execute_wrapper(count_down):
            deed()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def main(database: str, deed: str) -> None:
    connection.settings_dict["NAME"] = database
    rotation.maintain()
    steps = []
    for number in range(1, 200):
        age()
        before = states()
        killed = killed_before(number, {"rotate": rotate, "revoke": revoke}[deed])
        left = states()
        rotation.maintain()
        steps.append({"before": before, "left": left, "resumed": states()})
        if not killed:
            break
    json.dump(steps, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
