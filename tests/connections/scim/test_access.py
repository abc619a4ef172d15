"""What a directory gives and ends: memberships, sessions, tokens and accounts, and for whom it does not speak."""

import re

import pytest
from django.core import mail
from django.test import Client

from connections.actions import directories, joining
from connections.models import DirectoryGroup, DirectoryUser
from consumers.actions.erasure import erase_person
from consumers.actions.invitations import accept_invitation, join_as_new_person
from consumers.audit import SYSTEM
from consumers.models import Event, Invitation, Membership, Role, User
from tests.authority.conftest import management_token
from tests.authority.flows import Flow
from tests.connections.scim.conftest import direct, trust
from tests.factories import PASSWORD, MembershipFactory, actor_for

pytestmark = pytest.mark.django_db
API = "/admin/clients"


@pytest.fixture
def web(web):
    """An app whose tokens outlive the session in which somebody signed in."""
    web.client.scopes = [*web.client.scopes, "offline_access"]
    web.client.save()
    return web


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def browser_of_person(person):
    browser = Client()
    person.set_password(PASSWORD)
    person.save()
    browser.post("/account/login/", {"login": person.email, "password": PASSWORD})
    return browser


def role_of(person, consumer) -> str | None:
    found = Membership.objects.filter(user=person, consumer=consumer).first()
    return found and found.role


# -- Switched off at home is out at once ------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["active is false", "DELETE", "PUT"])
def test_person_who_is_switched_off_is_out_of_everything(scim, acme, web, way):
    row = scim.create()
    dora = User.objects.get(email="dora@acme.example")
    Membership.objects.update(role=Role.MANAGER)
    MembershipFactory(consumer=acme)
    browser = browser_of_person(dora)
    tokens = Flow(web, browser, scope="openid offline_access shipments:read").tokens()
    mine, everywhere = (
        management_token(dora, scopes=["clients:read"], consumer=acme),
        management_token(dora, scopes=["clients:read"]),
    )
    assert browser.get("/consumers/acme/").status_code == 200
    assert browser.get(API, headers=bearer(mine)).status_code == 200
    assert web.introspect(tokens["access_token"])["active"]

    if way == "DELETE":
        scim.send("DELETE", f"/Users/{row['id']}")
    elif way == "PUT":
        scim.send("PUT", f"/Users/{row['id']}", row | {"active": False})
    else:
        scim.switch(row, False)

    assert browser.get("/consumers/acme/").status_code == 302
    assert browser.get("/account/sessions/").status_code == 302
    for token in (mine, everywhere):
        assert Client().get(API, headers=bearer(token)).status_code == 401
    assert web.introspect(tokens["access_token"]) == {"active": False}
    again = web.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert again.json()["error"] == "invalid_grant"
    browser.post("/account/login/", {"login": dora.email, "password": PASSWORD})
    assert "_auth_user_id" not in browser.session


def test_what_ended_stays_ended_when_the_person_comes_back(scim, acme, web):
    row = scim.create()
    dora = User.objects.get(email="dora@acme.example")
    tokens = Flow(web, browser_of_person(dora), scope="openid offline_access shipments:read").tokens()
    mine = management_token(dora)
    scim.switch(row, False)
    scim.switch(row, True)
    dora.refresh_from_db()
    assert dora.is_active
    assert role_of(dora, acme) == "viewer"
    assert Client().get(API, headers=bearer(mine)).status_code == 401
    assert web.introspect(tokens["access_token"]) == {"active": False}
    assert web.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).status_code == 400


def test_account_with_another_workspace_keeps_that_and_loses_this(scim, acme, globex):
    row = scim.create()
    dora = User.objects.get(email="dora@acme.example")
    MembershipFactory(consumer=globex, user=dora)
    browser = browser_of_person(dora)
    everywhere = management_token(dora, scopes=["clients:read"])
    here = management_token(dora, scopes=["clients:read"], consumer=acme)
    scim.switch(row, False)
    dora.refresh_from_db()
    assert dora.is_active
    assert (role_of(dora, acme), role_of(dora, globex)) == (None, "manager")
    assert browser.get("/consumers/globex/").status_code == 302  # signs in again
    assert Client().get(API, headers=bearer(here)).status_code == 401
    assert Client().get(API, headers=bearer(everywhere)).status_code == 200


def test_account_that_was_there_before_is_never_deactivated(scim, acme, bob):
    row = scim.create("bob@acme.example")
    assert Membership.objects.get(user=bob).source == "people"  # what people gave stays theirs
    scim.switch(row, False)
    bob.refresh_from_db()
    assert bob.is_active
    assert role_of(bob, acme) is None


def test_last_manager_is_out_too_and_operators_are_told(scim, acme, alice, olga):
    row = scim.create("alice@acme.example")
    scim.switch(row, False)
    assert role_of(alice, acme) is None
    assert mail.outbox[-1].to == [olga.email]
    assert "Acme Logistics has no manager" in mail.outbox[-1].subject
    assert "last manager" in mail.outbox[-1].body


def test_directory_does_not_restore_what_an_operator_deactivated(scim, acme, olga):
    from consumers.actions.people import update_person

    row = scim.create()
    dora = User.objects.get(email="dora@acme.example")
    update_person(person=dora, values={"is_active": False}, actor=actor_for(olga))
    scim.switch(row, False)
    scim.switch(row, True)
    dora.refresh_from_db()
    assert not dora.is_active


def test_what_an_operator_decides_about_a_switched_off_account_stands(scim, olga):
    from consumers.actions.people import update_person

    row = scim.create()
    dora = User.objects.get(email="dora@acme.example")
    scim.switch(row, False)
    for active in (True, False):
        update_person(person=dora, values={"is_active": active}, actor=actor_for(olga))
    scim.switch(row, True)
    dora.refresh_from_db()
    assert not dora.is_active


def test_erasing_a_person_leaves_nothing_in_the_directory(scim, olga):
    scim.create("fay@freelance.example", emails=[{"value": "Fay@freelance.example", "type": "work"}])
    scim.create("dora@acme.example", displayName="Dora Lange")
    MembershipFactory(consumer=scim.directory.consumer)
    erase_person(email="fay@freelance.example", actor=SYSTEM)
    erase_person(email="dora@acme.example", actor=SYSTEM)
    left = str(list(DirectoryUser.objects.values())) + str(list(Event.objects.values("detail", "target_label")))
    for text in ("fay@", "Fay@", "dora@", "Dora"):
        assert text not in left


def test_erasing_somebody_invited_leaves_nothing_in_the_directory(scim, olga):
    scim.create("dora@partner.example", displayName="Dora Quill", name={"givenName": "Dora", "familyName": "Quill"})
    assert DirectoryUser.objects.get().user is None
    erased = erase_person(email="Dora@Partner.example", actor=actor_for(olga))
    assert erased.deleted["connections.DirectoryUser"] == 1
    assert not DirectoryUser.objects.exists()


def test_whom_the_directory_switched_off_comes_in_by_no_joining_rule(scim, acme, alice):
    from connections.models import Connection, JoiningRule
    from connections.relying_party.claims import Person

    okta = Connection.objects.get()
    JoiningRule.objects.create(connection=okta, consumer=acme, kind="domain", value="acme.example")
    row = scim.create()
    dora = User.objects.get(email="dora@acme.example")
    person = Person(issuer="i", subject="s", email=dora.email, is_proven=True, name="", groups=())
    scim.switch(row, False)
    joining.keep_in_step(user=dora, connection=okta, person=person, actor=SYSTEM)
    assert role_of(dora, acme) is None


# -- For whom it does not speak ---------------------------------------------------------------------------------------


def test_address_of_another_domain_is_invited_and_not_joined(scim, acme, mallory):
    row = scim.create("mallory@globex.example")
    assert row["active"] is True
    assert role_of(mallory, acme) is None
    assert Invitation.objects.pending().get().email == "mallory@globex.example"
    assert mail.outbox[-1].to == ["mallory@globex.example"]
    assert DirectoryUser.objects.get().user is None


def test_unknown_and_known_foreign_addresses_look_the_same(scim, mallory):
    known, unknown = scim.create("mallory@globex.example"), scim.create("nobody@globex.example")
    assert known.keys() == unknown.keys()
    assert not User.objects.filter(email="nobody@globex.example").exists()


def test_foreign_person_is_neither_signed_out_nor_deactivated(scim, acme, globex, mallory):
    row = scim.create("mallory@globex.example")
    token = re.search(r"/invitations/([\w-]+)/", mail.outbox[-1].body)[1]
    accept_invitation(token=token, user=mallory, actor=actor_for(mallory))
    browser = browser_of_person(mallory)
    scim.switch(row, False)
    mallory.refresh_from_db()
    assert mallory.is_active
    assert (role_of(mallory, acme), role_of(mallory, globex)) == (None, "manager")
    assert browser.get("/consumers/globex/").status_code == 200


def test_invited_person_who_joined_is_removed_when_switched_off(scim, acme):
    row = scim.create("fay@freelance.example")
    token = re.search(r"/invitations/([\w-]+)/", mail.outbox[-1].body)[1]
    assert DirectoryUser.objects.get().state == "invited"
    assert DirectoryUser.objects.pending().exists()
    fay, _ = join_as_new_person(token=token, name="Fay", actor=SYSTEM)
    assert DirectoryUser.objects.get().state == "member"
    assert not DirectoryUser.objects.pending().exists()
    assert role_of(fay, acme) == "viewer"
    scim.patch(
        f"/Users/{row['id']}", {"op": "replace", "value": {"active": False, "userName": "gone@freelance.example"}}
    )
    assert role_of(fay, acme) is None


def test_open_invitation_ends_with_the_person(scim):
    row = scim.create("fay@freelance.example")
    scim.switch(row, False)
    assert not Invitation.objects.pending().exists()


def test_domain_that_is_not_verified_counts_for_nothing(acme):
    trust(acme, "acme.example").domains.update(verified_at=None)
    direct(acme).create()
    assert not User.objects.exists()
    assert Invitation.objects.pending().count() == 1


def test_connection_for_every_consumer_lets_no_directory_speak(acme):
    trust(acme, "acme.example").consumers.clear()
    direct(acme).create()
    assert not User.objects.exists()


def test_domain_of_another_consumers_connection_counts_for_nothing(acme, globex, mallory):
    trust(globex, "globex.example")
    direct(acme).create("mallory@globex.example")
    assert role_of(mallory, acme) is None


def test_further_address_in_the_domain_does_not_hand_an_account_over(scim, acme, mallory):
    from allauth.account.models import EmailAddress

    EmailAddress.objects.create(user=mallory, email="m@acme.example", verified=True, primary=False)
    row = scim.create("m@acme.example")
    assert role_of(mallory, acme) is None
    scim.switch(row, False)
    mallory.refresh_from_db()
    assert mallory.is_active


def test_person_without_an_address_stays_pending(scim):
    scim.create("dora")
    assert DirectoryUser.objects.get().state == "no_address"
    assert not mail.outbox


def test_new_address_of_a_pending_person_is_the_one_that_counts(scim, acme):
    row = scim.create("dora@old.example")
    scim.patch(f"/Users/{row['id']}", {"op": "replace", "path": "userName", "value": "dora@acme.example"})
    assert not Invitation.objects.pending().exists()
    assert role_of(User.objects.get(email="dora@acme.example"), acme) == "viewer"


def test_mails_to_addresses_of_its_choice_are_counted(scim, monkeypatch):
    from connections.actions import directory_members
    from core.rate_limits import Budget

    monkeypatch.setattr(directory_members, "INVITATIONS", Budget("directory-invitations", (1, 3600)))
    scim.create("one@other.example")
    body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "two@other.example"}
    answer = scim.send("POST", "/Users", body)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert DirectoryUser.objects.count() == 1


@pytest.mark.parametrize("way", ["POST", "PATCH", "DELETE"])
def test_operators_are_never_touched(scim, acme, way):
    if way == "POST":
        olga = User.objects.create_superuser("olga@acme.example")
        body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "olga@acme.example"}
        answer = scim.send("POST", "/Users", body)
    else:
        row = scim.create("olga@acme.example")
        olga = User.objects.get(email="olga@acme.example")
        User.objects.filter(pk=olga.pk).update(is_staff=True)
        answer = scim.switch(row, False) if way == "PATCH" else scim.send("DELETE", f"/Users/{row['id']}")
        assert role_of(olga, acme) == "viewer"
    assert answer.status_code == 403
    assert "operator" in answer.json()["detail"]
    olga.refresh_from_db()
    assert olga.is_active


def test_two_people_of_one_address_are_a_conflict(scim):
    scim.create()
    body = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "other",
        "emails": [{"value": "dora@acme.example"}],
    }
    answer = scim.send("POST", "/Users", body)
    assert (answer.status_code, answer.json()["scimType"]) == (409, "uniqueness")


# -- Roles ------------------------------------------------------------------------------------------------------------


def give(group, role, olga):
    directories.set_group_role(group=DirectoryGroup.objects.get(pk=group["id"]), role=role, actor=actor_for(olga))


def test_groups_give_roles_that_an_operator_chose(scim, acme, olga, alice):
    row = scim.create()
    group = scim.create_group("Leads", row)
    dora = User.objects.get(email="dora@acme.example")
    assert role_of(dora, acme) == "viewer"
    give(group, "manager", olga)
    assert role_of(dora, acme) == "manager"
    late = scim.create("emil@acme.example")
    scim.patch(f"/Groups/{group['id']}", {"op": "add", "path": "members", "value": [{"value": late["id"]}]})
    assert role_of(User.objects.get(email="emil@acme.example"), acme) == "manager"
    scim.patch(f"/Groups/{group['id']}", {"op": "remove", "path": f'members[value eq "{row["id"]}"]'})
    assert role_of(dora, acme) == "viewer"
    scim.send("DELETE", f"/Groups/{group['id']}")
    assert role_of(User.objects.get(email="emil@acme.example"), acme) == "viewer"


def test_highest_of_several_groups_counts(scim, acme, olga, alice):
    row = scim.create()
    for name, role in (("All", "viewer"), ("Leads", "manager")):
        give(scim.create_group(name, row), role, olga)
    assert role_of(User.objects.get(email="dora@acme.example"), acme) == "manager"


def test_group_takes_no_role_from_the_last_manager(scim, acme, olga):
    row = scim.create()
    group = scim.create_group("Leads", row)
    give(group, "manager", olga)
    scim.send("DELETE", f"/Groups/{group['id']}")
    assert role_of(User.objects.get(email="dora@acme.example"), acme) == "manager"
    assert Event.objects.filter(name="manager.kept").exists()


def test_managers_cannot_change_what_the_directory_decides(scim, acme, alice):
    from consumers.actions.members import remove_member
    from core.errors import Refusal

    scim.create()
    membership = Membership.objects.get(user__email="dora@acme.example")
    with pytest.raises(Refusal, match="Acme Logistics directory decides"):
        remove_member(membership=membership, actor=actor_for(alice))


def test_members_of_a_deleted_directory_stay_and_belong_to_people(scim, acme, olga):
    scim.create()
    directories.delete_directory(directory=scim.directory, actor=actor_for(olga))
    membership = Membership.objects.get(user__email="dora@acme.example")
    assert (membership.source, membership.source_label) == ("people", "")
    assert scim.get("/Users").status_code == 401


def test_rotated_token_ends_at_once(scim, olga):
    former = scim.token
    _, scim.token = directories.rotate_token(directory=scim.directory, actor=actor_for(olga))
    assert scim.get("/Users").status_code == 200
    scim.token = former
    assert scim.get("/Users").status_code == 401


def test_each_deed_is_in_the_record_with_the_directory_as_its_actor(scim, acme):
    row = scim.create()
    scim.switch(row, False)
    scim.send("DELETE", f"/Users/{row['id']}")
    names = list(
        Event.objects.filter(actor_label="Acme Logistics directory").order_by("pk").values_list("name", flat=True)
    )
    assert names == [
        "directory.user.created",
        "person.provisioned",
        "manager.joined",
        "directory.user.switched_off",
        "manager.removed",
        "person.updated",
        "directory.user.deleted",
    ]
    assert scim.token not in str(list(Event.objects.values()))
