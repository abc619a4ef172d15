"""Write the bill of materials of a release: `python -m tests.sbom FILE` (CycloneDX 1.5).

uv names the Python packages of uv.lock with their hashes; the files of others in static/ are added here.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent


class Vendored(NamedTuple):
    """A file of others, as they published it, with the licence that goes along."""

    name: str
    licence: str  # of https://spdx.org/licenses/
    licence_file: str
    sha256: str
    purl: str = ""


VENDORED = {
    "static/js/htmx.min.js": Vendored(
        "htmx.org",
        "0BSD",
        "static/js/htmx-LICENSE.txt",
        "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717",
        "pkg:npm/htmx.org@2.0.11",
    ),
    "static/fonts/inter-latin.woff2": Vendored(
        "Inter",
        "OFL-1.1",
        "static/fonts/inter-LICENSE.txt",
        "2c295d99e26dcf357d4d01bcf270fd6924b600c9a13dd8c363ef114f4c6976fa",
    ),
    "static/fonts/jetbrains-mono-latin.woff2": Vendored(
        "JetBrains Mono",
        "OFL-1.1",
        "static/fonts/jetbrains-mono-LICENSE.txt",
        "18be452724bfdc236c074ca94a249a7f41a86752c7d04ab258ce9ed5651f6a7e",
    ),
}


def bill() -> dict[str, Any]:
    uv = subprocess.run([".ci/uv"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    command = [uv, "export", "--quiet", "--locked", "--no-dev", "--preview-features", "sbom-export"]
    made = subprocess.run(
        [*command, "--format", "cyclonedx1.5"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    document: dict[str, Any] = json.loads(made)
    document["components"] += [component(path, *file) for path, file in VENDORED.items()]
    return document


def component(path: str, name: str, licence: str, licence_file: str, sha256: str, purl: str) -> dict[str, Any]:
    described: dict[str, Any] = {
        "type": "file",
        "bom-ref": path,
        "name": name,
        "hashes": [{"alg": "SHA-256", "content": sha256}],
        "licenses": [{"license": {"id": licence}}],
        "properties": [{"name": "clientdesk:path", "value": path}],
    }
    return described | ({"purl": purl} if purl else {})


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(bill(), indent=2) + "\n")
