"""Rate limits on views that cost others something, such as mail."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from allauth.core.internal import ratelimit
from django.http import HttpRequest, HttpResponse

View = Callable[..., HttpResponse]


def rate_limited(rate: str) -> Callable[[View], View]:
    """Answer 429 to POST requests beyond the rate, which counts all views that share it: such as “30/h/user”."""

    def decorate(view: View) -> View:
        @wraps(view)
        def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method == "POST" and not ratelimit.consume(
                request, app="portal", action="form", config={"form": rate}
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
