"""Django's backend for PostgreSQL, none of whose waits is without an end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from django.conf import settings
from django.db import InternalError, OperationalError
from django.db.backends.postgresql import base
from django.db.backends.postgresql.psycopg_any import IsolationLevel

from core.db import availability


@dataclass(frozen=True, slots=True)
class Bounds:
    """For how long the server lets a statement run, wait for a lock, and a transaction be idle: milliseconds."""

    statement: int
    lock: int
    idle: int

    def as_options(self) -> str:
        return (
            f"-c statement_timeout={self.statement} -c lock_timeout={self.lock} "
            f"-c idle_in_transaction_session_timeout={self.idle}"
        )


WEB = Bounds(statement=15_000, lock=1_300, idle=20_000)
WORKER = Bounds(statement=120_000, lock=10_000, idle=60_000)
_bounds: Bounds | None = None


def bound_waits(bounds: Bounds) -> None:
    """Give the connections that this process opens from now on these bounds; commands have none."""
    global _bounds  # noqa: PLW0603
    _bounds = bounds


READ_ONLY = "25006"  # read_only_sql_transaction
MAY_BE_REPEATED = {"40001", "40P01"}  # serialization_failure and deadlock_detected: the next attempt may go well


class _Connection(psycopg.Connection[Any]):
    """A connection whose making is broken off once the database does not answer others."""

    @classmethod
    def _connect_gen(cls, *args: Any, **options: Any) -> Any:
        making = super()._connect_gen(*args, **options)
        waits_for = next(making)
        while True:
            ready = yield waits_for  # psycopg sends something at least ten times a second
            availability.require()
            try:
                waits_for = making.send(ready)
            except StopIteration as done:
                return done.value


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that is refused at once while the database does not answer (core/db/availability.py).

    A request waits in vain once: after that, whatever else it asks of the database is refused.
    """

    has_request = False
    has_waited_in_vain = False
    # Of what was asked since `begin_attempt`: whether it was ended only for others to go on, and has written anything.
    was_victim = False
    has_written = False
    has_uncommitted = False

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        # A pooler would refuse what it does not know, or hand it to somebody else's statements: docs/deploy.md.
        if _bounds is not None and not settings.LISTEN_DATABASE:
            params["options"] = f"{_bounds.as_options()} {params.get('options', '')}".rstrip()
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self.isolation_level = IsolationLevel.READ_COMMITTED
        connection = _Connection.connect(**conn_params)
        availability.register(connection, threading.get_ident())
        return connection

    def connect(self) -> None:
        availability.require()
        super().connect()

    def init_connection_state(self) -> None:
        super().init_connection_state()
        if self._note_outcome not in self.execute_wrappers:
            self.execute_wrappers.append(self._note_outcome)

    def _note_outcome(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        try:
            result = execute(sql, params, many, context)
        except OperationalError as error:
            self.note(error)
            raise
        except InternalError as error:
            if getattr(error.__cause__, "sqlstate", None) == READ_ONLY:
                self.close_at = 0.0  # with this request: another connection may lead to a server that can be written
            raise
        self.note_statement(sql)
        return result

    def note_statement(self, sql: str) -> None:
        """Note that a statement was run, which has written something unless it begins with SELECT."""
        if sql.lstrip().startswith("SELECT"):
            return
        if self.in_atomic_block:
            self.has_uncommitted = True
        else:
            self.has_written = True

    def note(self, error: OperationalError) -> None:
        """Note that a statement failed, and probably had been waited for."""
        sqlstate = getattr(error.__cause__, "sqlstate", None)
        self.was_victim = sqlstate in MAY_BE_REPEATED
        self.has_waited_in_vain = self.has_request and not self.was_victim

    def begin_attempt(self) -> None:
        """Begin to watch what a request does."""
        self.was_victim = self.has_written = self.has_uncommitted = False

    @property
    def may_repeat(self) -> bool:
        """Whether what was asked since then has come to nothing, and may go well when it is asked again."""
        return self.was_victim and not self.has_written

    def _commit(self) -> Any:
        # First, for a commit whose answer is lost may have come into effect.
        self.has_written, self.has_uncommitted = self.has_written or self.has_uncommitted, False
        return super()._commit()  # type: ignore[misc]  # the stubs leave it out

    def _rollback(self) -> Any:
        self.has_uncommitted = False
        return super()._rollback()  # type: ignore[misc]  # the stubs leave it out

    def _cursor(self, name: str | None = None) -> Any:
        self.require()
        return super()._cursor(name)  # type: ignore[misc]  # the stubs leave it out

    def require(self) -> None:
        """Raise OperationalError unless the database may be asked."""
        availability.require()
        if self.has_waited_in_vain:
            raise OperationalError("the database did not answer this request in time")

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve one request: what it has waited for in vain once, it is refused until its end."""
        self.has_request, self.has_waited_in_vain = True, False
        try:
            yield
        finally:
            self.has_request = self.has_waited_in_vain = False
