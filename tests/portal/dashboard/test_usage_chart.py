"""How much a workspace is used, on its home page: figures, a chart, and its numbers."""

from datetime import timedelta

import pytest
from django.utils import timezone

from authority.models import DailyCount
from portal.dashboard import usage_chart
from portal.dashboard.usage_chart import last_days, round_up
from tests.factories import ClientFactory, give_secret

HOME = "/consumers/acme/"


@pytest.fixture
def count(service, time_machine):
    time_machine.move_to(timezone.now(), tick=False)  # the day must not end meanwhile

    def add(back: int, issued: int = 0, refused: int = 0, client=service) -> None:
        day = timezone.now().date() - timedelta(days=back)
        DailyCount.objects.create(client=client, day=day, issued=issued, refused=refused)

    give_secret(service)
    return add


@pytest.mark.django_db
def test_home_shows_how_many_tokens_were_issued_and_refused(alice, browser_of, acme, count):
    count(0, 312, 4)
    count(1, 1788)
    count(29, 900)
    count(30, 77_777)  # too long ago
    count(2, 100, client=ClientFactory(consumer=acme))
    page = " ".join(browser_of(alice).get(HOME).text.split()).replace("> ", ">").replace(" <", "<")
    assert "<dt>Issued</dt><dd>3,100</dd>" in page
    assert "<dt>Refused</dt><dd>4<small>0.13%</small></dd>" in page
    assert "<dt>Clients in use</dt><dd>2<small>of 2</small></dd>" in page
    assert "312 issued, 4 refused, so far</title>" in page
    assert page.count('class="bar"') == 4
    assert page.split("</details>")[-2].count('<tr><th scope="row">') == 30
    assert "77,777" not in page


@pytest.mark.django_db
def test_home_of_a_workspace_that_nobody_used_has_no_chart(alice, browser_of, globex, service, count):
    count(0, 5, client=ClientFactory(consumer=globex))
    assert "Tokens, last 30 days" not in browser_of(alice).get(HOME).text


@pytest.mark.django_db
def test_each_day_has_its_place_also_when_nothing_happened(count):
    count(0, 1, 2)
    count(3, 4)
    days = last_days(DailyCount.objects.all())
    assert len(days) == 30
    assert [(day.issued, day.refused) for day in days[-4:]] == [(4, 0), (0, 0), (0, 0), (1, 2)]
    assert days[-1].date == timezone.now().date()


@pytest.mark.parametrize(
    ("most", "limit"), [(1, 2), (3, 4), (9, 10), (10, 10), (11, 20), (31, 40), (2226, 3000), (10_001, 20_000)]
)
def test_chart_ends_at_the_next_round_number(most, limit):
    assert round_up(most) == limit
    assert limit % 2 == 0


def test_chart_of_a_workspace_with_many_clients_is_remembered_and_of_others_is_not(
    service, alice, browser_of, monkeypatch
):
    def issued():
        return browser_of(alice).get("/consumers/acme/").context["usage"]["issued"]

    DailyCount.objects.create(client=service, day=timezone.now().date(), issued=3, refused=0)
    assert issued() == 3
    monkeypatch.setattr(usage_chart, "MANY", 1)
    DailyCount.objects.update(issued=4)
    assert issued() == 4
    DailyCount.objects.update(issued=5)
    assert issued() == 4
