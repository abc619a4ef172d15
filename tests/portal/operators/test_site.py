"""The operators' pages as a whole: who may enter, what the overview says, what no page shows."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from authority.models import DailyCount
from consumers.actions.invitations import invite_manager
from consumers.models import Event
from core.encryption import fernet
from core.models import Message
from tests.factories import ClientFactory, UserFactory, actor_for, give_secret, sign_in_to

ENCRYPTED = b"ENCRYPTED-CANARY"


@pytest.fixture
def vera(db):
    """An operator who may only read."""
    user = UserFactory(name="Vera Sohn", email="vera@provider.example", is_staff=True)
    group = Group.objects.create(name="Support")
    group.permissions.set(Permission.objects.filter(codename__startswith="view_"))
    user.groups.add(group)
    return user


@pytest.fixture
def everything(acme, acme_access, alice, olga, service):
    """One of each thing that an operator can look at; the secrets among them."""
    row, text = give_secret(service)
    invitation = invite_manager(consumer=acme, email="jonas@acme.example", actor=actor_for(olga))
    token = mail.outbox[-1].body.split("/invitations/")[1].split("/")[0]
    message = Message.objects.create(
        recipients="x@acme.example", subject="Hello", encrypted_message=ENCRYPTED, state="failed"
    )
    alice.set_password("alice-password-canary")
    alice.save()
    alice.refresh_from_db()
    canaries = [text, row.digest, token, invitation.token_digest, ENCRYPTED.decode(), alice.password]
    return {"canaries": canaries, "message": message}


def pages() -> list[str]:
    """Return the address of every list, every form to add, and of each row's page, deletion and actions."""
    site, found = admin.site, [reverse("admin:index")]
    for model, model_admin in site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found += [reverse(f"{name}_changelist"), reverse(f"{name}_add")]
        for row in model._default_manager.all()[:2]:
            found += [reverse(f"{name}_{page}", args=[row.pk]) for page in ("change", "delete", "history")]
            found += [
                reverse(f"{name}_action", args=[row.pk, action_name])
                for action_name, action in getattr(model_admin, "object_actions", {}).items()
                if not action.relation
            ]
    return found


# -- Who may enter ----------------------------------------------------------------------------------------------------


def test_stranger_is_led_to_the_portals_sign_in_and_back(client, db):
    answer = client.get("/operators/consumers/consumer/?q=acme", follow=True)
    target, _ = answer.redirect_chain[-1]
    assert target.startswith(reverse("account_login"))
    assert answer.wsgi_request.GET["next"] == "/operators/consumers/consumer/?q=acme"


def test_there_is_no_second_sign_in_form(client, olga):
    answer = client.post("/operators/login/", {"username": olga.email, "password": "correct horse battery staple"})
    assert answer.status_code == 302
    assert "_auth_user_id" not in client.session


def test_operator_who_is_signed_in_is_led_on(browser_of, olga):
    answer = browser_of(olga).get("/operators/login/?next=/operators/clients/api/")
    assert answer.url == "/operators/clients/api/"


def test_sign_in_leads_nowhere_else(browser_of, olga):
    answer = browser_of(olga).get("/operators/login/?next=https://evil.example/")
    assert answer.url == "/operators/"


def test_manager_is_refused_on_every_page(browser_of, alice, everything):
    browser = browser_of(alice)
    assert {browser.get(page, follow=True).status_code for page in pages()} == {403}


def test_stranger_sees_no_page(client, everything):
    assert {client.get(page).status_code for page in pages()} == {302}


def test_reader_can_open_every_list_and_change_nothing(browser_of, vera, everything):
    browser, before = browser_of(vera), list(Event.objects.values_list("pk", flat=True))
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        if model is Group:  # who reads need not know who may do what
            assert browser.get(reverse(f"{name}_changelist")).status_code == 403
            continue
        assert browser.get(reverse(f"{name}_changelist")).status_code == 200
        assert browser.post(reverse(f"{name}_add"), {}).status_code == 403
        for row in model._default_manager.all()[:2]:
            page = browser.get(reverse(f"{name}_change", args=[row.pk]))
            assert page.status_code == 200
            assert b'name="_save"' not in page.content
            assert b"formaction" not in page.content
            assert browser.post(reverse(f"{name}_change", args=[row.pk]), {"name": "Other"}).status_code == 403
            assert browser.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
            for action_name, action in getattr(admin.site.get_model_admin(model), "object_actions", {}).items():
                part = ["1"] if action.relation else []
                assert browser.post(reverse(f"{name}_action", args=[row.pk, action_name, *part])).status_code == 403
    assert list(Event.objects.values_list("pk", flat=True)) == before


def test_deactivated_operator_is_out_at_the_next_request(browser_of, olga, vera):
    browser = browser_of(vera)
    assert browser.get("/operators/").status_code == 200
    vera.is_active = False
    vera.save()
    assert browser.get("/operators/").url.startswith("/operators/login/")


def test_signing_out_here_signs_out_of_the_portal(browser_of, olga):
    browser = browser_of(olga)
    browser.post("/operators/logout/")
    assert "_auth_user_id" not in browser.session


def test_address_of_the_management_api_leads_a_browser_here(client):
    assert client.get("/admin/?q=1").url == "/operators/?q=1"


# -- What is shown ----------------------------------------------------------------------------------------------------


def test_no_page_shows_a_secret_a_digest_or_encrypted_mail(browser_of, olga, everything):
    browser = browser_of(olga)
    for page in pages():
        answer = browser.get(page)
        content = answer.content.decode()
        assert [canary for canary in everything["canaries"] if canary in content] == [], page


def test_looking_changes_nothing(browser_of, olga, everything):
    browser = browser_of(olga)
    browser.get("/operators/")
    before = snapshot()
    for page in pages():
        assert browser.get(page).status_code in (200, 302, 403, 405), page
    assert snapshot() == before


def snapshot() -> dict[str, list]:
    return {
        model.__name__: list(model._default_manager.order_by("pk").values())
        for model in admin.site._registry
        if model.__name__ != "User"
    }


def test_actions_need_the_form_they_came_from(olga, acme):
    browser = Browser(enforce_csrf_checks=True)
    sign_in_to(browser, olga)
    answer = browser.post(reverse("admin:consumers_consumer_action", args=[acme.pk, "suspend"]))
    acme.refresh_from_db()
    assert answer.status_code == 403
    assert not acme.is_suspended


def test_rows_of_other_packages_have_no_pages():
    apps = {model._meta.app_label for model in admin.site._registry}
    assert apps <= {"core", "consumers", "connections", "clients", "authority", "auth"}


def test_pages_keep_the_strict_policy(browser_of, olga, everything):
    browser = browser_of(olga)
    for page in pages():
        answer = browser.get(page)
        if answer.status_code == 200 and "text/html" in answer["Content-Type"]:
            assert "unsafe" not in answer["Content-Security-Policy"]
            assert b" style=" not in answer.content, page
            assert b"<style" not in answer.content, page


def test_overview_counts_what_stopped_and_what_failed(browser_of, olga, acme, globex, everything):
    from clients.actions.clients import disable_client
    from consumers.actions.consumers import suspend_consumer

    disable_client(client=ClientFactory(consumer=globex), actor=actor_for(olga))
    suspend_consumer(consumer=globex, actor=actor_for(olga))
    overview = browser_of(olga).get("/operators/").context["overview"]
    assert overview["consumers"] == {"total": 2, "stopped": 1}
    assert overview["clients"] == {"total": 2, "stopped": 1}
    assert overview["mail"]["failed"] == 1
    assert [entry.event.name for entry in overview["events"]][:2] == ["consumer.suspended", "client.disabled"]


def test_new_portal_says_what_to_do_first(browser_of, olga):
    answer = browser_of(olga).get("/operators/")
    assert "Start here" in answer.content.decode()
    for page in ("consumers/consumer", "clients/client", "core/message"):
        assert b'class="card empty"' in browser_of(olga).get(f"/operators/{page}/").content


def test_overview_tells_of_mail_that_is_tried_in_vain(browser_of, olga):
    later = timezone.now() + timedelta(minutes=5, seconds=30)
    Message.objects.create(recipients="a@acme.example", subject="First", encrypted_message=ENCRYPTED)
    Message.objects.create(
        recipients="b@acme.example",
        subject="Second",
        encrypted_message=ENCRYPTED,
        attempts=2,
        last_error="The certificate is not trusted.",
        next_attempt_at=later,
    )
    page = browser_of(olga).get("/operators/")
    assert page.context["overview"]["mail"] | {"newest": None} == {
        "failed": 0,
        "waiting": 2,
        "retried": 1,
        "newest": None,
    }
    text = " ".join(page.content.decode().split())
    assert "2 attempts: The certificate is not trusted." in text
    assert "Next attempt 5 minutes from now" in text
    assert "First" not in text


def test_overview_tells_nobody_what_they_may_not_read(browser_of, everything):
    newcomer = UserFactory(is_staff=True)
    answer = browser_of(newcomer).get("/operators/")
    assert set(answer.context["overview"]) == {"now"}
    assert "jonas@acme.example" not in answer.content.decode()


# -- Mail -------------------------------------------------------------------------------------------------------------


def test_failed_mail_is_sent_again(browser_of, olga, everything):
    message = everything["message"]
    message.encrypted_message = fernet().encrypt(b"To: x@acme.example\nSubject: Hello\n\nHello")
    message.attempts = 10
    message.save()
    browser_of(olga).post(reverse("admin:core_message_action", args=[message.pk, "send-again"]))
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("waiting", 0)


def test_several_mails_are_sent_again_at_once_and_none_twice(browser_of, olga, everything):
    sent = Message.objects.create(recipients="y@acme.example", subject="Old", state="sent")
    failed = everything["message"]
    browser_of(olga).post(
        reverse("admin:core_message_changelist"),
        {"action": "send_again", "_selected_action": [sent.pk, failed.pk]},
    )
    sent.refresh_from_db()
    failed.refresh_from_db()
    assert (sent.state, failed.state) == ("sent", "waiting")


@pytest.mark.parametrize(
    "guess",
    [
        "consumers/user/?password__startswith=argon2",
        "core/message/?encrypted_message__startswith=g",
        "authority/signingkey/?encrypted_private_key__startswith=g",
        "clients/client/?secrets__digest__startswith=a",
        "consumers/consumer/?invitations__token_digest__startswith=a",
        "consumers/consumer/?clients__secrets__digest__startswith=a",
    ],
)
def test_no_list_can_be_asked_what_a_secret_begins_with(browser_of, vera, everything, guess):
    assert browser_of(vera).get(f"/operators/{guess}").status_code == 400


def test_lists_are_filtered_by_what_they_offer(browser_of, vera, everything):
    for offered in (
        "consumers/user/?is_active__exact=1",
        "core/message/?state__exact=failed",
        "consumers/event/?by=person&at__gte=2026-01-01%2000:00:00%2B00:00",
        "authority/signingkey/?state__exact=active",
    ):
        answer = browser_of(vera).get(f"/operators/{offered}")
        assert answer.status_code == 200
        assert "e=1" not in answer.headers.get("Location", "")


@pytest.mark.parametrize("query", ["q=%00", "by=%00", "target=%00", "consumer=%00", "state=%00", "%00=1", "o=%00"])
def test_nul_in_a_filter_is_a_bad_request(browser_of, vera, everything, query):
    for name in ("consumers/event", "clients/client", "consumers/consumer"):
        assert browser_of(vera).get(f"/operators/{name}/?{query}").status_code == 400


def test_overview_counts_the_tokens_of_today_and_yesterday(browser_of, olga, service):
    today = timezone.now().date()
    DailyCount.objects.create(client=service, day=today, issued=6247, refused=37)
    DailyCount.objects.create(client=service, day=today - timedelta(days=1), issued=5900, refused=0)
    page = browser_of(olga).get("/operators/").text
    for text in ("<strong>6,247</strong>", "5,900 yesterday", "<strong>37</strong>", "0 yesterday"):
        assert text in page


def test_a_list_offers_to_show_all_where_something_is_left_out(browser_of, olga, acme):
    browser, address = browser_of(olga), "/operators/consumers/consumer/"
    assert "Show all" not in browser.get(address).text
    assert "Show all" in browser.get(address, {"q": acme.name}).text
