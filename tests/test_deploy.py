"""A production server, as its environment makes it: started in a process of its own."""

import base64
import os
import subprocess
import sys

import pytest
from django.conf import settings

FERNET_KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
PRODUCTION = {
    "DATABASE_URL": "postgresql://clientdesk:pass%40word@db.example.com:5432/clientdesk?sslmode=require",
    "EMAIL_URL": "smtps://portal:pass%40word@mail.example.com:465",
    "SECRET_KEY": "kZ3vQ9xW1rT7yB5nM8cL2pD6fG4hJ0sAeUiOqXzVtRwYbNmKd4Pg",
    "PUBLIC_URL": "https://portal.example.com",
    "KEY_ENCRYPTION_KEYS": f"{FERNET_KEY},{base64.urlsafe_b64encode(bytes(32)).decode()}",
    "SECRET_PEPPERS": "1:0f9e8d7c6b5a49382716051423344556,2:q7w8e9r0t1y2u3i4o5p6a7s8d9f0g1h2",
}
INHERITED = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


def manage(*arguments: str, **environ: str | None) -> subprocess.CompletedProcess[str]:
    """Run manage.py with a production environment, changed by `environ`; None leaves a variable out."""
    variables = {name: value for name, value in (INHERITED | PRODUCTION | environ).items() if value is not None}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_deployment_check_finds_nothing_to_improve():
    done = manage("check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_hsts_covers_what_the_environment_says():
    names = ("SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_HSTS_PRELOAD")
    code = f"from django.conf import settings; print(*[getattr(settings, name) for name in {names}])"
    wanted = {"HSTS_SECONDS": "63072000", "HSTS_SUBDOMAINS": "yes", "HSTS_PRELOAD": "yes"}
    assert manage("shell", "-v0", "--command", code, **wanted).stdout.split() == ["63072000", "True", "True"]
    assert manage("shell", "-v0", "--command", code).stdout.split() == ["31536000", "False", "False"]


def refused(name: str, value: str | None) -> str:
    """Start with one variable changed, and return the one line that the refusal must be."""
    done = manage("check", **{name: value})
    assert done.returncode != 0, f"started with {name}={value!r}"
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("Clientdesk cannot start: ")
    assert name in done.stderr
    return done.stderr


@pytest.mark.parametrize("name", PRODUCTION)
@pytest.mark.parametrize("value", [None, "", "  "], ids=["missing", "empty", "blank"])
def test_server_names_the_variable_it_misses(name, value):
    assert "docs/settings.md" in refused(name, value)


def test_server_names_every_variable_it_misses_at_once():
    done = manage("check", DATABASE_URL=None, SECRET_PEPPERS=None)
    assert "set DATABASE_URL, SECRET_PEPPERS in the environment" in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://root:hunter2@db.example.com/clientdesk"),
        ("DATABASE_URL", "sqlite:///hunter2.sqlite3"),
        ("DATABASE_URL", "hunter2"),
        ("DATABASE_URL", "postgresql://clientdesk:hunter2@db.example.com"),
        ("DATABASE_URL", "postgresql://clientdesk:hunter2@db.example.com:port/clientdesk"),
        ("DATABASE_URL", "postgresql://clientdesk:hunter2@db.example.com/clientdesk?no-such-option=1"),
        ("REDIS_URL", "hunter2"),
        ("REDIS_URL", "https://:hunter2@cache.example.com"),
        ("REDIS_URL", "redis://"),
        ("EMAIL_URL", "hunter2"),
        ("EMAIL_URL", "smtps://"),
        ("EMAIL_URL", "smtps://portal:hunter2@mail.example.com:port"),
        ("EMAIL_URL", "smtp://portal:hunter2@mail.example.com"),
        ("EMAIL_URL", "https://portal:hunter2@mail.example.com"),
        ("SECRET_KEY", "hunter2"),
        ("SECRET_KEY", "hunter2" * 8),
        ("PUBLIC_URL", "portal.example.com"),
        ("PUBLIC_URL", "https://portal.example.com/portal"),
        ("PUBLIC_URL", "https://portal.example.com?tenant=1"),
        ("PUBLIC_URL", "https://portal.example.com:port"),
        ("PUBLIC_URL", "https://Portal.example.com"),
        ("PUBLIC_URL", "https://user:hunter2@portal.example.com"),
        ("PUBLIC_URL", "http://portal.example.com"),
        ("PUBLIC_URL", "http://10.0.0.7:8000"),
        ("PUBLIC_URL", "ftp://portal.example.com"),
        ("KEY_ENCRYPTION_KEYS", "hunter2"),
        ("KEY_ENCRYPTION_KEYS", f"{FERNET_KEY},hunter2"),
        ("KEY_ENCRYPTION_KEYS", f"{FERNET_KEY},"),
        ("SECRET_PEPPERS", "hunter2"),
        ("SECRET_PEPPERS", "1:hunter2"),
        ("SECRET_PEPPERS", "one:0f9e8d7c6b5a49382716051423344556"),
        ("SECRET_PEPPERS", "1:0f9e8d7c6b5a49382716051423344556,"),
        ("SECRET_PEPPERS", "1:0f9e8d7c6b5a49382716051423344556,1:q7w8e9r0t1y2u3i4o5p6a7s8d9f0g1h2"),
        ("PORT", "hunter2"),
        ("PORT", "0"),
        ("TRUSTED_PROXY_COUNT", "-1"),
        ("TIME_ZONE", "Mars/Olympus"),
        ("LOG_LEVEL", "LOUD"),
        ("FROM_EMAIL", "hunter2"),
        ("OPERATOR_CONTACT", "https://hunter2.example.com"),
        ("PORTAL_NAME", "Portal\nBcc: everybody@example.com"),
        ("ACCESS_LOG", "hunter2"),
        ("HSTS_SECONDS", "a year"),
        ("HSTS_SUBDOMAINS", "true"),
        ("HSTS_PRELOAD", "yes"),
    ],
)
def test_server_names_the_variable_that_is_malformed_and_does_not_repeat_it(name, value):
    assert "hunter2" not in refused(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "http://localhost:8000"),
        ("PUBLIC_URL", "https://portal.example.com/"),
        ("EMAIL_URL", "smtp://mailrelay:1025"),
        ("EMAIL_URL", "smtp+tls://mail.example.com"),
        ("DATABASE_URL", "postgresql:///clientdesk?host=/run/postgresql"),
        ("TRUSTED_PROXY_COUNT", "1"),
        ("REDIS_URL", "rediss://:password@cache.example.com:6380/1"),
        ("REDIS_URL", "valkey://cache.example.com"),
        ("FROM_EMAIL", "Developer portal <no-reply@example.com>"),
        ("HSTS_SECONDS", "0"),
    ],
)
def test_server_starts_with(name, value):
    assert manage("check", **{name: value}).returncode == 0


def test_production_server_never_starts_the_embedded_database_or_the_demo(tmp_path):
    done = manage("demo", "--json", DATA_DIR=str(tmp_path))
    assert done.returncode != 0
    assert "production server" in done.stderr
    assert list(tmp_path.iterdir()) == []
