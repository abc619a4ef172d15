import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('clients', '__first__'),
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
            name='RedeemedCode',
            fields=[
                ('digest', models.CharField(editable=False, max_length=64, primary_key=True, serialize=False)),
                ('token_family', models.UUIDField(editable=False, null=True)),
                ('access_token_id', models.BigIntegerField(editable=False)),
                ('redeemed_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now, editable=False)),
                ('client', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='SigningKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kid', models.CharField(editable=False, max_length=64, unique=True)),
                ('algorithm', models.CharField(choices=[('ES256', 'ES256 (ECDSA on P-256)'), ('RS256', 'RS256 (RSA 2048)'), ('PS256', 'PS256 (RSA 2048, PSS)'), ('EdDSA', 'EdDSA (Ed25519)')], editable=False, max_length=5)),
                ('state', models.CharField(choices=[('next', 'Next'), ('active', 'Active'), ('retired', 'Retired'), ('revoked', 'Revoked')], default='next', editable=False, max_length=10)),
                ('public_jwk', models.JSONField(editable=False)),
                ('sealed', models.BinaryField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('activated_at', models.DateTimeField(editable=False, null=True)),
                ('retired_at', models.DateTimeField(editable=False, null=True)),
                ('serve_until', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'verbose_name': 'signing key',
                'ordering': ['algorithm', '-created_at'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'active')), fields=('algorithm',), name='signing_key_one_active')],
            },
        ),
    ]
