"""Characters that no text for people may hold: those that show nothing, or make a text read as another (UTS #39).

They are the control, format, private, unassigned and surrogate characters, line and paragraph separators, and letters
that are blank. The joiner of emoji, U+200D, and spaces of any width are none of them. `clientdesk/` has the same rule.
"""

import re
import unicodedata
from collections.abc import Callable

# Letters by their category that show nothing: Hangul and Braille blanks, and the joiner of graphemes.
_BLANKS = re.compile("[\u034f\u115f\u1160\u2800\u3164\uffa0]")
_JOINER = "\u200d"


def is_unsafe(character: str) -> bool:
    if character.isprintable():
        return _BLANKS.match(character) is not None
    return character != _JOINER and unicodedata.category(character) != "Zs"


def first_unsafe(text: str) -> str | None:
    """Return the first unsafe character, or None."""
    return None if _is_safe(text) else next(filter(is_unsafe, text), None)


def replace_unsafe(text: str, replacement: Callable[[str], str]) -> str:
    """Return the text with each unsafe character replaced."""
    if _is_safe(text):
        return text
    return "".join(replacement(character) if is_unsafe(character) else character for character in text)


def name_of(character: str) -> str:
    """Return the code point of a character that cannot be shown: U+202E."""
    return f"U+{ord(character):04X}"


def _is_safe(text: str) -> bool:
    """Say whether a glance is enough: `isprintable` refuses the same categories, the joiner and spaces besides."""
    return text.isprintable() and not _BLANKS.search(text)
