"""One rule says which characters no text for people may hold."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientdesk.sanitize import sanitize
from clients.errors import InvalidClientMetadata
from clients.policy import plain_text
from consumers.policy import plain_name
from core import text
from core.errors import Refusal

UNSAFE = {
    "NUL": "\0",
    "line end": "\n",
    "escape": "\x1b",
    "DEL": "\x7f",
    "C1 control": "\x9b",
    "soft hyphen": "\xad",
    "grapheme joiner": "\u034f",
    "Arabic letter mark": "\u061c",
    "Hangul filler": "\u3164",
    "zero width space": "\u200b",
    "right-to-left mark": "\u200f",
    "line separator": "\u2028",
    "right-to-left override": "\u202e",
    "isolate": "\u2066",
    "Braille blank": "\u2800",
    "half a pair": "\ud800",
    "private use": "\ue000",
    "byte order mark": "\ufeff",
    "tag": "\U000e0041",
    "unassigned": "\U0003ffff",
}


@pytest.mark.parametrize("name", UNSAFE)
def test_what_shows_nothing_or_reads_as_another_is_unsafe_everywhere(name):
    character = UNSAFE[name]
    for sample in (character, f"Acme{character}", f"{character} Acme 👩‍💻"):
        assert text.first_unsafe(sample) == character
        assert text.replace_unsafe(sample, lambda found: f"<{ord(found):X}>") == sample.replace(
            character, f"<{ord(character):X}>"
        )
        with pytest.raises(InvalidClientMetadata, match=r"U\+"):
            plain_text(sample, "client_name", "the name")
        with pytest.raises(Refusal, match=r"U\+"):
            plain_name(sample, "name")


@pytest.mark.parametrize("sample", ["", "Acme", "Ünïcode", "日本語", "עברית", "👩‍💻", "a\u00a0b", "a\u2003b", "Ω≈ç√"])
def test_what_people_write_is_safe(sample):
    assert text.first_unsafe(sample) is None
    assert text.replace_unsafe(sample, lambda _: "") == sample
    plain_name(sample, "name")


def test_the_rule_follows_the_categories_of_unicode_and_the_program_has_the_same():
    """`clientdesk` knows nothing of the server's code, so that the rule stands there a second time."""
    for number in range(0x110000):
        character = chr(number)
        category = unicodedata.category(character)
        hidden = category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and character != "\u200d"
        assert text.is_unsafe(character) == (hidden or character in "\u034f\u115f\u1160\u2800\u3164\uffa0")
        if character not in "\n\t":
            assert (sanitize(character) == "\N{REPLACEMENT CHARACTER}") == (
                text.is_unsafe(character) or character == "\N{REPLACEMENT CHARACTER}"
            )


@given(st.text())
def test_whatever_is_left_is_safe(sample):
    assert text.first_unsafe(text.replace_unsafe(sample, lambda _: "")) is None
