"""Signing in from a terminal: the device authorization grant (RFC 8628), and refreshing what it gave."""

import time
from typing import Any

from clientdesk.problems import NOT_ALLOWED, Problem
from clientdesk.proof import Proof, public
from clientdesk.remote import Remote

CLIENT_ID = "clientdesk-cli"  # the program's own client, public, which every installation knows
OURSELVES = public(CLIENT_ID)
GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def authorize(remote: Remote, scope: str, client: Proof = OURSELVES) -> dict[str, Any]:
    """Return the codes of RFC 8628 section 3.2."""
    endpoint = remote.discovery().get("device_authorization_endpoint")
    if not endpoint:
        raise Problem("This server does not offer the device flow. Set CLIENTDESK_TOKEN to a personal access token.")
    codes: dict[str, Any] = client.ask(remote, str(endpoint), {"scope": scope} if scope else {})
    return codes


def wait(remote: Remote, codes: dict[str, Any], client: Proof = OURSELVES) -> dict[str, Any]:
    """Ask for the tokens until the person has decided, as slowly as the server wants (RFC 8628 section 3.5)."""
    interval = float(codes.get("interval", 5))
    deadline = time.monotonic() + float(codes["expires_in"])
    endpoint = str(remote.discovery()["token_endpoint"])
    form = {"grant_type": GRANT, "device_code": codes["device_code"]}
    while time.monotonic() < deadline:
        time.sleep(interval)
        try:
            return with_end(client.ask(remote, endpoint, form))
        except Problem as problem:
            if problem.code == "slow_down":
                interval += 5
            elif problem.code == "access_denied":
                raise Problem("The sign-in was refused in the browser.", NOT_ALLOWED) from None
            elif problem.code != "authorization_pending":
                raise
    raise Problem("Nobody confirmed the code in time. Run the command again.", NOT_ALLOWED)


def refresh(remote: Remote, known: dict[str, Any]) -> dict[str, Any]:
    """Return new tokens for those that have ended (RFC 6749 section 6)."""
    form = {
        "grant_type": "refresh_token",
        "refresh_token": known["refresh_token"],
        "client_id": known.get("client_id", CLIENT_ID),
    }
    try:
        fresh = remote.json("POST", str(remote.discovery()["token_endpoint"]), data=form)
    except Problem as problem:
        if problem.code in ("invalid_grant", "invalid_client"):  # the latter by a server that was set up anew
            raise Problem("You have been signed out. Sign in again with `clientdesk login`.", NOT_ALLOWED) from None
        raise
    return known | with_end(fresh)


def with_end(tokens: dict[str, Any]) -> dict[str, Any]:
    return tokens | {"expires_at": time.time() + float(tokens.get("expires_in", 3600))}
