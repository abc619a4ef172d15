"""The demo's own secrets, made once and kept in a file that only its owner can read."""

import base64
import json
import os
import secrets
from pathlib import Path

from portal import environment


def path() -> Path:
    """Return where the secrets are kept."""
    return environment.data_dir() / "identity.json"


def load() -> dict[str, str]:
    """Return SECRET_KEY, KEY_ENCRYPTION_KEYS and SECRET_PEPPERS; new ones, kept nowhere, before `keep` was called."""
    if path().exists():
        found: dict[str, str] = json.loads(path().read_text())
        return found
    return {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "KEY_ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "SECRET_PEPPERS": f"1:{secrets.token_urlsafe(32)}",
    }


def keep() -> None:
    """Write the secrets down where there are none yet."""
    if path().exists():
        return
    path().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path().with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as file:
        json.dump(load(), file)
    try:
        os.link(partial, path())  # whole or not at all, so that another process never reads half a file
    except FileExistsError:
        pass  # another process was first
    finally:
        partial.unlink()
