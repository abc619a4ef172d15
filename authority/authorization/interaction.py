"""What must the person do before a client gets its code? OpenID Connect Core sections 3.1.2.1 to 3.1.2.6."""

from enum import StrEnum

from oauthlib.oauth2.rfc6749.errors import ConsentRequired, LoginRequired

from authority.authorization.flow_state import Ticket
from authority.authorization.request import Asked
from authority.people.browser_authentication import Authentication


class Step(StrEnum):
    SIGN_IN = "sign in"
    SIGN_IN_AGAIN = "sign in again"
    SECOND_FACTOR = "second factor"
    CHOOSE_ACCOUNT = "choose an account"
    CONSENT = "consent"
    NOTHING = "nothing"


def next_step(
    asked: Asked,
    now: Authentication | None,
    ticket: Ticket | None,
    *,
    at: float,
    is_remembered: bool,
    second_factor: bool,
) -> Step:
    """Return what comes next for a person who is authenticated like `now`, when the request was shown at `at`.

    With `second_factor` the client would like one that the person has not shown. Whoever has none goes on without, and
    so does whoever may not be asked, or proves themselves in another way; acr says so (OpenID Connect Core section
    3.1.2.1, acr_values).

    Raises LoginRequired or ConsentRequired where the client forbade to ask, and LoginRequired when the person signed in
    as another than the client expects.
    """
    silent = "none" in asked.prompts
    if now is None:
        if silent:
            raise LoginRequired()
        return Step.SIGN_IN
    is_fresh = ticket is not None and now.at >= ticket.since
    if asked.subject not in (None, now.subject):
        if silent or is_fresh:
            raise LoginRequired("Another person is signed in than id_token_hint names.")
        return Step.CHOOSE_ACCOUNT
    if "select_account" in asked.prompts and not is_fresh and not (ticket and ticket.chosen == now.subject):
        return Step.CHOOSE_ACCOUNT
    too_long_ago = asked.max_age is not None and now.at + asked.max_age < at
    if not is_fresh and ("login" in asked.prompts or too_long_ago):
        if silent:
            raise LoginRequired("The person signed in longer ago than max_age allows.")
        return Step.SIGN_IN_AGAIN
    if second_factor and not silent and not is_fresh:
        return Step.SECOND_FACTOR
    must_ask = "consent" in asked.prompts or not is_remembered
    if must_ask and silent:
        raise ConsentRequired()
    return Step.CONSENT if must_ask else Step.NOTHING
