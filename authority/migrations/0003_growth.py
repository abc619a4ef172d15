"""An index of a table of the toolkit's."""

from django.db import migrations

from core.db.sql import read_sql


class Migration(migrations.Migration):
    dependencies = [("authority", "0002_sql"), ("oauth2_provider", "0001_initial")]

    operations = [
        migrations.RunSQL(read_sql("authority/sql/grants.sql"), "DROP INDEX IF EXISTS grant_expires"),
    ]
