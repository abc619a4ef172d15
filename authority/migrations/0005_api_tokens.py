"""Triggers on the roles and claims of APIs, and what people were told that APIs learn of them."""

import django.contrib.postgres.fields
from django.db import migrations, models

from core.db.sql import read_sql


class Migration(migrations.Migration):
    dependencies = [("authority", "0004_device_request_origin"), ("clients", "0011_roles")]

    operations = [
        migrations.AddField(
            model_name="consent",
            name="told",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=200), editable=False, null=True
            ),
        ),
        migrations.RunSQL(read_sql("authority/sql/api_tokens.sql"), migrations.RunSQL.noop),
    ]
