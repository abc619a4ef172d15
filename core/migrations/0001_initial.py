import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Message',
            fields=[
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('sent', 'Sent'), ('failed', 'Failed')], default='waiting', editable=False, max_length=10)),
                ('attempts', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('last_error', models.CharField(blank=True, editable=False, max_length=500)),
                ('next_attempt_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('recipients', models.CharField(editable=False, max_length=500)),
                ('subject', models.CharField(editable=False, max_length=250)),
                ('encrypted_message', models.BinaryField(default=bytes)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('sent_at', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'ordering': ['-id'],
                'abstract': False,
                'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['next_attempt_at'], name='message_waiting')],
            },
        ),
        migrations.CreateModel(
            name='Submission',
            fields=[
                ('key', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('outcome', models.CharField(editable=False, max_length=300)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('user', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['created_at'], name='submission_age')],
            },
        ),
    ]
