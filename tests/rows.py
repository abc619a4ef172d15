"""What is in the database, to compare with what is in it later."""

from typing import Any

from django.apps import apps

# What being there changes, and no deed: sessions, when somebody was seen, when a person signed in.
NOTED = {"Session", "UserSession", "Membership.seen_at", "User.last_login"}

Rows = dict[str, list[dict[str, Any]]]


def rows() -> Rows:
    """Return every row of every table, but for what notes who was there."""
    found: Rows = {}
    for model in apps.get_models():
        name = model.__name__
        if model._meta.managed and name not in NOTED:
            columns = [field.attname for field in model._meta.concrete_fields if f"{name}.{field.name}" not in NOTED]
            found[name] = list(model._base_manager.order_by("pk").values(*columns))
    return found


def changed(before: Rows) -> list[str]:
    """Return the tables that have changed since."""
    after = rows()
    assert len(after) > 30
    return [name for name in before if before[name] != after[name]]
