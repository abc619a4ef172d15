"""Secrets and tokens: random, known by their form, and nothing without the pepper."""

import pytest

from clients import secrets
from core import credentials

PEPPER = "a pepper that has at least 32 characters"


def test_a_secret_has_256_random_bits_and_a_form_of_its_own():
    made = {secrets.generate() for _ in range(1000)}
    assert len(made) == 1000
    assert all(text.startswith("cdsk_") and secrets.looks_real(text) for text in made)
    assert 62**credentials.BODY >= 2**256


def test_a_changed_letter_is_noticed_without_the_database():
    text = secrets.generate()
    for place in range(len("cdsk_"), len(text)):
        other = "a" if text[place] != "a" else "b"
        assert not secrets.looks_real(text[:place] + other + text[place + 1 :])


def test_a_digest_depends_on_the_pepper_and_is_nothing_without(settings):
    settings.SECRET_PEPPERS = {"1": PEPPER, "2": PEPPER[::-1]}
    text = secrets.generate()
    first, second = credentials.keyed_digests(text)
    assert first != second
    assert len(first) == 64
    settings.SECRET_PEPPERS = {"2": PEPPER[::-1]}
    assert credentials.keyed_digest(text, "1") == ""
    assert credentials.keyed_digests(text) == [second]


@pytest.mark.parametrize("text", ["", "cdsk_", "cdsk_" + "a" * 49, "cdp_" + "a" * 49, "cdsk_" + "ä" * 49])
def test_what_is_no_secret_does_not_look_like_one(text):
    assert not secrets.looks_real(text)
