"""Models to and from the rows of statements that the ORM does not write."""

from collections.abc import Iterator
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import JSONField, Model
from psycopg.types.json import Jsonb


class Columns[M: Model]:
    """Columns of a table, all where none are named; `take` and `values` go by the order of the SQL."""

    def __init__(self, model: type[M], *names: str) -> None:
        fields = [each for each in model._meta.concrete_fields if not names or each.attname in names]
        self.model = model
        self.names = [each.attname for each in fields]
        self.columns = [f'"{each.column}"' for each in fields]
        self.reading = [getattr(each, "from_db_value", None) for each in fields]  # JSON comes as text
        self.is_json = [isinstance(each, JSONField) for each in fields]

    def of(self, alias: str) -> str:
        """Return what a statement selects of a table that it calls so."""
        return ", ".join(f"{alias}.{column}" for column in self.columns)

    @property
    def insertion(self) -> str:
        """Return the statement that writes a new row down, given its values."""
        places = ", ".join(["%s"] * len(self.columns))
        return f'INSERT INTO "{self.model._meta.db_table}" ({", ".join(self.columns)}) VALUES ({places})'  # noqa: S608

    def take(self, values: Iterator[Any]) -> M:
        """Return the next values as a row, of which these columns are known, as Django's own queries would."""
        read = [
            next(values) if reading is None else reading(next(values), None, connection) for reading in self.reading
        ]
        return self.model.from_db(DEFAULT_DB_ALIAS, self.names, read)

    def values(self, row: M) -> Iterator[Any]:
        for name, is_json in zip(self.names, self.is_json, strict=True):
            value = getattr(row, name)
            yield Jsonb(value) if is_json else value
