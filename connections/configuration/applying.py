"""Making the connections as CONNECTIONS_FILE says, by the actions that the pages call."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from connections import policy
from connections.actions import connections as connection_actions
from connections.actions import domains as domain_actions
from connections.configuration.reading import Entry, WrongFile, read
from connections.documents import consumers_of, fields_of
from connections.models import Connection, JoiningRule, RuleKind, SignInMode, Source
from consumers.activity.timeline import describe
from consumers.audit import SYSTEM
from consumers.models import Event, Role
from core.errors import Refusal

ACTOR = replace(SYSTEM, label=policy.BY_FILE)


def apply_file(path: str) -> list[str]:
    """Make the connections as the file says; return what was changed, a sentence each. Raises WrongFile."""
    return apply(read(path))


def preview_file(path: str) -> list[str]:
    """Return what applying the file would change, and change nothing. Raises WrongFile."""
    entries = read(path)
    with transaction.atomic():
        changes = apply(entries)
        transaction.set_rollback(True)
    return changes


@transaction.atomic
def apply(entries: list[Entry]) -> list[str]:
    """Create, change and delete what the file keeps, all or nothing. Raises WrongFile.

    Where somebody must sign in by a connection is set last, once its domains are trusted.
    """
    _wait_for_others()
    last = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    slugs = [entry.slug for entry in entries]
    for row in Connection.objects.filter(source=Source.FILE).exclude(slug__in=slugs).order_by("pk"):
        with _told(row.slug):
            connection_actions.delete_connection(connection=row, actor=ACTOR)
    known = {row.slug: row for row in Connection.objects.filter(slug__in=slugs)}
    wanted = {}
    for entry in entries:
        with _told(entry.slug):
            wanted[entry.slug] = _rules(entry)
            if entry.slug in known:
                _delete_rules(known[entry.slug], wanted[entry.slug])
    rows = {entry.slug: _connection(entry, known.get(entry.slug)) for entry in entries}
    domains = {entry.slug: _domains(entry) for entry in entries}
    # First, so that a domain can move to another connection; the last one of a required connection goes when it has
    # another.
    for slug, row in rows.items():
        _remove_domains(row, domains[slug], keeps_last=True)
    for slug, row in rows.items():
        _add_domains(row, domains[slug])
        _remove_domains(row, domains[slug], keeps_last=False)
    for entry in entries:
        _create_rules(rows[entry.slug], wanted[entry.slug])
        _set_sign_in(rows[entry.slug], entry)
    made = Event.objects.filter(pk__gt=last, actor_kind=ACTOR.kind, actor_label=ACTOR.label).order_by("pk")
    return [_sentence(event) for event in made]


def _wait_for_others() -> None:
    """Let one process of all at a time apply the file: each that starts does.

    The lock is that of a row which is always there, and that nothing else locks.
    """
    ContentType.objects.select_for_update(no_key=True).get(app_label="connections", model="connection")


@contextmanager
def _told(slug: str) -> Iterator[None]:
    """Say of which connection a refusal is."""
    try:
        yield
    except Refusal as refusal:
        raise WrongFile(f"{slug}: {refusal.for_programs}") from None


def _sentence(event: Event) -> str:
    entry = describe(event)
    return f"{entry.sentence}{f' ({entry.detail})' if entry.detail else ''}."


def _connection(entry: Entry, row: Connection | None) -> Connection:
    """Create the connection, or bring its fields up to date; one that was made on the pages is the file's from now on.

    Nobody is required to sign in by it yet who was not before.
    """
    with _told(entry.slug):
        fields = fields_of(entry.sent, has_secret=bool(entry.client_secret))
        consumers = consumers_of(entry.sent.get("consumers", []))
        if fields["sign_in"] == SignInMode.REQUIRED:
            fields["sign_in"] = SignInMode.OFF if row is None else SignInMode(row.sign_in)
        if row is None:
            return connection_actions.create_connection(
                connection=Connection(**fields, source=Source.FILE),
                client_secret=entry.client_secret,
                consumers=consumers,
                actor=ACTOR,
            )
        return connection_actions.update_connection(
            connection=row,
            values=fields | {"source": Source.FILE},
            client_secret=entry.client_secret,
            consumers=consumers,
            actor=ACTOR,
        )


def _set_sign_in(row: Connection, entry: Entry) -> None:
    wanted = entry.sent.get("sign_in", SignInMode.OFF)
    with _told(entry.slug):
        connection_actions.update_connection(connection=row, values={"sign_in": wanted}, actor=ACTOR)


# -- Domains ----------------------------------------------------------------------------------------------------------


def _domains(entry: Entry) -> list[str]:
    with _told(entry.slug):
        return list(dict.fromkeys(policy.domain_name(name) for name in entry.domains))


def _remove_domains(row: Connection, names: list[str], *, keeps_last: bool) -> None:
    for domain in row.domains.exclude(name__in=names):
        is_last = not row.domains.verified().exclude(pk=domain.pk).exists()
        if not (keeps_last and is_last and row.sign_in == SignInMode.REQUIRED):
            with _told(row.slug):
                domain_actions.remove_domain(domain=domain, actor=ACTOR)


def _add_domains(row: Connection, names: list[str]) -> None:
    present = {domain.name: domain for domain in row.domains.all()}
    with _told(row.slug):
        for name in names:
            domain = present.get(name) or domain_actions.add_domain(connection=row, name=name, actor=ACTOR)
            domain_actions.verify_domain(domain=domain, by=policy.BY_FILE, actor=ACTOR)


# -- Joining rules ----------------------------------------------------------------------------------------------------


def _rules(entry: Entry) -> list[JoiningRule]:
    """Return the rules of the file, not saved yet, and each once."""
    found: dict[tuple[object, ...], JoiningRule] = {}
    for each in entry.rules:
        (consumer,) = consumers_of([each["consumer"]])
        value = policy.domain_name(each["value"]) if each["kind"] == RuleKind.DOMAIN else each["value"].strip()
        rule = JoiningRule(consumer=consumer, kind=each["kind"], value=value, role=each.get("role", Role.VIEWER))
        if _key(rule)[:-1] in found:
            raise WrongFile(f"Two joining rules of {consumer} are for {value}.")
        found[_key(rule)[:-1]] = rule
    return list(found.values())


def _key(rule: JoiningRule) -> tuple[object, ...]:
    return rule.consumer_id, rule.kind, rule.value, rule.role


def _delete_rules(row: Connection, wanted: list[JoiningRule]) -> None:
    keys = {_key(rule) for rule in wanted}
    for rule in row.rules.all():
        if _key(rule) not in keys:
            domain_actions.delete_rule(rule=rule, actor=ACTOR)


def _create_rules(row: Connection, wanted: list[JoiningRule]) -> None:
    keys = {_key(rule) for rule in row.rules.all()}
    with _told(row.slug):
        for rule in wanted:
            if _key(rule) not in keys:
                rule.connection = row
                domain_actions.create_rule(rule=rule, actor=ACTOR)
