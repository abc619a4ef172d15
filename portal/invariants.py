"""What must be true of the database whatever happened to the server: each invariant is one query for what breaks it.

`manage.py check_invariants` asks them all, and the drills do after each fault. A query returns where the broken row is
and what it says of itself: names and ids, never a secret.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.fernet import InvalidToken
from django.apps import apps
from django.db import OperationalError, connection, transaction
from django.db.models import ForeignKey

from clients.models.secrets import MAX_LIVE_SECRETS
from portal import reencryption

SECONDS = 60  # for one query
MOST = 20  # rows that are named of one


@dataclass(frozen=True)
class Invariant:
    """A name, what must be true, and the query for rows of which it is not: one text each."""

    name: str
    sentence: str
    sql: str | Callable[[], str]


@dataclass(frozen=True)
class Outcome:
    """What one invariant's query found. `failed` says why it could not be asked."""

    invariant: Invariant
    rows: list[str]
    failed: str = ""


def _events_missing(table: str, moment: str, condition: str) -> str:
    """Return the query for rows without the event of that moment, of the time from which the record has events."""
    return f"""
        SELECT '{table} ' || row.id FROM {table} row
        WHERE row.{moment} > (SELECT at FROM consumers_event ORDER BY id LIMIT 1) AND NOT EXISTS (
            SELECT FROM consumers_event event WHERE {condition})
    """  # noqa: S608  # our own texts


def _doubled(table: str, columns: str, condition: str = "true") -> str:
    """Return the query for rows of which there must be one."""
    return f"""
        SELECT '{table} ' || string_agg(row.id::text, ', ') FROM {table} row WHERE {condition}
        GROUP BY {columns} HAVING count(*) > 1
    """  # noqa: S608  # our own texts


def _dangling() -> str:
    """Return the query for rows whose foreign key leads nowhere, of every foreign key of the models."""
    quoted, queries = connection.ops.quote_name, []
    for model in apps.get_models(include_auto_created=True):
        for each in model._meta.concrete_fields:
            if not isinstance(each, ForeignKey) or not getattr(each, "db_constraint", True):
                continue
            table, column = quoted(model._meta.db_table), quoted(str(each.column))
            parent, key = quoted(each.related_model._meta.db_table), quoted(str(each.target_field.column))
            pk = quoted(str(model._meta.pk.column))
            queries.append(
                f"SELECT '{model._meta.db_table} ' || row.{pk} || ': {each.column}' FROM {table} row "  # noqa: S608
                f"WHERE row.{column} IS NOT NULL AND NOT EXISTS "
                f"(SELECT FROM {parent} parent WHERE parent.{key} = row.{column})"
            )
    return " UNION ALL ".join(queries)


INVARIANTS = [
    Invariant("dangling_reference", "Every foreign key leads to a row.", _dangling),
    Invariant(
        "constraint_not_valid",
        "Every constraint and index is valid.",
        """
        SELECT 'constraint ' || conname FROM pg_constraint
        WHERE NOT convalidated AND connamespace = current_schema()::regnamespace
        UNION ALL SELECT 'index ' || index.relname FROM pg_index JOIN pg_class index ON index.oid = indexrelid
        WHERE NOT indisvalid AND index.relnamespace = current_schema()::regnamespace
        """,
    ),
    Invariant(
        "trigger_disabled",
        "No trigger of a table is disabled.",
        """
        SELECT 'trigger ' || tgname || ' of ' || relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        WHERE tgenabled = 'D' AND relnamespace = current_schema()::regnamespace
        """,
    ),
    # -- People -------------------------------------------------------------------------------------------------------
    Invariant("person_doubled", "One address has one account.", _doubled("consumers_user", "lower(email)")),
    Invariant(
        "address_doubled",
        "A verified address belongs to one person.",
        _doubled("account_emailaddress", "lower(email)", "verified"),
    ),
    Invariant(
        "membership_doubled",
        "A person is in a workspace once.",
        _doubled("consumers_membership", "consumer_id, user_id"),
    ),
    Invariant(
        "invitation_doubled",
        "An address has one pending invitation to a workspace.",
        _doubled("consumers_invitation", "consumer_id, lower(email)", "accepted_at IS NULL AND revoked_at IS NULL"),
    ),
    Invariant(
        "primary_address_differs",
        "A person's address is their primary one.",
        """
        SELECT 'consumers_user ' || person.id FROM consumers_user person
        JOIN account_emailaddress address ON address.user_id = person.id AND address."primary"
        WHERE lower(address.email) <> lower(person.email)
        """,
    ),
    Invariant(
        "session_of_inactive_person",
        "Nobody whose account is inactive has a session.",
        """
        SELECT 'usersessions_usersession ' || listed.id FROM usersessions_usersession listed
        JOIN consumers_user person ON person.id = listed.user_id AND NOT person.is_active
        JOIN django_session session ON session.session_key = listed.session_key AND session.expire_date > now()
        """,
    ),
    # -- Consumers and clients ----------------------------------------------------------------------------------------
    Invariant(
        "client_without_consumer",
        "Every client belongs to a consumer.",
        """
        SELECT 'clients_client ' || client.id FROM clients_client client
        WHERE NOT EXISTS (SELECT FROM consumers_consumer WHERE id = client.consumer_id)
        """,
    ),
    Invariant("client_doubled", "A client ID belongs to one client.", _doubled("clients_client", "client_id")),
    Invariant("consumer_doubled", "A short name belongs to one consumer.", _doubled("consumers_consumer", "slug")),
    Invariant("secret_doubled", "A client has a secret once.", _doubled("clients_clientsecret", "client_id, digest")),
    Invariant(
        "secrets_beyond_limit",
        f"A client has {MAX_LIVE_SECRETS} live secrets at most.",
        f"""
        SELECT 'clients_client ' || client_id || ': ' || count(*) FROM clients_clientsecret
        WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
        GROUP BY client_id HAVING count(*) > {MAX_LIVE_SECRETS}
        """,  # noqa: S608  # a number of ours
    ),
    Invariant(
        "trust_of_another_consumer",
        "A client trusts no issuer that was added for another consumer.",
        """
        SELECT 'clients_trustrule ' || rule.id FROM clients_trustrule rule
        JOIN clients_trustedissuer issuer ON issuer.id = rule.issuer_id
        JOIN clients_client client ON client.id = rule.client_id
        WHERE issuer.consumer_id <> client.consumer_id
        """,
    ),
    # -- Keys and tokens ----------------------------------------------------------------------------------------------
    Invariant(
        "signing_key_doubled",
        "Each purpose and algorithm has one active and one next signing key.",
        _doubled("authority_signingkey", "purpose, algorithm, state", "state IN ('active', 'next')"),
    ),
    Invariant(
        "signing_key_without_private_key",
        "Keys that sign, or will, have their private key; those that signed do not.",
        """
        SELECT 'authority_signingkey ' || kid FROM authority_signingkey
        WHERE (state IN ('active', 'next')) = (length(encrypted_private_key) = 0)
        """,
    ),
    Invariant(
        "refresh_token_from_the_future",
        "No refresh token is of a later generation than its family.",
        """
        SELECT 'authority_tokenfamily ' || family.id FROM authority_refreshtoken token
        JOIN authority_tokenfamily family ON family.id = token.family_id WHERE token.generation > family.generation
        """,
    ),
    Invariant(
        "family_swept_too_early",
        "A family is kept until its last refresh token has expired.",
        """
        SELECT 'authority_tokenfamily ' || family.id FROM authority_refreshtoken token
        JOIN authority_tokenfamily family ON family.id = token.family_id
        WHERE token.generation = family.generation AND family.ended_at IS NULL
            AND token.expires_at > family.retain_until
        """,
    ),
    Invariant(
        "token_of_another_client",
        "An opaque token belongs to the client of its family.",
        """
        SELECT 'authority_tokenfamily ' || family.id FROM authority_opaquetoken token
        JOIN authority_tokenfamily family ON family.id = token.family_id WHERE token.client_id <> family.client_id
        """,
    ),
    Invariant(
        "family_of_another_sign_in",
        "A family belongs to the person and client of its sign-in.",
        """
        SELECT 'authority_tokenfamily ' || family.id FROM authority_tokenfamily family
        JOIN authority_signin sign_in ON sign_in.id = family.id
        WHERE (sign_in.client_id, sign_in.user_id) <> (family.client_id, family.user_id)
        """,
    ),
    Invariant(
        "device_allowed_by_nobody",
        "A device request that is allowed names the person.",
        """
        SELECT 'authority_devicerequest ' || left(digest, 8) FROM authority_devicerequest
        WHERE state = 'allowed' AND user_id IS NULL
        """,
    ),
    # -- Mail ---------------------------------------------------------------------------------------------------------
    Invariant(
        "mail_doubled",
        "A mail is written once.",
        _doubled("core_message", "recipients, subject, created_at"),
    ),
    Invariant(
        "mail_state_wrong",
        "A mail that was sent says when and keeps no text; one that waits has its text.",
        """
        SELECT 'core_message ' || id FROM core_message
        WHERE (state = 'sent' AND (sent_at IS NULL OR length(encrypted_message) > 0))
            OR (state = 'waiting' AND length(encrypted_message) = 0)
        """,
    ),
    # -- The record ---------------------------------------------------------------------------------------------------
    Invariant(
        "event_missing_of_consumer",
        "A consumer has its event.",
        _events_missing(
            "consumers_consumer", "created_at", "event.target_id = row.id::text AND event.name = 'consumer.created'"
        ),
    ),
    Invariant(
        "event_missing_of_client",
        "A client has its event.",
        _events_missing(
            "clients_client", "created", "event.target_id = row.id::text AND event.name = 'client.registered'"
        ),
    ),
    Invariant(
        "event_missing_of_secret",
        "Every secret was created by an event.",
        """
        SELECT 'clients_client ' || client.id FROM clients_client client
        CROSS JOIN (SELECT at FROM consumers_event ORDER BY id LIMIT 1) record
        WHERE (SELECT count(*) FROM clients_clientsecret secret
               WHERE secret.client_id = client.id AND secret.created_at > record.at)
            > (SELECT count(*) FROM consumers_event event WHERE event.target_id = client.id::text AND event.name IN
               ('client.registered', 'client.secret.created', 'client.secret.rotated'))
        """,
    ),
    Invariant(
        "event_missing_of_invitation",
        "An invitation has its event.",
        _events_missing(
            "consumers_invitation", "created_at", "event.target_id = row.id::text AND event.name = 'manager.invited'"
        ),
    ),
    Invariant(
        "event_missing_of_personal_token",
        "A personal access token has its event.",
        _events_missing(
            "consumers_personaltoken",
            "created_at",
            "event.target_id = row.id::text AND event.name = 'person.token.created'",
        ),
    ),
    Invariant(
        "event_missing_of_key",
        "A signing key has its event.",
        _events_missing(
            "authority_signingkey", "created_at", "event.target_id = row.id::text AND event.name = 'key.created'"
        ),
    ),
    Invariant(
        "event_missing_of_suspension",
        "A consumer that is suspended has the event of it.",
        _events_missing(
            "consumers_consumer",
            "suspended_at",
            "event.target_id = row.id::text AND event.name = 'consumer.suspended'",
        ),
    ),
    Invariant(
        "event_missing_of_disabled_client",
        "A client that is disabled has the event of it.",
        _events_missing(
            "clients_client", "disabled_at", "event.target_id = row.id::text AND event.name = 'client.disabled'"
        ),
    ),
    Invariant(
        "event_waiting_for_nothing",
        "What waits for a place in the chain is an event.",
        """
        SELECT 'consumers_unsealedevent ' || event_id FROM consumers_unsealedevent waiting
        WHERE NOT EXISTS (SELECT FROM consumers_event WHERE id = waiting.event_id)
        """,
    ),
]
ENCRYPTED = Invariant("encrypted_value_lost", "Everything that is encrypted opens with KEY_ENCRYPTION_KEYS.", "")


def check_all(seconds: int = SECONDS) -> Iterator[Outcome]:
    """Ask every invariant, each in a transaction that reads only and for so many seconds at most."""
    for invariant in INVARIANTS:
        yield _ask(invariant, seconds)
    yield Outcome(ENCRYPTED, list(_undecryptable()))


def _ask(invariant: Invariant, seconds: int) -> Outcome:
    sql = invariant.sql if isinstance(invariant.sql, str) else invariant.sql()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{seconds}s"])
            cursor.execute(f"SELECT * FROM ({sql}) found LIMIT {MOST}")  # noqa: S608  # our own texts
            return Outcome(invariant, [str(text) for (text,) in cursor.fetchall()])
    except OperationalError as error:
        return Outcome(invariant, [], str(error).partition("\n")[0])


def _undecryptable() -> Iterator[str]:
    """Yield the encrypted values that none of the keys opens, MOST at most."""
    found = 0
    for what, rows, field, change in reencryption.encrypted_fields():
        for pk, value in rows.values_list("pk", field).iterator(chunk_size=200):
            if found < MOST and not _opens(change, value):
                found += 1
                yield f"{what} {str(pk)[:8] if isinstance(pk, str) else pk}"


def _opens(change: Callable[[Any], Any], value: Any) -> bool:
    try:
        change(value)
    except InvalidToken:
        return False
    return True
