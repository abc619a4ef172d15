"""The shape of the code: what may import what, how large things may be, and what is written nowhere."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver
from oauth2_provider.settings import DEFAULTS
from packaging.version import Version

ROOT = settings.BASE_DIR
ROOMS = ("portal", "authority", "clients", "consumers", "core", "clientdesk")


def files(*patterns: str) -> list[Path]:
    return sorted(
        path
        for pattern in patterns
        for path in ROOT.glob(pattern)
        if not {"migrations", "node_modules", ".venv"} & set(path.parts)
    )


CODE = files(*(f"{room}/**/*.py" for room in ROOMS))
ALL_PYTHON = CODE + files("*.py", "tests/**/*.py", "examples/**/*.py")
TEMPLATES = files("templates/**/*.html")
SCRIPTS = files("static/js/portal.js", "examples/**/*.js")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def nodes[Node: ast.AST](path: Path, *kinds: type[Node]) -> Iterator[Node]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds))


def imports(path: Path) -> set[str]:
    """Return the names of the modules that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in nodes(path, ast.Import, ast.ImportFrom):
        if isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
        else:
            found |= {alias.name for alias in node.names}
    return found


# -- Rooms ------------------------------------------------------------------------------------------------------------


def test_import_contracts_hold():
    """In a process of its own: the program silences every logger that there is, and other tests listen to ours."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    linted = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout


def test_toolkit_is_known_to_the_authority_and_the_client_model_alone():
    seam = {named(path) for path in CODE if any(module.split(".")[0] == "oauth2_provider" for module in imports(path))}
    assert {path for path in seam if not path.startswith("authority/")} == {"clients/models/clients.py"}


# -- Sizes ------------------------------------------------------------------------------------------------------------


def test_no_file_is_above_500_lines():
    """Past that, ask whether it is two subjects."""
    lines = {path: len(path.read_text().splitlines()) for path in [*ALL_PYTHON, *TEMPLATES, *SCRIPTS]}
    assert {named(path): count for path, count in lines.items() if count > 500} == {}


def test_no_function_is_above_60_lines():
    for path in CODE:
        for function in nodes(path, ast.FunctionDef, ast.AsyncFunctionDef):
            assert function.end_lineno is not None
            assert function.end_lineno - function.lineno < 60, f"{named(path)}: {function.name}"


# -- What is written nowhere ------------------------------------------------------------------------------------------

# Where SQL is written by hand: what the ORM has no words for.
RAW_SQL = {
    "authority/client_directory.py",  # the ORM's own SQL, made once
    "core/notifications.py",  # LISTEN
    "authority/keys/signing_keys.py",  # advisory lock
    "core/db/prepared.py",  # statements of nearly every request, such as whether a token was revoked
    "authority/telemetry/daily_counts.py",  # counts are added to in one statement
    "authority/telemetry/problem_log.py",  # problems too
    "authority/telemetry/last_used.py",  # the last uses of thousands of secrets are written in one statement
    "core/mail.py",  # NOTIFY wakes the worker
    "portal/health.py",  # the shortest question to the database
    "portal/worker.py",  # LISTEN
}
# Where another site's form may post: the endpoints that take no cookie.
NO_CSRF_CHECK = ("authority/endpoints/", "consumers/rest/", "portal/api/views.py")
# Looks at a body's length first, and then asks for the form's token itself.
LATER_CSRF_CHECK = {"authority/views/inspector.py"}


def called(call: ast.Call) -> str:
    """Return the last part of the name that is called."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def test_no_sql_is_written_by_hand():
    raw = {"execute", "executemany", "raw", "extra", "RawSQL"}
    assert {named(path) for path in CODE if any(called(call) in raw for call in calls(path))} <= RAW_SQL


def calls(path):
    """Return the calls in a file, but for a command that hands over to Django's own `execute`."""
    return [call for call in nodes(path, ast.Call) if not ast.unparse(call.func).startswith("super()")]


def test_nothing_is_declared_safe_silenced_or_cached_by_page():
    forbidden = {"mark_safe", "SafeString", "SafeText", "cache_page", "PyJWKClient"}
    for path in CODE:
        for call in nodes(path, ast.Call):
            where = f"{named(path)} line {call.lineno}"
            assert called(call) not in forbidden, where
            assert "fail_silently" not in {argument.arg for argument in call.keywords}, where


def test_only_endpoints_without_cookies_skip_the_csrf_check():
    skipping = {named(path) for path in CODE if "csrf_exempt" in {name.id for name in nodes(path, ast.Name)}}
    assert {path for path in skipping if not path.startswith(NO_CSRF_CHECK)} == LATER_CSRF_CHECK


# Where other servers are asked, with every guard that this needs.
FETCHING = {"core/http_fetch/transport.py"}


def test_no_code_asks_the_network_by_itself():
    clients = {"requests", "httpx", "urllib.request", "http.client", "aiohttp", "urllib3"}
    asking = {named(path) for path in CODE if imports(path) & clients}
    # The program for the terminal is a client itself.
    assert {path for path in asking if not path.startswith("clientdesk/")} == FETCHING


# Where markup is taken as it is.
MARKUP = {
    "templates/django/forms/field.html",  # help texts, which are written in code
    "templates/allauth/elements/img.html",  # the picture of a QR code, drawn by a library
}


def test_no_template_trusts_a_value():
    trusting = {named(path) for path in TEMPLATES if re.search(r"\|\s*safe\b|\bautoescape off\b", path.read_text())}
    assert trusting <= MARKUP


@pytest.mark.parametrize(
    "forbidden",
    [
        pytest.param(r"\sstyle=|<style\b", id="style"),
        pytest.param(r"<[^>]*\son[a-z]+=", id="event handler"),
        # A block of JSON is data: no browser runs it, and no policy is asked about it.
        pytest.param(r"""<script(?![^>]*\s(src=|type="application/json"))""", id="script in the page"),
        pytest.param(r"""(src|href)=["'](data|javascript):""", id="data or javascript address"),
    ],
)
def test_no_page_needs_a_weaker_content_security_policy(forbidden):
    pages = [path for path in TEMPLATES if not named(path).startswith("templates/emails/")]  # mail has no policy
    assert [named(path) for path in pages if re.search(forbidden, path.read_text())] == []


def test_nothing_is_left_for_later():
    later = re.compile("TO" + "DO|FIX" + "ME|XX" + "X")
    marked = [named(path) for path in [*ALL_PYTHON, *TEMPLATES] if later.search(path.read_text())]
    assert marked == []


# -- Names ------------------------------------------------------------------------------------------------------------


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for item in patterns:
        where = prefix + str(item.pattern)
        if isinstance(item, URLResolver):
            yield from routes(item.url_patterns, where)
        else:
            yield where, item


def test_every_address_of_ours_has_a_name():
    nameless = [where for where, route in routes(get_resolver().url_patterns) if not route.name]
    assert [where for where in nameless if not where.startswith("operators/")] == []  # Django's admin has two


# -- What we stand on -------------------------------------------------------------------------------------------------


def test_every_setting_of_the_toolkit_exists():
    assert set(settings.OAUTH2_PROVIDER) <= set(DEFAULTS)


def test_every_gate_of_rfc_9700_is_closed():
    gates = {name for name in DEFAULTS if name.startswith("COMPLIANT_BCP_RFC9700_")}
    # http is for loopback addresses alone (RFC 8252 section 7.3): clients/policy.py is stricter than this gate.
    gates.remove("COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME")
    assert {name for name in gates if settings.OAUTH2_PROVIDER.get(name) is not True} == set()


# Below these, known defects of the class in brackets are open.
FLOORS = {
    "django": "6.1.3",  # cache leaks, mail in clear, denial of service by language codes
    "django-oauth-toolkit": "3.4.1",  # redirects before validation, redirect matching, secrets in the admin
    "oauthlib": "4.0.1",  # client confusion between body and Basic, device codes
    "django-allauth": "65.21.1",  # limits that could be dodged, half-finished sign-ins, passkeys
    "jwcrypto": "1.6.1",
    "cryptography": "50",
    "psycopg": "3.3.9",
    "fido2": "2",
}


@pytest.mark.parametrize(("package", "floor"), FLOORS.items())
def test_installed_version_is_not_below_the_floor(package, floor):
    assert Version(version(package)) >= Version(floor)
