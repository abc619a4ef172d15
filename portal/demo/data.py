"""The demo's people, consumers and clients: made once, and found again.

Alice manages and Bob views Acme; Mallory manages Globex; Olga is the operator. What the database cannot tell again
(passwords, client secrets) is kept in a file that only its owner can read.
"""

import json
import os
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from authority.keys import workload_issuer
from clients.actions import clients as client_actions
from clients.actions import secrets as secret_actions
from clients.actions.apis import create_api, set_access
from clients.actions.registration import create_initial_access_token, enable_open_registration
from clients.actions.roles import update_api_claims, update_api_roles
from clients.metadata import TEMPLATES, ClientMetadata
from clients.models import MAX_LIVE_SECRETS, Api, ApiClaim, ApiRole, Client, InitialAccessToken, OpenRegistration, Scope
from clients.policy import portal_policy
from consumers.actions.consumers import create_consumer
from consumers.actions.personal_tokens import create_token, find_token
from consumers.audit import SYSTEM
from consumers.models import Consumer, Membership, Role, User
from consumers.scopes import MANAGEMENT_SCOPES
from core import credentials

OPERATOR = ("olga@meridian.example", "Olga Weber")
CAST = [
    ("alice@acme.example", "Alice Martin", "acme", Role.MANAGER),
    ("bob@acme.example", "Bob Young", "acme", Role.VIEWER),
    ("mallory@globex.example", "Mallory Stern", "globex", Role.MANAGER),
]
CONSUMERS = {"acme": "Acme Logistics", "globex": "Globex", "sandbox": "Sandbox"}
APIS = {
    "https://api.meridian.example/shipments": (
        "Shipments",
        "Book and follow freight",
        [
            ("shipments:read", "Read shipments", "See bookings, routes and status."),
            ("shipments:write", "Book and change shipments", "Create bookings and cancel them. Bookings cost money."),
        ],
    ),
    "https://api.meridian.example/invoices": (
        "Invoices",
        "Bills and credit notes",
        [("invoices:read", "Read invoices", "Download invoices and credit notes.")],
    ),
}
SHIPMENTS = "https://api.meridian.example/shipments"
ROLES = [
    ("dispatcher", "Dispatcher", "Plans tours of the whole fleet.", False),
    ("driver", "Driver", "Sees own tours alone.", True),
]
CLAIMS = [("user_id", "user_id", "Your user ID"), ("fleet", "external_id", "")]


@dataclass(frozen=True)
class DemoClient:
    key: str
    template: str
    name: str
    description: str
    scope: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    workload: tuple[tuple[str, Any], ...] = ()  # what is more of its metadata


CLIENTS = [
    DemoClient(
        "service",
        "service",
        "Billing sync",
        "Fetches shipments every night and books them in the accounts.",
        ("shipments:read", "shipments:write"),
    ),
    DemoClient(
        "workload",
        "workload",
        "Billing in production",
        "Reads a bucket in the cloud and calls our own backend.",
        workload=(
            ("project", "billing"),
            ("deployment", "billing-main-53c4947"),
            ("environment_type", "production"),
            (
                "identity_token_audience",
                ("https://backend.acme.example", "sts.amazonaws.com", "api://AzureADTokenExchange"),
            ),
        ),
    ),
    DemoClient(
        "web",
        "web",
        "Dispatch board",
        "Planning screen of the dispatch team.",
        ("openid", "profile", "email", "offline_access", "shipments:read"),
        ("http://127.0.0.1:8400/signed-in", "https://dispatch.acme.example/signed-in"),
    ),
    DemoClient(
        "spa",
        "public",
        "Driver companion",
        "Shows drivers their next stop.",
        ("openid", "profile", "offline_access", "shipments:read"),
        ("http://127.0.0.1:8401/signed-in", "https://drivers.acme.example/signed-in"),
    ),
    DemoClient(
        "device",
        "device",
        "Yard terminal",
        "Shows the yard’s arrivals on a screen without a keyboard.",
        ("openid", "profile", "offline_access", "shipments:read"),
    ),
]


def _load_state() -> dict[str, Any]:
    """Return what the demo remembers: its passwords and its clients' secrets."""
    return json.loads(settings.DEMO_FILE.read_text()) if settings.DEMO_FILE.exists() else {}


def _save_state(memory: dict[str, Any]) -> None:
    partial = settings.DEMO_FILE.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as file:
        json.dump(memory, file, indent=2)
    partial.replace(settings.DEMO_FILE)


@transaction.atomic
def build() -> dict[str, Any]:
    """Make whatever is missing, and return the document that `manage.py demo --json` prints."""
    memory = _load_state()
    password = memory.setdefault("password", f"demo-{secrets.token_hex(6)}")
    operator = _person(*OPERATOR, password, is_staff=True)
    consumers = {slug: _consumer(slug, name) for slug, name in CONSUMERS.items()}
    _catalogue(consumers)
    managers = []
    for email, name, slug, role in CAST:
        Membership.objects.get_or_create(
            consumer=consumers[slug], user=_person(email, name, password), defaults={"role": role}
        )
        managers.append({"email": email, "password": password, "consumer": slug, "role": role.value})
    tokens = {
        "operator_token": _token(operator, memory),
        "manager_token": _token(User.objects.get(email=CAST[0][0]), memory),
        "initial_access_token": _initial_access_token(consumers["acme"], memory),
    }
    if not OpenRegistration.objects.exists():
        enable_open_registration(
            consumer=consumers["sandbox"],
            actor=SYSTEM,
            scopes=["shipments:read"],
            client_lifetime_days=30,
        )
    clients = {item.key: _client(consumers["acme"], item, memory) for item in CLIENTS}
    _save_state(memory)
    return {
        "portal_url": settings.PUBLIC_URL,
        "issuer": settings.ISSUER,
        "workload_issuer": workload_issuer.issuer(),
        "operator": {
            "email": operator.email,
            "password": password,
            "url": settings.PUBLIC_URL + reverse("admin:index"),
        },
        "managers": managers,
        "clients": clients,
        "api_url": settings.PUBLIC_URL,
        **tokens,
        "mail_url": settings.PUBLIC_URL + reverse("mailbox") if settings.MAIL_IN_BROWSER else None,
    }


def _person(email: str, name: str, password: str, is_staff: bool = False) -> User:
    user = User.objects.filter(email__iexact=email).first() or User.objects.create_user(
        email, name=name, is_staff=is_staff, is_superuser=is_staff
    )
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    EmailAddress.objects.get_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
    return user


def _token(user: User, memory: dict[str, Any]) -> str:
    """Find or make a personal access token that will still work tomorrow."""
    known: dict[str, str] = memory.setdefault("tokens", {})
    found = find_token(known.get(user.email, ""))
    tomorrow = timezone.now() + timedelta(days=1)
    if (
        found is None
        or found.user != user
        or found.expires_at < tomorrow
        or set(found.scopes) != set(MANAGEMENT_SCOPES)
    ):
        expires_at = timezone.now() + timedelta(days=90)
        _, known[user.email] = create_token(
            user=user, name="Demo", scopes=MANAGEMENT_SCOPES, expires_at=expires_at, actor=SYSTEM
        )
    return known[user.email]


def _initial_access_token(owner: Consumer, memory: dict[str, Any]) -> str:
    """Find or make an initial access token of the consumer that will still work tomorrow."""
    known = str(memory.get("initial_access_token", ""))
    live = InitialAccessToken.objects.live().filter(consumer=owner, expires_at__gt=timezone.now() + timedelta(days=1))
    scopes = [value for _, _, offered in APIS.values() for value, _, _ in offered]
    if not live.filter(digest__in=credentials.keyed_digests(known), scopes=scopes).exists():
        expires_at = timezone.now() + timedelta(days=90)
        _, known = create_initial_access_token(
            consumer=owner, name="Demo", expires_at=expires_at, actor=SYSTEM, max_uses=None, scopes=scopes
        )
        memory["initial_access_token"] = known
    return known


def _consumer(slug: str, name: str) -> Consumer:
    return Consumer.objects.filter(slug=slug).first() or create_consumer(
        actor=SYSTEM, slug=slug, name=name, test_token_claims=["department", "region"]
    )


def _catalogue(consumers: dict[str, Consumer]) -> None:
    """Make the APIs and scopes; Acme may use all, the others may read shipments."""
    for identifier, (name, description, scopes) in APIS.items():
        if not Api.objects.filter(identifier=identifier).exists():
            create_api(
                api=Api(identifier=identifier, name=name, description=description, allows_test_tokens=True),
                scopes=[Scope(value=value, name=label, description=text) for value, label, text in scopes],
                actor=SYSTEM,
            )
            if identifier == SHIPMENTS:
                _roles_and_claims(Api.objects.get(identifier=SHIPMENTS))
    ours = Scope.objects.filter(api__identifier__in=APIS)
    for slug, wanted in {
        "acme": ours,
        "globex": ours.filter(value="shipments:read"),
        "sandbox": ours.filter(value="shipments:read"),
    }.items():
        granted = Scope.objects.granted_to(consumers[slug])
        set_access(consumer=consumers[slug], scopes={*granted, *wanted}, actor=SYSTEM)


def _roles_and_claims(api: Api) -> None:
    """Give the API roles, of which its managers give one, and claims of its tokens."""
    roles = [
        ApiRole(value=value, name=name, description=text, managers_may_give=may) for value, name, text, may in ROLES
    ]
    update_api_roles(api=api, roles=roles, actor=SYSTEM)
    claims = [ApiClaim(name=name, source=source, consent=consent) for name, source, consent in CLAIMS]
    update_api_claims(api=api, claims=claims, actor=SYSTEM)


def _client(owner: Consumer, wanted: DemoClient, memory: dict[str, Any]) -> dict[str, Any]:
    """Find or register one client, with a secret that still works."""
    known = memory.setdefault("clients", {}).setdefault(wanted.key, {})
    mine = Client.objects.filter(consumer=owner)
    row = mine.filter(client_id=known.get("client_id", "")).first() or mine.filter(client_name=wanted.name).first()
    if row is None:
        metadata = (
            TEMPLATES[wanted.template]
            .replace(
                client_name=wanted.name,
                description=wanted.description,
                scope=wanted.scope,
                **dict(wanted.workload),
            )
            .with_redirect_uris(wanted.redirect_uris)
        )
        row, text = client_actions.register_client(
            consumer=owner, metadata=metadata, policy=portal_policy, actor=SYSTEM, secret_name="Demo"
        )
        known |= {"client_id": row.client_id, "client_secret": text}
    elif row.holds_secrets and not any(live.matches(known.get("client_secret", "")) for live in row.secrets.live()):
        if row.secrets.live().count() >= MAX_LIVE_SECRETS:
            secret_actions.revoke_secret(secret=row.secrets.live().earliest("created_at"), actor=SYSTEM)
        _, text = secret_actions.create_secret(client=row, name="Demo", actor=SYSTEM)
        known |= {"client_id": row.client_id, "client_secret": text}
    allow_pages(row)
    return {
        "client_id": row.client_id,
        "client_secret": known.get("client_secret"),
        "scope": row.scope,
        "audience": row.identity_token_audience or SHIPMENTS,
        "redirect_uris": row.redirect_uris,
    }


def allow_pages(row: Client) -> None:
    """Let the pages of a public client call the token endpoint, also when it was made before they might."""
    now = ClientMetadata.of(row)
    wanted = now.with_redirect_uris(now.redirect_uris)
    if set(wanted.allowed_cors_origins) != set(now.allowed_cors_origins):
        client_actions.update_client(client=row, change=lambda _: wanted, policy=portal_policy, actor=SYSTEM)
