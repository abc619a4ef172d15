"""Pages and lists with 200,000 clients, 20,000 of them of one consumer, and a million events: p50 and statements.

Run it with `uv run python -m benchmarks.pages`; it takes five minutes and 4 GB of disk. Named a folder, it keeps the
database there and finds it again. Requests go through Django's handler, one at a time.
"""

import io
import itertools
import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import django

from benchmarks.servers import data_folder
from portal import startup

ROWS = Path(__file__).with_name("growth.sql")
NUMBERS = {
    "crowd": 200_000,
    "clients": 20_000,
    "people": 20_000,
    "members": 300,
    "events": 1_000_000,
    "mails": 200_000,
    "apis": 40,
}
TABLES = [
    *("consumers_user", "consumers_membership", "consumers_invitation", "consumers_event", "clients_client"),
    *("clients_clientsecret", "clients_api", "clients_scope", "clients_access", "authority_dailycount"),
    *("authority_problem", "core_message"),
]
ROUNDS, TOKENS = 7, 20
MOST = 300  # milliseconds that a page may take
LONGEST = 15_000  # milliseconds that a statement may; a bad one could fill the disk

OPERATORS = {
    "overview": "",
    "consumers": "consumers/consumer/",
    "consumers, by people": "consumers/consumer/?o=4",
    "consumers, by clients": "consumers/consumer/?o=-5",
    "consumers, q": "consumers/consumer/?q=person-77",
    "a large consumer": "consumers/consumer/{acme}/change/",
    "a consumer": "consumers/consumer/{other}/change/",
    "suspending a large one": "consumers/consumer/{acme}/actions/suspend/",
    "clients": "clients/client/",
    "clients, last page": "clients/client/?p=10",
    "clients, by last use": "clients/client/?o=-6",
    "clients, by consumer": "clients/client/?o=3",
    "clients, q": "clients/client/?q=Client+777",
    "clients, q found nowhere": "clients/client/?q=nowhere",
    "clients, expired": "clients/client/?state=expired",
    "clients of a large one": "clients/client/?consumer={acme}",
    "clients, web": "clients/client/?kind=web",
    "a client": "clients/client/1007/change/",
    "people": "consumers/user/",
    "people, q": "consumers/user/?q=person-777",
    "activity": "consumers/event/",
    "activity, q": "consumers/event/?q=Person+77",
    "activity, q found nowhere": "consumers/event/?q=nowhere",
    "activity, q of a request": "consumers/event/?q={request}",
    "activity of a large one": "consumers/event/?consumer={acme}",
    "activity of a client": "consumers/event/?target=1007",
    "activity about APIs": "consumers/event/?about=apis",
    "activity by the portal": "consumers/event/?by=system",
    "APIs": "clients/api/",
    "an API": "clients/api/1003/change/",
    "mail": "core/message/",
    "mail, q": "core/message/?q=person-777",
    "mail, failed": "core/message/?state__exact=failed",
}
WORKSPACE = {
    "home": "",
    "clients": "clients/",
    "clients, last page": "clients/?page=800",
    "clients, by state": "clients/?sort=state",
    "clients, by last use": "clients/?sort=used",
    "clients, expired": "clients/?state=expired",
    "clients, active": "clients/?state=active",
    "clients, never used": "clients/?used=never",
    "clients, q": "clients/?q=777",
    "clients, web": "clients/?kind=web",
    "secrets overview": "clients/secrets/",
    "a client": "clients/cl_crowd_7/",
    "a client's activity": "clients/cl_crowd_7/activity/",
    "test tokens": "test-tokens/",
    "people": "people/",
    "activity": "activity/",
    "activity, q": "activity/?q=Person+77",
    "activity, q found nowhere": "activity/?q=nowhere",
    "activity about APIs": "activity/?what=apis",
}
API = {
    "clients": "clients",
    "clients, 500": "clients?page_size=500",
    "clients, q": "clients?q=777",
    "clients, q found nowhere": "clients?q=nowhere",
    "clients, expired": "clients?state=expired",
    "clients of a consumer": "clients?consumer=crowd-1999",
    "clients by name": "clients?client_name=Client+199999",
    "clients by owner": "clients?owner=nobody",
    "clients by redirect URI": "clients?redirect_uri=https://nowhere.example",
    "consumers": "consumers",
    "consumers, q": "consumers?q=crowd-77",
    "members": "consumers/acme/members",
    "activity": "activity",
    "activity of a client": "activity?client_id=cl_crowd_7",
    "activity of a rare kind": "activity?name=api.created",
    "activity of a person": "activity?actor_id=nobody",
    "activity since": "activity?since=2020-01-01T00:00:00Z&until=2020-02-01T00:00:00Z",
}


def main(folder: str = "") -> None:
    with ExitStack() as stack:
        data = Path(folder).resolve() if folder else stack.enter_context(data_folder())
        start(data)
        fill()
        measure_all()


def start(data: Path) -> None:
    """Start the database of that folder, with the demo in it, for this process."""
    os.environ |= {"DATA_DIR": str(data), "DJANGO_SETTINGS_MODULE": "portal.settings", "LOG_LEVEL": "CRITICAL"}
    os.environ.pop("DATABASE_URL", None)
    startup.prepare()
    django.setup()
    from django.core.management import call_command

    call_command("demo", verbosity=0, stdout=io.StringIO())


def fill() -> None:
    """Fill the database where it is new."""
    from benchmarks import crowd
    from clients.models import Client

    if not Client.objects.filter(client_id="cl_crowd_1").exists():
        begun = time.monotonic()
        crowd.fill(NUMBERS["crowd"], 0)
        crowd.write(ROWS, TABLES, NUMBERS)
        print(f"filled in {time.monotonic() - begun:.0f} s")


def measure_all() -> None:
    from django.conf import settings
    from django.test import Client as Browser

    from consumers.models import Consumer, User

    settings.ALLOWED_HOSTS = ["*"]
    olga, alice = User.objects.get(email="olga@meridian.example"), User.objects.get(email="alice@acme.example")
    names = {
        "acme": Consumer.objects.get(slug="acme").pk,
        "other": Consumer.objects.get(slug="crowd-1999").pk,
        "request": "0cc175b9c0f1b6a831c399e269772661",
    }
    print(f"{'':<38}{'p50':>8}{'best':>8}{'statements':>12}   milliseconds")
    browser = Browser(raise_request_exception=False)
    browser.force_login(olga)
    for name, path in OPERATORS.items():
        report(f"operators: {name}", partial(browser.get, f"/operators/{path.format(**names)}"))
    browser.force_login(alice)
    for name, path in WORKSPACE.items():
        report(f"workspace: {name}", partial(browser.get, f"/consumers/acme/{path}"))
    for who, user in (("operator", olga), ("manager", alice)):
        turn = itertools.cycle(tokens(user))
        for name, path in API.items():
            report(f"{who}'s API: {name}", partial(ask, browser, turn, f"/admin/{path}"))


def tokens(user: Any) -> list[str]:
    """Return several personal access tokens, for each may send 100 requests in 10 seconds only."""
    from django.utils import timezone

    from consumers.actions.personal_tokens import create_token
    from consumers.audit import SYSTEM
    from consumers.scopes import MANAGEMENT_SCOPES

    user.personal_tokens.all().delete()
    end = timezone.now() + timedelta(days=1)
    return [
        create_token(user=user, name="Benchmark", scopes=MANAGEMENT_SCOPES, expires_at=end, actor=SYSTEM)[1]
        for _ in range(TOKENS)
    ]


def ask(browser: Any, turn: Iterator[str], path: str) -> Any:
    return browser.get(path, headers={"Authorization": f"Bearer {next(turn)}"})


def report(name: str, send: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    if (wanted := os.environ.get("ONLY")) and wanted not in name:
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = {LONGEST}")
    with CaptureQueriesContext(connection) as statements:
        answer = send()
    count, captured = len(statements), statements.captured_queries
    if answer.status_code != 200:
        print(f"{name:<38}  status {answer.status_code}", flush=True)
        return
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        send()
        taken.append((time.perf_counter() - begun) * 1000)
        if sum(taken) > 4000:
            break
    p50 = statistics.median(taken)
    above = f"   above {MOST}" if p50 > MOST else ""
    print(f"{name:<38}{p50:8.0f}{min(taken):8.0f}{count:12}{above}", flush=True)
    if os.environ.get("SHOW"):
        for each in sorted(captured, key=lambda each: -float(each["time"]))[:6]:
            print(f"      {float(each['time']) * 1000:6.0f} ms  {each['sql'][: int(os.environ['SHOW'])]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
