"""Leave room in each page for the row that a refresh, or the next count, writes: so no index is written with it."""

from django.db import migrations

TABLES = ("authority_family", "authority_dailycount")


class Migration(migrations.Migration):
    dependencies = [("authority", "0015_sign_ins_of_members")]

    operations = [
        migrations.RunSQL(f"ALTER TABLE {table} SET (fillfactor = 85)", f"ALTER TABLE {table} RESET (fillfactor)")
        for table in TABLES
    ]
