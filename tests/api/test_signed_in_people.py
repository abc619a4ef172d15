"""/admin/clients/{client_id}/people: who is signed in to a client, and their end."""

from urllib.parse import quote, urlsplit

import pytest
from django.utils import timezone

from authority.models import TokenFamily
from tests.authority.signed_in import end_user, sign_in_at
from tests.factories import ClientFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def app(acme, acme_access):
    return ClientFactory(consumer=acme, client_name="Board", template="web", scopes=["openid", "email", "profile"])


@pytest.fixture
def path(app):
    return f"/admin/clients/{app.client_id}/people"


def test_people_are_listed_page_by_page_with_what_the_client_may_know(app, path, alice, bob, program_of):
    moment = timezone.now()
    for n in range(5):
        sign_in_at(app, end_user(f"P {n}", f"p{n}@home.example"), at=moment)
    hidden = end_user("Hidden", "hidden@home.example", subject="shop/7")
    sign_in_at(app, hidden, days=1, scopes=["openid"])
    viewer, seen, url = program_of(bob), [], f"{path}?page_size=2"
    while url:
        answer = viewer.get(url)
        assert answer.status_code == 200, answer.text
        seen += answer.json()
        links = [each for each in answer["Link"].split(",") if 'rel="next"' in each]
        url = links[0].partition("<")[2].partition(">")[0] if links else ""
        url = urlsplit(url)._replace(scheme="", netloc="").geturl()
    assert [len(seen), len({each["subject"] for each in seen})] == [6, 6]
    assert {each["email"] for each in seen} == {*(f"p{n}@home.example" for n in range(5)), ""}
    assert (seen[-1]["subject"], seen[-1]["name"], seen[-1]["email"]) == ("shop/7", "", "")
    assert (seen[0]["device"], seen[0]["is_member"]) == ("Firefox on Linux", False)
    assert viewer.get(f"{path}?subject=shop/7").json() == [seen[-1]]
    assert viewer.get(f"{path}/{quote('shop/7', safe='')}").json() == seen[-1]


def test_who_may_end_sign_ins(app, path, alice, bob, mallory, olga, program_of):
    customer = end_user(subject="shop/7")
    for client in (app, ClientFactory(consumer=app.consumer, template="web")):
        sign_in_at(client, customer)
        sign_in_at(client, alice, as_member=True)
    one = f"{path}/{quote('shop/7', safe='')}"
    assert program_of(mallory).get(path).status_code == 404
    assert program_of(mallory).delete(one).status_code == 404
    for address in (one, path):
        assert program_of(bob).delete(address).status_code == 403
        assert program_of(alice, scopes=["clients:read"]).delete(address).status_code == 403
    assert program_of(alice).delete(one).status_code == 204
    assert program_of(alice).delete(one).status_code == 404
    assert [each["subject"] for each in program_of(olga).get(path).json()] == [str(alice.pk)]
    assert program_of(olga).delete(path).status_code == 204
    assert program_of(alice).get(path).json() == []
    assert TokenFamily.objects.signed_in().count() == 2  # of the other client
