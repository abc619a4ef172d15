"""Fifty tries at once, at two processes, under forged addresses and twins of a name: the limits hold as for one try."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from tests import patient
from tests.factories import UserFactory
from tests.forms import Forms
from tests.resilience.conftest import another

TRIES = 50
SIGN_IN, CODE = "/account/login/", "/account/login/code/"
PASSWORDS, CODES, PER_LINE = 5, 5, 20  # of a name in five minutes, of a mailbox in an hour, of a line in a minute


@pytest.fixture(scope="module")
def processes(server):
    """Yield the address of two processes behind one proxy, which adds the address that it sees."""
    with another(replace(server, environ=server.environ | {"TRUSTED_PROXY_COUNT": "1"})) as address:
        yield address


def at_once(address, path, fields_of, caller_of):
    """Send the page's form so often at once, with what is typed and who calls by number; return the answers."""
    barrier = Barrier(TRIES)

    def send(number):
        headers = {"X-Forwarded-For": caller_of(number), "Referer": address}
        with patient.Client(base_url=address, headers=headers) as browser:
            page = browser.get(path)
            typed = fields_of(number)
            form = next(form for form in Forms(page.text).found if form.names >= typed.keys())
            barrier.wait(120)
            return browser.post(path, data=form.sent | typed)

    with ThreadPoolExecutor(TRIES) as pool:
        return list(pool.map(send, range(TRIES)))


def about(count, limit):
    return limit - 1 <= count <= limit + 1


def test_passwords_are_tried_so_often_whatever_lines_the_tries_come_from(server, processes):
    with server.database():
        email = UserFactory().email  # nobody's who signs in elsewhere
    names = [email, email.upper(), email.title(), f" {email} "]
    answers = at_once(
        processes,
        SIGN_IN,
        lambda number: {"login": names[number % len(names)], "password": f"wrong {number}"},
        lambda number: f"2001:db8:0:{number + 1:x}::1",
    )
    assert {answer.status_code for answer in answers} <= {200, 429}
    tried = [answer for answer in answers if "Too many" not in answer.text]
    assert about(len(tried), PASSWORDS), [answer.status_code for answer in answers]


def test_a_mailbox_gets_so_many_codes_whatever_its_twins_and_forged_addresses(processes):
    twins = ["nobody@acme.example", "nobody+{}@acme.example", "NoBody@ACME.example", "nobody+\u0131{}@acme.example"]
    answers = at_once(
        processes,
        CODE,
        lambda number: {"email": twins[number % len(twins)].format(number)},
        lambda number: f"198.51.100.{number}, 203.0.113.{number}",
    )
    assert about([answer.status_code for answer in answers].count(302), CODES)


def test_one_line_asks_for_so_many_codes_whatever_its_addresses(processes):
    answers = at_once(
        processes,
        CODE,
        lambda number: {"email": f"somebody-{number}@acme.example"},
        lambda number: f"198.51.100.{number}, 2001:db8:0:ffff::{number + 1:x}",
    )
    assert about([answer.status_code for answer in answers].count(302), PER_LINE)
