from django.db import migrations, models
from django.db.models import Max


def note_longest_lifetime(apps, schema_editor):
    """Keys of before may have signed tokens that live as long as any API lets them."""
    longest = apps.get_model("clients", "Api").objects.aggregate(longest=Max("access_token_lifetime"))["longest"]
    apps.get_model("authority", "SigningKey").objects.update(longest_lifetime=max(longest or 0, 3600))


class Migration(migrations.Migration):

    dependencies = [
        ('authority', '0001_initial'),
        ('clients', '0001_initial'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='signingkey',
            options={'ordering': ['purpose', 'algorithm', '-created_at'], 'verbose_name': 'signing key'},
        ),
        migrations.AddField(
            model_name='signingkey',
            name='purpose',
            field=models.CharField(choices=[('tokens', 'Access and ID tokens'), ('workloads', 'Workload identity tokens')], default='tokens', editable=False, max_length=10),
        ),
        migrations.AddField(
            model_name='signingkey',
            name='longest_lifetime',
            field=models.PositiveIntegerField(default=3600, editable=False),
        ),
        migrations.AddField(
            model_name='signingkey',
            name='revoked_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.RunPython(note_longest_lifetime, migrations.RunPython.noop),
        migrations.RemoveConstraint(
            model_name='signingkey',
            name='signing_key_one_active',
        ),
        migrations.AddConstraint(
            model_name='signingkey',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'next')), fields=('purpose', 'algorithm'), name='signing_key_one_next'),
        ),
        migrations.AddConstraint(
            model_name='signingkey',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'active')), fields=('purpose', 'algorithm'), name='signing_key_one_active'),
        ),
    ]
