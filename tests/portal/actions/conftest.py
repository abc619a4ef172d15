"""One of everything that an action is done to."""

from datetime import timedelta

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Group
from django.utils import timezone

from authority import client_directory
from authority.authorization import device_requests
from authority.keys import rotation, signing_keys
from authority.models import Consent, LoginSession, SigningKey, TestToken, TokenFamily
from clients.actions import registration
from clients.actions.permission_requests import request_permission
from clients.actions.roles import give_role
from clients.actions.workloads import assign_subject
from clients.actions.workspace_requests import request_workspace
from clients.models import (
    ApiClaim,
    ApiRole,
    DocumentHost,
    GroupRole,
    PermissionRequest,
    RegistrationAccessToken,
    SelfRegistration,
    TokenHook,
    TrustedIssuer,
    TrustRule,
    WorkspaceRequest,
)
from connections.actions.directories import create_directory
from connections.models import Connection, Directory, DirectoryGroup, Domain, Identity, JoiningRule
from consumers.actions.personal_tokens import create_token
from consumers.actions.portal_links import create_portal_link
from consumers.audit import SYSTEM
from consumers.models import User, Verification
from tests.api.conftest import program_of, token_of  # noqa: F401  # fixtures
from tests.factories import ApiFactory, ClientFactory, ConsumerFactory, ScopeFactory, actor_for, give_secret

DISPATCHER, DRIVER = 7001, 7002  # roles of the API
CLIENT_ID = "cl_8fj2k3m4n5p6q7r8s9t2"  # as an example in the description of the management API


@pytest.fixture
def ids(settings, invite, acme, globex, alice, bob, mallory, olga, api, acme_access, service):
    """Return the ids of things of Acme and of the portal, by the names that addresses have for them."""
    tomorrow = timezone.now() + timedelta(days=1)
    api.is_production, api.allows_test_tokens = False, True
    api.save()
    service.client_id = CLIENT_ID
    service.save()
    secret, _ = give_secret(service)
    give_secret(service, rotated_at=timezone.now())
    web = ClientFactory(consumer=acme, template="web", scopes=["openid", "shipments:read"])
    TokenFamily.objects.create(
        client=web,
        user=bob,
        as_member=True,
        grant_type="authorization_code",
        scopes=["openid", "profile"],
        retain_until=tomorrow,
    )
    workload = ClientFactory(consumer=acme, template="workload", project="billing", environment_type="production")
    assign_subject(workload)
    device = ClientFactory(consumer=acme, template="device", scopes=["openid"])
    issuer = TrustedIssuer.objects.create(
        name="GitHub Actions", platform="github", issuer="https://token.actions.githubusercontent.com"
    )
    unused_issuer = TrustedIssuer.objects.create(
        name="CI", platform="oidc", issuer="https://ci.example.com", disabled_at=timezone.now()
    )
    rule = TrustRule.objects.create(client=service, issuer=issuer, audience="us", claims={"repository_id": "1"})
    token, _ = registration.create_initial_access_token(consumer=acme, name="CI", expires_at=tomorrow, actor=SYSTEM)
    self_registered = ClientFactory(consumer=acme, template="web", scopes=["openid"])
    SelfRegistration.objects.create(client=self_registered, method="open")
    RegistrationAccessToken.objects.create(client=self_registered, digest="0" * 64, pepper_version="1", hint="abcd")
    test_token = TestToken.objects.create(
        jti="0" * 32, client=service, scopes=["shipments:read"], audience=[], reason="A try", expires_at=tomorrow
    )
    personal_token, _ = create_token(
        user=alice, name="Laptop", scopes=["clients:read"], expires_at=tomorrow, actor=actor_for(alice)
    )
    dispatcher = ApiRole.objects.create(pk=DISPATCHER, api=api, value="dispatcher", name="Dispatcher")
    ApiRole.objects.create(pk=DRIVER, api=api, value="driver", name="Driver", managers_may_give=True)
    ApiClaim.objects.create(api=api, name="user_id", source="user_id")
    TokenHook.objects.create(api=api, url="https://hooks.example.com/before")
    grant = give_role(role=dispatcher, user=bob, consumer=acme, actor=SYSTEM)
    invitation, link = invite("new@acme.example")
    connection = Connection.objects.create(
        name="Acme Okta", slug="acme-okta", issuer="https://acme.okta.com", client_id="portal", sign_in="offered"
    )
    connection.consumers.add(acme)
    Domain.objects.create(connection=connection, name="acme.example", verified_at=timezone.now())
    GroupRole.objects.create(role=dispatcher, connection=connection, group="Planners")
    joining = JoiningRule.objects.create(connection=connection, consumer=acme, kind="group", value="admins")
    account = SocialAccount.objects.create(user=bob, provider=connection.issuer, uid="b", extra_data={})
    Identity.objects.create(account=account, connection=connection)
    _, portal_link = create_portal_link(
        consumer=acme, email="jo@acme.example", return_to="https://app.example.com/", actor=actor_for(olga)
    )
    write, ask, other = (
        ScopeFactory(api=api, value=f"invoices:{verb}", name=f"{verb} invoices") for verb in ("write", "pay", "read")
    )
    permission_request, asked_permission = (
        request_permission(consumer=acme, scope=each.value, reason="A try", actor=actor_for(alice))
        for each in (write, ask)
    )
    PermissionRequest.objects.filter(pk=asked_permission.pk).update(state="asked", question="Why?")
    settings.WORKSPACE_REQUESTS = True
    requests = [
        request_workspace(email=f"{who}@kite.example", name=who, organisation="Kite", reason="A try", actor=SYSTEM)
        for who in ("jo", "ann", "ben")
    ]
    for (request, _), state in zip(requests, ("open", "unverified", "asked"), strict=True):
        WorkspaceRequest.objects.filter(pk=request.pk).update(state=state, verified_at=timezone.now())
    directory, _ = create_directory(directory=Directory(consumer=acme, name="Acme directory"), actor=SYSTEM)
    problem = {"kind": "changed", "position": 1, "event": 1, "text": "Event 1 was changed after it was sealed."}
    Verification.objects.create(last_position=1, last_event=1, problems=[problem], finished_at=timezone.now())
    return {
        "client_id": service.client_id,
        "client": service.pk,
        "disabled_client": ClientFactory(consumer=acme, client_name="Off", disabled_at=timezone.now()).client_id,
        "web": web.client_id,
        "self_registered": self_registered.client_id,
        "workload": workload.client_id,
        "secret_id": secret.pk,
        "jti": test_token.pk,
        "user_code": device_requests.create(
            client_directory.find(device.client_id), ["openid"], ip=None, user_agent=""
        )[1],
        "login_session": LoginSession.objects.create(
            digest="a",
            user=User.objects.create_end_user(login_subject="user-4711"),
            api=api,
            authenticated_at=timezone.now(),
            expires_at=tomorrow,
        ).pk,
        "consent": Consent.objects.create(client=web, user=bob, scopes=["openid"]).pk,
        "api_id": api.pk,
        "unused_api": ApiFactory(name="Unused", identifier="https://unused.example.com").pk,
        "grant_id": grant.pk,
        "issuer_id": issuer.pk,
        "connection": connection.pk,
        "domain": "new.example",
        "new_domain": Domain.objects.create(connection=connection, name="new.example").pk,
        "joining_rule": joining.pk,
        "directory": directory.pk,
        "directory_group": DirectoryGroup.objects.create(directory=directory, display_name="Leads", role="viewer").pk,
        "unused_issuer": unused_issuer.pk,
        "rule_id": rule.pk,
        "source_id": DocumentHost.objects.create(host="documents.example.com", consumer=acme).pk,
        "open_registration": registration.enable_open_registration(consumer=globex, actor=SYSTEM).pk,
        "token_id": token.pk,
        "consumer": acme.pk,
        "suspended_consumer": ConsumerFactory(name="Late payer", suspended_at=timezone.now()).pk,
        "empty_consumer": ConsumerFactory(name="Empty").pk,
        "member_id": acme.memberships.get(user=bob).pk,
        "invitation_id": invitation.pk,
        "invitation": link,
        "invitation_of_mallory": invite(mallory.email)[1],
        "portal_link": portal_link,
        "permission_request": permission_request.pk,
        "asked_permission": asked_permission.pk,
        "other_scope": other.pk,
        "workspace_request": requests[0][0].pk,
        "unverified": requests[1][1],
        "asked_workspace": requests[2][1],
        "person": bob.pk,
        "personal_token": personal_token.pk,
        "group": Group.objects.create(name="Support").pk,
        "key": rotatable_key().pk,
    }


def rotatable_key() -> SigningKey:
    """Return the active key, whose successor has been published for long enough."""
    active = signing_keys.ensure_active_key("ES256", "tokens")
    signing_keys.create_key("tokens", "ES256", "next")
    SigningKey.objects.filter(state="next").update(created_at=timezone.now() - rotation.PUBLISHED_AHEAD)
    return active
