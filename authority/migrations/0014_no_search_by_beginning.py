"""Drop the indexes by which Django would search texts by their beginning (LIKE): here they are digests and names.

Each issued token wrote into them, and nothing ever read them.
"""

from django.db import migrations

DROP = r"""
DO $$
DECLARE
    unused text;
BEGIN
    FOR unused IN
        SELECT indexname FROM pg_indexes
        WHERE schemaname = current_schema() AND tablename LIKE 'authority\_%' AND indexdef LIKE '%\_pattern\_ops)%'
    LOOP
        EXECUTE format('DROP INDEX %I', unused);
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ('authority', '0013_device_sign_ins'),
    ]

    operations = [migrations.RunSQL(DROP, migrations.RunSQL.noop)]
