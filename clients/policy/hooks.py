"""Rules for token hooks."""

from clients.models import TokenHook
from consumers import policy
from core.errors import Refusal
from core.http_fetch.target import FetchError, target


def token_hook(hook: TokenHook) -> None:
    """Require an address that we may ask, and limits that hold up nobody. Raises Refusal."""
    policy.model_fields(hook, but=("api",))
    try:
        target(hook.url)
    except FetchError as error:
        raise Refusal(f"This address cannot be asked. {error}", field="url") from None
