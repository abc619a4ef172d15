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

from tests import standards, threats

ROOT = settings.BASE_DIR
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("**/*.md"), *ROOT.glob("examples/*/README.md")])
DECISIONS = sorted(page for page in DOCS.glob("decisions/*.md") if page.name != "README.md")


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
            reads |= path.name == "environment.py" and function == "text"
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
    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= set(get_commands())
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
    (page,) = DOCS.glob("decisions/*-dependencies.md")
    reasons = re.findall(r"^\| ([a-z][\w-]+) \|", page.read_text(), re.MULTILINE)
    assert set(reasons) == wanted


@pytest.mark.parametrize("page", DECISIONS, ids=named)
def test_a_decision_is_one_page_that_says_why(page):
    text = page.read_text()
    assert len(text.splitlines()) < 60
    if not page.name.endswith("-dependencies.md"):
        assert [text.count(f"**{part}.**") for part in ("Context", "Choice", "Consequences")] == [1, 1, 1]


def status(page: Path) -> str:
    """Return the status of a decision, which stands with its date under the heading."""
    found = re.match(r"# .+\n\n- Status: (.+)\n- Date: \d{4}-\d\d-\d\d\n\n", page.read_text())
    assert found, f"{named(page)} says no status and date"
    return found[1]


def test_decisions_are_numbered_without_a_gap():
    assert [page.name[:5] for page in DECISIONS] == [f"{number:04}-" for number in range(1, len(DECISIONS) + 1)]


def test_decisions_name_each_other_when_one_replaces_or_amends_another():
    known = r"Proposed|Accepted|Superseded by \[\d{4}\]|Accepted, (?:supersedes|amends|amended by) \[\d{4}\]"
    counterpart = {"Superseded by": "supersedes", "supersedes": "Superseded by", "amends": "amended by"}
    counterpart["amended by"] = "amends"
    pairs = set()
    for page in DECISIONS:
        assert re.match(rf"(?:{known})", status(page)), (named(page), status(page))
        for verb, other in re.findall(r"(Superseded by|supersedes|amends|amended by) \[(\d{4})\]", status(page)):
            pairs.add((page.name[:4], verb, other))
    assert pairs
    assert {(other, counterpart[verb], one) for one, verb, other in pairs} == pairs


def test_index_of_decisions_says_of_each_what_it_says_of_itself():
    rows = [
        f"| {page.name[:4]} | [{page.read_text().partition(chr(10))[0][2:]}]({page.name}) "
        f"| {status(page).partition(':')[0]} |"
        for page in DECISIONS
    ]
    assert re.findall(r"^\| \d{4} .+$", (DOCS / "decisions" / "README.md").read_text(), re.MULTILINE) == rows


def linked(page: Path) -> set[Path]:
    targets = re.findall(r"\]\(([^)\s#]+)[^)]*\)", page.read_text())
    return {(page.parent / target).resolve() for target in targets if "://" not in target}


def test_every_page_is_reached_from_the_index():
    index = linked(DOCS / "README.md")
    pages = {page for page in PAGES if page.parent != DOCS / "decisions"} - {DOCS / "README.md"}
    assert {named(page) for page in pages - index} == set()


def test_readme_leads_on_by_six_entries():
    section = (ROOT / "README.md").read_text().partition("\n## Read on\n")[2]
    assert section.count("\n- ") == 6
    assert DOCS / "README.md" in linked(ROOT / "README.md")


def test_changelog_tells_the_version_that_is_to_be_released():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert re.fullmatch(rf"\[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d", headings[1])


def test_deployment_compiles_every_room():
    rooms = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"])
    compiled = re.findall(r"compileall -q (.+)$", (DOCS / "deploy.md").read_text(), re.MULTILINE)
    assert [set(line.split()) for line in compiled] == [rooms - {"clientdesk"}] * 2


def test_every_test_that_the_page_of_openids_profiles_names_exists():
    text = (DOCS / "conformance.md").read_text()
    shown = [f"{path}::{name}" for name, path in re.findall(r"\[`(test_\w+)`\]\(\.\./(tests/[\w/]+\.py)\)", text)]
    assert len(shown) > 50
    assert [test for test in shown if not threats.exists(test)] == []


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


def test_page_of_the_threats_is_up_to_date():
    assert threats.PAGE.read_text() == threats.page(), "run: uv run python -m tests.threats"


def test_each_threat_is_there_once_in_order():
    assert [row.number for _, rows in threats.sections() for row in rows] == [*range(1, 91)]


def test_each_threat_is_shown_by_tests_that_exist_or_has_a_reason():
    problems = {row.number: row.problem() for _, rows in threats.sections() for row in rows}
    assert {number: problem for number, problem in problems.items() if problem} == {}


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({}, "it needs tests, or a reason why there are none"),
        ({"outcome": "Refused"}, "it needs tests, or a reason why there are none"),
        ({"reason": "There is no such thing."}, ""),
        ({"outcome": "Refused", "tests": ("tests/test_docs.py::test_links_lead_somewhere",)}, ""),
        ({"tests": ("tests/test_docs.py::test_links_lead_somewhere",)}, "it does not say what happens"),
        (
            {"outcome": "Refused", "tests": ("tests/test_docs.py::test_links",)},
            "tests/test_docs.py::test_links does not exist",
        ),
        ({"outcome": "Refused", "tests": ("tests/x.py::test_links",)}, "tests/x.py::test_links does not exist"),
    ],
)
def test_a_row_that_shows_nothing_is_found(row, problem):
    assert threats.Threat(number=1, threat="Somebody tries", **row).problem() == problem
