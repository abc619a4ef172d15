"""Pages and the token path without an end user and with a million of them, who are signed in to three apps.

Run it with `uv run python -m benchmarks.end_users`; it takes five minutes and 4 GB of disk. PEOPLE=100000 makes it
shorter. Requests go through Django's handler, one at a time: p50 in milliseconds, before and after, and the statements.
"""

import os
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import pages
from benchmarks.harness import basic
from benchmarks.people import ALLOWED, CHALLENGE, VERIFIER
from benchmarks.servers import data_folder, demo

ROWS = Path(__file__).with_suffix(".sql")
PEOPLE = int(os.environ.get("PEOPLE", "1000000"))
TABLES = [
    *("consumers_user", "account_emailaddress", "authority_signin", "authority_tokenfamily"),
    *("authority_refreshtoken", "authority_consent"),
]
ROUNDS = 15
OPERATORS = "/operators/consumers/user/"
TAB = "/consumers/acme/clients/{client}/people/"
PAGES = {
    "Operators: people": ("olga", OPERATORS),
    "Operators: people, q a word": ("olga", f"{OPERATORS}?q=ali"),
    "Operators: people, q found nowhere": ("olga", f"{OPERATORS}?q=nowhere"),
    "Operators: people, q an end user's address": ("olga", f"{OPERATORS}?q=end-77770%40home.example"),
    "Operators: people, q an end user's subject": ("olga", f"{OPERATORS}?q=customer-77771"),
    "Operators: end users": ("olga", f"{OPERATORS}?kind=end-users"),
    "Operators: end users, q a name": ("olga", f"{OPERATORS}?kind=end-users&q=carla+77"),
    "Operators: activity, q found nowhere": ("olga", "/operators/consumers/event/?q=nowhere"),
    "Workspace: people": ("alice", "/consumers/acme/people/"),
    "Workspace: a client": ("alice", "/consumers/acme/clients/{client}/"),
    "Signed in: first page": ("alice", TAB),
    "Signed in: a page in the middle": ("alice", f"{TAB}?after={{deep}}"),
    "Signed in: q an address": ("alice", f"{TAB}?q=end-77770%40home.example"),
    "Signed in: q a subject": ("alice", f"{TAB}?q=customer-77773"),
    "Signed in: q a name": ("alice", f"{TAB}?q=carla+777"),
    "Signed in: q a first name": ("alice", f"{TAB}?q=carla"),
    "Signed in: a permission": ("alice", f"{TAB}?scope=email"),
    "Signed in: a permission of nobody": ("alice", f"{TAB}?scope=shipments%3Atrack"),
    "Signed in: active today": ("alice", f"{TAB}?active=today"),
    "Signed in: idle": ("alice", f"{TAB}?active=idle"),
    "An end user's own page": ("end", "/account/apps/"),
}


@dataclass
class Measured:
    before: dict[str, tuple[float, int]] = field(default_factory=dict)
    after: dict[str, tuple[float, int]] = field(default_factory=dict)


def main() -> None:
    with ExitStack() as stack:
        data = stack.enter_context(data_folder())
        clients = demo(data)
        pages.start(data)
        measured = Measured()
        measured.before = measure(clients["web"])
        begun = time.monotonic()
        fill(clients["web"]["client_id"])
        print(f"{PEOPLE:,} end users written in {time.monotonic() - begun:.0f} s\n")
        measured.after = measure(clients["web"])
        report(measured)


def fill(client_id: str) -> None:
    """Write the people, most of whom are signed in to this client of Acme."""
    from django.db import connection

    from benchmarks import crowd
    from clients.models import Client

    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
    app = Client.objects.get(client_id=client_id)
    others = Client.objects.exclude(pk=app.pk).filter(grant_types__contains=["authorization_code"])[:2]
    apps = [app.pk, *(each.pk for each in others)]
    crowd.write(ROWS, TABLES, {"people": PEOPLE, "apps": (apps * 3)[:3]})  # type: ignore[dict-item]  # a list of keys


def measure(web: dict[str, Any]) -> dict[str, tuple[float, int]]:
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["*"]
    found = {name: timed(send) for name, send in requests_for_pages(web["client_id"]).items()}
    return found | token_path(web)


def requests_for_pages(client_id: str) -> dict[str, Callable[[], Any]]:
    from django.conf import settings
    from django.test import Client as Browser
    from django.utils import timezone

    from authority.models import TokenFamily
    from authority.people import at_client
    from consumers.models import User

    people = {
        "olga": User.objects.get(email="olga@meridian.example"),
        "alice": User.objects.get(email="alice@acme.example"),
        "end": User.objects.filter(email="end-77770@home.example").first() or User.objects.create_end_user(),
    }
    browsers = {}
    for name, person in people.items():
        browsers[name] = Browser()
        browsers[name].force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
        if person.is_staff:
            session = browsers[name].session
            session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
            session["account_authentication_methods_user"] = str(person.pk)
            session.set_expiry(timezone.now() + timedelta(seconds=settings.OPERATOR_SESSION_IDLE))
            session.save()
    middle = TokenFamily.objects.filter(client__client_id=client_id).order_by("-began_at")
    deep = middle[PEOPLE // 2 : PEOPLE // 2 + 1].first() or middle.first()
    names = {"client": client_id, "deep": at_client.written(deep) if deep else ""}
    return {name: partial(browsers[who].get, path.format(**names)) for name, (who, path) in PAGES.items()}


def token_path(web: dict[str, Any]) -> dict[str, tuple[float, int]]:
    """Exchange codes, refresh, and ask about the tokens that came of it."""
    from django.test import Client as Browser

    program = Browser(headers={"Authorization": f"Basic {basic(web['client_id'], web['client_secret'])}"})

    codes = codes_for(web["client_id"], ROUNDS + 3)
    answers: list[dict[str, Any]] = []

    def exchange() -> Any:
        proof = {"code_verifier": VERIFIER, "redirect_uri": web["redirect_uris"][0]}
        answer = post_form(program, "/oauth2/token", grant_type="authorization_code", code=codes.pop(), **proof)
        answers.append(answer.json())
        return answer

    def refresh() -> Any:
        answer = post_form(
            program, "/oauth2/token", grant_type="refresh_token", refresh_token=answers[-1]["refresh_token"]
        )
        answers.append(answer.json())
        return answer

    found = {"Exchange of a code": timed(exchange), "Refresh": timed(refresh)}
    token, own = answers[-1]["access_token"], Browser()
    found["Introspection"] = timed(lambda: post_form(program, "/oauth2/introspect", token=token))
    bearer = {"Authorization": f"Bearer {token}"}
    return found | {"Userinfo": timed(lambda: own.get("/oauth2/userinfo", headers=bearer))}


def post_form(program: Any, path: str, **form: str) -> Any:
    from urllib.parse import urlencode

    return program.post(path, urlencode(form), content_type="application/x-www-form-urlencoded")


def codes_for(client_id: str, count: int) -> list[str]:
    """Have codes made as benchmarks/people.py does."""
    import contextlib
    import io

    from django.utils import timezone

    from authority.models import SignIn
    from clients.models import Client
    from consumers.models import User

    known = {"Client": Client, "User": User, "SignIn": SignIn, "timezone": timezone}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(ALLOWED.format(client_id=client_id, count=count, challenge=CHALLENGE), known)  # ours
    return printed.getvalue().split()


def timed(send: Callable[[], Any]) -> tuple[float, int]:
    """Return the p50 in milliseconds, and how many statements the first request took."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = {pages.LONGEST}")
    send()  # which reads templates, prepares statements
    with CaptureQueriesContext(connection) as statements:
        answer = send()
    count = len(statements.captured_queries)  # the next request begins the log again
    assert answer.status_code == 200, (answer.status_code, answer.headers.get("Location"), answer.text[:500])
    if os.environ.get("SHOW"):
        for each in sorted(statements.captured_queries, key=lambda each: -float(each["time"]))[:3]:
            print(f"      {float(each['time']) * 1000:6.0f} ms  {each['sql'][: int(os.environ['SHOW'])]}")
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        send()
        taken.append((time.perf_counter() - begun) * 1000)
        if sum(taken) > 5000:
            break
    return statistics.median(taken), count


def report(measured: Measured) -> None:
    print(f"{'':<46}{'none':>9}{f'{PEOPLE:,}':>12}{'statements':>12}   p50, milliseconds")
    for name, (before, _) in measured.before.items():
        after, statements = measured.after[name]
        print(f"{name:<46}{before:9.1f}{after:12.1f}{statements:12}")


if __name__ == "__main__":
    main()
