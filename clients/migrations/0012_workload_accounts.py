from django.db import migrations, models


def remember(apps, schema_editor):
    """Give workloads that exist the name and ID of their consumer; of deleted ones neither is known any more."""
    for workload in apps.get_model("clients", "Workload").objects.exclude(client=None).select_related("client__consumer"):
        workload.account = workload.client.consumer.slug
        workload.held_by = workload.client.consumer_id
        workload.save(update_fields=["account", "held_by"])


class Migration(migrations.Migration):
    dependencies = [("clients", "0011_host_names")]

    operations = [
        migrations.AddField(
            model_name="workload",
            name="account",
            field=models.CharField(db_index=True, default="", editable=False, max_length=50),
        ),
        migrations.AddField(
            model_name="workload",
            name="held_by",
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.RunPython(remember, migrations.RunPython.noop),
    ]
