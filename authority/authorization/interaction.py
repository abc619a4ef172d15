"""The next step of a person before a client gets its code (OpenID Connect Core sections 3.1.2.1 to 3.1.2.6)."""

from enum import StrEnum

from oauthlib.oauth2.rfc6749.errors import ConsentRequired, LoginRequired

from authority.authorization.flow_state import FlowState
from authority.authorization.request import AuthorizationRequest
from authority.people.browser_authentication import Authentication


class Step(StrEnum):
    SIGN_IN = "sign in"
    SIGN_IN_AGAIN = "sign in again"
    SECOND_FACTOR = "second factor"
    CHOOSE_ACCOUNT = "choose an account"
    CONSENT = "consent"
    NOTHING = "nothing"


def next_step(
    auth_request: AuthorizationRequest,
    now: Authentication | None,
    flow: FlowState | None,
    *,
    at: float,
    is_remembered: bool,
    second_factor: bool,
) -> Step:
    """Return the next step for a person who is authenticated like `now`, when the request was shown at `at`.

    With `second_factor` the client prefers one that the person has not used. Whoever has none continues without, and so
    does whoever may not be asked, or authenticates in another way; acr says so (OpenID Connect Core section 3.1.2.1,
    acr_values).

    Raises LoginRequired or ConsentRequired where prompt=none forbids to ask, and LoginRequired when the person signed
    in as another than the client expects.
    """
    silent = "none" in auth_request.prompts
    if now is None:
        if silent:
            raise LoginRequired()
        return Step.SIGN_IN
    is_fresh = flow is not None and now.at >= flow.since
    if auth_request.subject not in (None, now.subject):
        if silent or is_fresh:
            raise LoginRequired("The person who is signed in is not the one in id_token_hint.")
        return Step.CHOOSE_ACCOUNT
    if "select_account" in auth_request.prompts and not is_fresh and not (flow and flow.chosen == now.subject):
        return Step.CHOOSE_ACCOUNT
    too_long_ago = auth_request.max_age is not None and now.at + auth_request.max_age < at
    if not is_fresh and ("login" in auth_request.prompts or too_long_ago):
        if silent:
            raise LoginRequired("The person signed in longer ago than max_age allows.")
        return Step.SIGN_IN_AGAIN
    if second_factor and not silent and not is_fresh:
        return Step.SECOND_FACTOR
    must_ask = "consent" in auth_request.prompts or not is_remembered
    if must_ask and silent:
        raise ConsentRequired()
    return Step.CONSENT if must_ask else Step.NOTHING
