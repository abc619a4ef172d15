"""Events are sealed in a chain, and neither they nor the chain can be changed, deleted or truncated."""

from django.db import migrations

from core.db.sql import read_sql


class Migration(migrations.Migration):
    dependencies = [("consumers", "0006_chain")]

    operations = [
        migrations.RunSQL(read_sql("consumers/sql/chain.sql"), migrations.RunSQL.noop),
    ]
