"""The Python MCP SDK's client as it comes: told an address alone, it connects, and calls the tools.

Runs with the example server's packages. It asks for a browser on standard output, and reads where that came back to.
"""

import asyncio
import json
import sys
from urllib.parse import parse_qs, urlsplit

from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider, TokenStorage
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken


class Memory(TokenStorage):
    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


def say(**message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


async def main() -> None:
    address = json.loads(input())["server"]
    memory, opened = Memory(), []

    async def open_browser(url: str) -> None:
        opened.append(url)
        say(open=url)

    async def returned() -> AuthorizationCodeResult:
        query = parse_qs(urlsplit(json.loads(await asyncio.to_thread(input))["returned"]).query)
        return AuthorizationCodeResult(**{name: query[name][0] for name in ("code", "state", "iss")})

    provider = OAuthClientProvider(
        server_url=address,
        client_metadata=OAuthClientMetadata(
            client_name="Desk assistant", redirect_uris=["http://127.0.0.1:41300/back"]
        ),
        storage=memory,
        redirect_handler=open_browser,
        callback_handler=returned,
    )

    async def call() -> list[str]:
        async with (
            create_mcp_http_client(auth=provider) as http,
            streamable_http_client(address, http_client=http) as (read, write),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            answers = [await session.call_tool("track", {"shipment": "BX-2"}), await session.call_tool("whoami", {})]
            return [answer.content[0].text for answer in answers]

    where, who = await call()
    first = memory.tokens
    provider.context.token_expiry_time = 1  # long ago: the next request refreshes
    again, _ = await call()
    say(
        results={
            "where": where,
            "who": json.loads(who),
            "again": again,
            "opened": opened,
            "client": memory.client.model_dump(mode="json"),
            "first": first.model_dump(),
            "refreshed": memory.tokens.model_dump(),
        }
    )


asyncio.run(main())
