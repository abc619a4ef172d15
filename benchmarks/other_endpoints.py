"""The list of keys, and introspection, beside oidc-provider's: requests per CPU-second of server and database.

Run it with `uv run python -m benchmarks.other_endpoints`, on the terms of benchmarks/harness.py. Introspection is of
ES256 tokens with a look-up of revoked ones here, of opaque tokens in the same PostgreSQL there: oidc-provider
introspects no JWTs.
"""

from contextlib import ExitStack
from dataclasses import replace
from urllib.parse import urlencode

import httpx

from benchmarks.harness import FORM, Target, compare
from benchmarks.servers import clientdesk, oidc_provider


def reading_keys(target: Target, path: str) -> Target:
    return replace(target, url=str(httpx.URL(target.url).copy_with(path=path)), body="")


def introspecting(target: Target, path: str) -> Target:
    """Ask about a token that the target has just issued."""
    headers = {"Authorization": f"Basic {target.basic}", **FORM}
    issued = httpx.post(target.url, content=target.body, headers=headers).raise_for_status().json()
    url = str(httpx.URL(target.url).copy_with(path=path))
    body = urlencode({"token": issued["access_token"]})
    answer = httpx.post(url, content=body, headers=headers).raise_for_status().json()
    assert answer["active"] is True
    return replace(target, url=url, body=body)


def list_of_keys() -> None:
    with ExitStack() as stack:
        ours, peer = stack.enter_context(clientdesk()), stack.enter_context(oidc_provider("ES256"))
        print("\nthe list of keys")
        compare([reading_keys(peer, "/jwks"), reading_keys(ours, "/.well-known/jwks.json")], (16,))


def introspection() -> None:
    with ExitStack() as stack:
        ours = stack.enter_context(clientdesk())
        peer = stack.enter_context(oidc_provider("ES256", ours.postgres))
        print("\nintrospection")
        compare([introspecting(peer, "/token/introspection"), introspecting(ours, "/oauth2/introspect")], (16,))


if __name__ == "__main__":
    list_of_keys()
    introspection()
