"""Where the signed-in person's tokens are kept: a file that only they can read, or the system's keyring."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from clientdesk.problems import Problem

SERVICE = "clientdesk"
ELSEWHERE = "Name another folder in CLIENTDESK_HOME."


def folder() -> Path:
    named = os.environ.get("CLIENTDESK_HOME")
    return Path(named) if named else user_config_path("clientdesk", appauthor=False)


@contextmanager
def alone() -> Iterator[None]:
    """Keep other runs of the program waiting meanwhile, where the system can lock a file."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with open(made() / "lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def made() -> Path:
    """Return the folder, made where there was none, in which the program may write."""
    place = folder()
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Problem(f"{place} can't be made: {error.strerror}. {ELSEWHERE}") from None
    if not os.access(place, os.W_OK):
        raise Problem(f"{place} can't be written to. {ELSEWHERE}")
    return place


def settings() -> dict[str, Any]:
    """Return what is remembered: the endpoint in use, and for each endpoint its tokens or where they are."""
    file = folder() / "credentials.json"
    try:
        document = json.loads(file.read_text())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Problem(f"{file} can't be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        document = None
    known = document.get("endpoints", {}) if isinstance(document, dict) else None
    if not isinstance(known, dict) or not all(isinstance(each, dict) for each in known.values()):
        raise Problem(f"{file} is damaged. Delete it, and sign in again with `clientdesk login`.")
    return dict(document)


def write(document: dict[str, Any]) -> None:
    """Write the file anew, never readable by others, not for a moment."""
    place = made()
    draft = place / f"credentials.{os.getpid()}.tmp"
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(document, file, indent=2)
    draft.replace(place / "credentials.json")


def remember(endpoint: str, tokens: dict[str, Any], *, in_keyring: bool) -> str:
    """Keep the tokens; return where."""
    document = settings()
    known = document.setdefault("endpoints", {})
    if in_keyring:
        keyring().set_password(SERVICE, endpoint, json.dumps(tokens))
        known[endpoint] = {"keyring": True}
    else:
        known[endpoint] = tokens
    document["endpoint"] = endpoint
    write(document)
    return "the system's keyring" if in_keyring else str(folder() / "credentials.json")


def recall(endpoint: str) -> dict[str, Any]:
    """Return the tokens for an endpoint; empty where there are none."""
    known = settings().get("endpoints", {}).get(endpoint, {})
    if known.get("keyring"):
        return dict(json.loads(keyring().get_password(SERVICE, endpoint) or "{}"))
    return dict(known)


def forget(endpoint: str) -> None:
    document = settings()
    known = document.get("endpoints", {}).pop(endpoint, {})
    if known.get("keyring"):
        keyring().delete_password(SERVICE, endpoint)
    write(document)


def keyring() -> Any:
    try:
        import keyring as system
    except ImportError:
        raise Problem("The keyring is an extra: install clientdesk[keyring].") from None
    return system
