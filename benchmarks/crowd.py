"""Many clients and many issued tokens, in the demo's database; this runs inside `manage.py shell`.

What issued tokens leave behind: a person's sign-in a family, with each refresh token that it had; an opaque token its
row; a token that was revoked its name. JWTs of clients that act for themselves leave nothing.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from django.db import connection

from clients import secrets
from clients.models import ClientSecret

ROWS = Path(__file__).with_suffix(".sql")
TABLES = [
    *("consumers_consumer", "consumers_user", "consumers_membership", "clients_access", "clients_client"),
    *("clients_clientsecret", "authority_dailycount", "authority_signin", "authority_tokenfamily"),
    *("authority_refreshtoken", "authority_opaquetoken", "authority_revokedtoken"),
]


def fill(clients: int, tokens: int) -> None:
    """Add to the crowd until it has so many clients, and issue so many tokens, a multiple of ten, which come once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM clients_client WHERE client_id LIKE 'cl\\_crowd\\_%'")
        first = cursor.fetchone()[0] + 1
    numbers = {"first": first, "last": clients, "first_consumer": (first + 98) // 100, "groups": tokens // 10}
    write(ROWS, TABLES, numbers)


def write(rows: Path, tables: Sequence[str], numbers: Mapping[str, int]) -> None:
    """Run the statements of a file, which write to these tables, as fast as PostgreSQL can; then count what is there.

    Triggers and foreign keys cost as much as the rows, and indexes that grow row by row much more. Nobody is served
    meanwhile, and what breaks is thrown away.
    """
    with connection.cursor() as cursor:
        cursor.execute("ALTER SYSTEM SET fsync = off")
        cursor.execute("ALTER SYSTEM SET max_wal_size = '8GB'")
        cursor.execute("SELECT pg_reload_conf()")
        cursor.execute("SET session_replication_role = replica; SET maintenance_work_mem = '1GB'")
        cursor.execute(
            "UPDATE pg_index SET indisready = false, indisvalid = false WHERE indrelid = ANY(%s::regclass[])",
            [list(tables)],
        )
        for statement in rows.read_text().split(";\n"):
            cursor.execute(statement, numbers)
        for table in tables:
            cursor.execute(f"REINDEX TABLE {table}")
        cursor.execute("SELECT setval(pg_get_serial_sequence('clients_client', 'id'), max(id)) FROM clients_client")
        cursor.execute("VACUUM (ANALYZE, FREEZE)")
        cursor.execute("RESET session_replication_role; RESET maintenance_work_mem")
        cursor.execute("ALTER SYSTEM RESET ALL")
        cursor.execute("SELECT pg_reload_conf()")
        cursor.execute("CHECKPOINT")


def give_secrets(count: int) -> dict[str, str]:
    """Return texts by client ID, of so many clients spread over the crowd, which get secrets that we know."""
    version = secrets.current_pepper()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM clients_client WHERE client_id LIKE 'cl\\_crowd\\_%'")
        step = cursor.fetchone()[0] // count
    asked = [f"cl_crowd_{1 + number * step}" for number in range(count)]
    rows = list(ClientSecret.objects.filter(client__client_id__in=asked).select_related("client"))
    texts = {row.client.client_id: secrets.generate() for row in rows}
    for row in rows:
        row.digest, row.pepper_version = secrets.keyed_digest(texts[row.client.client_id], version), version
    ClientSecret.objects.bulk_update(rows, ["digest", "pepper_version"], batch_size=500)
    return texts
