"""Writes of token hooks."""

from django.db import transaction

from clients.events import ClientEvent
from clients.models import Api, HookFailure, TokenHook
from clients.policy import hooks as rules
from consumers import audit
from consumers.audit import Actor
from consumers.scopes import AUDIENCE
from core.db import rows
from core.errors import Conflict, Refusal


@transaction.atomic
def set_token_hook(
    *,
    api: Api,
    url: str,
    timeout: int = 2000,
    failure: str = HookFailure.OPEN,
    cache_seconds: int = 60,
    actor: Actor,
) -> TokenHook:
    """Ask this server for claims of the API's tokens, from the next token on. Raises Refusal."""
    api = rows.lock(api)
    if api.identifier == AUDIENCE:
        raise Refusal("This is the portal's own API: nobody else decides what its tokens say.")
    hook = TokenHook.objects.filter(api=api).first() or TokenHook(api=api)
    values = {"url": url, "timeout": timeout, "failure": failure, "cache_seconds": cache_seconds}
    changed = rows.assign(hook, values)
    if not changed and hook.pk:
        return hook
    rules.token_hook(hook)
    hook.save()
    audit.record(ClientEvent.TOKEN_HOOK_SET, actor=actor, target=api, detail={"url": _shown(url), "fields": changed})
    return hook


@transaction.atomic
def delete_token_hook(*, api: Api, actor: Actor) -> None:
    """Ask nobody for claims of the API's tokens any more. Raises Conflict where there is no hook."""
    hook = TokenHook.objects.select_for_update().filter(api=api).first()
    if hook is None:
        raise Conflict("This API has no token hook any more.")
    audit.record(ClientEvent.TOKEN_HOOK_DELETED, actor=actor, target=api, detail={"url": _shown(hook.url)})
    hook.delete()


def _shown(url: str) -> str:
    """Return the address without its query, in which some keep a secret."""
    return url.partition("?")[0]
