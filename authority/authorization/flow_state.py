"""What an authorization request carries with it while the person signs in, chooses an account or answers: signed notes.

A ticket stands in our own address and says since when the request is under way, so that it can be told whether the
person signed in for it. A seal stands in a form and says which request the person was shown, and who they were.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core import signing

TICKET = "ticket"
LIFETIME = 3600  # seconds that a person may take
TICKET_SALT, SEAL_SALT = "authority.authorization.flow_state.ticket", "authority.authorization.flow_state.seal"


@dataclass(frozen=True, slots=True)
class Ticket:
    """The request is under way since this moment (seconds since 1970).

    `chosen` is the account to go on with. `after_form` tells that the person comes from a form, such as to sign in.
    """

    since: float
    chosen: str = ""
    after_form: bool = False


def _digest(parameters: Mapping[str, str]) -> str:
    """Return what tells a request from every other."""
    own = sorted((name, value) for name, value in parameters.items() if name != TICKET)
    return hashlib.sha256(json.dumps(own).encode()).hexdigest()


def issue(
    parameters: Mapping[str, str], *, since: float | None = None, chosen: str = "", after_form: bool = False
) -> str:
    content = {
        "request": _digest(parameters),
        "since": since or time.time(),
        "chosen": chosen,
        "after_form": after_form,
    }
    return signing.dumps(content, salt=TICKET_SALT)


def read(parameters: Mapping[str, str]) -> Ticket | None:
    """Return the request's ticket; one that is forged, has ended or belongs to another request is none."""
    content = _opened(parameters.get(TICKET, ""), TICKET_SALT)
    if content is None or content["request"] != _digest(parameters):
        return None
    return Ticket(content["since"], content["chosen"], content["after_form"])


def seal(parameters: Mapping[str, str], person: str) -> str:
    return signing.dumps({"request": _digest(parameters), "person": person, "at": time.time()}, salt=SEAL_SALT)


def sealed_at(seal: str, parameters: Mapping[str, str], person: str) -> float | None:
    """Return when this request was shown to this person, or None when it was another one or somebody else."""
    content = _opened(seal, SEAL_SALT)
    if content is None or (content["request"], content["person"]) != (_digest(parameters), person):
        return None
    return float(content["at"])


def _opened(text: str, salt: str) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = signing.loads(text, salt=salt, max_age=LIFETIME)
    except signing.BadSignature:
        return None
    return content
