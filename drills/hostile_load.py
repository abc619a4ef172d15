"""Hundreds of hostile connections of every kind at once, from many addresses, beside one honest client.

The honest client asks for tokens, JWKS, liveness and a page.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

EACH, ADDRESSES = 200, 50
BUILD_UP = 3.0  # seconds until the attackers are there
HEAD = b"POST /oauth2/token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
BODY = HEAD + b"Content-Length: 1000\r\n\r\n"
CHUNKED = HEAD.replace(b"POST /oauth2/token", b"GET /health/alive") + b"Transfer-Encoding: chunked\r\n\r\n"

type Attack = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Target:
    """A server, and what a member's token may export from it."""

    url: str
    token: str
    service: tuple[str, str]

    @property
    def token_request(self) -> dict[str, Any]:
        form = {"grant_type": "client_credentials"}
        return {"method": "POST", "url": "/oauth2/token", "auth": self.service, "data": form}

    @property
    def host(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        assert parts.hostname
        assert parts.port
        return parts.hostname, parts.port


async def silent_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(BODY)
    await reader.read()


def dripping(head: bytes, drop: bytes) -> Attack:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            await asyncio.sleep(1)
            writer.write(drop)
            await writer.drain()

    return drip


async def idle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"GET /health/alive HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    await reader.readuntil(b"}")
    await reader.read()


async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


def slow_reader(token: str) -> Attack:
    async def read_slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"GET /admin/activity/export HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %b\r\n\r\n"
            % token.encode()
        )
        while await reader.read(64):
            await asyncio.sleep(1)

    return read_slowly


async def attack(target: Target, kind: Attack, address: str, until: float) -> None:
    """Do it again and again."""
    while time.monotonic() < until:
        writer = None
        try:
            reader, writer = await asyncio.open_connection(*target.host, local_addr=(address, 0), limit=1024)
            await asyncio.wait_for(kind(reader, writer), until - time.monotonic())
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await asyncio.sleep(0.2)
        finally:
            if writer is not None:
                writer.close()


async def honest(target: Target, seconds: float) -> dict[str, list[float]]:
    """Return the seconds that each request took, by what was asked for. Whatever fails takes for ever."""
    took: dict[str, list[float]] = defaultdict(list)
    asked: dict[str, dict[str, Any]] = {
        "token": target.token_request,
        "JWKS": {"method": "GET", "url": "/.well-known/jwks.json"},
        "liveness": {"method": "GET", "url": "/health/alive"},
        "page": {"method": "GET", "url": "/account/login/"},
    }
    until = time.monotonic() + seconds
    async with httpx.AsyncClient(base_url=target.url, timeout=30) as client:
        while time.monotonic() < until:
            for name, request in asked.items():
                begun = time.perf_counter()
                try:
                    response = await client.request(**request)
                    failed = response.status_code != 200
                except httpx.TransportError:
                    failed = True
                took[name].append(float("inf") if failed else time.perf_counter() - begun)
            await asyncio.sleep(0.02)
    return took


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def figures(took: dict[str, list[float]]) -> str:
    """Return the 50th and 99th percentile of each, in milliseconds."""
    return ", ".join(
        f"{name} {percentile(each, 0.5) * 1000:.1f} / {percentile(each, 0.99) * 1000:.1f}"
        for name, each in took.items()
    )


async def under_load(target: Target, seconds: float, kinds: dict[str, Attack]) -> dict[str, list[float]]:
    """Return what an honest client's requests take beside EACH connections of every kind."""
    until = time.monotonic() + seconds + BUILD_UP
    addresses = [f"127.0.0.{2 + number % ADDRESSES}" for number in range(EACH)]
    attacks = [
        asyncio.create_task(attack(target, kind, address, until)) for kind in kinds.values() for address in addresses
    ]
    try:
        await asyncio.sleep(BUILD_UP)
        return await honest(target, seconds)
    finally:
        for task in attacks:
            task.cancel()
        await asyncio.gather(*attacks, return_exceptions=True)


def kinds(token: str) -> dict[str, Attack]:
    return {
        "silent bodies": silent_body,
        "dripping bodies": dripping(BODY, b"a"),
        "dripping chunks": dripping(CHUNKED, b"1\r\na\r\n"),
        "half heads": dripping(HEAD, b"X-More: 1\r\n"),
        "idle": idle,
        "nothing": nothing,
        "slow readers": slow_reader(token),
    }
