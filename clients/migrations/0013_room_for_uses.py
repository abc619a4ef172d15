"""Leave room in each page for the row that is written when a client was used: so no index is written with it."""

from django.db import migrations

TABLES = ("clients_client", "clients_clientsecret")


class Migration(migrations.Migration):
    dependencies = [("clients", "0012_workload_accounts")]

    operations = [
        migrations.RunSQL(f"ALTER TABLE {table} SET (fillfactor = 85)", f"ALTER TABLE {table} RESET (fillfactor)")
        for table in TABLES
    ]
