"""Our words for django-allauth's pages: compiled as they are written, and for sentences that it still says."""

import gettext
import re
from ast import literal_eval
from pathlib import Path

import allauth
import pytest
from django.conf import settings

HERE = settings.BASE_DIR / "locale/en/LC_MESSAGES"
THEIRS = Path(allauth.__file__).parent


def catalogue(path):
    with path.open("rb") as file:
        return {
            key[0] if isinstance(key, tuple) else key: text
            for key, text in gettext.GNUTranslations(file)._catalog.items()
            if not isinstance(key, tuple) or key[1] == 0
        }


def written():
    """Return the sentences of the text file, each on one line, with our words for them."""
    source = (HERE / "django.po").read_text()
    pairs = re.findall(r'^msgid (".+")\n(?:msgid_plural .+\n)?msgstr(?:\[0\])? (".*")', source, re.MULTILINE)
    return {literal_eval(theirs): literal_eval(ours) for theirs, ours in pairs}


def test_the_compiled_words_are_those_of_the_source():
    compiled = catalogue(HERE / "django.mo")
    compiled.pop("")
    assert compiled == written()


@pytest.mark.parametrize("sentence", written())
def test_allauth_still_says_the_sentence(sentence):
    assert sentence in catalogue(THEIRS / "locale/de/LC_MESSAGES/django.mo")


def test_no_word_of_ours_reaches_the_admin():
    """The admin says “Add”, “Remove”, “Save”: one word for both would be wrong in one of them."""
    import django.contrib.admin

    admin = catalogue(Path(django.contrib.admin.__file__).parent / "locale/de/LC_MESSAGES/django.mo")
    assert set(written()) & set(admin) == set()
