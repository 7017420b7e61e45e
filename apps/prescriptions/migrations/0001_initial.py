"""The catalogue of drugs, and the knowledge of the safety checks."""

import apps.common.clock
import apps.common.ids
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        TrigramExtension(),
        migrations.CreateModel(
            name='DrugClass',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('code', models.SlugField(max_length=60, unique=True)),
                ('name', models.CharField(help_text='As a warning says it: penicillins', max_length=120)),
            ],
            options={
                'verbose_name': 'drug class',
                'verbose_name_plural': 'drug classes',
                'ordering': ('code',),
            },
        ),
        migrations.CreateModel(
            name='Ingredient',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('name', models.CharField(max_length=120, unique=True)),
                ('rxcui', models.CharField(blank=True, help_text="RxNorm's concept of the type IN", max_length=8, null=True, unique=True)),
            ],
            options={
                'ordering': ('name',),
            },
        ),
        migrations.CreateModel(
            name='Drug',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('rxcui', models.CharField(blank=True, max_length=8, null=True, unique=True, verbose_name='RxCUI')),
                ('rxnorm_name', models.CharField(help_text='Like Lisinopril 10 MG Oral Tablet', max_length=300, unique=True, verbose_name='name in RxNorm’s form')),
                ('name', models.CharField(max_length=300)),
                ('generic_name', models.CharField(max_length=300)),
                ('brand_names', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=120), blank=True, default=list, size=None)),
                ('strength', models.CharField(blank=True, max_length=120)),
                ('form', models.CharField(blank=True, max_length=60)),
                ('route', models.CharField(blank=True, max_length=30)),
                ('unit', models.CharField(blank=True, max_length=20)),
                ('schedule', models.CharField(blank=True, choices=[('', 'not controlled'), ('II', 'II'), ('III', 'III'), ('IV', 'IV'), ('V', 'V')], default='', max_length=3)),
                ('use', models.CharField(blank=True, help_text='what it is for, in plain words: blood pressure', max_length=120)),
                ('is_offered', models.BooleanField(default=True, verbose_name='can be prescribed')),
                ('source', models.CharField(max_length=200)),
                ('words', django.contrib.postgres.search.SearchVectorField(editable=False)),
            ],
            options={
                'ordering': ('name', 'id'),
                'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['words'], name='drug_words'), models.Index(fields=['name', 'id'], name='drug_by_name')],
                'constraints': [models.CheckConstraint(condition=models.Q(('schedule__in', ['', 'II', 'III', 'IV', 'V'])), name='drug_schedule_known'), models.CheckConstraint(condition=models.Q(('name__regex', '\\S')), name='drug_has_name'), models.CheckConstraint(condition=models.Q(('is_offered', False), models.Q(models.Q(('form', ''), _negated=True), models.Q(('route', ''), _negated=True), models.Q(('unit', ''), _negated=True)), _connector='OR'), name='drug_offered_is_whole')],
            },
        ),
        migrations.CreateModel(
            name='DrugWord',
            fields=[
                ('word', models.CharField(db_collation='C', max_length=100, primary_key=True, serialize=False)),
            ],
            options={
                'verbose_name': 'search word of drugs',
                'verbose_name_plural': 'search words of drugs',
                'indexes': [django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass(models.F('word'), name='gin_trgm_ops'), name='drug_word_trigrams')],
            },
        ),
        migrations.CreateModel(
            name='Brand',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('key', models.CharField(help_text='the name in small letters', max_length=120, unique=True)),
                ('name', models.CharField(max_length=120)),
                ('ingredients', models.ManyToManyField(related_name='+', to='prescriptions.ingredient')),
            ],
            options={
                'ordering': ('key',),
            },
        ),
        migrations.CreateModel(
            name='IngredientClass',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('source', models.CharField(max_length=200)),
                ('drug_class', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='prescriptions.drugclass')),
                ('ingredient', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='prescriptions.ingredient')),
            ],
            options={
                'verbose_name': 'ingredient of a class',
                'verbose_name_plural': 'ingredients of classes',
            },
        ),
        migrations.AddField(
            model_name='ingredient',
            name='classes',
            field=models.ManyToManyField(related_name='+', through='prescriptions.IngredientClass', to='prescriptions.drugclass'),
        ),
        migrations.CreateModel(
            name='KnowledgeEntry',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('table', models.CharField(choices=[('classes', 'classes'), ('class_members', 'class members'), ('interactions', 'interactions'), ('cross_allergies', 'cross allergies'), ('dose_limits', 'dose limits'), ('conditions', 'conditions'), ('substance_names', 'substance names')], max_length=20)),
                ('key', models.CharField(max_length=300)),
                ('title', models.CharField(max_length=300)),
                ('data', models.JSONField()),
                ('source', models.CharField(max_length=300)),
                ('reviewed_at', models.DateTimeField(editable=False, null=True)),
                ('since_version', models.PositiveIntegerField(editable=False)),
                ('retired_at', models.DateTimeField(editable=False, null=True)),
                ('author', models.ForeignKey(db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reviewer', models.ForeignKey(db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'entry of the drug knowledge',
                'verbose_name_plural': 'entries of the drug knowledge',
                'ordering': ('table', 'key', 'id'),
            },
        ),
        migrations.CreateModel(
            name='KnowledgeVersion',
            fields=[
                ('number', models.PositiveIntegerField(primary_key=True, serialize=False)),
                ('made_at', models.DateTimeField(default=apps.common.clock.now)),
                ('reason', models.CharField(max_length=400)),
                ('made_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'version of the drug knowledge',
                'verbose_name_plural': 'versions of the drug knowledge',
            },
        ),
        migrations.CreateModel(
            name='DrugIngredient',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('amount', models.DecimalField(blank=True, decimal_places=6, max_digits=14, null=True)),
                ('amount_unit', models.CharField(blank=True, max_length=12)),
                ('per', models.DecimalField(blank=True, decimal_places=3, max_digits=10, null=True)),
                ('per_unit', models.CharField(blank=True, max_length=20)),
                ('drug', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='prescriptions.drug')),
                ('ingredient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='prescriptions.ingredient')),
            ],
            options={
                'verbose_name': 'ingredient of a drug',
                'verbose_name_plural': 'ingredients of drugs',
                'constraints': [models.UniqueConstraint(fields=('drug', 'ingredient'), name='ingredient_once_in_a_drug'), models.CheckConstraint(condition=models.Q(models.Q(('amount', None), ('per', None)), models.Q(('amount__gt', 0), ('amount__isnull', False), ('per__gt', 0), ('per__isnull', False)), _connector='OR'), name='drug_strength_whole_and_positive')],
            },
        ),
        migrations.AddConstraint(
            model_name='ingredientclass',
            constraint=models.UniqueConstraint(fields=('ingredient', 'drug_class'), name='ingredient_once_in_a_class'),
        ),
        migrations.AddConstraint(
            model_name='knowledgeentry',
            constraint=models.CheckConstraint(condition=models.Q(('table__in', ('classes', 'class_members', 'interactions', 'cross_allergies', 'dose_limits', 'conditions', 'substance_names'))), name='knowledge_table_known'),
        ),
        migrations.AddConstraint(
            model_name='knowledgeentry',
            constraint=models.CheckConstraint(condition=models.Q(('source__regex', '\\S')), name='knowledge_has_source'),
        ),
        migrations.AddConstraint(
            model_name='knowledgeentry',
            constraint=models.UniqueConstraint(condition=models.Q(('retired_at', None)), fields=('table', 'key'), name='knowledge_once_in_force'),
        ),
        migrations.AddConstraint(
            model_name='knowledgeentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('reviewed_at', None), ('reviewer', None)), models.Q(('reviewed_at__isnull', False), ('reviewer__isnull', False)), _connector='OR'), name='knowledge_reviewed_whole'),
        ),
        migrations.AddConstraint(
            model_name='knowledgeentry',
            constraint=models.CheckConstraint(condition=models.Q(('author', None), ('reviewer', None), models.Q(('author', models.F('reviewer')), _negated=True), _connector='OR'), name='knowledge_reviewed_by_another'),
        ),
    ]
