import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        migrations.swappable_dependency(settings.OAUTH2_PROVIDER_APPLICATION_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='RevokedToken',
            fields=[
                ('jti', models.CharField(editable=False, max_length=64, primary_key=True, serialize=False)),
                ('expires_at', models.DateTimeField(db_index=True, editable=False)),
            ],
        ),
        migrations.CreateModel(
            name='SpentIdentifier',
            fields=[
                ('digest', models.CharField(editable=False, max_length=64, primary_key=True, serialize=False)),
                ('expires_at', models.DateTimeField(db_index=True, editable=False)),
            ],
        ),
        migrations.CreateModel(
            name='PushedRequest',
            fields=[
                ('digest', models.CharField(editable=False, max_length=64, primary_key=True, serialize=False)),
                ('encrypted_parameters', models.BinaryField()),
                ('expires_at', models.DateTimeField(db_index=True, editable=False)),
                ('opened_at', models.DateTimeField(editable=False, null=True)),
                ('answered_at', models.DateTimeField(editable=False, null=True)),
                ('client', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='SignIn',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('sid', models.CharField(blank=True, editable=False, max_length=43)),
                ('session', models.CharField(blank=True, db_index=True, editable=False, max_length=64)),
                ('as_member', models.BooleanField(editable=False, null=True)),
                ('authenticated_at', models.DateTimeField(editable=False)),
                ('methods', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), default=list, editable=False)),
                ('created_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now, editable=False)),
                ('client', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
                ('user', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='DeviceRequest',
            fields=[
                ('digest', models.CharField(editable=False, max_length=64, primary_key=True, serialize=False)),
                ('user_code', models.CharField(editable=False, max_length=64, unique=True)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('allowed', 'Allowed'), ('denied', 'Denied')], default='waiting', editable=False, max_length=10)),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), default=list, editable=False)),
                ('interval', models.PositiveSmallIntegerField(editable=False)),
                ('polled_at', models.DateTimeField(editable=False, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('expires_at', models.DateTimeField(db_index=True, editable=False)),
                ('client', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
                ('user', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('sign_in', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='authority.signin')),
            ],
        ),
        migrations.CreateModel(
            name='SigningKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kid', models.CharField(editable=False, max_length=64, unique=True)),
                ('purpose', models.CharField(choices=[('tokens', 'Access and ID tokens'), ('workloads', 'Workload identity tokens')], default='tokens', editable=False, max_length=10)),
                ('algorithm', models.CharField(choices=[('ES256', 'ES256 (ECDSA on P-256)'), ('RS256', 'RS256 (RSA 2048)'), ('PS256', 'PS256 (RSA 2048, PSS)'), ('EdDSA', 'EdDSA (Ed25519)')], editable=False, max_length=5)),
                ('state', models.CharField(choices=[('next', 'Next'), ('active', 'Active'), ('retired', 'Retired'), ('revoked', 'Revoked')], default='next', editable=False, max_length=10)),
                ('public_jwk', models.JSONField(editable=False)),
                ('encrypted_private_key', models.BinaryField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('activated_at', models.DateTimeField(editable=False, null=True)),
                ('retired_at', models.DateTimeField(editable=False, null=True)),
                ('revoked_at', models.DateTimeField(editable=False, null=True)),
                ('longest_lifetime', models.PositiveIntegerField(default=3600, editable=False)),
                ('serve_until', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'verbose_name': 'signing key',
                'ordering': ['purpose', 'algorithm', '-created_at'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'next')), fields=('purpose', 'algorithm'), name='signing_key_one_next'), models.UniqueConstraint(condition=models.Q(('state', 'active')), fields=('purpose', 'algorithm'), name='signing_key_one_active')],
            },
        ),
        migrations.CreateModel(
            name='TestToken',
            fields=[
                ('jti', models.CharField(editable=False, max_length=64, primary_key=True, serialize=False)),
                ('grant_type', models.CharField(choices=[('client_credentials', 'Client Credentials'), ('authorization_code', 'Authorization Code'), ('refresh_token', 'Refresh Token'), ('urn:ietf:params:oauth:grant-type:device_code', 'Device Code')], editable=False, max_length=60)),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), editable=False)),
                ('audience', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), editable=False)),
                ('user_id', models.CharField(editable=False, max_length=255)),
                ('reason', models.CharField(editable=False, max_length=200)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('created_by_label', models.CharField(editable=False, max_length=254)),
                ('expires_at', models.DateTimeField(db_index=True, editable=False)),
                ('client', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='test_tokens', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
                ('created_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='TokenFamily',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('as_member', models.BooleanField(default=False, editable=False)),
                ('grant_type', models.CharField(editable=False, max_length=60)),
                ('code', models.CharField(editable=False, max_length=64, null=True, unique=True)),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), default=list, editable=False)),
                ('resource', models.JSONField(default=list, editable=False)),
                ('dpop_jkt', models.CharField(blank=True, editable=False, max_length=43)),
                ('began_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('generation', models.PositiveIntegerField(default=0, editable=False)),
                ('rotated_at', models.DateTimeField(editable=False, null=True)),
                ('grace_uses', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('ended_at', models.DateTimeField(editable=False, null=True)),
                ('retain_until', models.DateTimeField(db_index=True, editable=False)),
                ('client', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='families', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
                ('user', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='families', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'families',
            },
        ),
        migrations.CreateModel(
            name='RefreshToken',
            fields=[
                ('digest', models.CharField(editable=False, max_length=64, primary_key=True, serialize=False)),
                ('generation', models.PositiveIntegerField(default=0, editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('expires_at', models.DateTimeField(editable=False)),
                ('family', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='refresh_tokens', to='authority.tokenfamily')),
            ],
        ),
        migrations.CreateModel(
            name='OpaqueToken',
            fields=[
                ('digest', models.CharField(editable=False, max_length=64, primary_key=True, serialize=False)),
                ('claims', models.JSONField(editable=False)),
                ('expires_at', models.DateTimeField(db_index=True, editable=False)),
                ('client', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
                ('family', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='authority.tokenfamily')),
            ],
        ),
        migrations.CreateModel(
            name='WorkloadIssuer',
            fields=[
                ('name', models.CharField(editable=False, max_length=40, primary_key=True, serialize=False)),
                ('only', models.BooleanField(default=True, editable=False, unique=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('only', True)), name='workload_issuer_only_one')],
            },
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), default=list, editable=False)),
                ('resources', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2000), default=list, editable=False)),
                ('given_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('last_used_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('client', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
                ('user', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='consents', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-last_used_at'],
                'constraints': [models.UniqueConstraint(fields=('user', 'client'), name='consent_once')],
            },
        ),
        migrations.CreateModel(
            name='DailyCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(db_index=True, editable=False)),
                ('issued', models.BigIntegerField(editable=False)),
                ('refused', models.BigIntegerField(editable=False)),
                ('client', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='daily_counts', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('client', 'day'), name='daily_count_once')],
            },
        ),
        migrations.CreateModel(
            name='LogoutNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('sent', 'Sent'), ('failed', 'Failed')], default='waiting', editable=False, max_length=10)),
                ('attempts', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('last_error', models.CharField(blank=True, editable=False, max_length=500)),
                ('next_attempt_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('subject', models.CharField(editable=False, max_length=64)),
                ('sid', models.CharField(editable=False, max_length=43)),
                ('client', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['next_attempt_at'], name='logoutnotice_waiting')],
            },
        ),
        migrations.CreateModel(
            name='Problem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('endpoint', models.CharField(editable=False, max_length=20)),
                ('kind', models.CharField(editable=False, max_length=60)),
                ('detail', models.JSONField(editable=False)),
                ('error', models.CharField(editable=False, max_length=60)),
                ('count', models.BigIntegerField(editable=False)),
                ('first_at', models.DateTimeField(editable=False)),
                ('last_at', models.DateTimeField(db_index=True, editable=False)),
                ('last_ip', models.GenericIPAddressField(editable=False, null=True)),
                ('client', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='problems', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('client', 'endpoint', 'kind', 'detail'), name='problem_once')],
            },
        ),
        migrations.AddIndex(
            model_name='signin',
            index=models.Index(fields=['user', 'client'], name='sign_in_of'),
        ),
        migrations.AddIndex(
            model_name='tokenfamily',
            index=models.Index(fields=['user', 'client'], name='family_user_client'),
        ),
    ]
