"""Triggers on the roles and claims of APIs."""

from django.db import migrations

from core.db.sql import read_sql


class Migration(migrations.Migration):
    dependencies = [("authority", "0004_device_request_origin"), ("clients", "0010_roles")]

    operations = [
        migrations.RunSQL(read_sql("authority/sql/api_tokens.sql"), migrations.RunSQL.noop),
    ]
