"""Rate limits on what costs others something, such as mail: of views, and budgets of what is given back when used.

Counted in the cache that all processes share.
"""

import time
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import Any, cast

from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

View = Callable[..., HttpResponse]


def rate_limited(rate: str, action: str = "form", *, any_method: bool = False) -> Callable[[View], View]:
    """Answer 429 to POST requests beyond the rate, such as “30/h/user”, or to those of any method.

    It counts all views that share rate and action.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            counts = any_method or request.method == "POST"
            if counts and not ratelimit.consume(
                request, app="portal", action=action, config={action: rate}, limit_get=any_method
            ):
                return cast(HttpResponse, ratelimit.respond_429(request))
            return view(request, *args, **kwargs)

        return limited

    return decorate


def count_request(
    request: HttpRequest, rate: str, what: str, refusal: Callable[[int], Exception], key: str | None = None
) -> None:
    """Count one request of any method. Raises the refusal, with the seconds to wait, beyond the rate."""
    if not ratelimit.consume(request, app="portal", action=what, config={what: rate}, key=key, limit_get=True):
        raise refusal(int(ratelimit.parse_rate(rate).duration))


class Budget:
    """So many of something under each key in each period, such as (5, 3600): five in an hour."""

    def __init__(self, name: str, *limits: tuple[int, int]) -> None:
        self.name = name
        self.limits = limits
        self.longest = max(seconds for _, seconds in limits)

    def spend(self, key: str) -> float:
        """Spend one; return 0, or the seconds until there is one again, and then nothing is spent."""
        with ratelimit.cache_lock(self._cache_key(key)) as is_locked:
            if not is_locked:
                return float(ratelimit.CACHE_LOCK_TIMEOUT)
            spent, now = self._spent(key), time.time()
            waits = [spent[-amount] + seconds - now for amount, seconds in self.limits if len(spent) >= amount]
            if (wait := max(waits, default=0.0)) > 0:
                return wait
            cache.set(self._cache_key(key), [*spent, now], self.longest)
            return 0.0

    def refund(self, key: str) -> None:
        """Give the last one back that was spent."""
        with ratelimit.cache_lock(self._cache_key(key)) as is_locked:
            if is_locked and (spent := self._spent(key)):
                cache.set(self._cache_key(key), spent[:-1], self.longest)

    def _spent(self, key: str) -> list[float]:
        """Return when each was spent that still counts, the oldest first."""
        spent: list[float] = cache.get(self._cache_key(key), [])
        return [at for at in spent if at > time.time() - self.longest]

    def _cache_key(self, key: str) -> str:
        return f"budget:{self.name}:{sha256(key.encode()).hexdigest()}"
