"""Requests for workspaces and permissions: who sees what when, who decides, and what bounds strangers."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client as Browser
from django.utils import timezone

from clients.actions import permission_requests, workspace_requests
from clients.models import Access, PermissionRequest, WorkspaceRequest
from clients.views import requests as request_views
from consumers.actions.erasure import erase_person
from consumers.audit import SYSTEM
from consumers.models import Consumer, Event
from core.errors import Conflict, Refusal
from core.rate_limits import Budget
from tests.factories import ScopeFactory, UserFactory, actor_for, hold_second_factor

pytestmark = pytest.mark.django_db

ASKED = {
    "organisation": "Northwind Carriers",
    "name": "Ana Silva",
    "email": "ana@northwind.example",
    "reason": "Our planners should see tracking events.",
}
PAGE = "/request-access/"


@pytest.fixture(autouse=True)
def taken(settings):
    settings.WORKSPACE_REQUESTS = True


def link_in(message):
    return re.search(r"/request-access/cdwr_\w+/", message.body)[0]


def ask(browser, **changes):
    answer = browser.post(PAGE, ASKED | changes)
    assert (answer.status_code, answer.headers.get("Location")) == (302, "/request-access/sent/"), answer.text
    return answer


@pytest.fixture
def confirmed(client, olga):
    ask(client)
    client.post(link_in(mail.outbox[-1]))
    mail.outbox.clear()
    return WorkspaceRequest.objects.get()


# -- A workspace ------------------------------------------------------------------------------------------------------


def test_off_by_default_there_is_no_page(client, settings):
    settings.WORKSPACE_REQUESTS = False
    for path in (PAGE, f"{PAGE}sent/"):
        assert client.get(path).status_code == 404
    assert "Request access" not in client.get("/account/login/").text


def test_nobody_sees_a_request_before_its_address_is_confirmed(client, olga, browser_of):
    ask(client)
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["ana@northwind.example"], "Confirm your address")
    event = Event.objects.get()
    assert event.name == "workspace.request.sent"
    assert "ana@" not in str(event.__dict__)
    assert "Northwind" not in browser_of(olga).get("/operators/requests/").text
    link = link_in(sent)
    for _ in range(2):
        assert "Confirm your address" in Browser().get(link).text  # looking confirms nothing
    assert WorkspaceRequest.objects.get().state == "unverified"
    stranger = Browser()
    assert "is being looked at" in stranger.post(link, follow=True).text
    assert Event.objects.first().name == "workspace.request.confirmed"
    assert mail.outbox[-1].to == ["olga@provider.example"]
    assert "Northwind Carriers" in browser_of(olga).get("/operators/requests/").text


def test_link_that_was_not_used_in_a_day_confirms_nothing(client):
    ask(client)
    WorkspaceRequest.objects.update(created_at=timezone.now() - timedelta(days=1, minutes=1))
    assert client.post(link_in(mail.outbox[-1])).status_code == 404


def test_known_and_unknown_addresses_get_the_same_answer_and_the_same_mail(client, alice, settings):
    def said(email):
        answer = ask(Browser(), email=email)
        message = mail.outbox[-1]
        assert message.to == [email]
        return answer.content, re.sub(r"cdwr_\w+", "", message.body).replace(email, "")

    assert said("alice@acme.example") == said("nobody@nowhere.example")


def test_what_a_stranger_says_stays_on_one_line_of_the_mail(client):
    assert client.post(PAGE, ASKED | {"organisation": "Evil\u202eCorp"}).status_code == 422
    ask(client, reason="Buy\n\nSincerely, your bank")
    assert "Reason: Buy Sincerely, your bank" in mail.outbox[-1].body


@pytest.mark.parametrize(
    "wrong", [{"email": "none"}, {"organisation": ""}, {"name": "A\u202eB"}, {"reason": "x" * 1001}]
)
def test_wrong_requests_are_refused_at_the_form(client, wrong):
    assert client.post(PAGE, ASKED | wrong).status_code == 422
    assert not WorkspaceRequest.objects.exists()


def test_terms_must_be_accepted_where_there_are_some(client, settings):
    settings.WORKSPACE_REQUEST_TERMS = "https://provider.example/terms"
    refused = client.post(PAGE, ASKED)
    assert refused.status_code == 422
    assert "Accept the terms" in refused.text
    ask(client, terms="on")
    assert WorkspaceRequest.objects.get().terms == "https://provider.example/terms"


def test_address_gets_three_mails_an_hour_and_the_page_says_nothing_of_it(client):
    for number in range(5):
        ask(client, email=f"ana+{number}@northwind.example")
    assert len(mail.outbox) == 3


def test_network_and_everybody_have_budgets(client, monkeypatch):
    monkeypatch.setattr(request_views, "_of_network", Budget("test-ip", (2, 3600)))
    for number in range(2):
        ask(client, email=f"a{number}@b{number}.example")
    refused = client.post(PAGE, ASKED)
    assert (refused.status_code, "Retry-After" in refused.headers) == (429, True)
    monkeypatch.setattr(request_views, "_of_network", Budget("test-other", (20, 3600)))
    monkeypatch.setattr(request_views, "_of_everybody", Budget("test-all", (1, 3600)))
    ask(client, email="c@c.example")
    assert client.post(PAGE, ASKED).status_code == 429


def test_addresses_of_one_line_share_its_budget(client, monkeypatch):
    monkeypatch.setattr(request_views, "_of_network", Budget("test-line", (1, 3600)))
    ask(Browser(REMOTE_ADDR="2001:db8:1:1::1"), email="a@a.example")
    assert Browser(REMOTE_ADDR="2001:db8:1:1:ffff::2").post(PAGE, ASKED).status_code == 429
    ask(Browser(REMOTE_ADDR="2001:db8:1:2::1"), email="b@b.example")


def test_approved_request_opens_a_workspace_and_invites(confirmed, olga, browser_of, api, settings):
    settings.WORKSPACE_REQUEST_SCOPES = ["shipments:read"]
    WorkspaceRequest.objects.update(scopes=["shipments:read"])
    page = browser_of(olga).post(
        f"/operators/requests/workspace/{confirmed.pk}/",
        {"_approve": "1", "scopes": ["shipments:read"], "until": (timezone.now() + timedelta(days=30)).date()},
        follow=True,
    )
    assert "The workspace is open" in page.text
    opened = Consumer.objects.get(slug="northwind-carriers")
    access = opened.access.get()
    assert (access.scope.value, access.expires_at is not None) == ("shipments:read", True)
    assert opened.invitations.get().email == "ana@northwind.example"
    assert "/invitations/" in mail.outbox[-1].body or "/invitations/" in mail.outbox[-2].body
    assert "workspace.request.approved" in set(Event.objects.values_list("name", flat=True))
    with pytest.raises(Conflict):
        workspace_requests.decline_workspace(request=confirmed, actor=actor_for(olga))


def test_who_decides_gives_no_scope_that_was_not_asked_for(confirmed, olga, api):
    with pytest.raises(Refusal, match="not asked for"):
        workspace_requests.approve_workspace_request(
            request=confirmed, scopes=["clientdesk:clients:write"], actor=actor_for(olga)
        )
    assert not Consumer.objects.exists()


def test_short_name_that_is_taken_gets_a_number(confirmed, olga):
    Consumer.objects.create(name="Other", slug="northwind-carriers")
    done = workspace_requests.approve_workspace_request(request=confirmed, actor=actor_for(olga))
    assert done.consumer.slug == "northwind-carriers-2"


def test_asked_back_and_answered_by_the_new_link(client, olga):
    ask(client)
    first = link_in(mail.outbox[-1])
    client.post(first)
    request = WorkspaceRequest.objects.get()
    workspace_requests.ask_back_workspace(request=request, question="Which customer?", actor=actor_for(olga))
    link = link_in(mail.outbox[-1])
    assert client.get(first).status_code == 404
    assert "Which customer?" in client.get(link).text
    client.post(link, {"answer": "Acme"})
    request.refresh_from_db()
    assert (request.state, request.answer) == ("open", "Acme")
    assert mail.outbox[-1].to == ["olga@provider.example"]


def test_declined_and_withdrawn_are_mailed(confirmed, olga, client):
    workspace_requests.decline_workspace(request=confirmed, decision="No such company.", actor=actor_for(olga))
    assert "No such company." in mail.outbox[-1].body
    ask(client, email="b@b.example")
    link = link_in(mail.outbox[-1])
    client.post(link)
    assert "was withdrawn" in client.post(link, {"withdraw": "1"}).text
    assert WorkspaceRequest.objects.get(email="b@b.example").state == "withdrawn"


@pytest.mark.parametrize(
    ("rules", "sent"),
    [
        ({"WORKSPACE_REQUEST_DOMAINS": ["northwind.example"]}, {}),
        ({"WORKSPACE_REQUEST_CODES": ["a-code-of-many-letters"]}, {"code": "a-code-of-many-letters"}),
    ],
)
def test_rule_approves_once_the_address_is_confirmed_and_not_before(rules, sent, client, settings):
    for name, value in rules.items():
        setattr(settings, name, value)
    ask(client, **sent)
    assert not Consumer.objects.exists()
    assert "Your workspace is open" in client.post(link_in(mail.outbox[-1]), follow=True).text
    assert Consumer.objects.get().name == "Northwind Carriers"
    approved = Event.objects.get(name="workspace.request.approved")
    assert approved.actor_kind == "system"


def test_domain_of_a_rule_is_that_of_the_address_alone(client, settings):
    settings.WORKSPACE_REQUEST_DOMAINS = ["northwind.example"]
    for email in ("a@evil-northwind.example", "a@northwind.example.evil.example", "a@sub.northwind.example"):
        ask(client, email=email)
        client.post(link_in(mail.outbox[-1]))
    assert not Consumer.objects.exists()


def test_unknown_code_is_refused(client, settings):
    settings.WORKSPACE_REQUEST_CODES = ["a-code-of-many-letters"]
    assert client.post(PAGE, ASKED | {"code": "another"}).status_code == 422


def test_stranger_gets_only_scopes_that_are_offered(client, settings, api):
    settings.WORKSPACE_REQUEST_SCOPES = ["shipments:read"]
    refused = client.post(PAGE, ASKED | {"scopes": ["shipments:write"]})
    assert refused.status_code == 422
    page = client.get(PAGE).text
    assert ("shipments:read" in page, "shipments:write" in page) == (True, False)


def test_who_may_not_decide_sees_nothing(confirmed, browser_of):
    operator = hold_second_factor(UserFactory(is_staff=True))
    browser = browser_of(operator)
    assert browser.get("/operators/requests/").status_code == 403
    assert browser.post(f"/operators/requests/workspace/{confirmed.pk}/", {"_approve": "1"}).status_code == 403
    assert not Consumer.objects.exists()


def test_old_requests_are_deleted_and_a_person_is_erased_from_them(confirmed, client, olga):
    ask(client, email="late@b.example")
    WorkspaceRequest.objects.filter(state="unverified").update(created_at=timezone.now() - timedelta(days=2))
    workspace_requests.delete_old_workspace_requests()
    assert [each.email for each in WorkspaceRequest.objects.all()] == ["ana@northwind.example"]
    erase_person(email="ana@northwind.example", actor=SYSTEM)
    assert not WorkspaceRequest.objects.exists()


# -- A permission -----------------------------------------------------------------------------------------------------


@pytest.fixture
def invoices(acme_access, api):
    return ScopeFactory(api=api, value="invoices:write", name="Approve invoices")


@pytest.fixture
def wish(acme, alice, olga, invoices):
    return permission_requests.request_permission(
        consumer=acme, scope="invoices:write", reason="Monthly close", actor=actor_for(alice)
    )


def test_who_decided_is_erased_from_what_was_decided(wish, olga):
    quinn = UserFactory(name="Quinn Vale", email="quinn@provider.example", is_staff=True, is_superuser=True)
    permission_requests.decline_permission(request=wish, decision="Not now", actor=actor_for(quinn))
    wish.refresh_from_db()
    assert (wish.decided_by, wish.decided_by_label) == (quinn, "Quinn Vale")
    erase_person(email=quinn.email, actor=SYSTEM)
    wish.refresh_from_db()
    assert wish.decided_by is None
    assert wish.decided_by_label.startswith("Erased person")


def test_operators_read_the_rules_where_they_decide(olga, browser_of, settings):
    settings.WORKSPACE_REQUEST_DOMAINS = ["northwind.example"]
    settings.WORKSPACE_REQUEST_CODES = ["SPRING-FAIR-2026-x"]
    page = browser_of(olga).get("/operators/requests/").text
    for words in ("northwind.example", "1 code", "WORKSPACE_REQUEST_CODES"):
        assert words in page, words
    assert "SPRING-FAIR" not in page


def test_manager_sees_what_exists_and_asks_for_it(alice, bob, acme, invoices, browser_of, olga):
    page = browser_of(alice).get("/consumers/acme/clients/permissions/").text
    assert "invoices:write" in page
    assert "clientdesk:" not in page  # our own API is nobody's to ask for
    path = f"/consumers/acme/clients/permissions/{invoices.pk}/request/"
    assert browser_of(bob).post(path, {"reason": "x"}).status_code == 403
    assert browser_of(alice).post(path, {"reason": "Monthly close"}).status_code == 302
    asked = PermissionRequest.objects.get()
    assert (asked.consumer, asked.scope, asked.created_by) == (acme, invoices, alice)
    assert mail.outbox[-1].to == ["olga@provider.example"]
    assert Event.objects.get(name="permission.request.made").consumer == acme
    assert browser_of(alice).post(path, {"reason": "again"}).status_code == 422


def test_nothing_is_shown_or_taken_where_the_settings_say_so(settings, alice, acme, invoices, browser_of):
    settings.PERMISSION_REQUESTS = False
    assert "invoices:write" not in browser_of(alice).get("/consumers/acme/clients/permissions/").text
    with pytest.raises(Refusal):
        permission_requests.request_permission(
            consumer=acme, scope="invoices:write", reason="x", actor=actor_for(alice)
        )


def test_own_api_and_scopes_that_are_theirs_cannot_be_asked_for(alice, acme, invoices):
    for scope in ("clientdesk:clients:read", "shipments:read", "nothing"):
        with pytest.raises(Refusal):
            permission_requests.request_permission(consumer=acme, scope=scope, reason="x", actor=actor_for(alice))


def test_approved_until_a_date_is_theirs_until_then(wish, acme, olga, browser_of):
    day = (timezone.localtime() + timedelta(days=2)).date()
    browser_of(olga).post(f"/operators/requests/permission/{wish.pk}/", {"_approve": "1", "until": day.isoformat()})
    access = Access.objects.get(consumer=acme, scope__value="invoices:write")
    assert timezone.localtime(access.expires_at).date() == day
    assert mail.outbox[-1].to == ["alice@acme.example"]
    assert acme.access.count() == 3


def test_what_is_theirs_until_a_date_can_be_asked_for_again_for_longer(acme, alice, olga, invoices, browser_of):
    acme.access.filter(scope__value="shipments:read").update(expires_at=timezone.now() + timedelta(days=3))
    page = browser_of(alice).get("/consumers/acme/clients/permissions/").text
    assert page.count("ask for longer") == 1
    longer = permission_requests.request_permission(
        consumer=acme, scope="shipments:read", reason="We need it.", actor=actor_for(alice)
    )
    permission_requests.approve_permission(request=longer, actor=actor_for(olga))
    assert acme.access.get(scope__value="shipments:read").expires_at is None
    assert acme.access.count() == 2


def test_home_tells_managers_of_questions_and_of_what_expires_soon(wish, acme, alice, olga, browser_of):
    permission_requests.ask_back_permission(request=wish, question="From when?", actor=actor_for(olga))
    acme.access.filter(scope__value="shipments:read").update(expires_at=timezone.now() + timedelta(days=3))
    page = browser_of(alice).get("/consumers/acme/").text
    assert "An operator asks you something about invoices:write" in page
    assert "The permission shipments:read expires in 2 days" in page or "expires in 3 days" in page


def test_operators_see_on_the_consumers_page_until_when(acme, acme_access, olga, browser_of):
    acme.access.filter(scope__value="shipments:read").update(expires_at=timezone.now() + timedelta(days=400))
    end = timezone.localtime(acme.access.get(scope__value="shipments:read").expires_at)
    page = browser_of(olga).get(f"/operators/consumers/consumer/{acme.pk}/change/").text
    assert f"shipments:read until {end.day} {end:%b %Y}" in page


def test_approved_for_good_declined_asked_answered_and_withdrawn(wish, acme, alice, olga):
    permission_requests.ask_back_permission(request=wish, question="From when?", actor=actor_for(olga))
    assert "From when?" in mail.outbox[-1].body
    permission_requests.answer_permission_request(request=wish, answer="Now", actor=actor_for(alice))
    permission_requests.decline_permission(request=wish, decision="Later", actor=actor_for(olga))
    with pytest.raises(Conflict):
        permission_requests.approve_permission(request=wish, actor=actor_for(olga))
    again = permission_requests.request_permission(
        consumer=acme, scope="invoices:write", reason="x", actor=actor_for(alice)
    )
    permission_requests.withdraw_permission_request(request=again, actor=actor_for(alice))
    more = permission_requests.request_permission(
        consumer=acme, scope="invoices:write", reason="x", actor=actor_for(alice)
    )
    permission_requests.approve_permission(request=more, actor=actor_for(olga))
    assert acme.access.get(scope__value="invoices:write").expires_at is None
    names = list(Event.objects.filter(name__startswith="permission.").order_by("pk").values_list("name", flat=True))
    assert [name.rpartition(".")[2] for name in names] == [
        *("made", "asked", "answered", "declined", "made", "withdrawn", "made", "approved")
    ]


def test_manager_answers_by_page_and_a_viewer_reads(wish, alice, bob, olga, browser_of):
    permission_requests.ask_back_permission(request=wish, question="From when?", actor=actor_for(olga))
    path = f"/consumers/acme/clients/permissions/requests/{wish.pk}/"
    assert "From when?" in browser_of(bob).get(path).text
    assert browser_of(bob).post(path, {"answer": "Now"}).status_code == 403
    assert browser_of(alice).post(path, {"answer": "Now"}).status_code == 302
    wish.refresh_from_db()
    assert (wish.state, wish.answer) == ("open", "Now")
