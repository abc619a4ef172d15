"""What no code path may get round: the record cannot be changed. And the shared cache gets its table."""

from django.core.management import call_command
from django.db import migrations


def create_cache_table(apps, schema_editor):
    call_command("createcachetable", database=schema_editor.connection.alias)


class Migration(migrations.Migration):
    dependencies = [("consumers", "0001_initial")]

    operations = [
        migrations.RunSQL(
            """
            CREATE FUNCTION refuse_event_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'events are append-only';
            END $$;
            CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON consumers_event
                FOR EACH ROW EXECUTE FUNCTION refuse_event_change();
            """,
            "DROP TRIGGER event_append_only ON consumers_event; DROP FUNCTION refuse_event_change();",
        ),
        migrations.RunPython(create_cache_table, migrations.RunPython.noop),
    ]
