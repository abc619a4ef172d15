"""A trigger on the token hooks of APIs."""

from django.db import migrations

from core.db.sql import read_sql


class Migration(migrations.Migration):
    dependencies = [("authority", "0005_api_tokens"), ("clients", "0012_token_hooks")]

    operations = [
        migrations.RunSQL(read_sql("authority/sql/token_hooks.sql"), migrations.RunSQL.noop),
    ]
