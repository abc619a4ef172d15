"""Make text from the server harmless for a terminal: an escape sequence in a name could move the cursor or worse.

The rule is that of the server's `core/text.py`, which the program does not import.
"""

import unicodedata

_KEPT = "\n\t\u200d"  # the last joins emoji
_BLANKS = "\u034f\u115f\u1160\u2800\u3164\uffa0"


def sanitize(text: str) -> str:
    """Return the text with characters that show nothing, or make it read as another, replaced by `�`."""
    return "".join("\N{REPLACEMENT CHARACTER}" if _is_unsafe(letter) else letter for letter in text)


def _is_unsafe(letter: str) -> bool:
    if letter in _BLANKS:
        return True
    return not letter.isprintable() and letter not in _KEPT and unicodedata.category(letter) != "Zs"
