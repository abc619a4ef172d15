"""Models to and from the rows of a statement that the ORM does not write."""

from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.db.models import Field, Model


class Columns[M: Model]:
    """What a statement selects of a table, in the order in which `take` reads it; without names every column."""

    def __init__(self, model: type[M], *names: str) -> None:
        self.model = model
        self.fields = [each for each in model._meta.concrete_fields if not names or each.attname in names]
        self.names = [each.attname for each in self.fields]

    def of(self, alias: str) -> str:
        """Return them as SQL, of a table that the statement calls so."""
        return ", ".join(f'{alias}."{each.column}"' for each in self.fields)

    def take(self, values: Iterator[Any]) -> M:
        """Return the next values as a row, of which these columns are known, as Django's own queries would."""
        return self.model.from_db(connection.alias, self.names, [read(each, next(values)) for each in self.fields])


def read(field: "Field[Any, Any]", value: Any) -> Any:
    """Return the value as the model has it; JSON comes as text."""
    convert = getattr(field, "from_db_value", None)
    return value if convert is None else convert(value, None, connection)


def insertion(model: type[Model]) -> str:
    """Return the SQL that writes a new row down, given its `values`."""
    fields = model._meta.concrete_fields
    names, places = ", ".join(f'"{each.column}"' for each in fields), ", ".join(["%s"] * len(fields))
    return f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({places})'  # noqa: S608  # names of our own


def values(row: Model) -> list[Any]:
    return [each.get_db_prep_save(getattr(row, each.attname), connection) for each in row._meta.concrete_fields]
