"""Erase a person: from every table, and from the record, where a pseudonym stands in their place.

An erased event is sealed again as it is then, and names the event of the erasure (consumers/sql/chain.sql). The salt of
what it said before is gone, so its old digest confirms no guess.
"""

import json
import re
import uuid
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.models import Session
from django.db import connection, models, transaction
from django.utils.module_loading import import_string

from consumers import audit
from consumers.activity import verification
from consumers.audit import Actor
from consumers.events import ConsumerEvent
from consumers.models import Consumer, Event, EventSeal, Role, SignedHead, User, Verification
from core.errors import Refusal
from core.models import Message

BATCH = 500  # events that one statement erases from
APART = {Event, EventSeal, SignedHead, Verification, Session}  # the record has doors of its own; sessions are encrypted
AROUND = r"(?<![\w.+-]){}(?![\w-]|\.\w)"  # an address as a whole, not as a part of a longer one


@dataclass
class Erasure:
    """What was erased: how many rows were deleted and changed, by kind, and from how many events."""

    pseudonym: str
    deleted: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    events: int = 0


@dataclass(frozen=True)
class _Subject:
    """Whom an erasure is about. `person` is None for an address that was invited and never joined."""

    person: User | None
    addresses: list[str]
    pseudonym: str

    @property
    def pattern(self) -> str:
        """A regular expression, to PostgreSQL and Python alike, of the addresses."""
        return AROUND.format(f"(?:{'|'.join(re.escape(address) for address in self.addresses)})")

    @property
    def replacement(self) -> str:
        """What stands where the address was: one that nobody has (RFC 2606)."""
        return f"{self.pseudonym.lower().replace(' ', '-')}@erased.invalid"


@transaction.atomic
def erase_person(*, email: str, without_manager: Collection[str] = (), actor: Actor) -> Erasure:
    """Erase whoever has the address, or was invited by it, or whom tokens call that: an end user may have no address.

    `without_manager` names the consumers, by their short names, that may be left without a manager. Raises Refusal
    when nobody has the address, and when the person is a consumer's last manager or the last operator.
    """
    subject = _find(email)
    if subject.person is not None:
        _require_successors(subject.person, without_manager)
    events = list(_events_about(subject))
    recorded = audit.record(
        ConsumerEvent.PERSON_ERASED, actor=actor, detail={"person": subject.pseudonym, "events": len(events)}
    )
    erasure = Erasure(subject.pseudonym, events=len(events))
    _end_sessions(subject, erasure)
    _erase_from_events(events, subject, recorded)
    _count(erasure.deleted, _mail_of(subject).delete()[1])
    for model in _of_addresses():
        _count(erasure.deleted, _rows_about(model, subject.addresses).delete()[1])
    if subject.person is not None:
        _replace_labels(subject.person, subject.pseudonym, erasure)
        _count(erasure.deleted, subject.person.delete()[1])
    _replace_addresses(subject, erasure)
    return erasure


def _find(email: str) -> _Subject:
    person = _person_of(email)
    invited = any(_rows_about(model, [email]).exists() for model in _of_addresses())
    if person is None and not invited and not Message.objects.filter(recipients__icontains=email).exists():
        raise Refusal(f"Nobody has the address {email}, and no invitation or mail went there.")
    addresses = {email.lower()} if person is None or "@" in email else set()  # no word that may stand anywhere
    number = uuid.uuid4()
    if person is not None:
        number = person.pk
        person = User.objects.select_for_update().get(pk=person.pk)
        addresses |= {person.email.lower()}
        added = EmailAddress.objects.filter(user=person).values_list("email", flat=True)
        addresses |= {address.lower() for address in added}
    return _Subject(person, sorted(addresses), f"Erased person {str(number)[:8]}")


def _person_of(text: str) -> User | None:
    """Return whoever has the address, the ID or the subject. Raises Refusal where that is two people."""
    found = set(User.objects.of_address(text)) | set(User.objects.of_subject(text))
    with suppress(ValueError):
        found |= set(User.objects.filter(pk=uuid.UUID(text)))
    if len(found) > 1:
        ids = " or ".join(sorted(str(each.pk) for each in found))
        raise Refusal(f"{text} is the address of one person and the subject of another. Name one by ID: {ids}.")
    return next(iter(found), None)


def _of_addresses() -> list[type[models.Model]]:
    """Return the models whose rows are about one address, and go with it: invitations, links, requests."""
    return [model for model in apps.get_models() if getattr(model, "ERASED_WITH_ADDRESS", False)]


def _rows_about(model: type[models.Model], addresses: list[str]) -> models.QuerySet[Any]:
    """Return the rows about these addresses; a model that keeps them in another way than `email` says how."""
    if (about := getattr(model, "about_addresses", None)) is not None:
        return about(addresses)  # type: ignore[no-any-return]
    return model._default_manager.filter(email__iregex=f"^(?:{'|'.join(map(re.escape, addresses))})$")


def _require_successors(person: User, without_manager: Collection[str]) -> None:
    managed = Consumer.objects.filter(memberships__user=person, memberships__role=Role.MANAGER)
    alone = [
        consumer.slug
        for consumer in managed.select_for_update(of=("self",)).order_by("slug")
        if not consumer.memberships.filter(role=Role.MANAGER).exclude(user=person).exists()
    ]
    if refused := [slug for slug in alone if slug not in without_manager]:
        raise Refusal(
            f"{person} is the last manager of {', '.join(refused)}. Make somebody else a manager first, or name each "
            "consumer that may be left without one."
        )
    operators = User.objects.filter(is_superuser=True, is_active=True)
    if person.is_superuser and not operators.exclude(pk=person.pk).exists():
        raise Refusal(f"{person} is the last operator with full rights. Give them to somebody else first.")


def _count(counts: dict[str, int], found: dict[str, int]) -> None:
    for name, number in found.items():
        if number:
            counts[name] = counts.get(name, 0) + number


# -- Sessions and mail ------------------------------------------------------------------------------------------------


def _end_sessions(subject: _Subject, erasure: Erasure) -> None:
    """End every session that is the person's, or in which somebody began to sign in by the address.

    They are encrypted, so each is looked at.
    """
    store = import_string(f"{settings.SESSION_ENGINE}.SessionStore")
    keys = set(UserSession.objects.filter(user=subject.person).values_list("session_key", flat=True))
    pattern = re.compile(subject.pattern, re.IGNORECASE)
    for row in Session.objects.iterator(chunk_size=500):
        text = json.dumps(store().decode(row.session_data), default=str)
        if row.pk in keys or pattern.search(text) or (subject.person and str(subject.person.pk) in text):
            store().delete(row.pk)
            _count(erasure.deleted, {"sessions.Session": 1})


def _mail_of(subject: _Subject) -> models.QuerySet[Message]:
    return Message.objects.filter(recipients__iregex=subject.pattern)


# -- The record -------------------------------------------------------------------------------------------------------


def _events_about(subject: _Subject) -> Iterator[int]:
    """Yield the ids of events that the person made or that are about them, or that hold an address."""
    pk = str(subject.person.pk) if subject.person else None
    for step in verification.event_steps(verification.events()):
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT id FROM consumers_event WHERE id > %(after)s AND id <= %(last)s AND (
                    actor_id = %(pk)s OR target_id = %(pk)s
                    OR concat_ws(' ', actor_label, target_label, detail::text) ~* %(pattern)s)
                ORDER BY id
                """,
                {"after": step.after, "last": step.last, "pk": pk, "pattern": subject.pattern},
            )
            yield from (event_id for (event_id,) in cursor.fetchall())


def _erase_from_events(ids: list[int], subject: _Subject, recorded: Event) -> None:
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        rows = [_erased(event, subject) for event in Event.objects.filter(pk__in=batch)]
        with connection.cursor() as cursor:
            cursor.execute("SELECT erase_from_events(%s, %s::jsonb)", [recorded.pk, json.dumps(rows)])


def _erased(event: Event, subject: _Subject) -> dict[str, Any]:
    """Return what an event says without the person. What they did keeps its time, name and target."""
    person = subject.person
    is_theirs = person is not None and event.actor_id == str(person.pk)
    is_target = person is not None and event.target_kind == "user" and event.target_id == str(person.pk)
    texts = re.compile(subject.pattern, re.IGNORECASE)

    def without(text: str) -> str:
        return texts.sub(subject.replacement, text)

    return {
        "id": event.pk,
        "actor_label": subject.pseudonym if is_theirs else without(event.actor_label),
        "target_label": subject.pseudonym if is_target else without(event.target_label),
        "detail": json.loads(without(json.dumps(event.detail, ensure_ascii=False))),
        "ip": None if is_theirs else event.ip,
        "user_agent": "" if is_theirs else event.user_agent,
    }


# -- All other tables -------------------------------------------------------------------------------------------------


def _replace_labels(person: User, pseudonym: str, erasure: Erasure) -> None:
    """Replace the person's name beside what they created and decided."""
    for model in apps.get_models():
        names = {each.name for each in model._meta.concrete_fields}
        for by in names & {"created_by", "decided_by"}:
            if f"{by}_label" in names:
                rows = model._default_manager.filter(**{by: person})
                _count(erasure.changed, {model._meta.label: rows.update(**{f"{by}_label": pseudonym})})
    if person.name:
        named = Message.objects.filter(subject__icontains=person.name)
        _count(erasure.deleted, named.exclude(state=Message.State.WAITING).delete()[1])


def _replace_addresses(subject: _Subject, erasure: Erasure) -> None:
    """Replace the addresses wherever else they are in a text, a list of texts or JSON."""
    for model in apps.get_models(include_auto_created=True):
        if model in APART or not model._meta.managed:
            continue
        columns = {str(each.column): sql for each in model._meta.concrete_fields if (sql := _replaced(each))}
        if columns:
            number = _replace_in(model._meta.db_table, columns, subject)
            _count(erasure.changed, {model._meta.label: number})


def _replaced(column: "models.Field[Any, Any]") -> str:
    """Return the SQL of a column without the addresses; empty for one that holds no text."""
    if column.primary_key or column.remote_field:
        return ""
    name = connection.ops.quote_name(str(column.column))
    if isinstance(column, ArrayField):
        items = f"SELECT regexp_replace(item, %(pattern)s, %(text)s, 'gi') FROM unnest({name}) item"  # noqa: S608
        return f"CASE WHEN {name} IS NOT NULL THEN ARRAY({items}) END"
    if isinstance(column, models.JSONField):
        return f"regexp_replace({name}::text, %(pattern)s, %(text)s, 'gi')::jsonb"
    if isinstance(column, models.CharField | models.TextField):
        return f"regexp_replace({name}, %(pattern)s, %(text)s, 'gi')"
    return ""


def _replace_in(table: str, columns: dict[str, str], subject: _Subject) -> int:
    quoted = connection.ops.quote_name
    sets = ", ".join(f"{quoted(column)} = {sql}" for column, sql in columns.items())
    found = " OR ".join(f"{quoted(column)}::text ~* %(pattern)s" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {quoted(table)} SET {sets} WHERE {found}",  # noqa: S608  # names of our own columns
            {"pattern": subject.pattern, "text": subject.replacement},
        )
        return int(cursor.rowcount)
