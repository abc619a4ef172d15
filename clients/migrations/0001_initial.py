import clients.models
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    run_before = [('oauth2_provider', '0001_initial')]  # whose tables refer to clients

    dependencies = [
        ('consumers', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Api',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('identifier', models.CharField(help_text="The audience: tokens carry it as “aud” and the API checks it. Usually the API's address.", max_length=200, unique=True, validators=[django.core.validators.RegexValidator('^[\\x21\\x23-\\x5b\\x5d-\\x7e]+$', 'Use an absolute URI without spaces or quotes.')])),
                ('name', models.CharField(max_length=100)),
                ('description', models.CharField(blank=True, max_length=300)),
                ('signing_algorithm', models.CharField(choices=[('ES256', 'ES256 (ECDSA on P-256)'), ('RS256', 'RS256 (RSA 2048)'), ('PS256', 'PS256 (RSA 2048, PSS)'), ('EdDSA', 'EdDSA (Ed25519)')], default='ES256', help_text='Signs its access tokens.', max_length=5)),
                ('access_token_lifetime', models.PositiveIntegerField(default=3600, help_text='In seconds. Tokens for several APIs live as long as the strictest of them allows.', validators=[django.core.validators.MinValueValidator(60)], verbose_name='longest access token lifetime')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                'verbose_name': 'API',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Client',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('created', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated', models.DateTimeField(auto_now=True, verbose_name='updated')),
                ('registration_source', models.CharField(choices=[('manual', 'Manual'), ('dcr', 'Dynamic Client Registration'), ('cimd', 'Client ID Metadata Document')], default='manual', help_text='How this application was registered (manual, DCR per RFC 7591, or CIMD)', max_length=32, verbose_name='registration source')),
                ('cimd_expires_at', models.DateTimeField(blank=True, default=None, help_text='When the cached Client ID Metadata Document should be re-fetched', null=True, verbose_name='CIMD expires at')),
                ('client_id', models.CharField(default=clients.models.new_client_id, editable=False, max_length=255, unique=True, verbose_name='client ID')),
                ('client_name', models.CharField(max_length=100, verbose_name='name')),
                ('description', models.TextField(blank=True, max_length=1000)),
                ('grant_types', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2000), blank=True, default=list)),
                ('response_types', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2000), blank=True, default=list)),
                ('token_endpoint_auth_method', models.CharField(choices=[('client_secret_basic', 'Secret, in the Authorization header'), ('client_secret_post', 'Secret, in the request body'), ('private_key_jwt', 'Signed assertion'), ('none', 'None (public client)')], default='client_secret_basic', max_length=30)),
                ('token_endpoint_auth_signing_alg', models.CharField(blank=True, max_length=10)),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2000), blank=True, default=list, help_text='What it asked for; it gets as much of it as its consumer may have.')),
                ('redirect_uris', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2000), blank=True, default=list)),
                ('post_logout_redirect_uris', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2000), blank=True, default=list)),
                ('allowed_cors_origins', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2000), blank=True, default=list)),
                ('contacts', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2000), blank=True, default=list)),
                ('client_uri', models.URLField(blank=True, max_length=500)),
                ('logo_uri', models.URLField(blank=True, max_length=500)),
                ('policy_uri', models.URLField(blank=True, max_length=500)),
                ('tos_uri', models.URLField(blank=True, max_length=500)),
                ('client_jwks', models.JSONField(blank=True, null=True, verbose_name='jwks')),
                ('client_jwks_uri', models.URLField(blank=True, max_length=500, verbose_name='jwks_uri')),
                ('lifespans', models.JSONField(blank=True, default=dict, help_text='Seconds by name, such as client_credentials_grant_access_token_lifespan.')),
                ('require_pushed_authorization_requests', models.BooleanField(default=False)),
                ('dpop_bound_access_tokens', models.BooleanField(default=False)),
                ('disabled_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('last_used_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('consumer', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='clients', to='consumers.consumer')),
                ('user', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'client',
                'ordering': ['client_name', 'id'],
            },
        ),
        migrations.CreateModel(
            name='ClientSecret',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(blank=True, max_length=60)),
                ('digest', models.CharField(editable=False, max_length=64)),
                ('pepper_version', models.CharField(editable=False, max_length=10)),
                ('hint', models.CharField(editable=False, max_length=4)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('created_by_label', models.CharField(editable=False, max_length=254)),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('rotated_at', models.DateTimeField(editable=False, null=True)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('last_used_at', models.DateTimeField(blank=True, null=True)),
                ('last_used_ip', models.GenericIPAddressField(blank=True, null=True)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='secrets', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('ends_after_use_of', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='predecessors', to='clients.clientsecret')),
            ],
            options={
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='Scope',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('value', models.CharField(help_text='As programs ask for it, such as shipments:read.', max_length=100, unique=True, validators=[django.core.validators.RegexValidator('^[\\x21\\x23-\\x5b\\x5d-\\x7e]+$', 'Use printable ASCII without space, “"” or “\\”.')])),
                ('name', models.CharField(help_text='As people read it, such as “Read shipments”.', max_length=100)),
                ('description', models.CharField(blank=True, help_text='What the permission allows, and its cost.', max_length=300)),
                ('api', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='scopes', to='clients.api')),
            ],
            options={
                'ordering': ['api__name', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Access',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('consumer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='access', to='consumers.consumer')),
                ('scope', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='access', to='clients.scope')),
            ],
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(fields=['consumer', 'client_name', 'id'], name='client_list'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=django.contrib.postgres.indexes.GinIndex(fields=['allowed_cors_origins'], name='client_origins'),
        ),
        migrations.AddConstraint(
            model_name='client',
            constraint=models.CheckConstraint(condition=models.Q(('grant_types__contains', ['client_credentials']), ('token_endpoint_auth_method', 'none'), _negated=True), name='client_public_no_credentials_grant'),
        ),
        migrations.AddConstraint(
            model_name='clientsecret',
            constraint=models.UniqueConstraint(fields=('client', 'digest'), name='secret_once'),
        ),
        migrations.AddConstraint(
            model_name='scope',
            constraint=models.CheckConstraint(condition=models.Q(('value__in', ['openid', 'profile', 'email', 'offline_access']), _negated=True), name='scope_not_openid'),
        ),
        migrations.AddConstraint(
            model_name='access',
            constraint=models.UniqueConstraint(fields=('consumer', 'scope'), name='access_once'),
        ),
    ]
