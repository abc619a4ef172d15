"""The audit record cannot be changed."""

from django.db import migrations

from core.db.sql import read_sql


class Migration(migrations.Migration):
    dependencies = [("consumers", "0001_initial")]

    operations = [
        migrations.RunSQL(read_sql("consumers/sql/append_only.sql"), migrations.RunSQL.noop),
    ]
