import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('consumers', '0005_test_tokens'),
    ]

    operations = [
        migrations.AddField(
            model_name='consumer',
            name='access_token_lifetime',
            field=models.PositiveIntegerField(blank=True, help_text='In seconds, for all clients of the consumer. Empty: as the APIs allow.', null=True, validators=[django.core.validators.MinValueValidator(60)], verbose_name='longest access token lifetime'),
        ),
        migrations.AddField(
            model_name='consumer',
            name='refresh_token_lifetime',
            field=models.PositiveIntegerField(blank=True, help_text="In seconds, for which its clients can refresh a person's tokens. Empty: as the APIs allow.", null=True, validators=[django.core.validators.MinValueValidator(60)], verbose_name='longest sign-in'),
        ),
    ]
