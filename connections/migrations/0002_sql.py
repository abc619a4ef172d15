"""Room for subjects of any length that OpenID Connect allows."""

from django.db import migrations

from core.db.sql import read_sql


class Migration(migrations.Migration):
    dependencies = [("connections", "0001_initial"), ("socialaccount", "0006_alter_socialaccount_extra_data")]

    operations = [migrations.RunSQL(read_sql("connections/sql/subject.sql"), migrations.RunSQL.noop)]
