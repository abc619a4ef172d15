"""httpx for the tests: as patient as servers and databases of a busy machine need it."""

from functools import partial

import httpx

PATIENCE = 120  # seconds

Client = partial(httpx.Client, timeout=PATIENCE)
delete, get, head, options, patch, post, put, request, stream = (
    partial(getattr(httpx, name), timeout=PATIENCE)
    for name in ("delete", "get", "head", "options", "patch", "post", "put", "request", "stream")
)
