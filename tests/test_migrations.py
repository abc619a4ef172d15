"""A migration of a table in use leaves it so that the version before goes on reading and writing it.

During an upgrade both versions run against the new tables, on one machine too. The version before names no column that
it does not know, so each that is added takes NULL or has a default in the database (`db_default`), and none that it
knows goes or gets another name. What it needs no more can go in the version after.
"""

from collections.abc import Iterator

import pytest
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED

APPS = ("core", "consumers", "connections", "clients", "authority")
# Operations that break the rule, as "app.migration: operation", each with the reason why no version before is hurt.
EXCEPTIONS: dict[str, str] = {}


def has_default(field: models.Field) -> bool:
    return field.null or field.many_to_many or field.db_default is not NOT_PROVIDED


def complaint(operation: Operation, before: ProjectState, app: str) -> str:
    """Return what an operation takes from the version before, or nothing."""
    if isinstance(operation, migrations.AddField) and not has_default(operation.field):
        return "adds a column that the version before leaves out: give it db_default"
    if isinstance(operation, migrations.AlterField):
        former = before.models[app, operation.model_name.lower()].fields[operation.name]
        if former.null and not has_default(operation.field):
            return "takes NULL from a column: give it db_default"
        if former.db_default is not NOT_PROVIDED and not has_default(operation.field):
            return "takes db_default from a column"
    if isinstance(operation, migrations.RemoveField | migrations.RenameField):
        return "takes a column that the version before reads"
    if isinstance(operation, migrations.DeleteModel | migrations.RenameModel | migrations.AlterModelTable):
        return "takes a table that the version before reads"
    return ""


def steps(operations: list[Operation]) -> Iterator[Operation]:
    for operation in operations:
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from steps(operation.database_operations)
        else:
            yield operation


def judged() -> Iterator[tuple[str, str]]:
    """Yield each operation on a table that an earlier migration has made, and what is wrong with it."""
    loader = MigrationLoader(None)
    for key in [key for app in APPS for key in loader.graph.forwards_plan(leaf(loader, app)) if key[0] == app]:
        migration = loader.graph.nodes[key]
        state = loader.project_state(key, at_end=False)
        made = {each.name.lower() for each in migration.operations if isinstance(each, migrations.CreateModel)}
        for operation in steps(migration.operations):
            name = getattr(operation, "model_name", getattr(operation, "name", ""))
            if name.lower() not in made:
                yield f"{key[0]}.{key[1]}: {operation.describe()}", complaint(operation, state, key[0])
            operation.state_forwards(key[0], state)


def leaf(loader: MigrationLoader, app: str) -> tuple[str, str]:
    (found,) = loader.graph.leaf_nodes(app)
    return found


def test_no_migration_takes_anything_from_the_version_before():
    complaints = {name: said for name, said in judged() if said}
    assert {name: said for name, said in complaints.items() if name not in EXCEPTIONS} == {}
    assert set(EXCEPTIONS) <= set(complaints), "an exception that is needed no more"


@pytest.mark.parametrize(
    ("operation", "is_refused"),
    [
        (migrations.AddField("consumer", "notes", models.TextField(default="")), True),
        (migrations.AddField("consumer", "notes", models.TextField(default="", db_default="")), False),
        (migrations.AddField("consumer", "notes", models.TextField(null=True)), False),
        (migrations.AlterField("consumer", "suspended_at", models.DateTimeField()), True),
        (migrations.AlterField("consumer", "name", models.CharField(max_length=500)), False),
        (migrations.RemoveField("consumer", "name"), True),
        (migrations.RenameField("consumer", "name", "label"), True),
        (migrations.DeleteModel("Consumer"), True),
        (migrations.AddIndex("consumer", models.Index(fields=["name"], name="names")), False),
    ],
    ids=lambda each: each.describe() if isinstance(each, Operation) else str(each),
)
def test_the_rule_tells_what_the_version_before_can_do_without(operation, is_refused):
    loader = MigrationLoader(None)
    state = loader.project_state(leaf(loader, "consumers"))
    assert bool(complaint(operation, state, "consumers")) is is_refused


@pytest.mark.django_db
def test_the_database_knows_the_default_of_each_column_that_was_added():
    """Django sets a default for the moment of the migration alone, unless it is a db_default."""
    loader = MigrationLoader(None)
    added = {
        (f"{app}_{operation.model_name}".lower(), operation.name + "_id" * bool(operation.field.many_to_one))
        for app in APPS
        for key in loader.graph.forwards_plan(leaf(loader, app))
        if key[0] == app
        for operation in steps(loader.graph.nodes[key].operations)
        if isinstance(operation, migrations.AddField) and key[1] != "0001_initial" and not operation.field.null
    }
    assert ("clients_registrationaccesstoken", "hint") in added
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'"
        )
        without = set(cursor.fetchall())
    assert added & without == set()
