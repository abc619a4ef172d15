"""The record of the activity: how long its chain takes to be made and verified, and whether what was changed is found.

Run it with `uv run python -m benchmarks.verification [EVENTS]`. Ten million take twenty minutes and 12 GB of disk. The
worker seals a part of them; PostgreSQL does the rest, as the worker would, which the verification then shows.
"""

import resource
import sys
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from benchmarks.pages import start
from benchmarks.servers import data_folder

if TYPE_CHECKING:
    from consumers.activity.verification import Problem

EVENTS = """
INSERT INTO consumers_event (at, name, actor_kind, actor_id, actor_label, consumer_id, target_kind, target_id,
                             target_label, detail, ip, user_agent, request_id)
SELECT now() - (%(count)s - n) * interval '3 seconds',
       (ARRAY['client.created', 'client.updated', 'client.secret.created', 'client.secret.rotated', 'manager.invited'])
       [1 + n %% 5], 'person', md5('person' || n %% 1000), 'Person ' || n %% 1000,
       (ARRAY(SELECT id FROM consumers_consumer))[1 + n %% (SELECT count(*) FROM consumers_consumer)],
       'client', n %% 10000, 'Client ' || n %% 10000, jsonb_build_object('hint', lpad(to_hex(n %% 65536), 4, '0')),
       '192.0.2.7', 'curl/8', md5('request' || n)
FROM generate_series(%(first)s, %(last)s) n
"""
# What seals the rest: from the last place on, in the order of ids.
SEALS = """
DO $$
DECLARE
    zero bytea := decode(repeat('00', 32), 'hex');
    place bigint; before bytea; last_id bigint; hashes jsonb; mine bytea; it record;
BEGIN
    SELECT position, hash, event_id INTO place, before, last_id FROM consumers_eventseal ORDER BY position DESC LIMIT 1;
    SELECT jsonb_object_agg(id, encode(hash, 'hex')) INTO hashes FROM consumers_consumer consumer CROSS JOIN LATERAL (
        SELECT consumer_hash AS hash FROM consumers_eventseal WHERE consumer_id = consumer.id
        ORDER BY position DESC LIMIT 1) last;
    FOR it IN SELECT id, consumer_id, {digest} AS digest FROM consumers_event event WHERE id > last_id ORDER BY id LOOP
        place := place + 1;
        mine := sha256(coalesce(decode(hashes ->> it.consumer_id::text, 'hex'), zero) || it.digest);
        IF it.consumer_id IS NULL THEN mine := NULL; END IF;
        before := sha256(before || it.digest || coalesce(mine, ''));
        INSERT INTO consumers_eventseal (position, event_id, consumer_id, digest, consumer_hash, hash)
        VALUES (place, it.id, it.consumer_id, it.digest, mine, before);
        hashes := hashes || jsonb_build_object(it.consumer_id, encode(mine, 'hex'));
    END LOOP;
END $$
"""
# As whoever owns the database can: a change, a removal, and two rows that have changed places.
TAMPERED = """
SET session_replication_role = replica;
UPDATE consumers_event SET actor_label = 'Somebody else' WHERE id = {changed};
DELETE FROM consumers_event WHERE id = {removed};
UPDATE consumers_event SET id = -1 WHERE id = {swapped};
UPDATE consumers_event SET id = {swapped} WHERE id = {swapped} + 1;
UPDATE consumers_event SET id = {swapped} + 1 WHERE id = -1;
RESET session_replication_role
"""
BATCH = 500_000
BY_WORKER = 100_000


def main(count: int) -> None:
    with data_folder() as data:
        start(data)
        from django.db import connection

        from consumers.actions.sealing import seal_events
        from consumers.activity import chain
        from portal.activity_check import verify

        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            for first in range(1, count + 1, BATCH):
                cursor.execute(EVENTS, {"count": count, "first": first, "last": min(first + BATCH - 1, count)})
            cursor.execute("RESET session_replication_role")
            wait = "INSERT INTO consumers_unsealedevent SELECT id FROM consumers_event ORDER BY id LIMIT %s"
            cursor.execute(f"{wait} ON CONFLICT DO NOTHING", [BY_WORKER])
            cursor.execute("VACUUM ANALYZE")

        def seal() -> None:
            while seal_events():
                pass

        told("sealed", BY_WORKER, seal)
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(SEALS.replace("{digest}", chain.DIGEST))
            cursor.execute("RESET session_replication_role")
            cursor.execute("VACUUM ANALYZE")
        told("verified", count, lambda: print_problems(verify().problems))
        changed = count * 3 // 4
        with connection.cursor() as cursor:
            cursor.execute(TAMPERED.format(changed=changed, removed=changed + 10_000, swapped=changed + 20_000))
        told("verified, changed", count, lambda: print_problems(verify().problems))
        print(f"this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB at most")


def told(what: str, count: int, do: Callable[[], None]) -> None:
    begun = time.perf_counter()
    do()
    took = time.perf_counter() - begun
    print(f"{what:<20}{count:>12,} events{took:>9.0f} s{took / count * 1e6:>9.1f} µs an event", flush=True)


def print_problems(problems: "Iterable[Problem]") -> None:
    for problem in problems:
        print(f"  {problem.text}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000)
