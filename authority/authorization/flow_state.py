"""Signed state of an authorization request while the person signs in, chooses an account or consents.

The state is a parameter of our own URL and says when the request began, so that it is known whether the person signed
in for it. The signature in the consent form says which request the person was shown, and who they were.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core import signing

FLOW_STATE_PARAMETER = "ticket"
LIFETIME = 3600  # seconds that a person may take
STATE_SALT, CONSENT_FORM_SALT = (
    "authority.authorization.flow_state.ticket",
    "authority.authorization.flow_state.sign_consent_form",
)


@dataclass(frozen=True, slots=True)
class FlowState:
    """The request began at `since` (seconds since 1970).

    `chosen` is the account to continue with. `after_form` says that the person comes from a form, such as sign-in.
    """

    since: float
    chosen: str = ""
    after_form: bool = False


def _request_digest(parameters: Mapping[str, str]) -> str:
    """Return a digest of the request's parameters."""
    own = sorted((name, value) for name, value in parameters.items() if name != FLOW_STATE_PARAMETER)
    return hashlib.sha256(json.dumps(own).encode()).hexdigest()


def sign_state(
    parameters: Mapping[str, str], *, since: float | None = None, chosen: str = "", after_form: bool = False
) -> str:
    content = {
        "request": _request_digest(parameters),
        "since": since or time.time(),
        "chosen": chosen,
        "after_form": after_form,
    }
    return signing.dumps(content, salt=STATE_SALT)


def verify_state(parameters: Mapping[str, str]) -> FlowState | None:
    """Return the request's state, or None when it is forged, expired or of another request."""
    content = _loads(parameters.get(FLOW_STATE_PARAMETER, ""), STATE_SALT)
    if content is None or content["request"] != _request_digest(parameters):
        return None
    return FlowState(content["since"], content["chosen"], content["after_form"])


def sign_consent_form(parameters: Mapping[str, str], person: str) -> str:
    return signing.dumps(
        {"request": _request_digest(parameters), "person": person, "at": time.time()}, salt=CONSENT_FORM_SALT
    )


def verify_consent_form(signed_request: str, parameters: Mapping[str, str], person: str) -> float | None:
    """Return when the form was made, or None unless it was for this request and this person."""
    content = _loads(signed_request, CONSENT_FORM_SALT)
    if content is None or (content["request"], content["person"]) != (_request_digest(parameters), person):
        return None
    return float(content["at"])


def _loads(text: str, salt: str) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = signing.loads(text, salt=salt, max_age=LIFETIME)
    except signing.BadSignature:
        return None
    return content
