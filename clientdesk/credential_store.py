"""Store the tokens of the signed-in person: in a file that only they can read, or in the system's keyring."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from clientdesk.errors import CommandError
from clientdesk.files import replacing, reserving

_KEYRING_SERVICE = "clientdesk"
_TOKENS = 16 * 1024  # bytes; what is stored of one sign-in takes less
_OTHER_FOLDER = "Name another folder in CLIENTDESK_HOME."


def _folder() -> Path:
    named = os.environ.get("CLIENTDESK_HOME")
    return Path(named) if named else user_config_path("clientdesk", appauthor=False)


def credentials_file() -> Path:
    return _folder() / "credentials.json"


@contextmanager
def locked() -> Iterator[None]:
    """Hold an exclusive lock between runs of the program, where the system can lock a file."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with open(ensure_folder() / "lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def ensure_folder() -> Path:
    """Return the folder, created where there is none. Raises CommandError where it can't be written to."""
    place = _folder()
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise CommandError(f"{place} can't be created: {error.strerror}. {_OTHER_FOLDER}") from None
    if not os.access(place, os.W_OK):
        raise CommandError(f"{place} can't be written to. {_OTHER_FOLDER}")
    return place


def load() -> dict[str, Any]:
    """Return the stored document: the endpoint in use, and for each endpoint its tokens or where they are."""
    file = credentials_file()
    try:
        document = json.loads(file.read_text())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise CommandError(f"{file} can't be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        document = None
    endpoints = document.get("endpoints", {}) if isinstance(document, dict) else None
    if not isinstance(endpoints, dict) or not all(isinstance(each, dict) for each in endpoints.values()):
        raise CommandError(f"{file} is damaged. Delete it, and sign in again with `clientdesk login`.")
    return dict(document)


def load_tokens(endpoint: str) -> dict[str, Any]:
    """Return the tokens for an endpoint; empty where there are none."""
    stored = load().get("endpoints", {}).get(endpoint, {})
    if stored.get("keyring"):
        return dict(json.loads(_keyring().get_password(_KEYRING_SERVICE, endpoint) or "{}"))
    return dict(stored)


def save_tokens(endpoint: str, tokens: dict[str, Any], *, in_keyring: bool) -> str:
    """Store the tokens for an endpoint, which becomes the one in use; return where they are, in words."""
    document = load()
    endpoints = document.setdefault("endpoints", {})
    if in_keyring:
        _keyring().set_password(_KEYRING_SERVICE, endpoint, json.dumps(tokens))
        endpoints[endpoint] = {"keyring": True}
    else:
        endpoints[endpoint] = tokens
    document["endpoint"] = endpoint
    _write(document)
    return "the system's keyring" if in_keyring else str(credentials_file())


def delete_tokens(endpoint: str) -> None:
    document = load()
    stored = document.get("endpoints", {}).pop(endpoint, {})
    if stored.get("keyring"):
        _keyring().delete_password(_KEYRING_SERVICE, endpoint)
    _write(document)


@contextmanager
def room_for_tokens() -> Iterator[None]:
    """Make sure, before the block asks for tokens that can be had only once, that they can be stored.

    Raises CommandError.
    """
    ensure_folder()
    file = credentials_file()
    try:
        size = file.stat().st_size if file.exists() else 0
        with reserving(file, size + _TOKENS):
            yield
    except OSError as error:
        raise _unwritable(error) from None


def _write(document: dict[str, Any]) -> None:
    """Replace the file; others can read it at no moment. Raises CommandError."""
    ensure_folder()
    try:
        with replacing(credentials_file()) as file:
            json.dump(document, file, indent=2)
    except OSError as error:
        raise _unwritable(error) from None


def _unwritable(error: OSError) -> CommandError:
    return CommandError(f"{credentials_file()} can't be written: {error.strerror}. Nothing in it has changed.")


def _keyring() -> Any:
    try:
        import keyring
    except ImportError:
        raise CommandError("The keyring is an extra: install clientdesk[keyring].") from None
    return keyring
