"""How long texts take that were made to take long."""

import re
import time
from collections.abc import Callable, Iterable

SIZE = 64 * 1024  # characters, more than any door lets through
BUDGET = 0.050  # seconds of this thread's processor
REFERENCE = 0.0035  # seconds that the work of `slowness` takes on the machine for which the budget is set
SIFTING = 1024  # characters of the texts that are sifted: what grows with the square stands out by then
SIFTED = 4  # texts that are tried longer and longer, up to SIZE

type Parts = tuple[str, str, str]  # a beginning, what is repeated, and an end

UNITS = [
    *("a", "A", "0", "9", "é", "\u200b", "\u0301\u0316", "😀", " ", "\t", "\n", "\0", "\\", "'", '"', "`", "x y "),
    *("ey", "ey+", "ey-", "ey.", ".ey", "ey=", "ey/", ".", "..", "-", "_", "=", "+", "~", "~1", "*", "|", "^"),
    *("/", "//", "/../", "/./", "://", ":", "::", ":1", "?", "?a=", "#", "@", "%", "%2F", "%00", "%41", "http://"),
    *("&", "&a", "&a=", "a=b&", "a&", ";", ";a=", "; a=b", "a=b; ", ",", ", ", "a,", "a,b ", "a@b.c,", "<a@b.c>"),
    *("{", "}", '{"a":', "[]", "[[", '"a",', '"a":1,', "\\u0000", "\\ud800", "1e9", "-1", "NaN,", "null,", "1,"),
    *("en,", "en;q=0.1,", "en-", 'W/"a",', '"a", ', "*,", "1h", "1m1s", "T00:", "2026-01-01T", "Z", "127.0.0.1,"),
    *("error ", "error=", 'error="', "client_id ", "client_id=", "HTTP/1", "HTTP/1.1 4", "Basic ", "Basic\t", "<"),
    *("Bearer ", "authorization:", "dpop ", "-----BEGIN ", "-----BEGIN A", "PRIVATE KEY", "openid ", "github action"),
    *("cd", "cdsk_", "[", "]", "> ", "\n> ", "::1,", "a.", "1."),
]
HEADS = [
    *("", "ey", "ey.ey", "Basic ", "Bearer ", "authorization:", "error:", "https://a.example/?", "https://", '{"a":"'),
    *('"', "["),
]


def slowness() -> float:
    """Return how many times as long as REFERENCE this machine takes just now, at least 1: others may be busy on it."""
    took = []
    for _ in range(5):
        began = time.thread_time()
        sum(len(part.strip()) for part in re.findall(r"[a-z]+|,", "ab," * 16_000))
        took.append(time.thread_time() - began)
    return max(1.0, sorted(took)[2] / REFERENCE)


def seconds(run: Callable[..., object], *given: object, budget: float = BUDGET) -> float:
    """Return how long it takes at best of three, on a machine of the speed for which the budget is set."""
    best = float("inf")
    for _ in range(3):
        began = time.thread_time()
        run(*given)
        best = min(best, time.thread_time() - began)
        if best <= budget:
            return best
        if (here := best / slowness()) <= budget:  # of a busy machine, once is enough too
            return here
    return here


def long(parts: Parts, size: int) -> str:
    head, unit, tail = parts
    return head + (unit * (size // len(unit) + 1))[:size] + tail


def worst(read: Callable[[str], object], texts: Iterable[Parts]) -> tuple[float, Parts]:
    """Return how long the reader takes for the worst of the texts, and what that is made of."""
    times = []
    for parts in texts:
        text = long(parts, SIFTING)
        began = time.thread_time()
        read(text)
        times.append((time.thread_time() - began, parts))
    sifted = [parts for _, parts in sorted(times, reverse=True)[:SIFTED]]
    for size in (SIFTING, SIZE // 16, SIZE // 4, SIZE):
        slow = max((seconds(read, long(parts, size)), parts) for parts in sifted)
        if slow[0] > BUDGET:
            break
    return slow
