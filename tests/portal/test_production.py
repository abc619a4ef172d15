"""A production server behind a proxy that ends TLS, as docs/deploy.md sets it up."""

import os
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings

from tests import patient
from tests.live import copy_database, drop_database, migrated_database
from tests.servers import free_port, running
from tests.test_deploy import INHERITED, PRODUCTION

BEHIND_TLS = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
HOST = urlsplit(PRODUCTION["PUBLIC_URL"]).netloc


@pytest.fixture(scope="module")
def portal(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[httpx.Client]:
    """A client of the server, that names the public host as every visitor does."""
    template, port = migrated_database(django_db_blocker), free_port()
    name = f"{template}_production"
    environ = INHERITED | PRODUCTION
    environ |= {
        "DATABASE_URL": urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl(),
        "DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "STATIC_ROOT": str(tmp_path_factory.mktemp("static")),  # other tests read the usual one meanwhile
        "TRUSTED_PROXY_COUNT": "1",
        "PORT": str(port),
    }
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "collectstatic", "--noinput", "-v0"], cwd=settings.BASE_DIR, env=environ, check=True)
    copy_database(template, name, django_db_blocker)
    try:
        with (
            running(
                [*manage, "serve", "--workers", "1", "--no-work"], f"http://127.0.0.1:{port}/health/alive", environ
            ),
            patient.Client(base_url=f"http://127.0.0.1:{port}", headers={"Host": HOST}) as client,
        ):
            yield client
        assert os.listdir(environ["DATA_DIR"]) == []
    finally:
        drop_database(name, django_db_blocker)


def test_plain_http_is_led_to_https(portal):
    answer = portal.get("/account/login/")
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"{PRODUCTION['PUBLIC_URL']}/account/login/"


def test_health_is_answered_without_tls_because_the_proxy_asks(portal):
    assert portal.get("/health/ready").status_code == 200


def test_page_tells_the_browser_to_keep_to_https_and_to_our_own_files(portal):
    headers = portal.get("/account/login/", headers=BEHIND_TLS).headers
    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "no-store" in headers["Cache-Control"]


def test_cookies_belong_to_this_host_alone(portal):
    answer = portal.get("/account/login/", headers=BEHIND_TLS)
    for cookie in answer.headers.get_list("Set-Cookie"):
        assert cookie.startswith("__Host-"), cookie
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}


def test_another_host_is_refused_and_the_issuer_does_not_follow_it(portal):
    evil = {**BEHIND_TLS, "Host": "evil.example"}
    assert portal.get("/account/login/", headers=evil).status_code == 400
    assert "evil" not in portal.get("/.well-known/openid-configuration", headers=evil).text
    document = portal.get("/.well-known/openid-configuration", headers=BEHIND_TLS).json()
    assert document["issuer"] == PRODUCTION["PUBLIC_URL"]


def test_static_files_may_be_kept_for_ever_under_names_that_change_with_them(portal):
    page = portal.get("/account/login/", headers=BEHIND_TLS).text
    stylesheet = page.split('rel="stylesheet" href="')[1].split('"')[0]
    assert stylesheet != "/static/css/portal.css"
    assert "immutable" in portal.get(stylesheet, headers=BEHIND_TLS).headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/demo/mail/", "/demo/mail/anything/"])
def test_the_demo_has_no_door_in_production(portal, path):
    assert portal.get(path, headers=BEHIND_TLS).status_code == 404
