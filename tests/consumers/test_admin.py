"""People, groups and the audit record on the operators' pages."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group, Permission
from django.test import Client as Browser
from django.urls import reverse

from consumers.actions.consumers import suspend_consumer
from consumers.models import Event, User
from tests.factories import ConsumerFactory, MembershipFactory, UserFactory, actor_for
from tests.forms import save

ADD = "/operators/consumers/user/add/"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def operator(browser_of, olga):
    return browser_of(olga)


@pytest.fixture
def helper(db):
    """An operator who may change people, without full rights."""
    user = UserFactory(email="helper@provider.example", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user", "add_user"]))
    return user


def page(person) -> str:
    return reverse("admin:consumers_user_change", args=[person.pk])


def form(person, **changes) -> dict:
    """Return a person's form as the browser sends it: a box that is not ticked is not sent."""
    ticked = {name: "on" for name in ("is_active", "is_staff", "is_superuser") if getattr(person, name)}
    return {"name": person.name, **ticked, **changes}


# -- People -----------------------------------------------------------------------------------------------------------


def test_operator_adds_an_operator_whose_address_is_ready_to_sign_in(operator):
    group = Group.objects.create(name="Support")
    operator.post(ADD, {"email": "vera@Provider.Example", "name": "Vera Sohn", "groups": [group.pk]})
    vera = User.objects.get(email="vera@provider.example")
    assert (vera.is_staff, vera.is_superuser, vera.has_usable_password()) == (True, False, False)
    assert list(vera.groups.all()) == [group]
    assert EmailAddress.objects.get(user=vera).verified
    (event,) = Event.objects.filter(name="operator.added")
    assert (event.actor_label, event.target_label) == ("Olga Weber", "Vera Sohn")


def test_person_who_has_an_account_is_not_added_twice(operator, alice):
    answer = operator.post(ADD, {"email": "ALICE@acme.example", "name": "Alice"})
    assert "There is already an account for" in answer.content.decode()
    assert User.objects.filter(email__iexact="alice@acme.example").count() == 1


def test_deactivating_ends_a_persons_sessions_at_the_next_request(operator, alice):
    manager = Browser()
    manager.force_login(alice, backend=BACKEND)
    assert manager.get(reverse("consumers:people", args=["acme"])).status_code == 200
    changes = form(alice)
    del changes["is_active"]
    save(operator, page(alice), changes)
    assert manager.get(reverse("consumers:people", args=["acme"])).status_code == 302
    assert Event.objects.get(name="person.updated").detail == {"fields": ["is_active"]}


def test_address_stays_whatever_a_form_says(operator, alice):
    save(operator, page(alice), form(alice, email="mallory@globex.example", name="Alice M."))
    alice.refresh_from_db()
    assert (alice.email, alice.name) == ("alice@acme.example", "Alice M.")


@pytest.mark.parametrize("right", ["is_active", "is_staff", "is_superuser"])
def test_nobody_shuts_themselves_out(operator, olga, right):
    changes = form(olga)
    del changes[right]
    save(operator, page(olga), changes)
    olga.refresh_from_db()
    assert getattr(olga, right)


def test_who_lacks_full_rights_gives_none(browser_of, helper, alice, olga):
    browser = browser_of(helper)
    group = Group.objects.create(name="All")
    for person in (helper, alice):
        save(browser, page(person), form(person, is_staff="on", is_superuser="on", groups=[group.pk]))
        person.refresh_from_db()
        assert not person.is_superuser
        assert not person.groups.exists()
    assert not alice.is_staff
    assert save(browser, page(olga), form(olga, name="Owned")).status_code == 403
    assert browser.post(ADD, {"email": "friend@provider.example"}).status_code == 403
    assert browser.get(reverse("admin:auth_group_changelist")).status_code == 403


def test_nobody_is_deleted(operator, alice):
    assert operator.post(reverse("admin:consumers_user_delete", args=[alice.pk]), {"post": "yes"}).status_code == 403


def test_person_shows_where_they_belong(operator, alice):
    MembershipFactory(consumer=ConsumerFactory(name="Second home"), user=alice, role="viewer")
    shown = operator.get(page(alice)).content.decode()
    assert "Acme Logistics</a> (Manager)" in shown
    assert "Second home</a> (Viewer)" in shown


# -- Groups -----------------------------------------------------------------------------------------------------------


def test_group_is_given_rights_and_they_are_recorded(operator):
    right = Permission.objects.get(codename="view_consumer")
    operator.post("/operators/auth/group/add/", {"name": "Support", "permissions": [right.pk]})
    group = Group.objects.get()
    assert list(group.permissions.all()) == [right]
    assert Event.objects.get(name="group.saved").detail == {"rights": ["view_consumer"]}
    operator.post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"})
    assert not Group.objects.exists()


@pytest.mark.parametrize("codename", ["add_user", "change_group", "delete_event", "view_session", "view_idtoken"])
def test_group_is_given_no_right_that_these_pages_do_not_know(operator, codename):
    right = Permission.objects.get(codename=codename)
    answer = operator.post("/operators/auth/group/add/", {"name": "Support", "permissions": [right.pk]})
    assert "permissions" in answer.context["adminform"].form.errors
    assert not Group.objects.exists()


# -- Activity ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def activity(acme, globex, olga):
    for consumer in (acme, globex):
        suspend_consumer(consumer=consumer, actor=actor_for(olga))
    return reverse("admin:consumers_event_changelist")


def test_activity_tells_who_did_what_from_where(operator, activity):
    shown = operator.get(activity).content.decode()
    for text in ("Olga Weber", "suspended <strong>Acme Logistics</strong>", "192.0.2.1"):
        assert text in shown


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"about": "consumers"}, 2),
        ({"about": "keys"}, 0),
        ({"by": "operator"}, 2),
        ({"by": "system"}, 0),
        ({"q": "globex"}, 1),
        ({"q": "192.0.2.1"}, 2),
        ({"about": "x", "by": "operator"}, 2),
    ],
)
def test_activity_is_filtered_and_searched(operator, activity, query, found):
    assert operator.get(activity, query).context["cl"].result_count == found


def test_consumers_page_leads_to_its_activity(operator, activity, acme):
    answer = operator.get(reverse("admin:consumers_consumer_history", args=[acme.pk]), follow=True)
    assert [event.target_label for event in answer.context["cl"].queryset] == ["Acme Logistics"]


def test_persons_page_leads_to_what_was_done_to_them(operator, alice):
    save(operator, page(alice), form(alice, name="Alice M."))
    answer = operator.get(reverse("admin:consumers_user_history", args=[alice.pk]), follow=True)
    assert [event.name for event in answer.context["cl"].queryset] == ["person.updated"]


def test_recorded_events_are_changed_by_nobody(operator, activity):
    event = Event.objects.first()
    for name in ("change", "delete"):
        assert (
            operator.post(reverse(f"admin:consumers_event_{name}", args=[event.pk]), {"post": "yes"}).status_code == 403
        )
    assert operator.post(reverse("admin:consumers_event_add")).status_code == 403
    assert Event.objects.count() == 2
