import clients.models.clients
import clients.models.workloads
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
            name='Client',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('created', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated', models.DateTimeField(auto_now=True, verbose_name='updated')),
                ('registration_source', models.CharField(choices=[('manual', 'Manual'), ('dcr', 'Dynamic Client Registration'), ('cimd', 'Client ID Metadata Document')], default='manual', help_text='How this application was registered (manual, DCR per RFC 7591, or CIMD)', max_length=32, verbose_name='registration source')),
                ('cimd_expires_at', models.DateTimeField(blank=True, default=None, help_text='When the cached Client ID Metadata Document should be re-fetched', null=True, verbose_name='CIMD expires at')),
                ('client_id', models.CharField(default=clients.models.clients.new_client_id, editable=False, max_length=255, unique=True, verbose_name='client ID')),
                ('client_name', models.CharField(max_length=100, verbose_name='name')),
                ('description', models.TextField(blank=True, max_length=1000)),
                ('grant_types', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2000), blank=True, default=list)),
                ('response_types', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2000), blank=True, default=list)),
                ('token_endpoint_auth_method', models.CharField(choices=[('client_secret_basic', 'Client secret in the Authorization header'), ('client_secret_post', 'Client secret in the request body'), ('private_key_jwt', 'Signed assertion (private key)'), ('urn:ietf:params:oauth:client-assertion-type:jwt-bearer', 'Workload identity federation'), ('none', 'None (public client)')], default='client_secret_basic', max_length=60)),
                ('token_endpoint_auth_signing_alg', models.CharField(blank=True, max_length=10)),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2000), blank=True, default=list, help_text='Requested scopes; it gets those that its consumer may use.')),
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
                ('access_token_strategy', models.CharField(choices=[('jwt', 'JWT (RFC 9068)'), ('opaque', 'Opaque')], default='jwt', max_length=10)),
                ('audience', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2000), blank=True, default=list, help_text='What it may name as resource besides the APIs of its scopes (RFC 8707).')),
                ('require_resource', models.BooleanField(default=False)),
                ('refresh_token_grace', models.PositiveSmallIntegerField(default=0, help_text='Seconds in which the refresh token that was exchanged last may come again.', validators=[django.core.validators.MaxValueValidator(30)])),
                ('id_token_signed_response_alg', models.CharField(blank=True, max_length=10)),
                ('userinfo_signed_response_alg', models.CharField(blank=True, max_length=10)),
                ('application_type', models.CharField(choices=[('web', 'Web'), ('native', 'Native')], default='web', max_length=10)),
                ('default_max_age', models.PositiveIntegerField(blank=True, null=True)),
                ('require_auth_time', models.BooleanField(default=False)),
                ('default_acr_values', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2000), blank=True, default=list)),
                ('initiate_login_uri', models.URLField(blank=True, max_length=500)),
                ('backchannel_logout_uri', models.URLField(blank=True, max_length=500)),
                ('backchannel_logout_session_required', models.BooleanField(default=False)),
                ('skip_consent', models.BooleanField(default=False, help_text='Operators alone decide: people are not asked.')),
                ('skip_logout_consent', models.BooleanField(default=False)),
                ('project', models.CharField(blank=True, max_length=63)),
                ('deployment', models.CharField(blank=True, max_length=63)),
                ('environment_type', models.CharField(blank=True, choices=[('production', 'Production'), ('preview', 'Preview'), ('development', 'Development')], max_length=11)),
                ('owner', models.CharField(blank=True, help_text='A free label; the consumer owns the client.', max_length=200)),
                ('metadata', models.JSONField(blank=True, default=dict)),
                ('software_id', models.CharField(blank=True, max_length=200)),
                ('software_version', models.CharField(blank=True, max_length=100)),
                ('localized', models.JSONField(blank=True, default=dict, help_text='Texts in other languages, such as client_name#de (RFC 7591 section 2.2).')),
                ('claims', models.JSONField(blank=True, default=dict, help_text="Claims that every access token of the client carries, besides its consumer's.")),
                ('tokens_valid_after', models.DateTimeField(blank=True, editable=False, null=True)),
                ('expires_at', models.DateTimeField(blank=True, help_text='It stops working then.', null=True)),
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
            name='Api',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('identifier', models.CharField(help_text="The audience: tokens carry it as “aud” and the API checks it. Usually the API's URL.", max_length=200, unique=True, validators=[django.core.validators.RegexValidator('^[\\x21\\x23-\\x5b\\x5d-\\x7e]+$', 'Use an absolute URI without spaces or quotes.')])),
                ('name', models.CharField(max_length=100)),
                ('description', models.CharField(blank=True, max_length=300)),
                ('signing_algorithm', models.CharField(choices=[('ES256', 'ES256 (ECDSA on P-256)'), ('RS256', 'RS256 (RSA 2048)'), ('PS256', 'PS256 (RSA 2048, PSS)'), ('EdDSA', 'EdDSA (Ed25519)')], default='ES256', help_text='Signs its access tokens.', max_length=5)),
                ('access_token_lifetime', models.PositiveIntegerField(default=3600, help_text='In seconds. Tokens for several APIs live as long as the strictest of them allows.', validators=[django.core.validators.MinValueValidator(60)], verbose_name='longest access token lifetime')),
                ('is_production', models.BooleanField(default=False, help_text='Serves real data: nobody can create test tokens for it.', verbose_name='production')),
                ('allows_test_tokens', models.BooleanField(default=False, help_text='Managers may create test tokens, with scopes that their clients may have.', verbose_name='test tokens')),
                ('refresh_token_lifetime', models.PositiveIntegerField(blank=True, help_text="In seconds. A client can refresh a user's tokens this long; then the user signs in again.", null=True, validators=[django.core.validators.MinValueValidator(60)], verbose_name='longest sign-in')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('resource_servers', models.ManyToManyField(blank=True, help_text='With their credentials the API introspects tokens for it (RFC 7662).', related_name='serves', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL, verbose_name='clients of the API itself')),
            ],
            options={
                'verbose_name': 'API',
                'ordering': ['name'],
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
                ('warned_at', models.DateTimeField(editable=False, null=True)),
                ('last_used_ip', models.GenericIPAddressField(blank=True, null=True)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='secrets', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('expires_after_use_of', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='predecessors', to='clients.clientsecret')),
            ],
            options={
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='DocumentHost',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('grant_types', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list, help_text='Leave empty to allow any.')),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list, help_text='Leave empty to allow any that the consumer may use.')),
                ('client_lifetime_days', models.PositiveIntegerField(blank=True, help_text='In days. Leave empty for never.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(3650)], verbose_name='clients expire after')),
                ('host', models.CharField(help_text='Such as apps.example.com: any document on it, on no subdomain.', max_length=253, unique=True, validators=[django.core.validators.RegexValidator('^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\\d+)?$', 'Give a host in small letters.')])),
                ('consumer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='document_hosts', to='consumers.consumer')),
            ],
            options={
                'verbose_name': 'host of client metadata documents',
                'verbose_name_plural': 'hosts of client metadata documents',
                'ordering': ['host'],
            },
        ),
        migrations.CreateModel(
            name='InitialAccessToken',
            fields=[
                ('grant_types', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list, help_text='Leave empty to allow any.')),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list, help_text='Leave empty to allow any that the consumer may use.')),
                ('client_lifetime_days', models.PositiveIntegerField(blank=True, help_text='In days. Leave empty for never.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(3650)], verbose_name='clients expire after')),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=60)),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('pepper_version', models.CharField(editable=False, max_length=10)),
                ('hint', models.CharField(editable=False, max_length=4)),
                ('max_uses', models.PositiveIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100000)])),
                ('use_count', models.PositiveIntegerField(default=0, editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('created_by_label', models.CharField(editable=False, max_length=254)),
                ('expires_at', models.DateTimeField()),
                ('revoked_at', models.DateTimeField(editable=False, null=True)),
                ('last_used_at', models.DateTimeField(editable=False, null=True)),
                ('consumer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='initial_access_tokens', to='consumers.consumer')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'initial access token',
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='OpenRegistration',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('grant_types', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list, help_text='Leave empty to allow any.')),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list, help_text='Leave empty to allow any that the consumer may use.')),
                ('client_lifetime_days', models.PositiveIntegerField(blank=True, help_text='In days. Leave empty for never.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(3650)], verbose_name='clients expire after')),
                ('singleton', models.BooleanField(default=True, editable=False, unique=True)),
                ('idle_days', models.PositiveIntegerField(default=30, help_text='Clients that are unused for this many days are deleted automatically.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(3650)])),
                ('max_clients', models.PositiveIntegerField(default=1000, help_text='No more than this many at a time.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000000)])),
                ('consumer', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='open_registration', to='consumers.consumer')),
            ],
            options={
                'verbose_name': 'open registration',
                'verbose_name_plural': 'open registration',
            },
        ),
        migrations.CreateModel(
            name='RegistrationAccessToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('pepper_version', models.CharField(editable=False, max_length=10)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('client', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='registration_access_token', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
            ],
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
        migrations.CreateModel(
            name='SelfRegistration',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('method', models.CharField(choices=[('initial_access_token', 'Dynamically, with an initial access token'), ('open', 'Dynamically, without a token'), ('document', 'By its client metadata document')], max_length=20)),
                ('grant_types', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list)),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list)),
                ('software_issuer', models.CharField(blank=True, max_length=500)),
                ('fetched_at', models.DateTimeField(null=True)),
                ('client', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='self_registration', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='SoftwareIssuer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('issuer', models.CharField(help_text='The exact “iss” of its statements.', max_length=500, unique=True)),
                ('jwks_uri', models.URLField(blank=True, help_text='URL of its public keys. Or enter the keys below.', max_length=500)),
                ('jwks', models.JSONField(blank=True, null=True)),
                ('required', models.BooleanField(default=False, help_text='Clients may register only with a statement, of this issuer or another required one.')),
                ('disabled_at', models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                'verbose_name': 'software statement issuer',
                'ordering': ['issuer'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('jwks__isnull', False), ('jwks_uri', '')), models.Q(models.Q(('jwks_uri', ''), _negated=True), ('jwks__isnull', True)), _connector='OR'), name='software_issuer_one_source')],
            },
        ),
        migrations.CreateModel(
            name='TrustedIssuer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='As managers read it, such as “GitHub Actions”.', max_length=100)),
                ('platform', models.CharField(choices=[('github', 'GitHub Actions'), ('gitlab', 'GitLab CI/CD'), ('gcp', 'Google Cloud'), ('aws', 'Amazon Web Services'), ('azure', 'Microsoft Entra ID'), ('kubernetes', 'Kubernetes'), ('spiffe', 'SPIFFE'), ('oidc', 'Another OpenID Connect issuer')], help_text='Which claims its tokens have, and what a rule must name.', max_length=20)),
                ('issuer', models.CharField(help_text='The exact “iss” of its tokens. For SPIFFE, the trust domain: spiffe://acme.example.', max_length=300, unique=True)),
                ('jwks_uri', models.CharField(blank=True, help_text='Leave empty to use the issuer’s discovery document. For SPIFFE, the bundle’s URL.', max_length=500, verbose_name='JWKS URL')),
                ('jwks', models.JSONField(blank=True, help_text='The public keys themselves, for an issuer that we cannot reach, such as a private cluster.', null=True, verbose_name='keys')),
                ('disabled_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('consumer', models.ForeignKey(blank=True, help_text='The consumer it is for. Leave empty to allow every consumer.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='trusted_issuers', to='consumers.consumer')),
            ],
            options={
                'verbose_name': 'trusted issuer',
                'ordering': ['name', 'id'],
            },
        ),
        migrations.CreateModel(
            name='TrustRule',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('audience', models.CharField(editable=False, max_length=200)),
                ('claims', models.JSONField(editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('created_by_label', models.CharField(editable=False, max_length=254)),
                ('last_used_at', models.DateTimeField(editable=False, null=True)),
                ('last_used_ip', models.GenericIPAddressField(editable=False, null=True)),
                ('client', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='trust_rules', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
                ('created_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('issuer', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='rules', to='clients.trustedissuer')),
            ],
            options={
                'verbose_name': 'rule',
                'ordering': ['created_at'],
            },
        ),
        migrations.CreateModel(
            name='Workload',
            fields=[
                ('subject', models.CharField(default=clients.models.workloads.new_subject, editable=False, max_length=40, primary_key=True, serialize=False)),
                ('account', models.CharField(db_index=True, default='', editable=False, max_length=50)),
                ('account_holder', models.UUIDField(editable=False, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('client', models.OneToOneField(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='workload', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
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
            model_name='client',
            constraint=models.CheckConstraint(condition=models.Q(('refresh_token_grace__lte', 30)), name='client_grace_is_short'),
        ),
        migrations.AddConstraint(
            model_name='api',
            constraint=models.CheckConstraint(condition=models.Q(('allows_test_tokens', True), ('is_production', True), _negated=True), name='api_production_without_test_tokens', violation_error_message='A production API takes no test tokens. Choose one of the two.'),
        ),
        migrations.AddConstraint(
            model_name='clientsecret',
            constraint=models.UniqueConstraint(fields=('client', 'digest'), name='secret_once'),
        ),
        migrations.AddConstraint(
            model_name='initialaccesstoken',
            constraint=models.CheckConstraint(condition=models.Q(('max_uses', None), ('use_count__lte', models.F('max_uses')), _connector='OR'), name='initial_access_token_uses'),
        ),
        migrations.AddConstraint(
            model_name='openregistration',
            constraint=models.CheckConstraint(condition=models.Q(('singleton', True)), name='open_registration_singleton'),
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
