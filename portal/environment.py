"""What the environment says, checked: a missing or malformed variable stops the start with one line that names it.

A line never repeats a value that may hold a password.
"""

import base64
import binascii
import ipaddress
import logging
import os
import re
import sys
from email.utils import parseaddr
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import SplitResult, unquote, urlsplit
from zoneinfo import available_timezones

from psycopg import Error as PostgresError
from psycopg.conninfo import conninfo_to_dict

ADDRESS = re.compile(r"[^@\s<>\"]+@[^@\s<>\"]+")
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the library's name for it
LOOPBACK = ("127.0.0.1", "localhost", "::1")
BASE_DIR = Path(__file__).resolve().parent.parent
IDENTITY = ("SECRET_KEY", "PUBLIC_URL", "KEY_ENCRYPTION_KEYS", "SECRET_PEPPERS")
REQUIRED = ("DATABASE_URL", "EMAIL_URL", *IDENTITY)

MOST_DAYS = 36_500

# Notice within seconds when the network swallows packets, instead of after a quarter of an hour.
CONNECTION_OPTIONS = {
    "connect_timeout": 3,  # seconds
    "keepalives_idle": 3,  # seconds
    "keepalives_interval": 1,  # seconds
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,  # milliseconds
}


def _refuse(reason: str) -> NoReturn:
    sys.exit(f"Clientdesk cannot start: {reason}")


def text(name: str, default: str = "") -> str:
    """Return a variable on one line; an empty one counts as not set."""
    value = os.environ.get(name, "").strip() or default
    if not value.isprintable():
        _refuse(f"{name} must not hold line breaks or control characters.")
    return value


def is_production() -> bool:
    """Tell whether any variable of IDENTITY is set; without one this is the demo."""
    return any(os.environ.get(name) for name in IDENTITY)


def data_dir() -> Path:
    """Return the folder of what the demo keeps."""
    return Path(text("DATA_DIR", str(BASE_DIR / ".data")))


def static_root() -> Path:
    """Return the folder that `collectstatic` fills."""
    return Path(text("STATIC_ROOT", str(BASE_DIR / "staticfiles")))


def number(name: str, default: int, *, low: int, high: int) -> int:
    value = text(name, str(default))
    if not (value.isascii() and value.isdigit() and low <= int(value) <= high):
        _refuse(f"{name} must be a whole number from {low} to {high}.")
    return int(value)


def retention_days() -> dict[str, int]:
    """Return for how many days each kind of row is kept that nobody deletes; 0 of events: for ever."""
    days = {
        "EVENT": number("EVENT_RETENTION_DAYS", 0, low=0, high=MOST_DAYS),
        "MAIL": number("MAIL_RETENTION_DAYS", 30, low=1, high=MOST_DAYS),
        "PROBLEM": number("PROBLEM_RETENTION_DAYS", 30, low=7, high=MOST_DAYS),  # pages show those of a week
        "USAGE": number("USAGE_RETENTION_DAYS", 400, low=31, high=MOST_DAYS),  # charts show a month
        "TEST_TOKEN": number("TEST_TOKEN_RETENTION_DAYS", 30, low=1, high=MOST_DAYS),
        "INITIAL_ACCESS_TOKEN": number("INITIAL_ACCESS_TOKEN_RETENTION_DAYS", 365, low=1, high=MOST_DAYS),
    }
    if 0 < days["EVENT"] < 90:  # so young ones the database refuses to delete (consumers/sql/chain.sql)
        _refuse(f"EVENT_RETENTION_DAYS must be 0, which keeps the record for ever, or from 90 to {MOST_DAYS}.")
    return days


def required(names: tuple[str, ...]) -> dict[str, str]:
    values = {name: text(name) for name in names}
    if missing := [name for name, value in values.items() if not value]:
        _refuse(f"set {', '.join(missing)} in the environment. docs/settings.md says how.")
    return values


def origin(url: str) -> SplitResult:
    """Return PUBLIC_URL's parts. Tokens carry it as issuer, compared letter by letter, so it has one spelling."""
    parts = _split(url)
    if (
        parts is None
        or parts.scheme not in ("https", "http")
        or not parts.hostname
        or url != f"{parts.scheme}://{parts.netloc.lower()}"
        or "@" in parts.netloc
    ):
        _refuse("PUBLIC_URL must be an origin in lower case without a path, such as https://portal.example.com.")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        _refuse("PUBLIC_URL must use https; http is only for 127.0.0.1, [::1] and localhost.")
    return parts


def secret_key(value: str) -> str:
    if len(value) < 50 or len(set(value)) < 10:
        _refuse("SECRET_KEY must have at least 50 random characters.")
    return value


def encryption_keys(value: str) -> list[str]:
    """Return the Fernet keys, newest first."""
    keys = [key.strip() for key in value.split(",")]
    for key in keys:
        try:
            size = len(base64.urlsafe_b64decode(key))
        except (ValueError, binascii.Error):
            size = 0
        if size != 32:
            _refuse("KEY_ENCRYPTION_KEYS must be Fernet keys (32 bytes in base64), newest first, separated by commas.")
    return keys


def peppers(value: str) -> dict[str, str]:
    """Return version to pepper. The first digests new secrets, the others still verify theirs."""
    found: dict[str, str] = {}
    for pair in value.split(","):
        version, _, pepper = pair.strip().partition(":")
        is_number = version.isascii() and version.isdigit() and len(version) <= 10
        if not is_number or len(pepper) < 32 or version in found:
            _refuse("SECRET_PEPPERS must read 1:<at least 32 random characters>, others behind it after a comma.")
        found[version] = pepper
    return found


def database(url: str, name: str = "DATABASE_URL") -> dict[str, Any]:
    """Return Django's words for the PostgreSQL URL in that variable, as libpq itself reads it."""
    try:
        said = conninfo_to_dict(url) if url.startswith(("postgresql://", "postgres://")) else {}
    except PostgresError:
        said = {}
    ports = str(said.get("port", "")).split(",")  # one for each host, or one for all
    if not said.get("dbname") or not all(port.isdecimal() or not port for port in ports):
        _refuse(f"{name} must name a PostgreSQL database: postgresql://user:password@host:5432/name.")
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    options = {key: value for key, value in said.items() if key not in names}
    return {
        "ENGINE": "core.db.backend",
        "OPTIONS": options,
        **{word: str(said[key]) for key, word in names.items() if key in said},
    }


def caches(url: str) -> dict[str, dict[str, Any]]:
    """Return Django's words for the shared cache: a Redis or Valkey server before a table, or the table alone."""
    table = {"BACKEND": "portal.cache_table.CacheTable", "LOCATION": "portal_cache"}
    if not url:
        return {"default": table}
    parts = _split(re.sub(r"^valkey(s?)://", r"redis\1://", url))
    if parts is None or parts.scheme not in ("redis", "rediss") or not parts.hostname:
        _refuse("REDIS_URL must name a Redis or Valkey server: redis://:password@host:6379/0, or rediss:// with TLS.")
    return {"default": {"BACKEND": "portal.cache.RedisOrTable", "LOCATION": parts.geturl()}, "table": table}


def mail_server(url: str) -> dict[str, Any]:
    """Return the mailer that delivers: smtps:// (TLS), smtp+tls:// (STARTTLS), or smtp:// to a relay next door.

    Mail holds sign-in codes and invitation links, so it crosses no network in clear text.
    """
    parts = _split(url)
    if parts is None or parts.scheme not in ("smtp", "smtp+tls", "smtps") or not parts.hostname:
        _refuse("EMAIL_URL must read smtps://user:password@host:465 or smtp+tls://user:password@host:587.")
    if parts.scheme == "smtp" and "." in parts.hostname and parts.hostname not in LOOPBACK:
        _refuse(
            "EMAIL_URL must use smtps:// or smtp+tls://; smtp:// is for a relay on this machine or container network."
        )
    return {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {
            "host": parts.hostname,
            "port": parts.port or {"smtp": 25, "smtp+tls": 587, "smtps": 465}[parts.scheme],
            "username": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "use_tls": parts.scheme == "smtp+tls",
            "use_ssl": parts.scheme == "smtps",
            "timeout": 20,
        },
    }


def address(name: str) -> str:
    """Return an optional e-mail address."""
    value = text(name)
    if value and not ADDRESS.fullmatch(value):
        _refuse(f"{name} must be an e-mail address, such as developers@example.com.")
    return value


def hosts(value: str) -> list[str]:
    """Return names of hosts, each with or without a port."""
    found = [host.strip() for host in value.split(",") if host.strip()]
    if not all(re.fullmatch(r"(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[1-9][0-9]{0,4})?|::1)", host) for host in found):
        _refuse("FETCH_LOCAL_HOSTS must read idp.internal:8443,10.0.0.7 in lower case, separated by commas.")
    return found


def dns_servers(value: str) -> dict[str, int]:
    """Return name servers, each an IP address with its port."""
    found = {}
    for server in filter(None, (part.strip() for part in value.split(","))):
        address, _, port = server.partition("#")
        try:
            found[str(ipaddress.ip_address(address))] = int(port or 53)
        except ValueError:
            _refuse("DNS_SERVERS must read 10.0.0.2,10.0.0.3#5353: IP addresses, separated by commas.")
    return found


def sender(value: str) -> str:
    """Return the From of every mail: an address, or a name and an address in angle brackets."""
    if not ADDRESS.fullmatch(parseaddr(value)[1]):
        _refuse("FROM_EMAIL must read no-reply@example.com or Developer portal <no-reply@example.com>.")
    return value


def time_zone(name: str) -> str:
    if name not in available_timezones():
        _refuse("TIME_ZONE must be a name of the time zone database, such as Europe/Amsterdam.")
    return name


def log_level(name: str) -> str:
    if name.upper() not in logging.getLevelNamesMapping():
        _refuse("LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR.")
    return name.upper()


def access_log(value: str) -> str:
    if value not in ("off", "plain", "json"):
        _refuse("ACCESS_LOG must be off, plain or json.")
    return value


def listed(value: str) -> list[str]:
    """Return the texts of a list that commas separate."""
    return [item.strip() for item in value.split(",") if item.strip()]


def request_domains(value: str) -> list[str]:
    """Return the domains of addresses whose requests for a workspace need no operator."""
    found = listed(value)
    if not all(re.fullmatch(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", name) for name in found):
        _refuse("WORKSPACE_REQUEST_DOMAINS must read partner.example,acme.example in lower case, separated by commas.")
    return found


def request_codes(value: str) -> list[str]:
    """Return the codes with which requests for a workspace need no operator. Whoever guesses one gets a workspace."""
    found = listed(value)
    if any(not 16 <= len(code) <= 100 for code in found):
        _refuse("WORKSPACE_REQUEST_CODES must be of 16 to 100 random characters each, separated by commas.")
    return found


def terms(value: str) -> str:
    """Return the address of the terms of use, or ""."""
    if value and not (value.startswith("https://") and _split(value) is not None and len(value) <= 2000):
        _refuse("WORKSPACE_REQUEST_TERMS must be an https address.")
    return value


def flag(name: str, default: bool = False) -> bool:
    value = text(name, "yes" if default else "no")
    if value not in ("yes", "no"):
        _refuse(f"{name} must be yes or no.")
    return value == "yes"


def hsts(*, seconds: int, covers_subdomains: bool, preload: bool) -> None:
    """Refuse to ask for a place in browsers' lists on terms that the lists refuse (https://hstspreload.org)."""
    if preload and not (covers_subdomains and seconds >= 365 * 86400):
        _refuse("HSTS_PRELOAD needs HSTS_SUBDOMAINS=yes and HSTS_SECONDS of a year (31536000) or more.")


def metrics_token(value: str) -> str:
    if value and (len(value) < 20 or not value.isascii()):
        _refuse("METRICS_TOKEN must have at least 20 ASCII characters.")
    return value


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises, too
    except ValueError:
        return None
    return parts
