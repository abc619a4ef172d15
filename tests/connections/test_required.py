"""A required connection: no other way in for its people, and a way back for superusers."""

import re

import pytest
from django.core import mail
from django.utils import timezone

from connections.actions import connections
from connections.models import Connection
from consumers.models import Event, User
from core.errors import Refusal
from tests.connections.provider import connect
from tests.connections.test_sign_in import refused, signed_in
from tests.factories import PASSWORD, MembershipFactory, actor_for, sign_in_to

pytestmark = pytest.mark.django_db


@pytest.fixture
def required(okta):
    Connection.objects.filter(pk=okta.pk).update(sign_in="required", required_at=timezone.now())
    okta.refresh_from_db()
    return okta


def codes() -> list[str]:
    return [found for message in mail.outbox for found in re.findall(r"[A-Z]{4}-[A-Z]{4}", message.body)]


# -- The page to sign in on -------------------------------------------------------------------------------------------


def test_without_connections_the_page_is_as_before(client, alice):
    page = client.get("/account/login/").content.decode()
    assert "Email me a code" in page
    assert "how you sign in" not in page


def test_page_asks_for_the_email_first(client, okta):
    page = client.get("/account/login/").content.decode()
    assert "Your email address tells us how you sign in." in page
    assert "Email me a code" not in page


def test_domain_leads_to_its_connection_and_offers_the_others(client, okta):
    page = client.post("/account/login/", {"email": "anybody@ACME.example"}).content.decode()
    assert "Continue with Acme Okta" in page
    assert "Email me a code" in page
    assert "Use a passkey" in page


def test_other_domains_get_a_code(client, okta, alice):
    page = client.post("/account/login/", {"email": "anybody@other.example"}).content.decode()
    assert "Acme Okta" not in page
    assert "Email me a code" in page


def test_page_says_the_same_of_known_and_unknown_addresses(client, okta, alice):
    known = client.post("/account/login/", {"email": "alice@acme.example"}).content.decode()
    unknown = client.post("/account/login/", {"email": "nobody@acme.example"}).content.decode()
    csrf = re.compile(r'name="csrfmiddlewaretoken" value="[^"]+"')
    assert csrf.sub("", known).replace("alice@", "nobody@").replace(">A<", ">N<") == csrf.sub("", unknown)


def test_no_address_is_asked_for_again(client, okta):
    response = client.post("/account/login/", {"email": "no address"})
    assert response.status_code == 422
    assert "Enter" in response.content.decode()


def test_connection_without_domains_is_offered_to_everybody(client, provider):
    connect(provider, name="Google")
    page = client.get("/account/login/").content.decode()
    assert "Continue with Google" in page


def test_next_address_goes_along(client, okta, provider, alice):
    page = client.post("/account/login/", {"email": "alice@acme.example", "next": "/consumers/acme/people/"})
    assert 'name="next" value="/consumers/acme/people/"' in page.content.decode()


# -- Required ---------------------------------------------------------------------------------------------------------


def test_only_the_connection_is_offered(client, required):
    page = client.post("/account/login/", {"email": "alice@acme.example"}).content.decode()
    assert "Continue with Acme Okta" in page
    assert "Email me a code" not in page
    assert "Use a passkey" not in page
    assert "Password" not in page


@pytest.mark.parametrize("email", ["alice@acme.example", "nobody@acme.example"])
def test_no_code_is_mailed(client, required, alice, email):
    response = client.post("/account/login/code/", {"email": email})
    assert "sign in with Acme Okta" in response.content.decode()
    response = client.post("/account/password/reset/", {"email": email})
    assert "sign in with Acme Okta" in response.content.decode()
    assert not mail.outbox


def test_password_does_not_sign_in(client, required, alice):
    response = client.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    assert response.status_code == 403
    assert "Sign in with Acme Okta" in response.content.decode()
    assert not signed_in(client)


def test_code_does_not_sign_in_somebody_who_is_linked_with_a_foreign_address(client, okta, provider, mallory):
    provider.claims |= {"sub": "m", "email": "mallory@globex.example"}
    sign_in_to(client, mallory)
    provider.return_to(client, provider.asked(client.post("/account/connections/acme-okta/connect/")))
    client.logout()
    Connection.objects.update(sign_in="required", required_at=timezone.now())
    mail.outbox.clear()
    client.post("/account/login/code/", {"email": mallory.email})
    response = client.post("/account/login/code/confirm/", {"code": codes()[0]})
    assert response.status_code == 403
    assert "Sign in with Acme Okta" in response.content.decode()
    assert not signed_in(client)


def test_connection_signs_in(client, required, provider, alice):
    provider.sign_in(client, required)
    assert signed_in(client) == "alice@acme.example"
    assert client.get("/consumers/acme/").status_code == 200


def test_required_connection_stays_connected(client, required, provider, alice):
    provider.sign_in(client, required)
    identity = alice.socialaccount_set.get().identity
    client.post(f"/account/connections/{identity.pk}/disconnect/")
    assert alice.socialaccount_set.exists()


def test_turning_to_required_ends_sessions_that_began_otherwise(client, okta, provider, alice, bob, olga):
    from allauth.usersessions.models import UserSession
    from django.test import Client

    by_code, by_okta = Client(), Client()
    by_code.post("/account/login/", {"login": bob.email, "password": PASSWORD})
    assert signed_in(by_code)
    provider.sign_in(by_okta, okta)
    assert UserSession.objects.count() == 2
    connections.update_connection(connection=okta, values={"sign_in": "required"}, actor=actor_for(olga))
    assert by_code.get("/consumers/acme/").status_code == 302
    assert by_okta.get("/consumers/acme/").status_code == 200


def test_connection_is_required_only_once_it_works(okta, olga):
    Connection.objects.update(tested_at=None)
    with pytest.raises(Refusal, match="Test the connection first"):
        connections.update_connection(connection=okta, values={"sign_in": "required"}, actor=actor_for(olga))
    Connection.objects.update(tested_at=timezone.now())
    okta.domains.update(verified_at=None)
    with pytest.raises(Refusal, match="Verify a domain first"):
        connections.update_connection(connection=okta, values={"sign_in": "required"}, actor=actor_for(olga))


# -- The way back -----------------------------------------------------------------------------------------------------


def passkey_session(client, user):
    """Let the browser have signed in by a passkey alone, as far as the adapter sees it."""
    from allauth.account.adapter import get_adapter
    from allauth.account.internal.flows.login import record_authentication
    from allauth.core import context
    from django.contrib.messages.storage.fallback import FallbackStorage
    from django.test import RequestFactory

    request = RequestFactory().get("/account/login/")
    request.session = client.session
    request.user = user
    request._messages = FallbackStorage(request)
    with context.request_context(request):
        record_authentication(request, user, "mfa", type="webauthn", id=1, passwordless=True)
        adapter = get_adapter(request)
        user.backend = "allauth.account.auth_backends.AuthenticationBackend"
        adapter.login(request, user)
    return request


def test_superuser_comes_back_by_a_passkey_and_all_operators_are_told(client, required, provider, olga):
    from tests.conftest import person

    person("Sam Stone", "sam@provider.example", is_staff=True)
    User.objects.filter(pk=olga.pk).update(email="olga@acme.example")
    olga.emailaddress_set.update(email="olga@acme.example")
    olga.refresh_from_db()
    request = passkey_session(client, olga)
    assert request.user == olga
    assert Event.objects.get(name="operator.way_back.used").detail == {"connection": "Acme Okta"}
    told = {message.to[0] for message in mail.outbox if "signed in by a passkey" in message.subject}
    assert told == {"olga@acme.example", "sam@provider.example"}


def test_passkey_of_somebody_else_is_no_way_back(client, required, alice):
    from allauth.core.exceptions import ImmediateHttpResponse

    with pytest.raises(ImmediateHttpResponse):
        passkey_session(client, alice)
    assert not Event.objects.filter(name="operator.way_back.used").exists()


# -- Required by a workspace ------------------------------------------------------------------------------------------


def test_workspace_requires_its_connection_of_whoever_enters(client, required, provider, mallory, acme, globex):
    required.consumers.add(acme)
    MembershipFactory(consumer=acme, user=mallory)
    sign_in_to(client, mallory)
    response = client.get("/consumers/acme/")
    assert response.status_code == 403
    page = response.content.decode()
    assert "Acme Logistics requires Acme Okta" in page
    assert "/consumers/globex/" in page
    assert client.get("/consumers/globex/").status_code == 200
    assert client.post("/consumers/acme/people/invite/", {"emails": "x@x.example"}).status_code == 403


def test_workspace_opens_after_the_connection(client, required, provider, alice, acme):
    required.consumers.add(acme)
    provider.sign_in(client, required)
    assert client.get("/consumers/acme/").status_code == 200


def test_link_of_the_providers_application_is_no_way_around_it(client, required, provider, alice, acme, olga):
    """A session that is bound to the workspace is led to the connection, which begins one that is not."""
    from consumers.actions.portal_links import create_portal_link

    required.consumers.add(acme)
    _, token = create_portal_link(
        consumer=acme, email=alice.email, return_to="https://app.example.com/", actor=actor_for(olga)
    )
    client.post(f"/portal-links/{token}/")
    response = client.get("/consumers/acme/")
    assert response.status_code == 403
    assert "Acme Logistics requires Acme Okta" in response.content.decode()
    provider.return_to(client, provider.asked(client.post("/sso/acme-okta/login", {"next": "/consumers/acme/"})))
    assert client.get("/consumers/acme/").status_code == 200
    assert client.get("/account/2fa/").status_code == 200


# -- Confirming who one is --------------------------------------------------------------------------------------------


def test_person_confirms_at_the_provider(client, required, provider, alice, acme):
    import time

    import time_machine

    provider.sign_in(client, required)
    with time_machine.travel(time.time() + 1200):
        response = client.post("/consumers/acme/people/invite/", {"emails": "x@x.example", "role": "viewer"})
        assert response.status_code == 302
        assert response["Location"].startswith("/sso/acme-okta/reauthenticate?next=")
        sent = provider.begin(client, response["Location"])
        assert (sent["prompt"], sent["max_age"]) == ("login", "0")
        back = provider.return_to(client, sent)
        done = client.get(back["Location"])
        assert done.status_code == 302
        assert acme.invitations.get().email == "x@x.example"


def test_confirming_as_somebody_else_is_refused(client, required, provider, alice, bob):
    from django.test import Client

    other = Client()
    provider.claims |= {"sub": "b", "email": bob.email}
    provider.sign_in(other, required)
    provider.claims |= {"sub": "00u1", "email": alice.email}
    provider.sign_in(client, required)
    sent = provider.begin(client, "/sso/acme-okta/reauthenticate?next=/")
    provider.claims |= {"sub": "b", "email": bob.email}
    refused(provider.return_to(client, sent), "wrong_person")


def test_provider_that_asks_for_no_fresh_sign_in_confirms_nothing(client, required, provider, alice):
    """Google sends no auth_time: so a code by mail confirms, in a session that began there."""
    from allauth.account.adapter import get_adapter

    provider.sign_in(client, required)
    assert [each["id"] for each in get_adapter().get_reauthentication_methods(alice)] == ["connection:acme-okta"]
    Connection.objects.update(preset="google")
    assert "reauthenticate_by_code" in [each["id"] for each in get_adapter().get_reauthentication_methods(alice)]


def test_confirming_needs_a_fresh_sign_in_there(client, required, provider, alice):
    import time

    provider.sign_in(client, required)
    sent = provider.begin(client, "/sso/acme-okta/reauthenticate?next=/")
    provider.claims |= {"auth_time": int(time.time()) - 3600}
    refused(provider.return_to(client, sent), "too_old")
