"""Which sample data the sandbox holds."""

import apps.common.clock
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='SampleData',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('fingerprint', models.CharField(max_length=64)),
                ('laid_out_at', models.DateTimeField(default=apps.common.clock.now)),
            ],
            options={
                'verbose_name_plural': 'sample data',
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='sample_data_once')],
            },
        ),
    ]
