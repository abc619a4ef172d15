"""How templates and stylesheets are written, so that a change of them can be read line by line."""

import json
import re

import pytest
from django.conf import settings

TEMPLATES = sorted(path for path in (settings.BASE_DIR / "templates").rglob("*") if path.suffix in {".html", ".txt"})
STYLESHEETS = sorted((settings.BASE_DIR / "static/css").glob("*.css"))
LONGEST = 160
# White space shows in a mail's text and subject and in programs, so their lines are as long as what they say.
AS_LONG_AS_THEY_SAY = ("templates/emails/", "templates/clients/snippets/", "templates/authority/guides/")
SPACING = re.compile(r"(?<![\w-])((?:padding|margin|gap|row-gap|column-gap)[a-z-]*):([^;{}]*)")


def named(path):
    return path.relative_to(settings.BASE_DIR).as_posix()


@pytest.mark.parametrize(
    "path", [path for path in TEMPLATES if not named(path).startswith(AS_LONG_AS_THEY_SAY)], ids=named
)
def test_lines_can_be_reviewed(path):
    assert [line for line in path.read_text().splitlines() if len(line) > LONGEST] == []


@pytest.mark.parametrize("path", STYLESHEETS, ids=named)
def test_distances_are_those_of_the_scale(path):
    """Padding, margin and gap come from tokens.css; a single pixel or two is a hairline's."""
    found = [
        f"{name}:{value}" for name, value in SPACING.findall(path.read_text()) if re.search(r"\d{1,2}rem\b", value)
    ]
    assert [each for each in found if not re.search(r"\.0625rem", each)] == []


def test_tokens_are_written_once():
    """Both looks, the portal's and the admin's, take fonts and colours from tokens.css."""
    portal, admin = ((settings.BASE_DIR / f"static/css/{name}.css").read_text() for name in ("portal", "admin"))
    assert "@font-face" not in portal + admin
    assert (
        re.findall(r"--(?:paper|ink|brand|good|warn|bad|line|space-\d+|text-\w+): ?(?!var)[^;]*oklch", portal + admin)
        == []
    )


@pytest.mark.parametrize("name", ["base.html", "500.html", "admin/base_site.html"])
def test_tokens_are_loaded_before_what_uses_them(name):
    sheets = re.findall(r"css/(\w+)\.css", (settings.BASE_DIR / "templates" / name).read_text())
    sheets = [sheet for sheet in sheets if sheet in {"tokens", "portal", "admin"}]
    assert sheets[-2] == "tokens"
    assert sheets[-1] in {"portal", "admin"}


def test_htmx_evaluates_nothing_adds_no_style_and_keeps_no_history():
    """Each would need a weaker policy, or leave a page with a secret in the browser's storage."""
    page = (settings.BASE_DIR / "templates" / "base.html").read_text()
    config = json.loads(re.search(r"name=\"htmx-config\"\s+content='([^']+)'", page)[1])
    off = ("allowEval", "allowScriptTags", "includeIndicatorStyles", "historyCacheSize")
    assert [bool(config[name]) for name in off] == [False] * 4
