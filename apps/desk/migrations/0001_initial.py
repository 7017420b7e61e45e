"""Drafts: unsaved text of staff forms."""

import apps.common.clock
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Draft',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('path', models.CharField(max_length=500)),
                ('identity', models.CharField(blank=True, max_length=500)),
                ('fields', models.JSONField(default=dict)),
                ('fills_form', models.BooleanField(default=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now)),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['id'],
                'indexes': [models.Index(fields=['updated_at'], name='draft_by_age')],
                'constraints': [models.UniqueConstraint(fields=('user', 'path', 'identity'), name='draft_once_of_a_form')],
            },
        ),
    ]
