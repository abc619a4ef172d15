"""What the steps of a token or authorization request tell each other, beside oauthlib's own request.

oauthlib and the toolkit hand one request object from hook to hook. Whatever is ours of it hangs there in one place, as
`request.context`, so that no parameter that somebody sends can be taken for it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from authority.client_authentication.dpop import Proof
from authority.client_directory import ClientEntry
from authority.models import SignIn, TokenFamily
from authority.tokens.access_tokens import TokenTemplate
from authority.tokens.families import PresentedToken
from authority.tokens.token_hooks import HookAnswer
from consumers.models import User


@dataclass(slots=True, repr=False)
class TokenRequestContext:
    """Each member is set by the step of authority/server/validator.py that finds it out, and read by later ones."""

    ip: str | None = None  # the caller's address
    proof: Proof | None = None  # the DPoP proof in the request's header
    is_authenticated: bool = False  # the client is, before the grant is looked at
    entry: ClientEntry = field(init=False)  # the client, by authenticate_client or validate_client_id
    jkt: str | None = None  # the key that new tokens are bound to (RFC 9449), by authenticate_client
    code: Any = field(init=False)  # the row of the authorization code, by validate_code
    refresh_token: PresentedToken = field(init=False)  # by validate_refresh_token
    user: User = field(init=False)  # for whom tokens speak, by the step that validates the grant
    sign_in: SignIn | None = None
    family: TokenFamily | None = None  # None while a client acts for itself
    resources: Collection[str] = ()  # those that the token is for (RFC 8707), after the grant is validated
    template: TokenTemplate = field(init=False)  # of the access token that was issued
    may_wait: bool = False  # no transaction is open, so that a token hook may be asked
    hook_answers: dict[bytes, HookAnswer] = field(default_factory=dict)  # by the question, asked before
    asks_hook: bool = False  # the API of the token has a hook
    id_token_claims: Mapping[str, Any] = field(default_factory=dict)  # that the hook adds to the ID token
