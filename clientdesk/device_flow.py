"""The device authorization grant (RFC 8628), by which people sign in from a terminal, and refreshing its tokens."""

import time
from typing import Any

from clientdesk.api_client import ApiClient
from clientdesk.client_authentication import ClientAuthentication, public_client
from clientdesk.errors import NOT_ALLOWED, CommandError

CLIENT_ID = "clientdesk-cli"  # the program's own public client
_CLI_CLIENT = public_client(CLIENT_ID)
_GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"


def request_codes(api: ApiClient, scope: str, client: ClientAuthentication = _CLI_CLIENT) -> dict[str, Any]:
    """Return the device authorization response (RFC 8628 section 3.2)."""
    endpoint = api.discovery().get("device_authorization_endpoint")
    if not endpoint:
        raise CommandError(
            "This server does not support the device flow. Set CLIENTDESK_TOKEN to a personal access token."
        )
    codes: dict[str, Any] = client.post(api, str(endpoint), {"scope": scope} if scope else {})
    return codes


def poll_for_tokens(
    api: ApiClient, codes: dict[str, Any], client: ClientAuthentication = _CLI_CLIENT
) -> dict[str, Any]:
    """Poll the token endpoint at the server's interval until the person has decided (RFC 8628 section 3.5)."""
    interval = float(codes.get("interval", 5))
    deadline = time.monotonic() + float(codes["expires_in"])
    endpoint = str(api.discovery()["token_endpoint"])
    form = {"grant_type": _GRANT_TYPE, "device_code": codes["device_code"]}
    while time.monotonic() < deadline:
        time.sleep(interval)
        try:
            return _with_expires_at(client.post(api, endpoint, form))
        except CommandError as error:
            if error.code == "slow_down":
                interval += 5
            elif error.code == "access_denied":
                raise CommandError("The sign-in was refused in the browser.", NOT_ALLOWED) from None
            elif error.code != "authorization_pending":
                raise
    raise CommandError("The code expired before anybody confirmed it. Run the command again.", NOT_ALLOWED)


def refresh(api: ApiClient, tokens: dict[str, Any]) -> dict[str, Any]:
    """Return new tokens for expired ones (RFC 6749 section 6)."""
    form = {
        "grant_type": "refresh_token",
        "refresh_token": tokens["refresh_token"],
        "client_id": tokens.get("client_id", CLIENT_ID),
    }
    try:
        fresh = api.json("POST", str(api.discovery()["token_endpoint"]), data=form)
    except CommandError as error:
        if error.code in ("invalid_grant", "invalid_client"):  # the latter by a server that was set up again
            message = "You have been signed out. Sign in again with `clientdesk login`."
            raise CommandError(message, NOT_ALLOWED) from None
        raise
    return tokens | _with_expires_at(fresh)


def _with_expires_at(tokens: dict[str, Any]) -> dict[str, Any]:
    """Return the tokens with `expires_at`, in seconds since 1970."""
    return tokens | {"expires_at": time.time() + float(tokens.get("expires_in", 3600))}
