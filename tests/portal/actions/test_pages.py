"""Every action is done by a page, as a person fills in its form and presses a button; or a reason says why by none."""

from typing import NamedTuple
from urllib.parse import urljoin

import pytest
from django.contrib.messages import WARNING
from django.db import OperationalError

from authority.keys import workload_issuer
from consumers.models import Event
from tests.forms import Forms, Value
from tests.portal.actions.conftest import CLIENT_ID, DISPATCHER, DRIVER
from tests.portal.actions.running import actions, completed_actions
from tests.rows import changed, rows

pytestmark = pytest.mark.django_db

RECORD = "consumers.audit.record"
NO_PAGE = {
    "consumers.actions.erasure.erase_person": "reads every table, which takes too long for a page: manage.py",
    RECORD: "no action: it records one",
    "consumers.actions.portal_links.create_portal_link": "the provider's application makes one for its person",
    "clients.actions.secrets.rotate_client": "Ory's rotation; a page rotates one secret",
    "clients.actions.secrets.revoke_rotated": "Ory's rotation; a page revokes one secret",
    "clients.actions.secrets.expire_secret": "a page rotates with an expiry, or revokes",
    "consumers.actions.people.reset_second_factor": "who may do this may sign in as anybody: a command on the server",
    **dict.fromkeys(
        ("clients.actions.registration.register_itself", "clients.actions.registration.update_itself"),
        "a client's own, at the endpoints of its specification",
    ),
    **dict.fromkeys(
        (
            "connections.actions.identities.sign_in",
            "connections.actions.identities.link",
            "connections.actions.identities.log_out",
            "connections.actions.identities.record_refusal",
            "connections.actions.identities.record_test",
            "connections.actions.identities.record_way_back",
            "connections.actions.joining.change",
            "connections.actions.joining.keep_in_step",
        ),
        "part of a sign-in, which tests/connections does at real providers",
    ),
    **dict.fromkeys(
        (
            *("connections.actions.directory_users.create_user", "connections.actions.directory_users.update_user"),
            *("connections.actions.directory_users.delete_user", "connections.actions.directory_groups.create_group"),
            *("connections.actions.directory_groups.update_group", "connections.actions.directory_groups.delete_group"),
            "consumers.actions.departures.revoke_access",
        ),
        "the directory's own, by SCIM: tests/connections/scim",
    ),
    **dict.fromkeys(
        (
            "authority.authorization.session_revocation.revoke_consents",
            "authority.authorization.session_revocation.end_login_sessions",
        ),
        "the provider's own login does it, and operators by a command",
    ),
    "connections.actions.domains.check_domain": "asks name servers: tests/connections/test_domains.py",
}


class Page(NamedTuple):
    """Who does an action where: opens an address, fills in what is typed, and presses the buttons one after another.

    In the address, {} stands for one of `ids`; buttons are named as a screen reader names them.
    """

    action: str
    who: str
    address: str
    buttons: tuple[str, ...]
    typed: dict[str, Value]


def page(action: str, who: str, address: str, *buttons: str, **typed: Value) -> Page:
    return Page(action, who, address, buttons, typed)


CLIENTS = "/consumers/acme/clients/"
CLIENT = CLIENTS + "{client_id}/"
INITIAL = CLIENTS + "registration/initial-access-tokens/"
PEOPLE = "/consumers/acme/people/"
ADMIN = "/operators/"
CONSUMER = ADMIN + "consumers/consumer/{consumer}/"
SUSPENDED = ADMIN + "consumers/consumer/{suspended_consumer}/"
HOST = ADMIN + "clients/documenthost/{source_id}/"
OPEN = ADMIN + "clients/openregistration/{open_registration}/"
ISSUERS = ADMIN + "clients/trustedissuer/"
APIS = ADMIN + "clients/api/"
CONNECTIONS = ADMIN + "connections/connection/"
GRANTS = ADMIN + "clients/rolegrant/"
DIRECTORIES = ADMIN + "connections/directory/"
DIRECTORY = DIRECTORIES + "{directory}/"
KEY = ADMIN + "authority/signingkey/{key}/"
ANYBODY = "Anybody may register clients for Globex"
NEW_CLIENT: dict[str, Value] = {"client_name": "Nightly", "scope": "shipments:read"}
SIGNS = "private_key_jwt"
KEYS = "https://acme.example/keys"
AUTHORIZE = (
    "/oauth2/authorize?response_type=code&client_id={web}&redirect_uri=https://app.example.com/signed-in&state=a"
    f"&scope=openid+shipments:read&code_challenge={'a' * 43}&code_challenge_method=S256"
)
REQUESTS = ADMIN + "requests/"
PERMISSIONS = CLIENTS + "permissions/"
WORKSPACE: dict[str, Value] = {
    "organisation": "Northwind",
    "name": "Ana",
    "email": "ana@northwind.example",
    "reason": "A try",
}
PAGES_OF = {  # by the module of the actions
    "clients.actions.clients": [
        page("register_client", "alice", CLIENTS + "new", "Create client", **NEW_CLIENT),
        page("register_client_with_key", "alice", CLIENTS + "new", "Create client", **NEW_CLIENT, proof=SIGNS),
        page("update_client", "alice", CLIENT + "settings/", "Save changes", client_name="Another name"),
        page("update_client", "alice", CLIENT + "settings/advanced/", "Save changes", software_version="2"),
        page("update_client", "alice", CLIENT + "authentication/", "Save changes", method=SIGNS, jwks_uri=KEYS),
        page("update_client", "alice", CLIENT + "authentication/", "Create key pair"),
        page("set_claims", "olga", ADMIN + "clients/client/{client}/change/", "Save", claims='{"tier": "gold"}'),
        page("disable_client", "alice", CLIENT + "disable/", "Disable client"),
        page("disable_client", "olga", ADMIN + "clients/client/{client}/actions/disable/", "Disable Billing sync"),
        page("enable_client", "alice", CLIENTS + "{disabled_client}/settings/", "Enable client"),
        page("revoke_tokens", "alice", CLIENT + "revoke-tokens/", "Revoke all tokens"),
        page("delete_client", "alice", CLIENT + "delete/", "Delete client", name="Billing sync"),
        page("delete_client", "olga", ADMIN + "clients/client/{client}/delete/", "Delete Billing sync"),
    ],
    "clients.actions.secrets": [
        page("create_secret", "alice", CLIENT + "secrets/new/", "Create secret", name="Staging"),
        page("rotate_secret", "alice", CLIENT + "secrets/{secret_id}/rotate/", "Create secret"),
        page("revoke_secret", "alice", CLIENT + "secrets/{secret_id}/revoke/", "Revoke secret"),
    ],
    "clients.actions.secret_policy": [
        page("set_secret_policy", "olga", CONSUMER + "change/", "Save", secret_days="90"),
    ],
    "clients.actions.trust": [
        page("create_issuer", "olga", ISSUERS + "add/", "Save", name="CI", platform="oidc", issuer="https://a.example"),
        page("update_issuer", "olga", ISSUERS + "{issuer_id}/change/", "Save", name="Another name"),
        page("disable_issuer", "olga", ISSUERS + "{issuer_id}/actions/disable/", "Disable GitHub Actions"),
        page("enable_issuer", "olga", ISSUERS + "{unused_issuer}/change/", "Enable CI"),
        page("delete_issuer", "olga", ISSUERS + "{unused_issuer}/delete/", "Delete CI"),
        page("create_rule", "alice", CLIENT + "rules/new/{issuer_id}/", "Create rule", "Save unchanged", claim0="2"),
        page("delete_rule", "alice", CLIENT + "authentication/", "Delete the rule repository_id: 1"),
    ],
    "connections.actions.connections": [
        page(
            "create_connection",
            "olga",
            CONNECTIONS + "add/?preset=okta",
            "Save",
            name="Globex Okta",
            slug="globex-okta",
            ask_domain="globex.okta.com",
            client_id="p",
            client_authentication=SIGNS,
        ),
        page("update_connection", "olga", CONNECTIONS + "{connection}/change/", "Save", name="Another name"),
        page("delete_connection", "olga", CONNECTIONS + "{connection}/delete/", "Delete Acme Okta"),
    ],
    "connections.actions.domains": [
        page("add_domain", "olga", CONNECTIONS + "{connection}/change/", "Add domain", domain="acme.test.example"),
        page(
            "verify_domain", "olga", CONNECTIONS + "{connection}/actions/vouch/{new_domain}/", "Vouch for new.example"
        ),
        page(
            "remove_domain",
            "olga",
            CONNECTIONS + "{connection}/actions/remove-domain/{new_domain}/",
            "Remove new.example",
        ),
        page(
            "create_rule",
            "olga",
            CONNECTIONS + "{connection}/change/",
            "Add rule",
            value="acme.example",
        ),
        page(
            "delete_rule",
            "olga",
            CONNECTIONS + "{connection}/actions/delete-rule/{joining_rule}/",
            "Delete the rule Group admins",
        ),
    ],
    "connections.actions.directories": [
        page("create_directory", "olga", DIRECTORIES + "add/?consumer={empty_consumer}", "Save", name="Theirs"),
        page("update_directory", "olga", DIRECTORY + "change/", "Save", default_role="manager"),
        page("rotate_token", "olga", DIRECTORY + "rotate/", "Replace token"),
        page("set_group_role", "olga", DIRECTORY + "change/", "Save role of Leads", role="manager"),
        page("delete_directory", "olga", DIRECTORY + "delete/", "Delete Acme directory"),
    ],
    "connections.actions.identities": [
        page("unlink", "bob", "/account/2fa/", "Disconnect"),
    ],
    "clients.actions.registration": [
        page("create_initial_access_token", "alice", INITIAL + "new/", "Create token", name="Builds"),
        page("revoke_initial_access_token", "alice", INITIAL + "{token_id}/revoke/", "Revoke token"),
        page(
            "revoke_registration_access_token",
            "alice",
            CLIENTS + "{self_registered}/registration-access-token/revoke/",
            "Revoke token",
        ),
        page("enable_open_registration", "olga", OPEN + "change/", "Save", idle_days="7"),
        page("disable_open_registration", "olga", OPEN + "delete/", f"Delete {ANYBODY}"),
        page("save_metadata_source", "olga", HOST + "change/", "Save", client_lifetime_days="30"),
        page("save_metadata_source", "olga", ADMIN + "clients/softwareissuer/add/", "Save", issuer="A", jwks_uri=KEYS),
        page("delete_metadata_source", "olga", HOST + "delete/", "Delete documents.example.com"),
    ],
    "clients.actions.apis": [
        page("create_api", "olga", APIS + "add/", "Save", name="Orders", identifier="https://orders.example.com"),
        page("update_api", "olga", APIS + "{api_id}/change/", "Save", name="Another name"),
        page("set_resource_servers", "olga", APIS + "{api_id}/change/", "Save", resource_servers=CLIENT_ID),
        page("delete_api", "olga", APIS + "{api_id}/delete/", "Delete Shipments"),
        page("set_access", "olga", CONSUMER + "change/", "Save", scopes=[]),
    ],
    "clients.actions.sign_in_rules": [
        page("set_sign_in", "olga", APIS + "{api_id}/sign-in/", "Save", requires_two_factors="on"),
    ],
    "clients.actions.group_roles": [
        page("update_group_roles", "olga", APIS + "{api_id}/change/", "Save", **{"group_roles-0-group": "Leads"}),
    ],
    "clients.actions.workspace_requests": [
        page("request_workspace", "nobody", "/request-access/", "Send request", **WORKSPACE),
        page("confirm_workspace_request", "nobody", "/request-access/{unverified}/", "Confirm and send the request"),
        page("answer_workspace_request", "nobody", "/request-access/{asked_workspace}/", "Send answer", answer="Yes"),
        page("withdraw_workspace_request", "nobody", "/request-access/{asked_workspace}/", "Withdraw request"),
        page("approve_workspace_request", "olga", REQUESTS, "Approve Kite"),
        page("decline_workspace", "olga", REQUESTS, "Decline Kite"),
        page("ask_back_workspace", "olga", REQUESTS, "Ask back Kite", said="Who?"),
    ],
    "clients.actions.permission_requests": [
        page("request_permission", "alice", PERMISSIONS + "{other_scope}/request/", "Send request", reason="A try"),
        page(
            "answer_permission_request",
            "alice",
            PERMISSIONS + "requests/{asked_permission}/",
            "Send answer",
            answer="Yes",
        ),
        page(
            "withdraw_permission_request",
            "alice",
            PERMISSIONS + "requests/{permission_request}/",
            "Withdraw request",
        ),
        page("approve_permission", "olga", REQUESTS, "Approve invoices:write for Acme Logistics", until="2031-01-01"),
        page("decline_permission", "olga", REQUESTS, "Decline invoices:write for Acme Logistics"),
        page("ask_back_permission", "olga", REQUESTS, "Ask back invoices:write for Acme Logistics", said="Why?"),
    ],
    "clients.actions.roles": [
        page("update_api_roles", "olga", APIS + "{api_id}/change/", "Save", **{"roles-0-name": "Planner of tours"}),
        page("update_api_claims", "olga", APIS + "{api_id}/change/", "Save", **{"claims-0-name": "uid"}),
        page("set_roles", "alice", PEOPLE + "{member_id}/roles/", "Save roles", roles=str(DRIVER)),
        page("give_role", "olga", GRANTS + "add/", "Save", email="alice@acme.example", role=str(DISPATCHER)),
        page("take_role", "olga", GRANTS + "{grant_id}/delete/", "Delete Bob Young: dispatcher"),
    ],
    "clients.actions.token_hooks": [
        page("set_token_hook", "olga", APIS + "{api_id}/change/", "Save", hook_url="https://other.example.com/claims"),
        page("delete_token_hook", "olga", APIS + "{api_id}/change/", "Save", hook_url=""),
    ],
    "consumers.actions.consumers": [
        page("create_consumer", "olga", ADMIN + "consumers/consumer/add/", "Save", name="Northwind", slug="northwind"),
        page("update_consumer", "olga", CONSUMER + "change/", "Save", name="Another name"),
        page("revoke_tokens", "olga", CONSUMER + "actions/revoke-tokens/", "Revoke all tokens of Acme Logistics"),
        page("suspend_consumer", "olga", CONSUMER + "actions/suspend/", "Suspend Acme Logistics"),
        page("resume_consumer", "olga", SUSPENDED + "actions/resume/", "Resume Late payer"),
        page("delete_consumer", "olga", ADMIN + "consumers/consumer/{empty_consumer}/delete/", "Delete Empty"),
    ],
    "consumers.actions.invitations": [
        page("invite_manager", "alice", PEOPLE + "invite/", "Send invitation", emails="jo@acme.example"),
        page("invite_manager", "olga", CONSUMER + "change/", "Save", emails="jo@acme.example"),
        page("resend_invitation", "alice", PEOPLE, "Resend the invitation of new@acme.example"),
        page("resend_invitation", "olga", CONSUMER + "change/", "Resend the invitation of new@acme.example"),
        page("revoke_invitation", "alice", PEOPLE, "Revoke the invitation of new@acme.example"),
        page("revoke_invitation", "olga", CONSUMER + "change/", "Revoke the invitation of new@acme.example"),
        page("decline_invitation", "nobody", "/invitations/{invitation}/", "Decline"),
        page("join_as_new_person", "nobody", "/invitations/{invitation}/", "Join Acme Logistics", name="Jo"),
        page("accept_invitation", "mallory", "/invitations/{invitation_of_mallory}/", "Join Acme Logistics"),
    ],
    "consumers.actions.portal_links": [
        page("use_portal_link", "nobody", "/portal-links/{portal_link}/", "Continue to Acme Logistics"),
    ],
    "consumers.actions.members": [
        page("change_role", "alice", PEOPLE + "{member_id}/", "Save role", role="manager"),
        page("change_role", "olga", CONSUMER + "change/", "Make bob@acme.example a manager"),
        page("change_role", "olga", CONSUMER + "change/", "Make alice@acme.example a viewer"),
        page("remove_member", "alice", PEOPLE + "{member_id}/", "Remove Bob Young"),
        page("remove_member", "olga", CONSUMER + "actions/remove/{member_id}/", "Remove Bob Young (Acme Logistics)"),
    ],
    "consumers.actions.people": [
        page("record_sign_in", "nobody", "/invitations/{invitation}/", "Join Acme Logistics", name="Jo"),
        page("create_operator", "olga", ADMIN + "consumers/user/add/", "Save", email="jo@provider.example"),
        page("update_person", "olga", ADMIN + "consumers/user/{person}/change/", "Save", is_active=[]),
        page("rename_person", "alice", "/account/name/", "Save name", name="Alice"),
        page("save_group", "olga", ADMIN + "auth/group/add/", "Save", name="Readers"),
        page("delete_group", "olga", ADMIN + "auth/group/{group}/delete/", "Delete Support"),
    ],
    "consumers.actions.personal_tokens": [
        page("create_token", "alice", "/account/tokens/new/", "Create token", name="Laptop", scopes="clients:read"),
        page("revoke_token", "alice", "/account/tokens/{personal_token}/revoke/", "Revoke token"),
    ],
    "authority.tokens.test_tokens": [
        page("create", "alice", CLIENT + "test-token/", "Create test token", scope="shipments:read", reason="A try"),
        page("revoke", "alice", "/consumers/acme/test-tokens/", "Revoke the one for A try"),
    ],
    "authority.authorization.consents": [
        page("record", "alice", "/device?user_code={user_code}", "Continue", "Allow"),
        page("record_for_request", "alice", AUTHORIZE, "Allow"),
        page("revoke", "bob", "/account/apps/{consent}/", "Revoke access"),
        page("revoke_all", "bob", "/account/sessions/everywhere/", "Sign out everywhere"),
    ],
    "authority.authorization.client_people": [
        page("end_sign_ins", "alice", CLIENTS + "{web}/people/", "Revoke the sign-in of Bob Young"),
        page("end_sign_ins", "bob", "/account/apps/{web}/sign-out/", "Revoke access"),
        page("end_all_sign_ins", "alice", CLIENTS + "{web}/people/revoke-all/", "Sign everybody out"),
    ],
    "authority.authorization.signing_out": [
        page("sign_out_everywhere", "bob", "/account/sessions/everywhere/", "Sign out everywhere"),
    ],
    "authority.authorization.device_requests": [
        page("decide", "alice", "/device?user_code={user_code}", "Continue", "Allow"),
    ],
    "authority.keys.activity_heads": [
        page("export", "olga", ADMIN + "consumers/event/verify/", "Export signed head"),
    ],
    "authority.keys.chain_starts": [
        page("start", "olga", ADMIN + "consumers/event/chain/", "Start a new chain", reason="A slip of the hand"),
    ],
    "authority.keys.rotation": [
        page("rotate", "olga", KEY + "actions/rotate/", "Rotate this key"),
        page("revoke", "olga", KEY + "actions/revoke/", "Revoke this key"),
    ],
    "authority.workloads.identity_tokens": [
        page("issue_to_person", "alice", CLIENTS + "{workload}/identity/", "Get an identity token"),
    ],
}
PAGES = [row._replace(action=f"{module}.{row.action}") for module, rows in PAGES_OF.items() for row in rows]


def test_each_action_has_a_page_or_a_reason_for_none():
    done = {row.action for row in PAGES}
    assert not done & NO_PAGE.keys()
    assert actions().keys() == done | NO_PAGE.keys(), "a new action: name its page, or say why it has none"


@pytest.fixture
def browser_as(request, client, browser_of):
    """Return a browser that is sent away without the token of a form, signed in as somebody of the cast or nobody."""

    def sign_in(who: str):
        client.handler.enforce_csrf_checks = True
        return client if who == "nobody" else browser_of(request.getfixturevalue(who))

    return sign_in


def press(browser, answer, label: str, typed: dict[str, Value]):
    """Fill in the form of a page that has this button, press it, and follow where that leads on this portal."""
    forms = Forms(answer.text).found
    pressed = [(form, button) for form in forms for button in form.buttons if button.label == label]
    assert pressed, f"no such button, but {[button.label for form in forms for button in form.buttons]}"
    form, button = pressed[0]
    here = answer.request["PATH_INFO"]
    answer = browser.post(urljoin(here, button.action or form.action), form.filled_in(button, **typed))
    while answer.headers.get("Location", "").startswith("/"):
        answer = browser.get(answer.headers["Location"])
    return answer


def complaints(answer) -> list[str]:
    """Return what the page says against what was done: errors of its form, and messages. A redirect says nothing."""
    context = answer.context or {"messages": ()}
    form = context.get("adminform") or context.get("form")
    told = [str(message) for message in context["messages"] if message.level >= WARNING]
    return [*told, *(f"{field}: {errors}" for field, errors in (form.errors if form else {}).items())]


@pytest.mark.parametrize("row", PAGES, ids=lambda row: f"{row.who}-{row.action}")
def test_each_action_is_done_by_a_page(row, ids, browser_as):
    browser, recorded = browser_as(row.who), Event.objects.count()
    answer = browser.get(row.address.format(**ids))
    assert answer.status_code == 200
    with completed_actions() as completed:
        for label in row.buttons:
            answer = press(browser, answer, label, row.typed)
    assert complaints(answer) == []
    assert answer.status_code in (200, 303)  # to the client, after a consent
    assert row.action in completed
    assert not completed & NO_PAGE.keys() - {RECORD}, "this one has a page now"
    assert Event.objects.count() > recorded


def unrecordable(*args, **kwargs):
    raise OperationalError("no room for another event")


def test_no_action_changes_what_it_cannot_record(ids, browser_as, monkeypatch):
    """The event is written in the transaction of the change, so neither stands without the other (ASVS 5.0, 16.4.2)."""
    rows_by_action = {row.action: row for row in reversed(PAGES)}
    workload_issuer.issuer_name()  # which the first page that shows it makes
    before, wrong = rows(), {}
    for action, row in rows_by_action.items():
        browser = browser_as(row.who)
        if row.who == "nobody":
            browser.logout()
        browser.raise_request_exception = False
        answer = browser.get(row.address.format(**ids))
        with monkeypatch.context() as patched:
            patched.setattr(Event, "save", unrecordable)
            for label in row.buttons:
                if answer.status_code != 503:
                    answer = press(browser, answer, label, row.typed)
        tables = changed(before)
        if answer.status_code != 503 or tables:
            wrong[action] = answer.status_code, tables
    assert wrong == {}
    assert len(rows_by_action) > 50
