"""Pages, mails, labels, errors and documents keep to docs/glossary.md, and use no word that it retires."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from portal.api.openapi import description

ROOT = settings.BASE_DIR
GLOSSARY = ROOT / "docs/glossary.md"
AT_THE_ROOT = ("README", "CONTRIBUTING", "SECURITY")
ROOMS = ("portal", "authority", "clients", "connections", "consumers", "core")
# What is generated from code, or tells what was: its words are not ours to choose now.
NOT_READ = {
    "docs/glossary.md",
    "docs/standards.md",
    "docs/conformance.md",
}
# Programs do register clients (RFC 7591).
ALLOWED = {
    "register a client": ("docs/registration.md", "authority/", "templates/clients/initial_access_token_created.html")
}


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading of the glossary."""
    part = GLOSSARY.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


RETIRED = [word for retired, _ in rows("Retired words") for word in retired.split(", ")]
WORDS = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, sorted(RETIRED, key=len, reverse=True)))})(?![\w-])", re.I)


def of_template(source: str) -> str:
    """Return what a template says: its text, without comments and programs, and the texts that it hands to others."""
    source = re.sub(r"\{#.*?#\}|\{% comment.*?endcomment %\}|\{% code .*?endcode %\}", " ", source, flags=re.S)
    handed = re.findall(r'(?:label|hint|title|empty|what|legend|note|other|alt|placeholder)="([^"]*)"', source)
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", source, flags=re.S)
    text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", text)
    return re.sub(r"\s+", " ", " ".join([re.sub(r"<[^>]+>", " ", text), *handed]))


def of_code(source: str) -> Iterator[str]:
    """Yield the sentences of a module: every text with a space in it, but docstrings."""
    tree = ast.parse(source)
    skipped = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            skipped |= {id(node.body[0].value)} if node.body and isinstance(node.body[0], ast.Expr) else set()
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(value) for value in node.values}
            yield "".join(value.value if isinstance(value, ast.Constant) else "{}" for value in node.values)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.value


def texts() -> Iterator[tuple[str, str]]:
    """Yield each file that people read, with what it says."""
    for path in sorted((ROOT / "templates").rglob("*")):
        if path.suffix in {".html", ".txt"}:
            yield named(path), of_template(path.read_text())
    for path in sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        if "migrations" not in path.parts:
            yield named(path), " / ".join(text for text in of_code(path.read_text()) if " " in text)
    for path in sorted((ROOT / "locale").rglob("*.po")):
        yield named(path), " ".join(re.findall(r'^(?:msgstr )"(.*)"', path.read_text(), re.M))
    yield "the description of the management API", json.dumps(description(), ensure_ascii=False)
    for path in [*(ROOT / f"{name}.md" for name in AT_THE_ROOT), *sorted((ROOT / "docs").rglob("*.md"))]:
        if named(path) not in NOT_READ:
            yield named(path), re.sub(r"\s+", " ", re.sub(r"`[^`]*`|\]\([^)]*\)", "", path.read_text()))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def complaints(name: str, text: str) -> list[str]:
    return [
        f"{name}: “{found[0]}” in “…{text[max(0, found.start() - 40) : found.end() + 20]}…”"
        for found in WORDS.finditer(text)
        if not name.startswith(ALLOWED.get(found[0].lower(), ("/",)))
    ]


def test_no_text_says_a_word_that_the_glossary_retires():
    assert [complaint for name, text in texts() for complaint in complaints(name, text)] == []


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("<p>Values\n  parted by spaces</p>", True),
        ('{% include "elements/x.html" with label="Work email" %}', True),
        ("{# It shall be so. #}<p>It is so.</p>", False),
        ("<p>It {% if shall %}does{% endif %}.</p>", False),
        ("<p>Departed by train</p>", False),
    ],
)
def test_what_a_template_says_is_its_text(source, said):
    assert bool(complaints("x.html", of_template(source))) is said


def test_code_says_its_sentences_and_not_its_docstrings():
    told = list(of_code('def f(name):\n    """It shall."""\n    return f"{name} has ended, " + "or is gone"\n'))
    assert told == ["{} has ended, ", "or is gone"]


def test_each_term_stands_once_and_in_order():
    terms = [term for term, *_ in rows("Terms")]
    assert terms == sorted(set(terms), key=str.casefold)


def test_each_retired_word_has_another_to_say():
    assert len(RETIRED) == len(set(RETIRED))
    assert all(instead for _, instead in rows("Retired words"))
