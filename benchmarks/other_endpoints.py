"""Other endpoints beside oidc-provider's: requests per CPU-second of server and database.

Run it with `uv run python -m benchmarks.other_endpoints [keys] [introspection] [codes] [refreshing]`, on the terms of
benchmarks/harness.py. Everything is signed by ES256, and oidc-provider keeps its rows in the same PostgreSQL.
Introspection is of JWTs with a look-up of revoked ones here, of opaque tokens there: oidc-provider introspects no JWTs.
A code or a refresh token gives a JWT, an ID token and the next refresh token; each is used once.
"""

import sys
from dataclasses import replace
from urllib.parse import urlencode

import httpx

from benchmarks import people
from benchmarks.harness import FORM, Target, compare
from benchmarks.servers import Clientdesk, clientdesk, oidc_provider

# More than are used in the warming and three rounds at 16 connections.
CODES, THEIR_CODES, CHAINS = 40_000, 40_000, 100


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


def keys(ours: Clientdesk) -> None:
    with oidc_provider("ES256", ours.postgres) as peer:
        compare([reading_keys(peer, "/jwks"), reading_keys(ours, "/.well-known/jwks.json")], (16,))


def introspection(ours: Clientdesk) -> None:
    with oidc_provider("ES256", ours.postgres, "opaque") as peer:
        compare([introspecting(peer, "/token/introspection"), introspecting(ours, "/oauth2/introspect")], (16,))


def codes(ours: Clientdesk) -> None:
    with oidc_provider("ES256", ours.postgres) as peer:
        compare([people.of_oidc_provider(peer, THEIR_CODES), people.of_clientdesk(ours, CODES)], (16,))


def refreshing(ours: Clientdesk) -> None:
    with oidc_provider("ES256", ours.postgres) as peer:
        both = people.of_oidc_provider(peer, CHAINS), people.of_clientdesk(ours, CHAINS)
        compare([people.refreshing(each, CHAINS) for each in both], (16,))


if __name__ == "__main__":
    known = {each.__name__: each for each in (keys, introspection, codes, refreshing)}
    with clientdesk() as ours:
        for name in sys.argv[1:] or known:
            print(f"\n{name}")
            known[name](ours)
