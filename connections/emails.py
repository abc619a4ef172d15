"""Mails about connections: to people about their identities, and to operators about what needs them."""

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from connections.models import Connection
from connections.relying_party.claims import Person
from connections.relying_party.failures import SignInFailed
from consumers.emails import compose
from consumers.models import Consumer, User
from core.timefmt import weekday_date_time
from core.user_agents import browser_name


def send_identity_linked(user: User, connection: Connection, email: str) -> None:
    _to_person(user, f"{connection} was connected to your account", connection, [("Address there", email or "None")])


def send_identity_unlinked(user: User, connection: Connection) -> None:
    _to_person(user, f"{connection} was disconnected from your account", connection, [])


def _to_person(user: User, title: str, connection: Connection, facts: list[tuple[str, str]]) -> None:
    compose(
        "security_notice",
        user.email,
        title=title,
        facts=[("When", weekday_date_time(timezone.now())), ("Provider", connection.issuer), *facts],
        action_url=settings.PUBLIC_URL + reverse("mfa_index"),
        action_label="Review your account",
    ).send()


def send_last_manager_kept(consumer: Consumer, user: User, by: str) -> None:
    _to_operators(
        f"{consumer} would have no manager",
        f"{by} no longer names {user} as a manager of {consumer}. Nobody else manages it, so they stay one. Make "
        f"somebody else a manager, or remove {user} yourself.",
        [("Workspace", consumer.name), ("Person", user.email), ("By", by)],
    )


def send_last_manager_gone(consumer: Consumer, user: User, by: str) -> None:
    _to_operators(
        f"{consumer} has no manager",
        f"{by} has switched off {user}, the last manager of {consumer}, who is out at once. Make somebody else a "
        "manager, or invite one.",
        [("Workspace", consumer.name), ("Person", user.email), ("By", by)],
    )


def send_identity_conflict(connection: Connection, failure: SignInFailed, person: Person) -> None:
    _to_operators(
        f"A sign-in by {connection} was refused",
        failure.words.operator,
        [("Connection", connection.name), ("Address", person.email or "None"), ("Subject", person.subject)],
    )


def send_way_back_used(user: User, connection: Connection, *, ip: str | None, user_agent: str) -> None:
    _to_operators(
        f"{user} signed in by a passkey",
        f"{connection} is required, and {user} used the way back that operators with full rights have. If nobody told "
        "you why, ask, and suspend the account until you know.",
        [
            ("Account", user.email),
            ("When", weekday_date_time(timezone.now())),
            ("Browser", browser_name(user_agent) or "Unknown"),
            ("IP address", ip or "Unknown"),
        ],
    )


def _to_operators(title: str, text: str, facts: list[tuple[str, str]]) -> None:
    """Mail all operators; whoever may read the activity is led there."""
    for operator in User.objects.filter(is_staff=True, is_active=True):
        page = reverse("admin:consumers_event_changelist") if operator.has_perm("consumers.view_event") else ""
        compose(
            "operator_notice",
            operator.email,
            title=title,
            text=text,
            facts=facts,
            action_url=page and settings.PUBLIC_URL + page,
            action_label="See the activity",
        ).send()
