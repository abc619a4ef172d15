"""Room in the pages of tables whose rows are updated often."""

from django.db import migrations

from core.db.sql import read_sql


class Migration(migrations.Migration):
    dependencies = [("clients", "0001_initial")]

    operations = [
        migrations.RunSQL(read_sql("clients/sql/fillfactor.sql"), migrations.RunSQL.noop),
    ]
