"""What we take from others is exactly what we looked at: locked by hash, or kept here with its licence.

And it is kept up to date: CONTRIBUTING.md says how, under *Dependencies*.
"""

import json
import re
import tomllib
from hashlib import sha256
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = settings.BASE_DIR
PYTHON_LOCKS = ["uv.lock", "examples/python-api/uv.lock", "examples/mcp-server/uv.lock"]
NODE_LOCKS = [
    "examples/node-api/package-lock.json",
    "benchmarks/oidc-provider/package-lock.json",
    "tests/ory/package-lock.json",
    "tests/third_party/package-lock.json",
]
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
# Files of others, as they published them, with the licence that goes along.
VENDORED = {
    "static/js/htmx.min.js": (  # htmx.org 2.0.11
        "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717",
        "static/js/htmx-LICENSE.txt",
    ),
    "static/fonts/inter-latin.woff2": (
        "2c295d99e26dcf357d4d01bcf270fd6924b600c9a13dd8c363ef114f4c6976fa",
        "static/fonts/inter-LICENSE.txt",
    ),
    "static/fonts/jetbrains-mono-latin.woff2": (
        "18be452724bfdc236c074ca94a249a7f41a86752c7d04ab258ce9ed5651f6a7e",
        "static/fonts/jetbrains-mono-LICENSE.txt",
    ),
}
OURS = {"static/js/portal.js", "static/js/form-post.js"}


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
    digest, licence = VENDORED[path]
    assert sha256((ROOT / path).read_bytes()).hexdigest() == digest
    assert (ROOT / licence).read_text().strip()


def test_every_file_of_others_is_listed():
    kept = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("static/**/*") if path.suffix in (".js", ".woff2")}
    assert kept == VENDORED.keys() | OURS


def test_icons_come_with_their_licence():
    assert "Lucide" in (ROOT / "static" / "icons.svg").read_text()
    assert "ISC License" in Path(ROOT / "static" / "icons-LICENSE.txt").read_text()
