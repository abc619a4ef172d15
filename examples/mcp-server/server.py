"""A small MCP server. Clients that nobody has set up find your Clientdesk, register themselves and ask the person."""

import os
from typing import Any

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer

from verifier import ISSUER, RESOURCE, Verifier

SHIPMENTS = {"BX-1": "Rotterdam", "BX-2": "Oslo"}

server = MCPServer(
    "Shipments",
    token_verifier=Verifier(),
    # With these the SDK serves the protected resource metadata (RFC 9728), which names the issuer and the scope.
    auth=AuthSettings(
        issuer_url=ISSUER,
        resource_server_url=RESOURCE,
        required_scopes=["tracking:read"],
        validate_token_resource=True,
    ),
)


@server.tool()
def track(shipment: str) -> str:
    """Say where a shipment is."""
    return SHIPMENTS.get(shipment, "unknown")


@server.tool()
def whoami() -> dict[str, Any]:
    """Say which person and which client the access token stands for."""
    token = get_access_token()
    return {"person": token.subject, "client_id": token.client_id, "scopes": token.scopes}


if __name__ == "__main__":
    server.run("streamable-http", host="127.0.0.1", port=int(os.environ.get("PORT", "8002")))
