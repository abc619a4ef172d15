"""Signing in by an identity provider: whose account opens, and whose does not."""

import base64
from urllib.parse import parse_qs

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.core import mail

from connections.models import Connection, ConnectionSession, Domain, Identity, JoiningRule
from consumers.models import Event, Membership, Role, User
from tests.connections.provider import CLIENT_ID, SECRET, ScriptedProvider, connect
from tests.factories import MembershipFactory, UserFactory, sign_in_to

pytestmark = pytest.mark.django_db


def signed_in(client) -> str:
    """Return the address of whoever is signed in, or ""."""
    key = client.session.get("_auth_user_id")
    return User.objects.get(pk=key).email if key else ""


def refused(response, reason: str, status: int = 403):
    assert response.status_code == status, response.content.decode()
    assert f"<code>{reason}</code>" in response.content.decode()
    assert "no-store" in response["Cache-Control"]


# -- The request and its answer ---------------------------------------------------------------------------------------


@pytest.mark.compliance("RFC 7636", "4.3")
@pytest.mark.compliance("OpenID Connect Core", "3.1.2.1")
def test_request_has_pkce_nonce_and_a_redirect_uri_of_its_own(client, okta, provider, settings):
    sent = provider.begin(client, "/sso/acme-okta/login?login_hint=alice@acme.example")
    assert sent["client_id"] == CLIENT_ID
    assert sent["response_type"] == "code"
    assert set(sent["scope"].split()) == {"openid", "profile", "email"}
    assert sent["redirect_uri"] == f"{settings.PUBLIC_URL}/sso/acme-okta/callback"
    assert sent["code_challenge_method"] == "S256"
    assert len(sent["nonce"]) >= 32
    assert sent["login_hint"] == "alice@acme.example"


def test_verified_address_of_a_trusted_domain_opens_the_account(client, okta, provider, alice):
    response = provider.sign_in(client, okta)
    assert response.status_code == 302
    assert signed_in(client) == "alice@acme.example"
    account = SocialAccount.objects.get()
    assert (account.provider, account.uid, account.user) == (provider.issuer, "00u1", alice)
    assert account.extra_data == {}
    assert "Acme Okta was connected to your account" in [message.subject for message in mail.outbox]


def test_code_is_redeemed_with_the_verifier_and_the_secret_in_the_header(client, okta, provider, alice):
    provider.sign_in(client, okta)
    request = next(each for each in provider.publisher.requests if each.startswith(b"POST /token"))
    head, _, body = request.decode().partition("\r\n\r\n")
    sent = {name: values[0] for name, values in parse_qs(body).items()}
    assert sent["grant_type"] == "authorization_code"
    assert len(sent["code_verifier"]) >= 43
    assert "client_secret" not in sent
    pair = base64.b64decode(head.partition("Authorization: Basic ")[2].split("\r\n")[0]).decode()
    assert pair == f"{CLIENT_ID}:{SECRET.replace(' ', '+').replace(chr(39), '%27')}"


def test_next_address_is_where_the_sign_in_leads(client, okta, provider, alice):
    response = provider.sign_in(client, okta, next_url="/consumers/acme/people/")
    assert response["Location"] == "/consumers/acme/people/"


def test_foreign_next_address_is_forgotten(client, okta, provider, alice):
    response = provider.sign_in(client, okta, next_url="https://evil.example/")
    assert response["Location"] == "/"


def test_identity_is_issuer_and_subject_whatever_address_comes(client, okta, provider, alice):
    provider.sign_in(client, okta)
    client.logout()
    provider.claims |= {"email": "alice.smith@elsewhere.example"}
    provider.sign_in(client, okta)
    assert signed_in(client) == "alice@acme.example"
    assert Event.objects.filter(name="person.identity.email_changed").count() == 1


def test_new_address_that_the_provider_proves_becomes_one_of_the_account(client, okta, provider, alice):
    provider.sign_in(client, okta)
    client.logout()
    provider.claims |= {"email": "alice.smith@acme.example"}
    provider.sign_in(client, okta)
    assert signed_in(client) == "alice@acme.example"
    assert EmailAddress.objects.get(email="alice.smith@acme.example").user == alice


# -- Acceptance 12: no link by an address that nobody has proven ------------------------------------------------------


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "no"},
        {"email": "alice@acme.example "},
    ],
    ids=["false", "missing", "a word", "spaces, which are taken off"],
)
def test_unverified_address_opens_no_account(client, okta, provider, alice, claims):
    provider.claims |= claims
    response = provider.sign_in(client, okta)
    if "email" in claims:
        assert signed_in(client) == "alice@acme.example"
        return
    refused(response, "unproven")
    assert not signed_in(client)
    assert not SocialAccount.objects.exists()


def test_known_address_from_another_provider_opens_no_account(client, publisher, okta, alice):
    """A provider that may say anything names Alice (nOAuth)."""
    evil = ScriptedProvider(
        publisher, "/evil", claims={"sub": "1", "email": "alice@acme.example", "email_verified": True}
    )
    connection = connect(evil, "evil.example", slug="evil", client_id=CLIENT_ID)
    refused(evil.sign_in(client, connection), "unproven")
    assert not signed_in(client)
    assert not SocialAccount.objects.exists()


def test_unverified_domain_proves_nothing(client, okta, provider, alice):
    Domain.objects.update(verified_at=None)
    refused(provider.sign_in(client, okta), "unproven")


def test_same_page_whether_the_address_has_an_account_or_not(client, okta, provider, alice):
    provider.claims |= {"email_verified": False}
    known = provider.sign_in(client, okta).content.decode()
    provider.claims |= {"email": "nobody@acme.example"}
    unknown = provider.sign_in(client, okta).content.decode()
    ids = ("request <code>",)
    assert [line for line in known.splitlines() if not any(each in line for each in ids)] == [
        line.replace("nobody@", "alice@") for line in unknown.splitlines() if not any(each in line for each in ids)
    ]


def test_uninvited_person_gets_no_account(client, okta, provider):
    provider.claims |= {"email": "stranger@acme.example"}
    refused(provider.sign_in(client, okta), "unknown")
    assert not User.objects.exists()


def test_invited_person_gets_an_account_and_joins_by_the_invitation(client, okta, provider, acme, invite):
    link = invite(acme, "new@acme.example")
    provider.claims |= {"sub": "00u9", "email": "new@acme.example", "name": "Nora New"}
    response = provider.sign_in(client, okta, next_url=link)
    assert response["Location"] == link
    assert User.objects.get().name == "Nora New"
    assert not Membership.objects.exists()
    assert client.post(link).status_code == 302
    assert Membership.objects.get().user.email == "new@acme.example"


def test_subject_that_comes_with_the_address_of_another_account_is_refused(client, okta, provider, alice, bob, olga):
    provider.sign_in(client, okta)
    client.logout()
    provider.claims |= {"email": "bob@acme.example"}
    refused(provider.sign_in(client, okta), "other_account")
    assert not signed_in(client)
    assert Event.objects.get(name="connection.sign_in.refused").detail["reason"] == "other_account"
    assert "A sign-in by Acme Okta was refused" in [message.subject for message in mail.outbox]


def test_new_subject_with_a_linked_address_is_refused_until_an_operator_unlinks(client, okta, provider, alice, olga):
    from connections.actions import identities
    from tests.factories import actor_for

    provider.sign_in(client, okta)
    client.logout()
    provider.claims |= {"sub": "00u2"}
    refused(provider.sign_in(client, okta), "subject_changed")
    identities.unlink(identity=Identity.objects.get(), actor=actor_for(olga))
    provider.sign_in(client, okta)
    assert signed_in(client) == "alice@acme.example"
    assert SocialAccount.objects.get().uid == "00u2"


def test_deactivated_person_is_not_signed_in(client, okta, provider, alice):
    provider.sign_in(client, okta)
    client.logout()
    User.objects.filter(pk=alice.pk).update(is_active=False)
    response = provider.sign_in(client, okta)
    assert not signed_in(client)
    assert "inactive" in response["Location"]


def test_only_what_the_connection_keeps_for_apis_is_kept_of_a_sign_in(client, okta, provider, alice):
    Connection.objects.update(kept_claims=["depot", "address.country", "missing"])
    provider.claims |= {"depot": "D-204", "address": {"country": "NL", "street": "x"}, "salary": 1}
    provider.sign_in(client, okta)
    assert Identity.objects.get().claims == {"depot": "D-204", "address.country": "NL"}
    client.logout()
    provider.claims |= {"depot": "x" * 5000}
    provider.sign_in(client, okta)
    assert Identity.objects.get().claims == {}


# -- Operators --------------------------------------------------------------------------------------------------------


def test_operator_is_not_linked_by_a_connection_that_is_not_for_operators(client, okta, provider, olga):
    connection_domain = Domain.objects.create(connection=okta, name="provider.example", challenge="c")
    Domain.objects.filter(pk=connection_domain.pk).update(verified_at=okta.created_at)
    provider.claims |= {"email": "olga@provider.example"}
    refused(provider.sign_in(client, okta), "operator")
    assert not SocialAccount.objects.exists()


def test_group_claim_makes_an_operator_and_unmakes_one(client, provider, django_user_model):
    from django.contrib.auth.models import Group

    support = Group.objects.create(name="Support")
    connection = connect(
        provider, "acme.example", for_operators=True, operator_claim_value="portal-staff", operator_group=support
    )
    provider.claims |= {"sub": "s1", "email": "sam@acme.example", "groups": ["portal-staff", "staff"]}
    provider.sign_in(client, connection)
    sam = User.objects.get(email="sam@acme.example")
    assert sam.is_staff
    assert not sam.is_superuser
    assert list(sam.groups.all()) == [support]
    client.logout()
    provider.claims |= {"groups": ["staff"]}
    provider.sign_in(client, connection)
    sam = User.objects.get(email="sam@acme.example")
    assert not sam.is_staff
    assert not sam.groups.exists()
    names = list(Event.objects.filter(name__startswith="operator.rights").values_list("name", flat=True))
    assert sorted(names) == ["operator.rights.given", "operator.rights.taken"]


def test_superuser_keeps_full_rights_without_the_group(client, provider, olga):
    connection = connect(provider, "provider.example", for_operators=True, operator_claim_value="portal-staff")
    provider.claims |= {"email": "olga@provider.example", "groups": []}
    provider.sign_in(client, connection)
    olga.refresh_from_db()
    assert olga.is_staff
    assert olga.is_superuser


# -- How it is shown --------------------------------------------------------------------------------------------------


def test_way_of_signing_in_stands_with_person_activity_and_session(client, okta, provider, alice, acme):
    provider.sign_in(client, okta)
    alice.refresh_from_db()
    assert alice.signed_in_by == "Acme Okta"
    event = Event.objects.get(name="person.signed_in")
    assert event.consumer == acme
    assert event.detail == {"method": "Acme Okta"}
    assert "Acme Okta" in client.get("/account/sessions/").content.decode()
    assert "Acme Okta" in client.get("/consumers/acme/people/").content.decode()
    assert "signed in" in client.get("/consumers/acme/activity/").content.decode()


def test_code_by_mail_is_said_too(client, alice):
    import re

    client.post("/account/login/code/", {"email": alice.email})
    code = re.search(r"[A-Z]{4}-[A-Z]{4}", mail.outbox[-1].body).group()
    client.post("/account/login/code/confirm/", {"code": code})
    alice.refresh_from_db()
    assert alice.signed_in_by == "Code by email"


# -- Connecting by hand -----------------------------------------------------------------------------------------------


def test_person_connects_a_provider_after_proving_the_account(client, okta, provider, alice):
    provider.claims |= {"email": "alice@private.example", "email_verified": False}
    sign_in_to(client, alice)
    assert "Acme Okta" in client.get("/account/2fa/").content.decode()
    sent = provider.asked(client.post("/account/connections/acme-okta/connect/"))
    assert provider.return_to(client, sent)["Location"] == "/account/2fa/"
    assert SocialAccount.objects.get().user == alice
    client.logout()
    provider.sign_in(client, okta)
    assert signed_in(client) == "alice@acme.example"


def test_identity_of_another_account_cannot_be_connected(client, okta, provider, alice, bob):
    provider.sign_in(client, okta)
    client.logout()
    sign_in_to(client, bob)
    sent = provider.asked(client.post("/account/connections/acme-okta/connect/"))
    provider.return_to(client, sent)
    assert SocialAccount.objects.get().user == alice
    assert "belongs to another account" in client.get("/account/2fa/").content.decode()


def test_connecting_is_bound_to_who_began_it(client, okta, provider, alice, bob):
    sign_in_to(client, alice)
    sent = provider.asked(client.post("/account/connections/acme-okta/connect/"))
    sign_in_to(client, bob)
    provider.return_to(client, sent)
    assert not SocialAccount.objects.exists()


def test_person_disconnects_a_provider(client, okta, provider, alice):
    provider.sign_in(client, okta)
    identity = Identity.objects.get()
    response = client.post(f"/account/connections/{identity.pk}/disconnect/")
    assert response.status_code == 302
    assert not SocialAccount.objects.exists()
    assert "Acme Okta was disconnected from your account" in [message.subject for message in mail.outbox]


def test_nobody_disconnects_for_somebody_else(client, okta, provider, alice, bob):
    provider.sign_in(client, okta)
    client.logout()
    sign_in_to(client, bob)
    assert client.post(f"/account/connections/{Identity.objects.get().pk}/disconnect/").status_code == 404
    assert SocialAccount.objects.exists()


# -- Rules ------------------------------------------------------------------------------------------------------------


def rule(connection, consumer, kind, value, role=Role.VIEWER):
    return JoiningRule.objects.create(connection=connection, consumer=consumer, kind=kind, value=value, role=role)


def test_domain_rule_lets_in_and_group_rule_raises_the_role(client, okta, provider, acme):
    rule(okta, acme, "domain", "acme.example")
    rule(okta, acme, "group", "platform-admins", Role.MANAGER)
    provider.claims |= {"sub": "n", "email": "new@acme.example", "name": "Nora New"}
    provider.sign_in(client, okta)
    membership = Membership.objects.get(user__email="new@acme.example")
    assert (membership.role, membership.source, membership.source_label) == ("viewer", "rule", "Acme Okta")
    MembershipFactory(consumer=acme, user=UserFactory())
    client.logout()
    provider.claims |= {"groups": ["platform-admins"]}
    provider.sign_in(client, okta)
    membership.refresh_from_db()
    assert membership.role == "manager"
    client.logout()
    provider.claims |= {"groups": []}
    provider.sign_in(client, okta)
    membership.refresh_from_db()
    assert membership.role == "viewer"


def test_lost_group_ends_the_membership(client, okta, provider, acme):
    rule(okta, acme, "group", "api", Role.VIEWER)
    provider.claims |= {"sub": "n", "email": "new@acme.example", "groups": ["api"]}
    provider.sign_in(client, okta)
    client.logout()
    provider.claims |= {"groups": []}
    provider.sign_in(client, okta)
    assert not Membership.objects.exists()
    assert Event.objects.filter(name="manager.removed").count() == 1


def test_last_manager_is_kept_and_operators_are_told(client, okta, provider, acme, olga):
    rule(okta, acme, "group", "admins", Role.MANAGER)
    provider.claims |= {"sub": "n", "email": "new@acme.example", "groups": ["admins"]}
    provider.sign_in(client, okta)
    client.logout()
    provider.claims |= {"groups": []}
    provider.sign_in(client, okta)
    assert Membership.objects.get().role == "manager"
    assert Event.objects.filter(name="manager.kept").count() == 1
    assert "Acme Logistics would have no manager" in [message.subject for message in mail.outbox]


def test_membership_by_invitation_is_not_touched(client, okta, provider, alice, acme):
    rule(okta, acme, "domain", "acme.example", Role.VIEWER)
    provider.sign_in(client, okta)
    assert Membership.objects.get(user=alice).role == "manager"


def test_unproven_address_joins_by_no_domain_rule(client, okta, provider, acme):
    rule(okta, acme, "domain", "acme.example")
    provider.claims |= {"email": "new@acme.example", "email_verified": False}
    refused(provider.sign_in(client, okta), "unproven")
    assert not User.objects.exists()


# -- The end of a session ---------------------------------------------------------------------------------------------


@pytest.mark.compliance("OpenID Connect Back-Channel Logout", "2.7")
@pytest.mark.parametrize("which", [{"sid": "s-1"}, {"sub": "00u1"}, {"sub": "00u1", "sid": "s-1"}])
def test_provider_ends_the_session(client, okta, provider, alice, which):
    provider.claims |= {"sid": "s-1"}
    provider.sign_in(client, okta)
    assert ConnectionSession.objects.get().sid == "s-1"
    token = provider.logout_token(**which)
    response = client.post("/sso/acme-okta/logout", {"logout_token": token})
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert client.get("/consumers/acme/").status_code == 302
    assert not ConnectionSession.objects.exists()
    assert client.post("/sso/acme-okta/logout", {"logout_token": token}).status_code == 400  # once


def test_logout_of_another_session_ends_none(client, okta, provider, alice):
    provider.claims |= {"sid": "s-1"}
    provider.sign_in(client, okta)
    response = client.post("/sso/acme-okta/logout", {"logout_token": provider.logout_token(sid="s-2")})
    assert response.status_code == 200
    assert client.get("/consumers/acme/").status_code == 200


@pytest.mark.compliance("OpenID Connect Back-Channel Logout", "2.6")
@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "n"},
        {"events": {}},
        {"sub": None, "sid": None},
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"iat": 1},
        {"exp": 1},
        {"jti": None},
    ],
    ids=["nonce", "events", "nobody", "iss", "aud", "iat", "exp", "jti"],
)
def test_false_logout_tokens_end_nothing(client, okta, provider, alice, claims):
    provider.sign_in(client, okta)
    token = provider.logout_token(**({"sub": "00u1"} | claims))
    response = client.post("/sso/acme-okta/logout", {"logout_token": token})
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"
    assert client.get("/consumers/acme/").status_code == 200


def test_signing_out_here_forgets_the_provider_session(client, okta, provider, alice):
    provider.sign_in(client, okta)
    client.post("/account/logout/")
    assert not ConnectionSession.objects.exists()


def test_turning_a_connection_off_ends_its_sessions(client, okta, provider, alice, olga):
    from connections.actions import connections
    from tests.factories import actor_for

    provider.sign_in(client, okta)
    connections.update_connection(connection=okta, values={"sign_in": "off"}, actor=actor_for(olga))
    assert client.get("/consumers/acme/").status_code == 302
    refused(client.get("/sso/acme-okta/login"), "off", 404)


def test_deleted_connection_takes_its_identities_along(client, okta, provider, alice, olga):
    from connections.actions import connections
    from tests.factories import actor_for

    provider.sign_in(client, okta)
    connections.delete_connection(connection=okta, actor=actor_for(olga))
    assert not Connection.objects.exists()
    assert not SocialAccount.objects.exists()
    assert client.get("/consumers/acme/").status_code == 302
    refused(client.get("/sso/acme-okta/login"), "off", 404)


# -- Invitations ------------------------------------------------------------------------------------------------------


def test_invitation_offers_the_connection_of_its_domain(client, okta, provider, acme, invite):
    link = invite(acme, "new@acme.example")
    page = client.get(link).content.decode()
    assert "Continue with Acme Okta" in page
    assert "Join without Acme Okta" in page
    Connection.objects.update(sign_in="required", required_at=okta.created_at)
    page = client.get(link).content.decode()
    assert "Continue with Acme Okta" in page
    assert "Join without" not in page


def test_invitation_of_another_domain_offers_none(client, okta, provider, acme, invite):
    assert "Acme Okta" not in client.get(invite(acme, "new@other.example")).content.decode()
