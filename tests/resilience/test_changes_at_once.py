"""Many programs change the same thing at the same moment: whatever was acknowledged is kept."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client as Browser

from authority.telemetry import metrics
from clients.actions.registration import (
    enable_open_registration,
    find_registration_access_token,
    register_itself,
)
from clients.metadata import TEMPLATES
from clients.models import Client
from clients.models.registration import RegistrationMethod
from clients.registration.allowances import Allowance
from consumers.audit import SYSTEM
from consumers.models import Event
from tests.api.conftest import program_of, token_of  # noqa: F401  # fixtures
from tests.factories import sign_in_to
from tests.forms import Forms

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 20


def at_once(change):
    """Call it with each number at the same moment, by threads; return what it returned."""
    metrics.instruments()  # as a worker does before it takes requests
    barrier = Barrier(AT_ONCE)

    def run(number):
        barrier.wait(30)
        try:
            return change(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(run, range(AT_ONCE)))


@pytest.mark.parametrize("kind", ["consumers", "clients"])
def test_members_that_programs_add_at_once_are_all_kept(kind, acme, service, olga, program_of):  # noqa: F811
    path = {"consumers": "/admin/consumers/acme", "clients": f"/admin/clients/{service.client_id}"}[kind]
    programs = [program_of(olga) for _ in range(AT_ONCE)]

    def add(number):
        return programs[number].patch(path, [{"op": "add", "path": f"/metadata/m{number}", "value": number}])

    assert [answer.status_code for answer in at_once(add)] == [200] * AT_ONCE
    assert programs[0].get(path).json()["metadata"] == {f"m{number}": number for number in range(AT_ONCE)}
    assert Event.objects.filter(name__in=["consumer.updated", "client.updated"]).count() == AT_ONCE


def test_of_programs_that_read_the_same_state_one_changes_it(acme, olga, program_of):  # noqa: F811
    programs = [program_of(olga) for _ in range(AT_ONCE)]
    read = programs[0].get("/admin/consumers/acme")["ETag"]

    def rename(number):
        operations = [{"op": "replace", "path": "/name", "value": f"Acme {number}"}]
        return programs[number].patch("/admin/consumers/acme", operations, **{"If-Match": read}).status_code

    assert sorted(at_once(rename)) == [200, *[412] * (AT_ONCE - 1)]


def test_of_operators_who_send_the_same_page_one_is_heard_and_the_others_are_told(acme, olga):
    browsers = [Browser() for _ in range(AT_ONCE)]
    for browser in browsers:
        sign_in_to(browser, olga)
    address = f"/operators/consumers/consumer/{acme.pk}/change/"
    opened = next(form for form in Forms(browsers[0].get(address).text).found if "shown" in form.names).sent

    def rename(number):
        return browsers[number].post(address, opened | {"name": f"Acme {number}"}).status_code

    assert sorted(at_once(rename)) == [302, *[409] * (AT_ONCE - 1)]
    assert Event.objects.filter(name="consumer.updated").count() == 1


@pytest.mark.compliance("RFC 7592", "2.2")
def test_a_registration_token_that_is_used_twice_at_once_is_replaced_once(acme, acme_access):
    """Else both would be told a new token, and only one of the two would work."""
    allowance = Allowance(acme, RegistrationMethod.INITIAL_ACCESS_TOKEN, "test")
    client, _, text = register_itself(
        allowance=allowance, metadata=TEMPLATES["service"].replace(client_name="One"), actor=SYSTEM
    )
    documents = {"client_name": "One", "grant_types": ["client_credentials"], "client_id": client.client_id}

    def replace(number):
        return Browser().put(
            f"/oauth2/register/{client.client_id}",
            json.dumps(documents | {"client_name": f"Number {number}"}),
            content_type="application/json",
            headers={"Authorization": f"Bearer {text}"},
        )

    answers = at_once(replace)
    (done,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} == {200, 401}
    assert Client.objects.get().client_name == done["client_name"]
    assert find_registration_access_token(done["registration_access_token"], client.client_id) is not None


def test_openly_registered_clients_are_never_more_than_allowed(acme, acme_access):
    enable_open_registration(consumer=acme, actor=SYSTEM, max_clients=5)

    def register(number):
        browser = Browser(REMOTE_ADDR=f"198.51.100.{number}")
        document = {"redirect_uris": [f"https://app{number}.example.com/"], "token_endpoint_auth_method": "none"}
        return browser.post("/oauth2/register", document, "application/json").status_code

    assert sorted(at_once(register)) == [201] * 5 + [403] * (AT_ONCE - 5)
    assert acme.clients.count() == 5
