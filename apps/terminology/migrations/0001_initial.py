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
                ('chapter', models.PositiveSmallIntegerField(choices=[(1, '1. Certain infectious and parasitic diseases (A00-B99)'), (2, '2. Neoplasms (C00-D49)'), (3, '3. Diseases of the blood and immune mechanism (D50-D89)'), (4, '4. Endocrine, nutritional and metabolic diseases (E00-E89)'), (5, '5. Mental, behavioral and neurodevelopmental disorders (F01-F99)'), (6, '6. Diseases of the nervous system (G00-G99)'), (7, '7. Diseases of the eye and adnexa (H00-H59)'), (8, '8. Diseases of the ear and mastoid process (H60-H95)'), (9, '9. Diseases of the circulatory system (I00-I99)'), (10, '10. Diseases of the respiratory system (J00-J99)'), (11, '11. Diseases of the digestive system (K00-K95)'), (12, '12. Diseases of the skin and subcutaneous tissue (L00-L99)'), (13, '13. Diseases of the musculoskeletal system and connective tissue (M00-M99)'), (14, '14. Diseases of the genitourinary system (N00-N99)'), (15, '15. Pregnancy, childbirth and the puerperium (O00-O9A)'), (16, '16. Conditions originating in the perinatal period (P00-P96)'), (17, '17. Congenital malformations and chromosomal abnormalities (Q00-QA0)'), (18, '18. Symptoms, signs and abnormal findings (R00-R99)'), (19, '19. Injury, poisoning and other external consequences (S00-T88)'), (20, '20. External causes of morbidity (V00-Y99)'), (21, '21. Factors influencing health status (Z00-Z99)'), (22, '22. Codes for special purposes (U00-U85)')])),
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
