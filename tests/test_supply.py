"""What we take from others is exactly what we looked at: locked by hash, or kept here with its licence."""

import json
import tomllib
from hashlib import sha256
from pathlib import Path

import pytest
from django.conf import settings

ROOT = settings.BASE_DIR
PYTHON_LOCKS = ["uv.lock", "examples/python-api/uv.lock", "examples/mcp-server/uv.lock"]
NODE_LOCKS = [
    "examples/node-api/package-lock.json",
    "benchmarks/oidc-provider/package-lock.json",
    "tests/ory/package-lock.json",
]
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
