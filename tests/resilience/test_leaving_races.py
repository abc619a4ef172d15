"""A person signs out while a client exchanges their code: nothing that the code gave outlives the session."""

import threading

import pytest
from django.db import connection

from authority.models import TokenFamily
from authority.tokens import families
from tests.authority.conftest import web  # noqa: F401  # a fixture
from tests.authority.flows import Flow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.compliance("OpenID Connect Back-Channel Logout", "2.7")
def test_signing_out_waits_for_a_code_that_is_being_exchanged(web, browser_of, alice, monkeypatch):  # noqa: F811
    flow = Flow(web, browser_of(alice))
    code = flow.code()
    judged, leaving = threading.Event(), threading.Event()
    begin = families.create

    def late(*args, **kwargs):
        judged.set()  # the code was found good, of a session that lasts
        leaving.wait(20)
        begin(*args, **kwargs)

    monkeypatch.setattr(families, "create", late)
    answers = []

    def exchange():
        answers.append(flow.exchange(code).status_code)
        connection.close()

    def sign_out():
        flow.browser.post("/oauth2/logout/decision")
        connection.close()

    exchanging, signing_out = threading.Thread(target=exchange), threading.Thread(target=sign_out)
    exchanging.start()
    assert judged.wait(20)
    signing_out.start()
    signing_out.join(1)
    leaving.set()
    for thread in (exchanging, signing_out):
        thread.join(30)
    assert answers == [200]
    assert TokenFamily.objects.get().ended_at is not None
