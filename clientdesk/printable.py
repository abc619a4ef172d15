"""Text that others wrote, made harmless for a terminal: escape sequences in a name would move the cursor or worse."""

import unicodedata

KEPT = "\n\t"


def printable(text: str) -> str:
    """Return the text with control and direction-changing characters shown as `�`."""
    return "".join(
        letter
        if letter in KEPT or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
        else "\N{REPLACEMENT CHARACTER}"
        for letter in text
    )
