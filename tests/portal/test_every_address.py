"""Every address as every role: what caches are told, and what looking, other sites and forged forms change."""

import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import transaction
from django.test import Client as Browser
from django.urls import URLPattern, get_resolver

from authority.keys import workload_issuer
from tests.factories import sign_in_to
from tests.portal.test_who_may_open_what import ADDRESSES, address  # noqa: F401  # a fixture
from tests.rows import changed, rows

pytestmark = pytest.mark.django_db

ROLES = ["stranger", "viewer", "manager", "neighbour", "operator"]
# What is the same for everybody, and may be kept: keys, discovery, the API's description.
PUBLIC = {
    *("jwks", "oidc-discovery", "oauth-metadata", "workload-discovery", "workload-jwks", "api:openapi"),
}
NO_COOKIE = (
    "authority.endpoints.",
    "connections.scim.",
    "consumers.rest.",
    "portal.health",
    "portal.metrics",
    "portal.api.",
)
# Where the page of a client may post a person to (OpenID Connect Core 3.1.2.1, RP-Initiated Logout 2): it only asks.
POSTED_TO = {"authorize", "end-session"}
# What any page of any origin may read, without cookies: where and how to register, and a workload issuer's keys.
OPEN = {"oauth-metadata", "register", "register-client", "workload-discovery", "workload-jwks"}
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")
# What a part of an address stands for, where no fixture knows better.
VALUES = {
    "pk": "1",
    "path": "Users",
    "group_id": "00000000-0000-4000-8000-000000000000",
    "object_id": "1",
    "related_id": "1",
    "app_label": "clients",
    "url": "nowhere",
    "rest": "nowhere",
    "name": "aws",
    "token": "a" * 43,
    "jti": "0" * 32,
    "consumer": "acme",
    "member_id": "1",
    "invitation_id": "1",
    "request_id": "00000000-0000-4000-8000-000000000000",
    "kind": "workspace",
    "scope_id": "1",
    "portal_link_id": "00000000-0000-4000-8000-000000000000",
    "consent_id": "1",
    "session_id": "1",
    "subject": "nobody",
    "api_id": "1",
    "grant_id": "1",
    "issuer_id": "1",
    "source_id": "1",
    "slug": "acme-okta",
    "identity_id": "1",
    **dict.fromkeys(
        ("secret_id", "rule_id", "token_id", "connection", "domain", "rule"), "00000000-0000-4000-8000-000000000000"
    ),
}


def patterns(found=None, namespace="", route=""):
    """Yield the name, route and view of each address."""
    for each in get_resolver().url_patterns if found is None else found:
        whole = route + str(each.pattern)
        if isinstance(each, URLPattern):
            yield f"{namespace}{each.name}", whole, each.callback
        else:
            inner = f"{namespace}{each.namespace}:" if each.namespace else namespace
            yield from patterns(each.url_patterns, inner, whole)


def filled_in(name, route, things):
    """Return the path of an address, with the first row of its model where it is a page of the operators'."""
    values = VALUES | things
    if found := re.match(r"operators/(\w+)/(\w+)/<path:object_id>", route):
        row = apps.get_model(*found.groups())._default_manager.first()
        values["object_id"] = str(row.pk) if row else "1"
        actions = getattr(admin.site.get_model_admin(apps.get_model(*found.groups())), "object_actions", {})
        values["name"] = next(iter(actions), "none")
    path = PARAMETER.sub(lambda found: values[found[1] or found[2]], route.replace("/?\\Z", "").replace("\\Z", ""))
    return "/" + re.sub(r"[\^$]|\\(?=-)", "", path)


@pytest.fixture
def paths(address, service):  # noqa: F811
    """Every address: its name, its path, and whether it looks at cookies."""
    things = {"consumer_slug": "acme", "client_id": service.client_id, "auth_id": workload_issuer.issuer_name()}
    found = []
    for name, route, view in patterns():
        path = address(name) if name in ADDRESSES else filled_in(name, route, things)
        module = getattr(view, "__module__", "")
        found.append((name, path, not module.startswith(NO_COOKIE) or "authorize" in name or "end-session" in name))
    return found


@pytest.fixture
def browsers(alice, bob, mallory, olga):
    """A browser for each role."""

    def browser_of(role, **options):
        browser = Browser(**options)
        browser.raise_request_exception = False
        person = {"viewer": bob, "manager": alice, "neighbour": mallory, "operator": olga}.get(role)
        if person:
            sign_in_to(browser, person)
        return browser

    return browser_of


def listed(header):
    return {part.strip().lower() for part in header.split(",")} - {""}


def read(answer):
    """Return the whole body; a file stays open until it is read."""
    return answer.getvalue().decode(errors="replace")


def test_every_address_is_walked(paths):
    assert len(paths) > 200
    assert {name for name, _, _ in paths} >= PUBLIC | ADDRESSES.keys()


@pytest.mark.parametrize("role", ROLES)
def test_whatever_is_looked_at_is_kept_by_no_cache_and_changed_by_nobody(paths, browsers, role, mailoutbox):
    browser, kept, shared = browsers(role), [], []
    for _, path, looks_at_cookies in paths:  # which may make the first keys
        if not looks_at_cookies:
            read(browser.get(path))
    before, mails = rows(), len(mailoutbox)
    for name, path, looks_at_cookies in paths:
        answer = browser.get(path, headers={"Origin": "https://evil.example"})
        read(answer)
        assert answer.status_code < 500, path
        assert "Access-Control-Allow-Origin" not in answer or name in OPEN, path
        said, varies = listed(answer.get("Cache-Control", "")), listed(answer.get("Vary", ""))
        if name not in PUBLIC and ("no-store" not in said or said & {"public", "immutable"}):
            kept.append((name, path, answer.status_code, said))
        if looks_at_cookies and "cookie" not in varies:
            shared.append((name, path, answer.status_code, varies))
        if role in ("manager", "operator"):
            read(browser.head(path))
    assert (kept, shared) == ([], [])
    assert changed(before) == []
    assert len(mailoutbox) == mails


@pytest.mark.parametrize("role", ["manager", "operator"])
def test_a_form_of_another_site_is_refused_at_every_address(paths, browsers, role):
    """Neither a form without its token nor htmx's headers help; what takes no cookie does not look at the session."""
    browser, before, taken, told = browsers(role, enforce_csrf_checks=True), rows(), [], set()
    headers = {"Origin": "https://evil.example", "HX-Request": "true", "Access-Control-Request-Method": "POST"}
    for name, path, looks_at_cookies in paths:
        answer = browser.post(path, {"csrfmiddlewaretoken": "a" * 64}, headers=headers)
        refusals = {403, 404, 405} if looks_at_cookies else {400, 401, 403, 404, 405, 415}
        asked_to_sign_in = "/login/?next=" in answer.get("Location", "")
        if answer.status_code not in refusals and not asked_to_sign_in and name not in POSTED_TO:
            taken.append((name, path, answer.status_code))
        for each in (answer, browser.options(path, headers=headers)):
            read(each)
            assert "Access-Control-Allow-Credentials" not in each
            if "Access-Control-Allow-Origin" in each:
                told.add(name)
    assert taken == []
    assert changed(before) == []
    assert told <= OPEN


def undone(ask, path, **options):
    """Return the answer, as if nobody had asked."""
    point = transaction.savepoint_create()
    answer = ask(path, **options)
    transaction.savepoint_rollback(point)
    return answer


def shape(answer):
    """Return what tells a part of a page from the page, and a redirect of htmx from one of HTTP."""
    return answer.status_code, "<html" in answer.text, "HX-Redirect" in answer


def test_whatever_htmx_gets_a_part_of_says_so_to_caches(paths, browsers):
    """The header by which htmx names where the answer goes decides, so a cache must ask for it (RFC 9110, 12.5.5)."""
    browser, parts, silent = browsers("manager"), set(), []
    for name, path, _ in paths:
        if name not in ADDRESSES or name.endswith("-csv"):
            continue
        target = "clients" if name == "clients:index" else "dialog"
        for ask in (browser.get, browser.post):
            page, part = (undone(ask, path, headers=headers) for headers in ({}, {"HX-Target": target}))
            if shape(page) != shape(part):
                parts.add(name)
                silent += [name for answer in (page, part) if "hx-target" not in listed(answer["Vary"])]
    assert silent == []
    assert parts > {"clients:index", "clients:delete", "clients:rotate-secret", "clients:enable"}


def test_nothing_but_the_target_of_htmx_decides_what_is_answered(paths, browsers):
    """Else `Vary` would have to name that too: the other headers of htmx change no answer."""
    browser = browsers("manager")
    headers = {"HX-Request": "true", "HX-Boosted": "true", "HX-Current-URL": "http://testserver/", "HX-Trigger": "x"}
    for name, path, _ in paths:
        if ADDRESSES.get(name, (0, 0))[1] == 200 and not name.endswith("-csv"):
            assert shape(browser.get(path)) == shape(browser.get(path, headers=headers)), path
