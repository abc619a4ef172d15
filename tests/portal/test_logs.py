"""What a log line never does: hold a secret, pass for another line, or steer the terminal that shows it."""

import io
import logging
import time
from urllib.parse import urlencode

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_started
from django.db import OperationalError, close_old_connections, connection

from clients import secrets
from core import cache, credentials
from core.db import outages
from portal import logs
from portal.fast_path import FastPath
from portal.logs import RedactingFilter
from tests.authority.conftest import FORM
from tests.portal.test_fast_path import ask


@pytest.fixture
def written():
    """Log through the filter and the format that every line passes; return what was written."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter())
    handler.setFormatter(logging.Formatter("%(levelname)s [%(request_id)s] %(message)s"))
    logger = logging.Logger("test")
    logger.addHandler(handler)

    def write(log):
        log(logger)
        return stream.getvalue()

    return write


@pytest.mark.parametrize("character", ["\n", "\r", "\0", "\x1b", "\x9b", "\x85", "\u2028", "\u202e"])
def test_a_line_holds_no_character_that_acts(written, character):
    line = written(lambda logger: logger.warning("agent %s", f"a{character}b"))
    assert character not in line.rstrip("\n")
    assert line.count("\n") == 1


def fail(logger, text):
    try:
        raise ValueError(text)
    except ValueError:
        logger.exception("a fault")


def test_a_traceback_holds_no_secret(written):
    secret, link = secrets.generate(), "/invitations/" + "t" * 43
    text = written(lambda logger: fail(logger, f"{secret} {link}/ \x1b[2J"))
    assert secret not in text
    assert link not in text
    assert "\x1b" not in text
    assert "ValueError" in text


@pytest.mark.parametrize("prefix", ["cdsk_", "cdp_", "cdr_", "cdi_", "cddc_", "cdrt_", "cdat_"])
def test_no_line_holds_a_credential_of_any_kind(written, prefix):
    credential = credentials.generate(prefix)
    line = written(lambda logger: logger.warning("body %s", f"token={credential}&client_id=cl_abc"))
    assert line == f"WARNING [-] body token={prefix}…&client_id=cl_abc\n"


@pytest.mark.django_db
def test_request_for_another_host_leaves_one_line(client, caplog):
    caplog.handler.addFilter(RedactingFilter())
    assert client.get("/account/login/", headers={"Host": "evil.example"}).status_code == 400
    (line,) = caplog.text.splitlines()
    assert "evil.example" in line


def test_a_traceback_cannot_pass_for_another_line(written):
    text = written(lambda logger: fail(logger, "x\nINFO [req_1] olga signed in"))
    assert "\nINFO" not in text


# -- What strangers send is cut before it is read ---------------------------------------------------------------------

HOSTILE = ["ey-", "eyeyeyeyey.", ".eyaaaaaaaa", "/invitations/", "cda_", "%2Finvitations%2F", "a", "é"]


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_long_text_is_cut_before_it_is_read(written, unit):
    text = (unit * 45_000)[:45_000]
    began = time.thread_time()
    line = written(lambda logger: logger.warning("Not Found: /%s", text))
    assert time.thread_time() - began < 0.02
    assert len(line) < 1100
    assert line.endswith(" (45,012 characters)\n")


SECRETS = {
    "a credential": "cdsk_" + "Z" * 43,
    "an invitation": "/invitations/" + "Z" * 43,
    "a JWT": "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0." + "Z" * 86,
    "a JWT behind a hyphen": "x-eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0." + "Z" * 86,
    "a JWT behind other parts": "aaaaaaaaaaaa.eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0." + "Z" * 86,
}


@pytest.mark.parametrize("secret", SECRETS)
def test_no_part_of_a_secret_is_shown_wherever_the_text_is_cut(secret):
    hidden = SECRETS[secret]
    for place in range(logs.MAX_LENGTH - 150, logs.MAX_LENGTH + 10):
        record = logging.makeLogRecord({"name": "test", "msg": "=" * place + hidden + " and more" * 30})
        RedactingFilter().filter(record)
        assert "Z" not in record.msg, place


def test_a_traceback_is_cut_in_lines_and_in_their_number(written):
    text = written(lambda logger: fail(logger, "\n".join(["x" * 45_000] * 3 + ["y"] * 30_000 + ["the end"])))
    assert len(text) < 20_000
    assert len(text.splitlines()) < 110
    assert text.endswith("the end\n")
    assert "Traceback" in text


# -- Each line names its request --------------------------------------------------------------------------------------


@pytest.fixture
def lines():
    """All that is logged, as the root logger's handler writes it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter())
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s [%(request_id)s] %(message)s"))
    logging.getLogger().addHandler(handler)
    yield lambda: stream.getvalue().splitlines()
    logging.getLogger().removeHandler(handler)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "reason"), [("/no/such/page/", "Not Found"), ("/oauth2/token", "Unauthorized"), ("/admin/clients", "")]
)
def test_what_django_says_of_an_answer_names_its_request(client, lines, path, reason):
    body = {"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}
    answer = client.post(path, urlencode(body), content_type=FORM)
    assert lines() == [f"WARNING django.request [{answer['X-Request-Id']}] {reason or 'Unauthorized'}: {path}"]


@pytest.mark.django_db
def test_request_that_the_fast_path_hands_on_keeps_its_id(lines, monkeypatch):
    def broken(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr("authority.endpoints.fast_path.parse_form", broken)
    request_started.disconnect(close_old_connections)  # it would end the test's transaction
    try:
        answer = ask(FastPath(WSGIHandler()), {"grant_type": "client_credentials", "client_id": "x"})
    finally:
        request_started.connect(close_old_connections)
    named = f"[{answer[1]['X-Request-Id']}]"
    said = [line for line in lines() if not line.startswith("  ")]
    assert [line.split(" ")[:3] for line in said] == [
        ["WARNING", "portal.fast_path", named],
        ["WARNING", "django.request", named],
    ]


# -- An outage of the database ----------------------------------------------------------------------------------------


def refused(*args, **kwargs):
    raise OperationalError("connection refused\nDETAIL: row (1)")


@pytest.mark.django_db
def test_an_outage_is_one_line_a_minute(client, lines, monkeypatch):
    client.raise_request_exception = False
    cache.invalidate_all()
    monkeypatch.setattr(outages, "_failures", 0)
    monkeypatch.setattr(outages, "_silent_until", 0.0)
    monkeypatch.setattr(connection, "cursor", refused)
    token = urlencode({"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"})

    def ask_all():
        assert client.post("/oauth2/token", token, content_type=FORM).status_code == 503
        for path in ("/", "/.well-known/openid-configuration", "/account/login/code/confirm/"):
            assert client.get(path, headers={"Cookie": "session=" + "a" * 32}).status_code == 503, path

    ask_all()
    ask_all()
    (line,) = lines()
    assert "OperationalError at /oauth2/token: connection refused (failures since the last such line: 1)" in line
    monkeypatch.setattr(outages, "_silent_until", 0.0)
    ask_all()
    _, line = lines()
    assert "(failures since the last such line: 8)" in line
