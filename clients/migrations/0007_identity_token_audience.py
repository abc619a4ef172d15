"""Keep the audiences of identity tokens apart from those of access tokens."""

import django.contrib.postgres.fields
from django.db import migrations, models


def move_audiences(apps, schema_editor):
    """Move workloads' audiences; access tokens keep those that are APIs of the portal."""
    client_model = apps.get_model("clients", "Client")
    apis = set(apps.get_model("clients", "Api").objects.values_list("identifier", flat=True))
    for client in client_model.objects.exclude(environment_type="").exclude(audience=[]).iterator():
        client.identity_token_audience = client.audience
        client.audience = [name for name in client.audience if name in apis]
        client.save(update_fields=["identity_token_audience", "audience"])


class Migration(migrations.Migration):
    dependencies = [("clients", "0006_registration_access_tokens")]

    operations = [
        migrations.AddField(
            model_name="client",
            name="identity_token_audience",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=2000),
                blank=True,
                db_default=[],
                default=list,
                help_text="Whom its identity tokens may be for. No access token is for them.",
            ),
        ),
        migrations.RunPython(move_audiences, migrations.RunPython.noop),
    ]
