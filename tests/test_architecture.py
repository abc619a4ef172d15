"""The shape of the code: what may import what, how large things may be, and what is written nowhere."""

import ast
import re
from collections.abc import Collection, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver
from oauth2_provider.settings import DEFAULTS
from packaging.version import Version

ROOT = settings.BASE_DIR
ROOMS = ("portal", "authority", "clients", "connections", "consumers", "core", "clientdesk")


def files(*patterns: str) -> list[Path]:
    return sorted(
        path
        for pattern in patterns
        for path in ROOT.glob(pattern)
        if not {"migrations", "node_modules", ".venv"} & set(path.parts)
    )


CODE = files(*(f"{room}/**/*.py" for room in ROOMS))
ALL_PYTHON = CODE + files("*.py", "tests/**/*.py", "examples/**/*.py")
TEMPLATES = files("templates/**/*.html")
SCRIPTS = files("static/js/portal.js", "static/js/sign-in-rule.js", "examples/**/*.js")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def all_nodes(path: Path) -> list[ast.AST]:
    """Return the syntax tree of a file, which many tests look at."""
    return list(ast.walk(ast.parse(path.read_text())))


def nodes[Node: ast.AST](path: Path, *kinds: type[Node]) -> Iterator[Node]:
    return (node for node in all_nodes(path) if isinstance(node, kinds))


def imports(path: Path) -> set[str]:
    """Return the names of the modules that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in nodes(path, ast.Import, ast.ImportFrom):
        if isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
        else:
            found |= {alias.name for alias in node.names}
    return found


# -- Rooms ------------------------------------------------------------------------------------------------------------


def test_toolkit_is_known_to_the_authority_and_the_client_model_alone():
    seam = {named(path) for path in CODE if any(module.split(".")[0] == "oauth2_provider" for module in imports(path))}
    assert {path for path in seam if not path.startswith("authority/")} == {"clients/models/clients.py"}


# -- Rooms that are named in strings ----------------------------------------------------------------------------------

LAYERS = ("portal", "authority", "clients", "connections", "consumers", "core")
QUERYING = {"all", "filter", "exclude", "get", "first", "exists", "count", "values_list", "select_related", "create"}
REVERSING = {"reverse", "reverse_lazy", "redirect", "resolve_url"}


def rooms_above(path: Path) -> tuple[str, ...]:
    room = path.relative_to(ROOT).parts[0]
    return LAYERS[: LAYERS.index(room)] if room in LAYERS else LAYERS


def url_names(resolver: URLResolver, namespace: str = "", room: str = "portal") -> Iterator[tuple[str, str]]:
    """Yield each URL name, as reverse() takes it, with the room whose URLconf defines it."""
    for item in resolver.url_patterns:
        if isinstance(item, URLPattern):
            yield namespace + str(item.name), room
        else:
            conf = getattr(item.urlconf_name, "__name__", "")
            inner = conf.split(".")[0] or ("django" if item.namespace == "admin" else room)
            yield from url_names(item, f"{namespace}{item.namespace}:" if item.namespace else namespace, inner)


def relations(rooms: tuple[str, ...]) -> set[str]:
    """Return the names under which models below these rooms know rows of models in them."""
    return {
        name
        for model in apps.get_models()
        for relation in model._meta.related_objects
        if relation.related_model._meta.app_label in rooms and model._meta.app_label not in rooms
        for name in (relation.name, relation.get_accessor_name())
        if name
    }


def strings(path: Path) -> Iterator[ast.Constant]:
    """Yield the string constants of a file that are no docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = {id(node.body[0].value) for node in nodes(path, *documented) if is_said(node)}
    for node in nodes(path, ast.Constant):
        if isinstance(node.value, str) and id(node) not in docstrings:
            yield node


def is_said(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> bool:
    return bool(node.body) and isinstance(node.body[0], ast.Expr)


LOWER = [path for path in CODE if named(path).split("/")[0] in LAYERS[1:]]


def test_no_string_names_a_module_or_model_of_a_room_above():
    for path in LOWER:
        above = "|".join(rooms_above(path))
        dotted = re.compile(rf"(?:{above})(?:\.[A-Za-z_]\w*)+|admin:(?:{above})_\w*")
        assert (named(path), [node.value for node in strings(path) if dotted.fullmatch(node.value)]) == (
            named(path),
            [],
        )


def test_no_url_of_a_room_above_is_reversed():
    defined = dict(url_names(get_resolver()))
    for path in LOWER:
        above = {name for name, room in defined.items() if room in rooms_above(path)}
        namespaces = tuple({name.rpartition(":")[0] + ":" for name in above if ":" in name})
        for call in nodes(path, ast.Call):
            if called(call) in REVERSING and call.args:
                first = call.args[0]
                text = first.values[0] if isinstance(first, ast.JoinedStr) else first
                name = getattr(text, "value", "")
                where = f"{named(path)} line {call.lineno}: {name}"
                assert name not in above, where
                assert first is text or not str(name).startswith(namespaces), where


def test_no_query_follows_a_relation_that_a_room_above_defines():
    for path in LOWER:
        above = relations(rooms_above(path))
        paths = [node.arg for node in nodes(path, ast.keyword) if node.arg] + [node.value for node in strings(path)]
        followed = [each for each in paths if "__" in each and each.removeprefix("-").partition("__")[0] in above]
        managers = [
            call.func.value.attr
            for call in nodes(path, ast.Call)
            if isinstance(call.func, ast.Attribute)
            and call.func.attr in QUERYING
            and isinstance(call.func.value, ast.Attribute)
        ]
        assert (named(path), followed, sorted(above & set(managers))) == (named(path), [], [])


def test_strings_that_reach_up_would_be_found():
    """The tables that the three tests above look things up in hold what they must."""
    above_consumers, above_clients = LAYERS[:3], LAYERS[:2]
    assert {"clients", "open_registration", "trusted_issuers", "access"} <= relations(above_consumers)
    assert {"daily_counts", "families", "problems"} <= relations(above_clients)
    assert not {"memberships", "invitations", "events"} & relations(above_consumers)
    defined = dict(url_names(get_resolver()))
    assert [defined[name] for name in ("dashboard", "clients:detail", "token", "tokens:inspector")] == [
        "portal",
        "clients",
        "authority",
        "authority",
    ]
    assert (defined["consumers:people"], defined["api:consumers"], defined["api:clients"]) == (
        "consumers",
        "consumers",
        "clients",
    )


# -- Sizes ------------------------------------------------------------------------------------------------------------


def test_no_file_is_above_500_lines():
    """Past that, ask whether it is two subjects."""
    lines = {path: len(path.read_text().splitlines()) for path in [*ALL_PYTHON, *TEMPLATES, *SCRIPTS]}
    assert {named(path): count for path, count in lines.items() if count > 500} == {}


def test_no_function_is_above_60_lines():
    for path in CODE:
        for function in nodes(path, ast.FunctionDef, ast.AsyncFunctionDef):
            assert function.end_lineno is not None
            assert function.end_lineno - function.lineno < 60, f"{named(path)}: {function.name}"


# -- Writes -----------------------------------------------------------------------------------------------------------

WRITES_SQL = re.compile(r"\b(INSERT INTO|DELETE FROM|UPDATE\s+\S+(\s+AS\s+\w+)?\s+SET)\b")
ALWAYS_WRITE = {"save", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}
WRITE_BY_KEYWORDS = {"create", "update"}  # QuerySet's take keywords alone; dict.update() and others do not
# Files outside actions/ that write, each with the reason.
WRITES_ELSEWHERE = {
    # Steps of the protocol: a request of a client or browser writes its own state; no person changes a thing.
    "authority/authorization/backchannel_logout.py": "the queue of logout tokens, and sessions that have ended",
    "authority/authorization/client_people.py": "the end of people's sign-ins at a client, with its event",
    "authority/authorization/consents.py": "an answer at the consent page, with its event",
    "authority/authorization/device_requests.py": "RFC 8628: a device's request, from its code to its tokens",
    "authority/authorization/challenges.py": "a request to the provider's own login, answered once and used once",
    "authority/authorization/login_sessions.py": "a browser session of the provider's own login",
    "authority/authorization/pushed_requests.py": "RFC 9126: a pushed request, used once",
    "authority/authorization/sign_ins.py": "the sign-in of a user at a client",
    "authority/client_authentication/replay.py": "RFC 7523 section 3: a jti is accepted once",
    "authority/tokens/access_tokens.py": "an issued opaque token",
    "authority/tokens/codes.py": "a spent authorization code",
    "authority/tokens/families.py": "refresh token rotation, in one statement",
    "authority/tokens/revocation.py": "RFC 7009: a revoked token",
    "authority/tokens/test_tokens.py": "issued and revoked test tokens, with their events",
    "connections/accounts/sessions.py": "which browser sessions began at a provider, as they move and end",
    # Keys rotate by themselves; a rotation that an operator asks for has its event.
    "authority/keys/rotation.py": "the states of signing keys",
    "authority/keys/signing_keys.py": "generated keys, and how long each is published",
    "authority/keys/activity_heads.py": "signed heads of the record; an export has its event",
    "authority/keys/workload_issuer.py": "the name of the workload issuer, once for all",
    # Telemetry, gathered in memory and written in the background.
    "authority/telemetry/daily_counts.py": "counts",
    "authority/telemetry/last_used.py": "last use of secrets, trust rules and clients",
    "authority/telemetry/problem_log.py": "failed requests",
    "authority/telemetry/redigests.py": "the digest of a secret that was used, under the current pepper",
    # Django's manager of users.
    "consumers/models/people.py": "manage.py createsuperuser, and tests",
    # What stands below the actions: they write through these.
    "consumers/audit.py": "events, in the transaction of what they record",
    "core/credentials.py": "the digest of a token that was used, under the current pepper",
    "core/db/rowmap.py": "INSERT statements of the token endpoint",
    "core/idempotency.py": "keys of submitted forms",
    "core/delivery.py": "attempts of mails and logout notices",
    "core/mail.py": "the outbox",
    # Maintenance.
    "portal/demo/data.py": "sample data of a demo",
    "portal/activity_check.py": "how far a verification of the record has come, and what it found",
    "portal/cache_table.py": "expired counters are deleted in batches",
    "portal/reencryption.py": "values are encrypted with the newest key; nothing else about them changes",
    "portal/worker.py": "the worker notes that it runs",
    "core/sweeps.py": "old rows are deleted in batches",
}


def many_to_many_names() -> set[str]:
    fields = [field for model in apps.get_models() for field in model._meta.many_to_many]
    return {name for field in fields for name in (field.name, field.remote_field.get_accessor_name()) if name}


def is_write(call: ast.Call, relations: set[str], modules: Collection[str] = ()) -> bool:
    """Whether a call writes a model: through an instance, a queryset, or a many-to-many relation."""
    if not isinstance(call.func, ast.Attribute) or ast.unparse(call.func).startswith("super()"):
        return False
    method, receiver = call.func.attr, call.func.value
    if isinstance(receiver, ast.Name) and receiver.id in modules:
        return False  # a function of that module, which is looked at where it is defined
    if method in ALWAYS_WRITE:
        return not any(each.arg == "commit" for each in call.keywords)  # a form's save(commit=False)
    if method in WRITE_BY_KEYWORDS:
        return bool(call.keywords) and not call.args
    if method == "delete":
        return not call.args
    related = isinstance(receiver, ast.Attribute) and receiver.attr in relations
    return related and method in {"add", "set", "remove", "clear"}


def written_in(path: Path) -> bool:
    relations = many_to_many_names()
    aliases = [alias for node in nodes(path, ast.Import, ast.ImportFrom) for alias in node.names]
    modules = {alias.asname or alias.name for alias in aliases if alias.name.islower()}
    statements = any(WRITES_SQL.search(text) for text in texts_of(path))
    return statements or any(is_write(call, relations, modules) for call in nodes(path, ast.Call))


def texts_of(path: Path) -> Iterator[str]:
    """Yield the string literals of a file; a name stands for each value of an f-string."""
    for node in nodes(path, ast.Constant, ast.JoinedStr):
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "value" for part in parts)


def test_every_write_of_a_model_happens_in_actions():
    """Each list entry says why; one that is stale fails too."""
    writing = {named(path) for path in CODE if not path.is_relative_to(ROOT / "clientdesk") and written_in(path)}
    outside = {name for name in writing if "actions" not in Path(name).with_suffix("").parts}
    assert outside == set(WRITES_ELSEWHERE)


@pytest.mark.parametrize(
    ("code", "writes"),
    [
        ("client.save(update_fields=['name'])", True),
        ("Client.objects.create(name='a')", True),
        ("rows.filter(pk=1).update(name='b')", True),
        ("rows.delete()", True),
        ("api.resource_servers.set(clients)", True),
        ("super().save()", False),
        ("form.save(commit=False)", False),
        ("values.update(others)", False),
        ("cache.delete('key')", False),
        ("names.add('a')", False),
    ],
)
def test_writes_are_told_from_other_calls(code, writes):
    call = ast.parse(code, mode="eval").body
    assert isinstance(call, ast.Call)
    assert is_write(call, {"resource_servers"}) is writes


# -- What is written nowhere ------------------------------------------------------------------------------------------

# Where SQL is written by hand: what the ORM has no words for.
RAW_SQL = {
    "core/notifications.py",  # LISTEN
    "authority/keys/signing_keys.py",  # advisory lock
    "portal/cache_table.py",  # a counter is written, or what has expired deleted, in one statement
    "core/db/prepared.py",  # runs what the next five prepare
    "authority/client_directory.py",  # the ORM's own SQL, made once, for the client of each token request
    "authority/people/admission.py",  # whether a person who is no member may sign in, at each refresh
    "authority/people/roles.py",  # the person of each token for an API that has roles
    "authority/people/provider_claims.py",  # and for one whose claims are read of the identity provider
    "authority/people/id_tokens.py",  # the person of each ID token, with what they have verified
    "authority/tokens/codes.py",  # a code's row is locked by each exchange
    "authority/tokens/families.py",  # each refresh locks, judges and replaces in one statement
    "authority/tokens/validation.py",  # each question about a token asks whether it was revoked
    "authority/telemetry/daily_counts.py",  # counts are added to in one statement
    "authority/telemetry/problem_log.py",  # problems too
    "authority/telemetry/last_used.py",  # the last uses of thousands of secrets are written in one statement
    "consumers/actions/sealing.py",  # advisory lock, digests of rows
    "consumers/actions/expiry.py",  # the function of the database that deletes what has expired
    "consumers/activity/verification.py",  # digests and hashes, by the hundred thousand a second
    "core/delivery.py",  # NOTIFY wakes the worker
    "core/db/backend/base.py",  # hands statements on, and notes those that fail
    "consumers/actions/erasure.py",  # a person's events, and their address in any column
    "portal/invariants.py",  # what breaks an invariant is what the ORM would not write
    "portal/worker.py",  # LISTEN
    "portal/evidence.py",  # who owns the tables, and PostgreSQL's log
    "portal/backup.py",  # a snapshot, and counts of whatever tables there are
    "portal/health.py",  # whether the database may be written
    "portal/checks.py",  # the shortest question to the database
    "portal/management/commands/migrate.py",  # advisory lock
}
# Where another site's form may post: the endpoints that take no cookie.
NO_CSRF_CHECK = (
    "authority/endpoints/",
    "consumers/rest/",
    "portal/api/views.py",
    "connections/views/backchannel_logout.py",
    "connections/scim/views.py",
)
# Looks at a body's length first, and then asks for the form's token itself.
LATER_CSRF_CHECK = {"authority/views/inspector.py"}


def called(call: ast.Call) -> str:
    """Return the last part of the name that is called."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def test_no_sql_is_written_by_hand():
    """Each file that may is named, and each that is named does: a list that is too long hides the next one."""
    raw = {"execute", "executemany", "raw", "extra", "RawSQL", "Statement"}
    assert {named(path) for path in CODE if any(called(call) in raw for call in calls(path))} == RAW_SQL


def calls(path):
    """Return the calls in a file, but for a command that hands over to Django's own `execute`."""
    return [call for call in nodes(path, ast.Call) if not ast.unparse(call.func).startswith("super()")]


def test_nothing_is_declared_safe_silenced_or_cached_by_page():
    forbidden = {"mark_safe", "SafeString", "SafeText", "cache_page", "PyJWKClient"}
    for path in CODE:
        for call in nodes(path, ast.Call):
            where = f"{named(path)} line {call.lineno}"
            assert called(call) not in forbidden, where
            assert "fail_silently" not in {argument.arg for argument in call.keywords}, where


def test_only_endpoints_without_cookies_skip_the_csrf_check():
    skipping = {named(path) for path in CODE if "csrf_exempt" in {name.id for name in nodes(path, ast.Name)}}
    assert {path for path in skipping if not path.startswith(NO_CSRF_CHECK)} == LATER_CSRF_CHECK


# Where other servers are asked, with every guard that this needs.
FETCHING = {"core/http_fetch/transport.py"}


def test_no_code_asks_the_network_by_itself():
    clients = {"requests", "httpx", "urllib.request", "http.client", "aiohttp", "urllib3"}
    asking = {named(path) for path in CODE if imports(path) & clients}
    # The program for the terminal is a client itself.
    assert {path for path in asking if not path.startswith("clientdesk/")} == FETCHING


# Where markup is taken as it is.
MARKUP = {
    "templates/django/forms/field.html",  # help texts, which are written in code
    "templates/allauth/elements/img.html",  # the picture of a QR code, drawn by a library
}


def test_no_template_trusts_a_value():
    trusting = {named(path) for path in TEMPLATES if re.search(r"\|\s*safe\b|\bautoescape off\b", path.read_text())}
    assert trusting <= MARKUP


@pytest.mark.parametrize(
    "forbidden",
    [
        pytest.param(r"\sstyle=|<style\b", id="style"),
        pytest.param(r"<[^>]*\son[a-z]+=", id="event handler"),
        # A block of JSON is data: no browser runs it, and no policy is asked about it.
        pytest.param(r"""<script(?![^>]*\s(src=|type="application/json"))""", id="script in the page"),
        pytest.param(r"""(src|href)=["'](data|javascript):""", id="data or javascript address"),
    ],
)
def test_no_page_needs_a_weaker_content_security_policy(forbidden):
    pages = [path for path in TEMPLATES if not named(path).startswith("templates/emails/")]  # mail has no policy
    assert [named(path) for path in pages if re.search(forbidden, path.read_text())] == []


def test_nothing_is_left_for_later():
    later = re.compile("TO" + "DO|FIX" + "ME|XX" + "X")
    marked = [named(path) for path in [*ALL_PYTHON, *TEMPLATES] if later.search(path.read_text())]
    assert marked == []


# -- Names ------------------------------------------------------------------------------------------------------------


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for item in patterns:
        where = prefix + str(item.pattern)
        if isinstance(item, URLResolver):
            yield from routes(item.url_patterns, where)
        else:
            yield where, item


def test_every_address_of_ours_has_a_name():
    nameless = [where for where, route in routes(get_resolver().url_patterns) if not route.name]
    assert [where for where in nameless if not where.startswith("operators/")] == []  # Django's admin has two


# -- What we stand on -------------------------------------------------------------------------------------------------


def test_every_setting_of_the_toolkit_exists():
    assert set(settings.OAUTH2_PROVIDER) <= set(DEFAULTS)


def test_every_gate_of_rfc_9700_is_closed():
    gates = {name for name in DEFAULTS if name.startswith("COMPLIANT_BCP_RFC9700_")}
    # RFC 8252 section 7.3: http for loopback alone. clients/uris/redirect_uris.py is stricter than this gate.
    gates.remove("COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME")
    assert {name for name in gates if settings.OAUTH2_PROVIDER.get(name) is not True} == set()


# Below these, known defects of the class in brackets are open.
FLOORS = {
    "django": "6.1.3",  # cache leaks, mail in clear, denial of service by language codes
    "django-oauth-toolkit": "3.4.1",  # redirects before validation, redirect matching, secrets in the admin
    "oauthlib": "4.0.1",  # client confusion between body and Basic, device codes
    "django-allauth": "65.21.1",  # limits that could be dodged, half-finished sign-ins, passkeys
    "jwcrypto": "1.6.1",
    "cryptography": "50",
    "psycopg": "3.3.9",
    "fido2": "2",
}


@pytest.mark.parametrize(("package", "floor"), FLOORS.items())
def test_installed_version_is_not_below_the_floor(package, floor):
    assert Version(version(package)) >= Version(floor)
