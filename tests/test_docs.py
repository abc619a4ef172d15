"""The documentation says what is so: names that it uses exist, and what must be named is."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands
from django.urls import Resolver404, resolve

from tests import standards

ROOT = settings.BASE_DIR
DOCS = ROOT / "docs"
PAGES = [
    page for page in [ROOT / "README.md", *DOCS.glob("**/*.md"), *ROOT.glob("examples/*/README.md")] if page.exists()
]


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def read_variables() -> Iterator[str]:
    """Yield every environment variable that the server reads."""
    for path in sorted(ROOT.glob("portal/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args:
                function, first = ast.unparse(node.func), node.args[0]
            elif isinstance(node, ast.Subscript):
                function, first = ast.unparse(node.value), node.slice
            else:
                continue
            reads = function in ("os.environ", "os.environ.get", "os.getenv") or function.startswith("environment.")
            if reads and isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def test_settings_page_names_every_variable_that_is_read():
    page = (DOCS / "settings.md").read_text()
    variables = {*read_variables(), *settings.REQUIRED}
    assert len(variables) > 12, "the search for variables finds too few"
    assert {name for name in variables if not re.search(rf"^\| `{name}` \|", page, re.MULTILINE)} == set()


def test_settings_page_names_no_variable_that_is_not_read():
    page = (DOCS / "settings.md").read_text()
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE)) <= {*read_variables(), *settings.REQUIRED}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        if anchor:
            assert anchor in anchors(found), target


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_files_of_ours_that_a_page_names_exist(page):
    """Whatever stands in code marks and looks like a path of ours is one."""
    rooms = "portal|consumers|clients|authority|templates|static|tests|docs|examples"
    for path in re.findall(rf"`((?:{rooms})/[\w./-]*)`", page.read_text()):
        candidates = [ROOT / path, ROOT / f"{path}.py"]
        assert any(candidate.exists() for candidate in candidates), path


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_that_a_page_names_exist(page):
    text = page.read_text()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"manage\.py ([a-z]+)", text)) <= set(get_commands())
    assert set(re.findall(r"^\$? ?make ([a-z]+)|`make ([a-z]+)`", text, re.MULTILINE)) <= {
        pair for target in targets for pair in [(target, ""), ("", target)]
    }


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_addresses_of_ours_that_a_page_names_are_served(page):
    ours = r"`(?:GET |POST )?(/(?:oauth2|operators|health|\.well-known|demo|version)[\w./-]*)`"
    for path in re.findall(ours, page.read_text()):
        try:
            resolve(path)
        except Resolver404:
            pytest.fail(f"{path} is not served")


def test_each_dependency_has_its_reason():
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    requirements = [*pyproject["project"]["dependencies"], *pyproject["dependency-groups"]["server"]]
    for extra in pyproject["project"]["optional-dependencies"].values():
        requirements += extra
    wanted = {re.split(r"[\[<>=~!]", requirement)[0] for requirement in requirements}
    reasons = re.findall(r"^\| ([a-z][\w-]+) \|", (DOCS / "decisions" / "dependencies.md").read_text(), re.MULTILINE)
    assert set(reasons) == wanted


@pytest.mark.parametrize("page", sorted((DOCS / "decisions").glob("*.md")), ids=named)
def test_a_decision_is_one_page_that_says_why(page):
    text = page.read_text()
    assert len(text.splitlines()) < 60
    if page.name != "dependencies.md":
        assert [text.count(f"**{part}.**") for part in ("Context", "Choice", "Consequences")] == [1, 1, 1]


@pytest.mark.parametrize("page", ["conformance.md", "security-tests.md"])
def test_every_test_that_a_page_names_exists(page):
    shown = re.findall(r"\[`(test_\w+)`\]\(\.\./(tests/[\w/]+\.py)\)", (DOCS / page).read_text())
    assert len(shown) > 50
    for name, path in shown:
        assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE), (path, name)


def test_every_check_of_openids_profiles_names_a_test():
    text = (DOCS / "conformance.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| `oidcc-")]
    assert len(rows) == text.count("\n| `")
    assert [row for row in rows if "[`test_" not in row] == []
    profiles = {part.partition("\n")[0]: part.count("| `oidcc-") for part in text.split("\n## ")[1:]}
    assert profiles == {
        "Basic OP": 38,
        "Config OP": 1,
        "RP-Initiated Logout OP": 11,
        "Back-Channel Logout OP": 2,
        "Form Post OP": 7,
    }


def test_standards_page_is_up_to_date():
    assert standards.PAGE.read_text() == standards.page(), "run: uv run python -m tests.standards"
