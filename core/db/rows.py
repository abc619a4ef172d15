"""Change a row from what it is now, not from what somebody read of it a while ago."""

from collections.abc import Mapping
from typing import cast

from django.db.models import Model

from core.errors import Conflict


def lock[M: Model](row: M) -> M:
    """Return the row as it is now, locked until the end of the transaction. Raises Conflict where it was deleted."""
    model = cast(type[M], row._meta.model)  # also where the row is lazy, as a request's user is
    locked = model._default_manager.select_for_update(no_key=True).filter(pk=row.pk).first()
    if locked is None:
        raise Conflict(f"{row} has already been deleted.")
    return locked


def assign(row: Model, values: Mapping[str, object]) -> list[str]:
    """Set the fields to the values; return the names of those that changed by it, sorted."""
    changed = sorted(name for name, value in values.items() if getattr(row, name) != value)
    for name in changed:
        setattr(row, name, values[name])
    return changed
