"""The table of the shared cache."""

from django.core.management import call_command
from django.db import migrations


def create_cache_table(apps, schema_editor):
    """Make the table also where REDIS_URL names a server, since it counts while that is away."""
    call_command("createcachetable", "portal_cache", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [migrations.RunPython(create_cache_table, migrations.RunPython.noop)]
