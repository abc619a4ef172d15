"""Statements that nearly every request runs, prepared once on each connection.

Django writes a statement out, and PostgreSQL parses and plans it, each time anew. Here PostgreSQL is told the name of
one that it knows, which costs a sixth of that, on both sides together.
"""

import re
from dataclasses import dataclass
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
import psycopg.abc
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

from core import cache
from core.db.backend.base import DatabaseWrapper


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with a %s for each value, and the name by which PostgreSQL knows it."""

    name: str
    sql: str

    def first(self, *values: Any) -> tuple[Any, ...] | None:
        """Run it, and return the first of the rows that it finds, or None. Raises Django's Error."""
        if not _may_prepare():
            with connection.cursor() as cursor:
                cursor.execute(self.sql, values)
                return cursor.fetchone() if cursor.description else None
        ours = connections[DEFAULT_DB_ALIAS]  # the name `connection` looks it up anew each time
        assert isinstance(ours, DatabaseWrapper)
        ours.require()
        ours.validate_no_broken_transaction()
        ours.ensure_connection()
        try:
            with ours.wrap_database_errors:
                row = self.run(ours.connection, values)
        except OperationalError as error:
            ours.note(error)
            raise
        ours.note_statement(self.sql)
        return row

    def run(self, own: psycopg.Connection[Any], values: tuple[Any, ...]) -> tuple[Any, ...] | None:
        pgconn, known = own.pgconn, _prepared.setdefault(own, {})
        if not own.autocommit and pgconn.transaction_status == TransactionStatus.IDLE:
            _require(pgconn, pgconn.exec_(b"BEGIN"))  # as psycopg does before the first statement of a transaction
        name = self.name.encode()
        if name not in known:
            numbers = count(1)
            sql = re.sub("%s", lambda _: f"${next(numbers)}", self.sql)
            _require(pgconn, pgconn.prepare(name, sql.encode()))
            known[name] = Transformer(own.adapters)  # of the connection itself, it would keep that alive
        adapting = known[name]
        written = adapting.dump_sequence(values, [PyFormat.TEXT] * len(values))
        result = _require(pgconn, pgconn.exec_prepared(name, written))  # type: ignore[arg-type]  # None is NULL
        if not result.ntuples:
            return None
        adapting.set_pgresult(result)
        return adapting.load_row(0, tuple)


# What each connection has prepared, with what writes the values and reads the rows, which it has learned by then.
_prepared: WeakKeyDictionary[psycopg.Connection[Any], dict[bytes, psycopg.abc.Transformer]] = WeakKeyDictionary()


def _may_prepare() -> bool:
    """Say whether the connection leads to one server process for sure.

    Behind a pooler in transaction mode the next statement may run elsewhere. News do not arrive through one either: so
    where we hear them, without a way around it (LISTEN_DATABASE_URL), there is none.
    """
    return cache.is_fresh() and not settings.LISTEN_DATABASE


def _require(pgconn: PGconn, result: PGresult) -> PGresult:
    """Return the result. Raises psycopg.Error unless the server did what it was told."""
    if result.status in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
        return result
    if pgconn.status == ConnStatus.BAD:
        raise psycopg.OperationalError(pgconn.get_error_message())
    raise error_from_result(result)
