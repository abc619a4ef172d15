"""Ways around the rules of connections that somebody has looked for."""

import re
import time

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone

from authority.people.provider_claims import provider_claims_of
from connections.actions import connections, domains, identities
from connections.models import Connection, ConnectionSession, Domain, Identity, JoiningRule
from consumers.models import Event, Membership, User
from core.errors import Refusal
from tests.conftest import person
from tests.connections.provider import ScriptedProvider, connect
from tests.connections.test_sign_in import refused, signed_in
from tests.factories import PASSWORD, MembershipFactory, actor_for, hold_second_factor, sign_in_to

pytestmark = pytest.mark.django_db


@pytest.fixture
def required(okta):
    Connection.objects.filter(pk=okta.pk).update(sign_in="required", required_at=timezone.now())
    okta.refresh_from_db()
    return okta


def test_another_customers_provider_names_no_groups_at_this_ones_clients(client, publisher, alice, acme, globex):
    """Whoever runs a provider can name any group: so it speaks at the clients of its own consumers alone."""
    theirs = ScriptedProvider(
        publisher, "/globex", claims={"sub": "1", "email": "alice@acme.example", "groups": ["platform-admins"]}
    )
    connection = connect(theirs, slug="globex")
    identities.link(user=alice, connection=connection, person=described(connection, theirs), actor=actor_for(alice))
    theirs.sign_in(client, connection)
    connection.consumers.add(globex)
    assert provider_claims_of(alice, globex.pk)[0] == ["platform-admins"]
    assert provider_claims_of(alice, acme.pk)[0] == ()
    Connection.objects.update(sign_in="off")
    assert provider_claims_of(alice, globex.pk)[0] == ()


def described(connection, provider):
    from connections.relying_party.claims import describe

    return describe(connection, provider.claims)


@pytest.mark.parametrize("change", [{"groups_claim": "nickname"}, {"email_claim": "nickname"}, {"scopes": ["openid"]}])
def test_operator_without_full_rights_decides_not_which_claim_makes_operators(okta, change):
    sam = hold_second_factor(person("Sam Stone", "sam@provider.example", is_staff=True))
    actor = actor_for(sam)
    connections.update_connection(connection=okta, values=change, actor=actor)  # nobody becomes an operator by it
    Connection.objects.update(for_operators=True, operator_claim_value="staff", groups_claim="groups")
    okta.refresh_from_db()
    okta.email_claim, okta.scopes = "email", ["openid", "email"]
    okta.save()
    with pytest.raises(Refusal, match="full rights"):
        connections.update_connection(connection=okta, values=change, actor=actor)
    domain = Domain.objects.create(connection=okta, name="provider.example", challenge="c")
    with pytest.raises(Refusal, match="full rights"):
        domains.verify_domain(domain=domain, by="Sam", actor=actor)
    connections.update_connection(connection=okta, values={"name": "Acme sign-in"}, actor=actor)


def test_no_token_for_a_workspace_is_made_without_its_connection(client, required, mallory, acme):
    required.consumers.add(acme)
    MembershipFactory(consumer=acme, user=mallory)
    sign_in_to(client, mallory)
    for method in (client.get, client.post):
        response = method("/account/tokens/new/")
        assert response.status_code == 403
        assert "Acme Logistics requires Acme Okta" in response.content.decode()
    assert not mallory.personal_tokens.exists()


def test_connecting_asks_a_person_with_neither_password_nor_factor_to_confirm(client, okta, provider, alice):
    """The door stays open: so whoever finds a session open does not connect an identity of their own."""
    alice.set_unusable_password()
    alice.save()
    client.post("/account/login/code/", {"email": alice.email})
    code = re.search(r"[A-Z]{4}-[A-Z]{4}", mail.outbox[-1].body).group()
    client.post("/account/login/code/confirm/", {"code": code})
    assert signed_in(client) == alice.email
    assert client.get("/account/connections/acme-okta/connect/").status_code == 200
    with time_machine.travel(time.time() + 1200):
        response = client.get("/account/connections/acme-okta/connect/")
        assert response["Location"].startswith("/account/reauthenticate/code/")


def test_connection_of_other_workspaces_is_not_connected(client, okta, provider, alice, globex):
    okta.consumers.add(globex)
    sign_in_to(client, alice)
    refused(client.get("/account/connections/acme-okta/connect/"), "off", 404)


def test_domain_of_a_required_connection_ends_sessions_that_began_otherwise(required, mallory, olga):
    browser = Client()
    browser.post("/account/login/", {"login": mallory.email, "password": PASSWORD})
    assert browser.get("/consumers/globex/").status_code == 200
    domain = domains.add_domain(connection=required, name="globex.example", actor=actor_for(olga))
    domains.verify_domain(domain=domain, by="Olga", actor=actor_for(olga))
    assert browser.get("/consumers/globex/").status_code == 302


def test_person_who_must_sign_in_there_enters_no_workspace_otherwise(client, required, alice, globex):
    """Alice is a guest of Globex, which requires nothing: her address does."""
    MembershipFactory(consumer=globex, user=alice)
    sign_in_to(client, alice)
    assert client.get("/consumers/globex/").status_code == 403


def test_silent_sign_in_there_is_no_recent_one_here(client, okta, provider, alice):
    provider.claims |= {"auth_time": int(time.time()) - 7200}
    provider.sign_in(client, okta)
    response = client.post("/consumers/acme/people/invite/", {"emails": "x@x.example", "role": "viewer"})
    assert response.status_code == 302
    assert "reauthenticate" in response["Location"]


def test_invented_code_makes_no_connection_look_broken(client, okta, provider):
    provider.token_status, provider.token_body = "400 Bad Request", {"error": "invalid_grant"}
    refused(provider.sign_in(client, okta), "refused")
    okta.refresh_from_db()
    assert okta.problem == ""
    provider.token_body = {"error": "invalid_client"}
    refused(provider.sign_in(client, okta), "token", 502)
    okta.refresh_from_db()
    assert "invalid_client" in okta.problem


def test_requiring_shuts_no_operator_out(okta, olga):
    domain = domains.add_domain(connection=okta, name="provider.example", actor=actor_for(olga))
    domains.verify_domain(domain=domain, by="Olga", actor=actor_for(olga))
    person("Sam Stone", "sam@provider.example", is_staff=True)
    with pytest.raises(Refusal, match="could no longer sign in"):
        connections.update_connection(connection=okta, values={"sign_in": "required"}, actor=actor_for(olga))
    okta.refresh_from_db()
    assert okta.sign_in == "offered"


@pytest.fixture
def sam(client, provider, olga):
    """Somebody whom a group made an operator, and the connection that did."""
    connection = connect(provider, "acme.example", for_operators=True, operator_claim_value="staff")
    provider.claims |= {"sub": "s", "email": "sam@acme.example", "groups": ["staff"]}
    provider.sign_in(client, connection)
    found = User.objects.get(email="sam@acme.example")
    assert found.is_staff
    return found


@pytest.mark.parametrize("end", ["unlink", "delete", "for_operators", "operator_claim_value"])
def test_rights_by_a_group_end_with_their_ground(sam, olga, end):
    connection, actor = Connection.objects.get(), actor_for(olga)
    if end == "unlink":
        identities.unlink(identity=Identity.objects.get(), actor=actor)
    elif end == "delete":
        connections.delete_connection(connection=connection, actor=actor)
    else:
        values = {"operator_claim_value": ""} | ({"for_operators": False} if end == "for_operators" else {})
        connections.update_connection(connection=connection, values=values, actor=actor)
    sam.refresh_from_db()
    assert not sam.is_staff
    assert Event.objects.filter(name="operator.rights.taken").count() == 1


def test_inactive_person_is_given_nothing(client, provider, sam):
    User.objects.filter(pk=sam.pk).update(is_active=False, is_staff=False)
    client.logout()
    provider.sign_in(client, Connection.objects.get())
    sam.refresh_from_db()
    assert not sam.is_staff


def test_confirming_at_the_provider_is_a_session_that_the_provider_ends(client, required, provider, alice, acme):
    required.consumers.add(acme)
    provider.sign_in(client, required)
    ConnectionSession.objects.all().delete()
    assert client.get("/consumers/acme/").status_code == 403
    provider.return_to(client, provider.begin(client, "/sso/acme-okta/reauthenticate?next=/"))
    assert client.get("/consumers/acme/").status_code == 200
    client.post("/sso/acme-okta/logout", {"logout_token": provider.logout_token(sub="00u1")})
    assert client.get("/consumers/acme/").status_code == 302


def test_people_of_a_deleted_connection_are_ordinary_members(client, okta, provider, acme, alice, olga):
    from consumers.actions.members import remove_member

    JoiningRule.objects.create(connection=okta, consumer=acme, kind="domain", value="acme.example", role="viewer")
    provider.claims |= {"sub": "n", "email": "nora@acme.example"}
    provider.sign_in(client, okta)
    membership = Membership.objects.get(user__email="nora@acme.example")
    with pytest.raises(Refusal, match="Acme Okta decides"):
        remove_member(membership=membership, actor=actor_for(alice))
    connections.delete_connection(connection=okta, actor=actor_for(olga))
    remove_member(membership=membership, actor=actor_for(alice))


def test_account_has_one_identity_of_an_issuer(client, okta, provider, alice):
    provider.sign_in(client, okta)
    provider.claims |= {"sub": "00u2"}
    Connection.objects.create(name="B", slug="b", issuer=okta.issuer, client_id="b", sign_in="offered")
    sent = provider.asked(client.post("/account/connections/b/connect/"))
    provider.claims |= {"aud": "b"}
    provider.return_to(client, sent)
    assert alice.socialaccount_set.count() == 1
    assert "has an identity" in client.get("/account/2fa/").content.decode()


def test_refusals_of_one_person_are_told_a_few_times_an_hour(client, okta, provider, alice, bob, olga):
    provider.sign_in(client, okta)
    client.logout()
    provider.claims |= {"email": bob.email}
    for _ in range(5):
        refused(provider.sign_in(client, okta), "other_account")
    assert Event.objects.filter(name="connection.sign_in.refused").count() == 3


def test_slow_provider_holds_up_its_own_people_alone():
    from connections.relying_party import lines
    from core.http_fetch.target import FetchError

    with lines.place("https://slow.example"):
        with pytest.raises(FetchError), lines.place("https://slow.example"):
            pass
        with lines.place("https://quick.example"):
            pass


def test_lost_race_is_said_so_and_leaves_nothing_half_done(client, okta, provider, alice, monkeypatch):
    """Somebody else has taken the address between our look and our write."""
    from django.db import IntegrityError

    def taken(*args, **options):
        raise IntegrityError

    monkeypatch.setattr(Identity.objects, "create", taken)
    refused(provider.sign_in(client, okta), "busy", 503)
    assert not alice.socialaccount_set.exists()
