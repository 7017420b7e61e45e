"""Code systems: ICD-10-CM and the words that find its codes."""

import apps.common.clock
import apps.common.ids
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.contrib.postgres.operations import CreateExtension, TrigramExtension
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        TrigramExtension(),
        CreateExtension("fuzzystrmatch"),  # levenshtein()
        migrations.CreateModel(
            name='IcdRelease',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('name', models.CharField(help_text='Year and month, like 2026-04', max_length=20, unique=True)),
                ('effective_from', models.DateField(help_text='Its first date of service', unique=True)),
                ('source', models.CharField(help_text='The file or package it was read from', max_length=200)),
                ('codes', models.PositiveIntegerField(help_text='How many codes it has, headers included')),
                ('billable', models.PositiveIntegerField(help_text='How many of them are valid on a claim')),
                ('loaded_at', models.DateTimeField(default=apps.common.clock.now)),
            ],
            options={
                'verbose_name': 'ICD-10-CM release',
                'constraints': [models.CheckConstraint(condition=models.Q(('billable__lte', models.F('codes'))), name='icd_release_billable_are_codes')],
            },
        ),
        migrations.CreateModel(
            name='IcdWord',
            fields=[
                ('word', models.CharField(db_collation='C', max_length=100, primary_key=True, serialize=False)),
            ],
            options={
                'verbose_name': 'ICD-10-CM search word',
                'indexes': [django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass(models.F('word'), name='gin_trgm_ops'), name='icd_word_trigrams')],
            },
        ),
        migrations.CreateModel(
            name='IcdCode',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('code', models.CharField(db_collation='C', help_text='With its dot, like E11.9', max_length=8)),
                ('display', models.CharField(max_length=300)),
                ('billable', models.BooleanField(help_text='It has no codes below it, so it is valid on a claim')),
                ('parent', models.CharField(blank=True, help_text='The code above it; empty for a category, like E11', max_length=8)),
                ('block', models.CharField(help_text='The section it belongs to, like E08-E13', max_length=8)),
                ('chapter', models.PositiveSmallIntegerField(help_text='1 to 22')),
                ('effective_from', models.DateField()),
                ('effective_to', models.DateField(blank=True, help_text='The last day, inclusive; empty: until a release ends it', null=True)),
                ('words', django.contrib.postgres.search.SearchVectorField(editable=False)),
                ('release', models.ForeignKey(help_text='The first release that contains it', on_delete=django.db.models.deletion.PROTECT, related_name='+', to='terminology.icdrelease')),
            ],
            options={
                'verbose_name': 'ICD-10-CM code',
                'ordering': ('code', 'id'),
                'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['words'], name='icd_code_words')],
                'constraints': [models.CheckConstraint(condition=models.Q(('code__regex', '^[A-Z][0-9A-Z]{2}(\\.[0-9A-Z]{1,4})?$')), name='icd_code_shape'), models.CheckConstraint(condition=models.Q(('display__regex', '\\S')), name='icd_code_has_display'), models.CheckConstraint(condition=models.Q(('chapter__range', (1, 22))), name='icd_code_chapter_known'), models.CheckConstraint(condition=models.Q(('effective_to', None), ('effective_to__gte', models.F('effective_from')), _connector='OR'), name='icd_code_period_in_order'), models.UniqueConstraint(fields=('code', 'effective_from'), name='icd_code_once_a_release'), models.UniqueConstraint(condition=models.Q(('effective_to', None)), fields=('code',), name='icd_code_one_open_period')],
            },
        ),
    ]
