from django.core.management import call_command
from django.db import migrations


def create_cache_table(apps, schema_editor):
    """Make the table also where REDIS_URL names a server, since it counts while that is away."""
    call_command("createcachetable", "portal_cache", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("consumers", "0007_secret_rules")]

    operations = [migrations.RunPython(create_cache_table, migrations.RunPython.noop)]
