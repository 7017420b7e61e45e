"""Kept replies, counted sign-ins and the row that readiness writes."""

from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='KeptReply',
            fields=[
                ('name', models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ('asked', models.BinaryField(max_length=32)),
                ('request_id', models.CharField(max_length=64)),
                ('status', models.SmallIntegerField()),
                ('sealed', models.BinaryField()),
                ('kept_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(db_index=True)),
            ],
            options={
                'verbose_name_plural': 'stored replies',
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('status__gte', 200), ('status__lt', 300)), ('status', 409), _connector='OR'), name='keptreply_success_or_conflict'), models.CheckConstraint(condition=models.Q(('name__length', 32), ('asked__length', 32)), name='keptreply_digests'), models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('kept_at'))), name='keptreply_expires_later')],
            },
        ),
        migrations.CreateModel(
            name='SignInTry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=200)),
                ('at', models.DateTimeField(db_index=True)),
            ],
            options={
                'indexes': [models.Index(fields=['key', 'at'], name='signintry_of_key')],
            },
        ),
        migrations.CreateModel(
            name='WriteProbe',
            fields=[
                ('id', models.SmallIntegerField(primary_key=True, serialize=False)),
                ('written_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='writeprobe_one_row')],
            },
        ),
    ]
