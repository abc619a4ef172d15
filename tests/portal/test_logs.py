"""What a log line never does: hold a secret, pass for another line, or steer the terminal that shows it."""

import io
import logging

import pytest

from clients import secrets
from core import credentials
from portal.logs import RedactingFilter


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
