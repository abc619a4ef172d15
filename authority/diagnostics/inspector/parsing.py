"""Parsing of a pasted text: a token, a response, a header, a URL, or the output of a terminal."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

from authority.diagnostics import error_codes
from authority.diagnostics.inspector.report import replace_surrogates
from core import foreign_json
from core.jose import jws

# Each reads a text once, whatever it is: people paste what strangers sent them.
PIECE = re.compile(r"[\w.+/=-]+")  # the characters of a JWT, and of base64 that was taken for base64url
JWT_START = re.compile(r"(?<![\w.-])ey")
OURS = re.compile(r"\b(cd[a-z]{1,3}_[0-9A-Za-z]{20,})")
STATUS = re.compile(r"HTTP/[\d.]+ (\d{3}[^\r\n]{0,40})")
MEMBER = re.compile(r"""["']?\b(error|error_description)["']?\s*[:=]\s*["']([^"'\r\n]{1,500})["']""")
CLIENT = re.compile(r"""\bclient_id["']?\s*[:=]\s*["']?([\w.~-]{1,255})""")
BASIC = re.compile(r"\bBasic\s+([A-Za-z0-9+/]{4,2000}={0,2})", re.IGNORECASE)
PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
MAX_LENGTH = 2 * jws.MAX_TOKEN  # characters: the longest token that is read here, and what stands around it
MAX_BYTES = 4 * MAX_LENGTH  # of them in UTF-8
PROMPTS = re.compile(r"^[<>*] ?", re.MULTILINE)
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
BARE = re.compile(r"(?:authorization:)?\s*+(?:bearer|dpop)?\s*+\S+", re.IGNORECASE)


@dataclass
class PastedText:
    """What was found in the text. It may have both tokens and an error."""

    tokens: list[str] = field(default_factory=list, repr=False)
    basic: tuple[str, str] | None = field(default=None, repr=False)  # client ID and secret of an Authorization header
    is_private_key: bool = False
    error: str = ""
    description: str = ""
    status: str = ""
    client_id: str = ""
    code: str = ""  # an authorization code
    text: str = field(default="", repr=False)


def parse(text: str) -> PastedText:
    """Parse the text; no URL in it is fetched, and nothing is stored."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'`":
        text = text[1:-1].strip()
    found = PastedText(text=text)
    parsed = _as_json(text)
    if isinstance(parsed, dict):
        _members(parsed, found)
    elif ADDRESS.fullmatch(text):
        _address(text, found)
    found.is_private_key = PRIVATE_KEY.search(text) is not None or (isinstance(parsed, dict) and "d" in parsed)
    if not (found.tokens or found.error or found.code):
        _transcript(text, found, bare=not isinstance(parsed, dict | list))
    return found


def _as_json(text: str) -> Any:
    try:
        return foreign_json.loads(text, max_bytes=MAX_BYTES)
    except foreign_json.InvalidJSON:
        return None


def _members(parsed: dict[str, Any], found: PastedText) -> None:
    """Read the JSON of a token response, or of an error."""

    def text_of(name: str) -> str:
        value = parsed.get(name)
        return replace_surrogates(value) if isinstance(value, str) else ""

    found.error, found.description = text_of("error"), text_of("error_description")
    found.tokens = list(filter(None, map(text_of, ("access_token", "id_token", "refresh_token", "token"))))
    found.client_id = text_of("client_id")


def _address(text: str, found: PastedText) -> None:
    """Read the URL of an authorization request or response."""
    try:
        parts = urlsplit(text)
        values = parse_qs(f"{parts.query}&{parts.fragment}", max_num_fields=100)
    except ValueError:
        return
    one = {name: given[0] for name, given in values.items()}
    found.error, found.description = one.get("error", ""), one.get("error_description", "")
    found.tokens = [one[name] for name in ("access_token", "id_token", "id_token_hint") if one.get(name)]
    found.client_id, found.code = one.get("client_id", ""), one.get("code", "")


def _transcript(text: str, found: PastedText, *, bare: bool) -> None:
    """Read headers and bodies as curl -v and browsers show them; the last status and error count.

    `bare` says that the whole may be a token itself.
    """
    plain = PROMPTS.sub("", text)
    for name, value in MEMBER.findall(plain):
        if name == "error":
            found.error = value
        else:
            found.description = value
    if statuses := STATUS.findall(plain):
        found.status = statuses[-1].strip()
    if named := CLIENT.search(plain):
        found.client_id = named[1]
    found.basic = _basic(plain)
    found.tokens = list(dict.fromkeys([*_jwts(plain)] or OURS.findall(plain)))
    if found.tokens or found.basic or found.error or not bare:
        return
    if plain in error_codes.CODES:
        found.error = plain
    elif BARE.fullmatch(plain):
        found.tokens = plain.split()[-1:]
    elif _looks_wrapped(plain):
        found.tokens = ["".join(plain.split())]


def _basic(text: str) -> tuple[str, str] | None:
    """Return client ID and secret of a Basic header, as RFC 6749 section 2.3.1 packs them."""
    if not (header := BASIC.search(text)):
        return None
    try:
        decoded = base64.b64decode(header[1], validate=True).decode()
    except ValueError:
        return None
    name, colon, secret = decoded.partition(":")
    return (replace_surrogates(unquote_plus(name)), replace_surrogates(unquote_plus(secret))) if colon else None


def _looks_wrapped(text: str) -> bool:
    """Return whether it is a JWT that a mail or a terminal broke into lines."""
    joined = "".join(text.split())
    return joined.startswith("ey") and PIECE.fullmatch(joined) is not None


def _jwts(text: str) -> Iterator[str]:
    """Yield what may be a JWT: from the first “ey” of a piece to its end, in three to five parts."""
    for piece in PIECE.findall(text):
        if (start := JWT_START.search(piece)) and 2 <= piece.count(".", start.start()) <= 4:
            yield piece[start.start() :]
