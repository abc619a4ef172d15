"""Triggers that notify of changes, and indexes that nothing reads."""

from django.db import migrations

from core.db.sql import read_sql


class Migration(migrations.Migration):
    dependencies = [("authority", "0001_initial")]

    operations = [
        migrations.RunSQL(read_sql("authority/sql/indexes.sql"), migrations.RunSQL.noop),
        migrations.RunSQL(read_sql("authority/sql/directory.sql"), migrations.RunSQL.noop),
    ]
