"""What we take from others is exactly what we looked at: locked by hash, or kept here with its licence.

And it is kept up to date: CONTRIBUTING.md says how, under *Dependencies*.
"""

import json
import re
import shutil
import subprocess
import tomllib
from base64 import b64encode
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256, sha384
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.sbom import VENDORED, bill

ROOT = settings.BASE_DIR
PYTHON_LOCKS = ["uv.lock", "examples/python-api/uv.lock", "examples/mcp-server/uv.lock"]
NODE_LOCKS = [
    "examples/login-app/package-lock.json",
    "examples/node-api/package-lock.json",
    "benchmarks/oidc-provider/package-lock.json",
    "tests/connections/idp/package-lock.json",
    "tests/ory/package-lock.json",
    "tests/third_party/package-lock.json",
]
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
# Where commands install, and with what.
INSTALLING = ["Makefile", "docs/deploy.md"]
OURS = {"static/js/portal.js", "static/js/form-post.js", "static/js/sign-in-rule.js"}


@pytest.mark.parametrize("lock", PYTHON_LOCKS)
def test_each_python_package_is_locked_by_hash(lock):
    packages = tomllib.loads((ROOT / lock).read_text())["package"]
    taken = [package for package in packages if "registry" in package["source"]]
    assert len(taken) >= len(packages) - 1, "only the project itself comes from elsewhere"
    for package in taken:
        files = [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
        assert files, package["name"]
        assert all(file["hash"].startswith("sha256:") for file in files), package["name"]


@pytest.mark.parametrize("lock", NODE_LOCKS)
def test_each_node_package_is_locked_by_hash_whatever_registry_it_comes_from(lock):
    packages = json.loads((ROOT / lock).read_text())["packages"]
    taken = {name: package for name, package in packages.items() if name}
    assert taken
    for name, package in taken.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name


def test_uv_refuses_a_package_that_is_not_the_one_we_locked(tmp_path):
    for name in ("pyproject.toml", ".python-version", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    before, package, after = re.split(
        r'(?=\[\[package\]\]\nname = "(?:idna|iniconfig)")', (ROOT / "uv.lock").read_text()
    )
    other = re.sub(r"sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", package)
    (tmp_path / "uv.lock").write_text(before + other + after)
    uv = subprocess.run([".ci/uv"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    command = [uv, "sync", "--locked", "--no-dev", "--no-install-project"]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode != 0
    assert "Hash mismatch for `idna" in done.stderr


@pytest.mark.parametrize("path", INSTALLING)
def test_whatever_installs_keeps_to_the_lock(path):
    commands = re.findall(r"^.*(?:\buv|\(UV\)\") sync\b.*$", (ROOT / path).read_text(), re.MULTILINE)
    assert commands
    assert [command for command in commands if "--locked" not in command] == []


LONGEST_WAIVER = timedelta(days=92)


def waiver_problem(line: str, today: date) -> str:
    """Return what is wrong with a line of .ci/waivers, or nothing."""
    found = re.fullmatch(r"((?:GHSA|CVE|PYSEC|OSV)-[\w-]+) +(\d{4}-\d\d-\d\d) +(.{20,})", line)
    if not found:
        return "write the hole's ID, a day and the reason"
    until = date.fromisoformat(found[2])
    if until <= today:
        return "look again whether it reaches us"
    return "waive it for three months at most" if until > today + LONGEST_WAIVER else ""


def test_every_hole_is_waived_for_a_reason_and_not_for_ever():
    lines = [line for line in (ROOT / ".ci" / "waivers").read_text().splitlines() if line and not line.startswith("#")]
    today = datetime.now(tz=UTC).date()
    assert {line: waiver_problem(line, today) for line in lines if waiver_problem(line, today)} == {}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("GHSA-aaaa-bbbb-cccc 2027-01-31 It is in the parser of PDF, which we never call.", ""),
        ("GHSA-aaaa-bbbb-cccc 2026-11-30 It is in the parser of PDF, which we never call.", "look again"),
        ("CVE-2026-12345 2028-01-31 It is in the parser of PDF, which we never call.", "three months at most"),
        ("CVE-2026-12345 2027-01-31 no", "the reason"),
        ("It is harmless.", "the hole's ID"),
    ],
)
def test_a_waiver_is_dated_and_explained(line, problem):
    said = waiver_problem(line, date(2026, 11, 30))
    assert (problem in said) if problem else not said


def test_bill_of_materials_names_every_package_and_file_of_a_release():
    made = bill()
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.5")
    components = {component["name"]: component for component in made["components"]}
    django = components["django"]
    assert django["purl"] == f"pkg:pypi/django@{django['version']}"
    assert all(each["hashes"][0]["alg"] == "SHA-256" for each in django["externalReferences"])
    assert "pytest" not in components, "what only tests use is in no release"
    assert {each["bom-ref"] for each in made["components"]} >= VENDORED.keys()
    assert components["htmx.org"]["hashes"][0]["content"] == VENDORED["static/js/htmx.min.js"].sha256
    assert components["htmx.org"]["purl"].endswith(f"@{htmx_version()}")


def htmx_version() -> str:
    [found] = re.findall(r'version:"([\d.]+)"', (ROOT / "static/js/htmx.min.js").read_text())
    return found


def test_browsers_take_no_other_htmx_than_ours():
    digest = b64encode(sha384((ROOT / "static/js/htmx.min.js").read_bytes()).digest()).decode()
    page = (ROOT / "templates" / "base.html").read_text()
    assert re.search(rf"js/htmx\.min\.js' %}}\"\s+integrity=\"sha384-{re.escape(digest)}\"", page)


def kept(name: str) -> list[str]:
    """Return the paths of the files of this name that belong to the project."""
    found = []
    for folder, folders, files in ROOT.walk():
        folders[:] = [each for each in folders if not each.startswith(".") and each != "node_modules"]
        found += [(folder / name).relative_to(ROOT).as_posix()] if name in files else []
    return sorted(found)


def test_no_lock_is_forgotten():
    assert kept("uv.lock") == sorted(PYTHON_LOCKS)
    assert kept("package-lock.json") == sorted(NODE_LOCKS)


def test_updates_are_proposed_for_every_lock_and_for_the_workflows():
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
    watched = {each["package-ecosystem"]: each.get("directories", [each.get("directory")]) for each in updates}

    def folders(locks: list[str]) -> list[str]:
        return sorted(f"/{Path(lock).parent.as_posix()}".removesuffix(".") for lock in locks)

    assert sorted(watched.pop("uv")) == folders(PYTHON_LOCKS)
    assert sorted(watched.pop("npm")) == folders(NODE_LOCKS)
    assert watched == {"github-actions": ["/"]}


@pytest.mark.parametrize("project", [Path(lock).with_name("pyproject.toml").as_posix() for lock in PYTHON_LOCKS])
def test_every_python_requirement_has_a_lower_bound(project):
    pyproject = tomllib.loads((ROOT / project).read_text())
    requirements = [*pyproject["project"]["dependencies"], *pyproject.get("build-system", {}).get("requires", [])]
    for group in [pyproject["project"].get("optional-dependencies", {}), pyproject.get("dependency-groups", {})]:
        requirements += [requirement for members in group.values() for requirement in members]
    assert requirements
    bounded = {name for name in requirements if {">=", "==", "~="} & {each.operator for each in specifiers(name)}}
    assert set(requirements) - bounded == set()


def specifiers(requirement: str) -> SpecifierSet:
    return Requirement(requirement).specifier


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_of_others_are_pinned_by_commit(workflow):
    text = workflow.read_text()
    used = re.findall(r"uses: (\S+)(.*)$", text, re.MULTILINE)
    assert used
    for action, note in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", note), action


def test_workflow_runs_every_test_on_each_postgresql_that_the_documentation_names():
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text())["jobs"]
    assert [step["run"] for step in jobs["test"]["steps"] if "run" in step] == [".ci/run"]
    assert "DATABASE_URL" in jobs["test"]["env"]
    versions = jobs["test"]["strategy"]["matrix"]["postgresql"]
    (named,) = re.findall(r"^- PostgreSQL (.+?), and ", (ROOT / "docs" / "deploy.md").read_text(), re.MULTILINE)
    assert re.findall(r"\d+", named) == versions


@pytest.mark.parametrize("path", VENDORED)
def test_what_we_keep_of_others_is_as_they_published_it(path):
    assert sha256((ROOT / path).read_bytes()).hexdigest() == VENDORED[path].sha256
    assert (ROOT / VENDORED[path].licence_file).read_text().strip()


def test_every_file_of_others_is_listed():
    kept = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("static/**/*") if path.suffix in (".js", ".woff2")}
    assert kept == VENDORED.keys() | OURS


def test_icons_come_with_their_licence():
    assert "Lucide" in (ROOT / "static" / "icons.svg").read_text()
    assert "ISC License" in Path(ROOT / "static" / "icons-LICENSE.txt").read_text()
