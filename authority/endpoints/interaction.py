"""A browser at the authorization endpoint: its request, and the URLs at which it goes on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from authority.authorization import flow_state
from authority.authorization.flow_state import FLOW_STATE_PARAMETER, FlowState
from authority.authorization.request import AuthorizationRequest
from authority.authorization.sign_in_rules import SignInRule
from authority.endpoints.decorators import REPEATABLE
from authority.models import PushedRequest


@dataclass(frozen=True, slots=True)
class Interaction:
    """A browser at the endpoint, with a valid authorization request."""

    request: HttpRequest
    parameters: Mapping[str, str]  # of the URL
    resolved: Mapping[str, str]  # these, or those of the pushed request
    auth_request: AuthorizationRequest
    rule: SignInRule
    flow: FlowState | None
    pushed: PushedRequest | None = field(repr=False)

    def url(self, name: str = "authorize", **more: str) -> str:
        return url_of(name, dict(self.parameters) | more)

    def coming_back(self, chosen: str = "", *, after_form: bool = True) -> str:
        """Return the URL at which the request continues, with the time when it began."""
        since = self.flow.since if self.flow else None
        signed = flow_state.sign_state(self.parameters, since=since, chosen=chosen, after_form=after_form)
        return self.url(**{FLOW_STATE_PARAMETER: signed})

    @property
    def request_url(self) -> str:
        """Return the authorization request as the client sent it, for the provider's own login."""
        own = {name: value for name, value in self.parameters.items() if name != FLOW_STATE_PARAMETER}
        return public_url(url_of("authorize", own))

    @property
    def after_form(self) -> bool:
        return self.flow is not None and self.flow.after_form


def public_url(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}"


def url_of(name: str, parameters: Mapping[str, str]) -> str:
    pairs = [
        (name, value) for name, text in parameters.items() for value in (text.split() if name == REPEATABLE else [text])
    ]
    return f"{reverse(name)}?{urlencode(pairs)}"
