import django.core.validators
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clients', '0004_test_tokens'),
    ]

    operations = [
        migrations.AddField(
            model_name='api',
            name='refresh_token_lifetime',
            field=models.PositiveIntegerField(blank=True, help_text="In seconds. A client can refresh a person's tokens this long; then the person signs in again.", null=True, validators=[django.core.validators.MinValueValidator(60)], verbose_name='longest sign-in'),
        ),
        migrations.AddField(
            model_name='api',
            name='resource_servers',
            field=models.ManyToManyField(blank=True, help_text='With their credentials the API asks about tokens for it (introspection, RFC 7662).', related_name='serves', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL, verbose_name='clients of the API itself'),
        ),
    ]
