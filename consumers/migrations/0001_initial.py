import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='Consumer',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100)),
                ('slug', models.SlugField(help_text="Part of the workspace's URL.", unique=True, verbose_name='short name')),
                ('external_id', models.CharField(blank=True, help_text="The consumer's number in your own systems, such as a CRM or billing account.", max_length=200, null=True, unique=True, verbose_name='external ID')),
                ('metadata', models.JSONField(blank=True, default=dict, help_text='Anything you want to keep with the consumer. Only operators see it.')),
                ('claims', models.JSONField(blank=True, default=dict, help_text="Claims that every access token of the consumer's clients carries.")),
                ('secrets_allowed', models.BooleanField(default=True, help_text="If not, new clients authenticate with signed assertions or with their platform's tokens.", verbose_name='clients may have secrets')),
                ('secret_days', models.PositiveSmallIntegerField(blank=True, help_text="In days. Leave empty for no limit. Existing secrets get at least 30 days' notice.", null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(3650)], verbose_name='secrets expire after')),
                ('test_token_lifetime', models.PositiveIntegerField(default=3600, help_text="In seconds; 0 if its people may create none. An API's own limit applies too.", validators=[django.core.validators.MaxValueValidator(2592000)], verbose_name='longest test token lifetime')),
                ('test_token_claims', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list, help_text='Names of the claims that test tokens may carry besides roles, separated by commas.', verbose_name='claims of test tokens')),
                ('access_token_lifetime', models.PositiveIntegerField(blank=True, help_text='In seconds, for all clients of the consumer. Leave empty to use the limits of the APIs.', null=True, validators=[django.core.validators.MinValueValidator(60)], verbose_name='longest access token lifetime')),
                ('refresh_token_lifetime', models.PositiveIntegerField(blank=True, help_text="In seconds, for which its clients can refresh a user's tokens. Leave empty to use the limits of the APIs.", null=True, validators=[django.core.validators.MinValueValidator(60)], verbose_name='longest sign-in')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('suspended_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('tokens_valid_after', models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='User',
            fields=[
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('email', models.EmailField(max_length=254, unique=True, verbose_name='email address')),
                ('name', models.CharField(blank=True, help_text='As colleagues should read it.', max_length=150)),
                ('is_staff', models.BooleanField(default=False, help_text="May sign in to the operators' admin.", verbose_name='operator')),
                ('is_active', models.BooleanField(default=True, help_text='Clear this to remove all access of the person.', verbose_name='active')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
            options={
                'verbose_name': 'person',
                'verbose_name_plural': 'people',
            },
        ),
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='time')),
                ('name', models.CharField(max_length=60)),
                ('actor_kind', models.CharField(max_length=10)),
                ('actor_id', models.CharField(blank=True, max_length=64)),
                ('actor_label', models.CharField(max_length=254)),
                ('target_kind', models.CharField(blank=True, max_length=20)),
                ('target_id', models.CharField(blank=True, max_length=64)),
                ('target_label', models.CharField(blank=True, max_length=254)),
                ('detail', models.JSONField(default=dict)),
                ('ip', models.GenericIPAddressField(null=True)),
                ('user_agent', models.CharField(blank=True, max_length=200)),
                ('request_id', models.CharField(blank=True, max_length=40)),
                ('consumer', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='consumers.consumer')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('email', models.EmailField(max_length=254)),
                ('role', models.CharField(choices=[('manager', 'Manager'), ('viewer', 'Viewer')], default='manager', max_length=10)),
                ('token_digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('sent_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('expires_at', models.DateTimeField(editable=False)),
                ('accepted_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('revoked_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('accepted_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('consumer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='invitations', to='consumers.consumer')),
                ('invited_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('manager', 'Manager'), ('viewer', 'Viewer')], default='manager', max_length=10)),
                ('joined_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('seen_at', models.DateTimeField(editable=False, null=True, verbose_name='last seen')),
                ('consumer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='consumers.consumer')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['joined_at'],
            },
        ),
        migrations.CreateModel(
            name='PersonalToken',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=60)),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), default=list)),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('pepper_version', models.CharField(editable=False, max_length=10)),
                ('hint', models.CharField(editable=False, max_length=4)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('expires_at', models.DateTimeField()),
                ('revoked_at', models.DateTimeField(editable=False, null=True)),
                ('last_used_at', models.DateTimeField(editable=False, null=True)),
                ('last_used_ip', models.GenericIPAddressField(editable=False, null=True)),
                ('consumer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='consumers.consumer')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='personal_tokens', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'personal access token',
                'ordering': ['-created_at'],
            },
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='user_email_unique'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['consumer', '-id'], name='event_consumer'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['target_id', '-id'], name='event_target'),
        ),
        migrations.AddConstraint(
            model_name='invitation',
            constraint=models.UniqueConstraint(models.F('consumer'), django.db.models.functions.text.Lower('email'), condition=models.Q(('accepted_at', None), ('revoked_at', None)), name='invitation_pending_once'),
        ),
        migrations.AddConstraint(
            model_name='invitation',
            constraint=models.CheckConstraint(condition=models.Q(('accepted_at', None), ('revoked_at', None), _connector='OR'), name='invitation_one_end'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.UniqueConstraint(fields=('consumer', 'user'), name='membership_once'),
        ),
    ]
