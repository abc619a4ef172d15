import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
import uuid
from datetime import timedelta
from django.conf import settings
from django.db import migrations, models

WAITS = timedelta(days=30)  # what a refresh token of before waited to be used


def carry_over(apps, schema_editor):
    """Give live refresh tokens of before a family, so that nobody has to sign in again."""
    old = apps.get_model("oauth2_provider", "RefreshToken").objects
    family, token = apps.get_model("authority", "Family"), apps.get_model("authority", "RefreshToken")
    codes = dict(apps.get_model("authority", "RedeemedCode").objects.values_list("token_family", "digest"))
    members = apps.get_model("consumers", "Membership").objects
    live = old.filter(revoked=None).exclude(access_token=None).exclude(token_family=None)
    for row in live.select_related("access_token", "application").iterator():
        until = row.access_token.expires + WAITS
        ours, made = family.objects.get_or_create(
            id=row.token_family,
            defaults={
                "client_id": row.application_id,
                "user_id": row.user_id,
                "as_member": members.filter(user=row.user_id, consumer=row.application.consumer_id).exists(),
                "grant_type": "authorization_code",
                "code": codes.get(row.token_family),
                "scopes": row.access_token.scope.split(),
                "began_at": row.created,
                "generation": 1,
                "needed_until": until,
            },
        )
        token.objects.create(digest=row.token_checksum, family=ours, generation=1, created_at=row.created, expires_at=until)
        if made:
            spent = old.filter(token_family=row.token_family).exclude(revoked=None).values("token_checksum", "created")
            token.objects.bulk_create(
                (token(digest=each["token_checksum"], family=ours, created_at=each["created"], expires_at=until) for each in spent),
                ignore_conflicts=True,
            )


class Migration(migrations.Migration):

    dependencies = [
        ('authority', '0005_trial_tokens'),
        ('clients', '0005_token_lifetimes'),
        ('consumers', '0006_token_lifetimes'),
        ('oauth2_provider', '0022_refreshtoken_token_family_index'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        migrations.swappable_dependency(settings.OAUTH2_PROVIDER_APPLICATION_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Family',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('as_member', models.BooleanField(default=False, editable=False)),
                ('grant_type', models.CharField(editable=False, max_length=60)),
                ('code', models.CharField(editable=False, max_length=64, null=True, unique=True)),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), default=list, editable=False)),
                ('resource', models.JSONField(default=list, editable=False)),
                ('began_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('generation', models.PositiveIntegerField(default=0, editable=False)),
                ('rotated_at', models.DateTimeField(editable=False, null=True)),
                ('graces', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('ended_at', models.DateTimeField(editable=False, null=True)),
                ('needed_until', models.DateTimeField(db_index=True, editable=False)),
                ('client', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='families', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
                ('user', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='families', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'families',
            },
        ),
        migrations.CreateModel(
            name='OpaqueToken',
            fields=[
                ('digest', models.CharField(editable=False, max_length=64, primary_key=True, serialize=False)),
                ('claims', models.JSONField(editable=False)),
                ('expires_at', models.DateTimeField(db_index=True, editable=False)),
                ('client', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
                ('family', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='authority.family')),
            ],
        ),
        migrations.CreateModel(
            name='RefreshToken',
            fields=[
                ('digest', models.CharField(editable=False, max_length=64, primary_key=True, serialize=False)),
                ('generation', models.PositiveIntegerField(default=0, editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('expires_at', models.DateTimeField(editable=False)),
                ('family', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='refresh_tokens', to='authority.family')),
            ],
        ),
        migrations.AddIndex(
            model_name='family',
            index=models.Index(fields=['user', 'client'], name='family_user_client'),
        ),
        migrations.RunPython(carry_over, migrations.RunPython.noop),
        migrations.DeleteModel(
            name='RedeemedCode',
        ),
    ]
