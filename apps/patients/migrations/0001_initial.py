"""Patients, their chart, search words, duplicates, merges and restricted charts."""

import apps.common.clock
import apps.common.emails
import apps.common.ids
import datetime
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
from django.conf import settings
from django.contrib.postgres.operations import CreateExtension
from django.db import migrations, models


# Two words within two edits have one of these in common: the first six letters with none, one or two of them left out
# (SymSpell: Garbe 2012). Its cost is set high, so that the planner uses the index.
DELETIONS = """
CREATE FUNCTION patients_deletions(word text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS $$
    SELECT array_agg(DISTINCT substr(w, 1, i - 1) || substr(w, i + 1, j - i - 1) || substr(w, j + 1))
    FROM (SELECT left(word, 6) AS w) begins, generate_series(1, length(w) + 1) AS i, generate_series(i + 1, length(w) + 2) AS j
$$;
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE patient_seq; CREATE SEQUENCE patient_mrn_seq",
            "DROP SEQUENCE patient_seq; DROP SEQUENCE patient_mrn_seq",
        ),
        CreateExtension("fuzzystrmatch"),
        migrations.RunSQL(DELETIONS, "DROP FUNCTION patients_deletions(text)"),
        migrations.CreateModel(
            name='CommonPrefix',
            fields=[
                ('prefix', models.CharField(db_collation='C', max_length=100, primary_key=True, serialize=False)),
                ('least', models.IntegerField()),
            ],
            options={
                'verbose_name_plural': 'common prefixes',
                'constraints': [models.CheckConstraint(condition=models.Q(('least__gt', 10000)), name='commonprefix_is_common')],
            },
        ),
        migrations.CreateModel(
            name='DuplicateScan',
            fields=[
                ('id', models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('seq', models.BigIntegerField(default=0)),
                ('looked_at', models.BigIntegerField(default=0)),
                ('started_at', models.DateTimeField(default=apps.common.clock.now)),
                ('finished_at', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='duplicate_scan_one')],
            },
        ),
        migrations.CreateModel(
            name='NameWord',
            fields=[
                ('word', models.CharField(db_collation='C', max_length=100, primary_key=True, serialize=False)),
                ('sound', models.CharField(db_collation='C', help_text="its double metaphone, by PostgreSQL's fuzzystrmatch", max_length=20)),
            ],
            options={
                'indexes': [models.Index(fields=['sound'], name='nameword_sound'), django.contrib.postgres.indexes.GinIndex(models.Func('word', function='patients_deletions'), fastupdate=False, name='nameword_deletions')],
            },
        ),
        migrations.CreateModel(
            name='Patient',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('seq', models.BigIntegerField(db_default=models.Func(models.Value('patient_seq'), function='nextval'), editable=False)),
                ('mrn', models.CharField(max_length=40, verbose_name='MRN')),
                ('first_name', models.CharField(blank=True, max_length=100)),
                ('middle_name', models.CharField(blank=True, max_length=100)),
                ('last_name', models.CharField(blank=True, help_text='one of first and last name may be empty', max_length=100)),
                ('date_of_birth', models.DateField(help_text='the first day of the period that is known')),
                ('date_of_birth_precision', models.CharField(choices=[('day', 'day'), ('month', 'month'), ('year', 'year'), ('estimated', 'estimated')], db_default='day', default='day', editable=False, max_length=10)),
                ('time_of_birth', models.TimeField(blank=True, help_text="in the clinic's time zone, if known; like 14:05", null=True)),
                ('gender', models.CharField(choices=[('male', 'Male'), ('female', 'Female'), ('other', 'Other'), ('unknown', 'Unknown')], max_length=10)),
                ('language', models.CharField(blank=True, help_text='A language code, for example en (English) or es (Spanish)', max_length=10)),
                ('deceased_at', models.DateTimeField(blank=True, null=True)),
                ('phone', models.CharField(blank=True, max_length=40)),
                ('phone_e164', models.CharField(blank=True, editable=False, help_text='only where the number is valid', max_length=16)),
                ('email', apps.common.emails.EmailAddressField(blank=True, max_length=254)),
                ('street', models.CharField(blank=True, max_length=200)),
                ('city', models.CharField(blank=True, max_length=100)),
                ('state', models.CharField(blank=True, max_length=50)),
                ('zip', models.CharField(blank=True, max_length=20, verbose_name='ZIP')),
                ('country', models.CharField(blank=True, db_default='', default='', help_text='a name or an ISO 3166-1 code', max_length=60)),
                ('emergency_name', models.CharField(blank=True, max_length=200)),
                ('emergency_relationship', models.CharField(blank=True, max_length=50)),
                ('emergency_phone', models.CharField(blank=True, max_length=40)),
                ('insurance_provider', models.CharField(blank=True, max_length=100)),
                ('insurance_policy_number', models.CharField(blank=True, max_length=50)),
                ('insurance_group_number', models.CharField(blank=True, max_length=50)),
                ('is_active', models.BooleanField(default=True)),
                ('allergy_status', models.CharField(choices=[('not_asked', 'Not Asked'), ('none_known', 'None Known'), ('listed', 'Listed')], default='not_asked', editable=False, max_length=10)),
                ('restricted', models.BooleanField(db_default=False, default=False, editable=False, help_text='only the care team may open it')),
                ('merged_into', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.patient')),
            ],
            options={
                'ordering': ['-seq'],
                'indexes': [
                    models.Index(fields=['date_of_birth', '-seq'], name='patient_by_birth'),
                    models.Index(condition=models.Q(('is_active', False), ('merged_into', None)), fields=['-seq'], name='patient_inactive'),
                    models.Index(condition=models.Q(('restricted', True)), fields=['-seq'], name='patient_restricted'),
                    models.Index(django.db.models.functions.text.Upper('email'), condition=models.Q(('email', ''), _negated=True), name='patient_by_email'),
                    models.Index(django.db.models.functions.text.Upper('insurance_policy_number'), condition=models.Q(('insurance_policy_number', ''), _negated=True), name='patient_by_policy'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('merged_into', models.F('id')), _negated=True), name='patient_not_merged_into_itself'),
                    models.UniqueConstraint(django.db.models.functions.text.Upper('mrn'), name='patient_mrn_once'),
                    models.UniqueConstraint(models.F('seq'), name='patient_seq_once'),
                    models.CheckConstraint(condition=models.Q(('mrn__regex', '^[A-Za-z0-9-]{1,40}$')), name='patient_mrn_shape'),
                    models.CheckConstraint(condition=models.Q(('first_name__regex', '\\S'), ('last_name__regex', '\\S'), _connector='OR'), name='patient_named'),
                    models.CheckConstraint(condition=models.Q(('first_name__regex', '[\\u0001-\\u001F\\u007F-\\u009F\\u00AD\\u061C\\u180E\\u200B\\u200E\\u200F\\u2028-\\u202E\\u2060-\\u2064\\u2066-\\u2069\\uFEFF\\u115F\\u1160\\u2800\\u3164\\uFFA0]'), ('middle_name__regex', '[\\u0001-\\u001F\\u007F-\\u009F\\u00AD\\u061C\\u180E\\u200B\\u200E\\u200F\\u2028-\\u202E\\u2060-\\u2064\\u2066-\\u2069\\uFEFF\\u115F\\u1160\\u2800\\u3164\\uFFA0]'), ('last_name__regex', '[\\u0001-\\u001F\\u007F-\\u009F\\u00AD\\u061C\\u180E\\u200B\\u200E\\u200F\\u2028-\\u202E\\u2060-\\u2064\\u2066-\\u2069\\uFEFF\\u115F\\u1160\\u2800\\u3164\\uFFA0]'), ('emergency_name__regex', '[\\u0001-\\u001F\\u007F-\\u009F\\u00AD\\u061C\\u180E\\u200B\\u200E\\u200F\\u2028-\\u202E\\u2060-\\u2064\\u2066-\\u2069\\uFEFF\\u115F\\u1160\\u2800\\u3164\\uFFA0]'), _connector='OR', _negated=True), name='patient_names_visible'),
                    models.CheckConstraint(condition=models.Q(('gender__in', ['male', 'female', 'other', 'unknown'])), name='patient_gender_known'),
                    models.CheckConstraint(condition=models.Q(('allergy_status__in', ['not_asked', 'none_known', 'listed'])), name='patient_allergy_status_known'),
                    models.CheckConstraint(condition=models.Q(('date_of_birth__gte', '1850-01-01')), name='patient_birth_plausible'),
                    models.CheckConstraint(condition=models.Q(('deceased_at', None), ('deceased_at__gte', models.ExpressionWrapper(django.db.models.expressions.CombinedExpression(models.F('date_of_birth'), '-', models.Value(datetime.timedelta(seconds=50400))), output_field=models.DateTimeField())), _connector='OR'), name='patient_died_after_birth'),
                    models.CheckConstraint(condition=models.Q(('date_of_birth_precision', 'day'), models.Q(('date_of_birth__day', 1), ('date_of_birth_precision', 'month'), ('time_of_birth', None)), models.Q(('date_of_birth__day', 1), ('date_of_birth__month', 1), ('date_of_birth_precision__in', ['year', 'estimated']), ('time_of_birth', None)), _connector='OR'), name='patient_birth_of_its_precision'),
                ],
            },
        ),
        migrations.CreateModel(
            name='NotDuplicate',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('decided_at', models.DateTimeField(default=apps.common.clock.now)),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('high', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.patient')),
                ('low', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.patient')),
            ],
            options={
                'verbose_name': 'pair of two people',
                'verbose_name_plural': 'pairs of two people',
                'constraints': [
                    models.UniqueConstraint(fields=('low', 'high'), name='not_duplicate_once'),
                    models.CheckConstraint(condition=models.Q(('low__lt', models.F('high'))), name='not_duplicate_in_order'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Merge',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('reason', models.CharField(max_length=400)),
                ('fields', models.JSONField(default=dict)),
                ('merged_at', models.DateTimeField(default=apps.common.clock.now)),
                ('undone_at', models.DateTimeField(null=True)),
                ('merged_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('undone_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('retired', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.patient')),
                ('survivor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.patient')),
            ],
            options={
                'ordering': ['-merged_at', '-id'],
                'constraints': [
                    models.UniqueConstraint(condition=models.Q(('undone_at', None)), fields=('retired',), name='merge_once_at_a_time'),
                    models.CheckConstraint(condition=models.Q(('retired', models.F('survivor')), _negated=True), name='merge_of_two'),
                    models.CheckConstraint(condition=models.Q(('reason__regex', '\\S')), name='merge_has_reason'),
                ],
            },
        ),
        migrations.CreateModel(
            name='DuplicateCandidate',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('score', models.FloatField()),
                ('reasons', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=30), size=None)),
                ('found_at', models.DateTimeField(default=apps.common.clock.now)),
                ('merge_asked_at', models.DateTimeField(null=True)),
                ('merge_keeps', models.CharField(blank=True, choices=[('low', 'Low'), ('high', 'High')], db_default='', default='', max_length=4)),
                ('merge_reason', models.CharField(blank=True, db_default='', default='', max_length=400)),
                ('high', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.patient')),
                ('low', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.patient')),
                ('merge_asked_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-score', 'found_at', 'id'],
                'indexes': [
                    models.Index(fields=['-score', 'found_at', 'id'], name='duplicate_candidate_queue'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('low', 'high'), name='duplicate_candidate_once'),
                    models.CheckConstraint(condition=models.Q(('low__lt', models.F('high'))), name='duplicate_candidate_in_order'),
                    models.CheckConstraint(condition=models.Q(('score__gte', 0), ('score__lte', 1)), name='duplicate_candidate_score_is_a_share'),
                    models.CheckConstraint(condition=models.Q(('reasons__len__gt', 0)), name='duplicate_candidate_has_reasons'),
                    models.CheckConstraint(condition=models.Q(('merge_asked_at__isnull', False), ('merge_asked_by__isnull', False), ('merge_keeps__in', ['low', 'high'])) | models.Q(('merge_asked_at', None), ('merge_asked_by', None), ('merge_keeps', ''), ('merge_reason', '')), name='duplicate_candidate_request_whole'),
                ],
            },
        ),
        migrations.CreateModel(
            name='ChartEntry',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('type', models.CharField(choices=[('allergy', 'allergy'), ('medication', 'medication'), ('diagnosis', 'diagnosis'), ('procedure', 'procedure'), ('immunization', 'immunization'), ('lab_result', 'lab result'), ('vital_sign', 'vital sign'), ('note', 'note')], max_length=15)),
                ('code_system', models.CharField(blank=True, choices=[('ICD-10-CM', 'ICD-10-CM'), ('SNOMED-CT', 'SNOMED-CT'), ('RxNorm', 'RxNorm'), ('LOINC', 'LOINC'), ('CVX', 'CVX'), ('CPT', 'CPT'), ('HCPCS', 'HCPCS'), ('local', 'local')], max_length=10)),
                ('code', models.CharField(blank=True, max_length=40)),
                ('display', models.CharField(max_length=400)),
                ('status', models.CharField(max_length=20)),
                ('occurred_at', models.DateTimeField(help_text='onset, effective time, or time of the procedure')),
                ('occurred_on', models.CharField(blank=True, db_default='', default='', editable=False, help_text='the date as it was entered: 2015, 2015-06, 2015-06-10', max_length=10)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('ended_on', models.CharField(blank=True, db_default='', default='', editable=False, help_text='the end date as it was entered', max_length=10)),
                ('value', models.DecimalField(blank=True, decimal_places=8, max_digits=20, null=True)),
                ('unit', models.CharField(blank=True, max_length=40)),
                ('detail', models.JSONField(blank=True, default=dict)),
                ('recorded_at', models.DateTimeField(default=apps.common.clock.now)),
                ('source', models.CharField(choices=[('manual', 'Manual'), ('import', 'Import'), ('sandbox', 'Sandbox'), ('consultation', 'Consultation'), ('prescription', 'Prescription'), ('laboratory', 'Laboratory')], max_length=15)),
                ('source_ref', models.CharField(blank=True, help_text="the row's id in its source system", max_length=120)),
                ('retracted_at', models.DateTimeField(blank=True, null=True)),
                ('retraction_reason', models.CharField(blank=True, max_length=400)),
                ('recorded_by', models.ForeignKey(db_index=False, blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('retracted_by', models.ForeignKey(db_index=False, blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('patient', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.patient')),
            ],
            options={
                'verbose_name_plural': 'chart entries',
                'ordering': ['-occurred_at', '-id'],
                'indexes': [
                    models.Index(fields=['patient', '-occurred_at', '-id'], name='chart_of_patient'),
                    models.Index(fields=['patient', 'type', '-occurred_at', '-id'], name='chart_of_patient_by_type'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('type__in', ['allergy', 'medication', 'diagnosis', 'procedure', 'immunization', 'lab_result', 'vital_sign', 'note'])), name='chart_type_known'),
                    models.CheckConstraint(condition=models.Q(('source__in', ['manual', 'import', 'sandbox', 'consultation', 'prescription', 'laboratory'])), name='chart_source_known'),
                    models.CheckConstraint(condition=models.Q(('code', ''), models.Q(('code_system', ''), _negated=True), _connector='OR'), name='chart_code_has_system'),
                    models.CheckConstraint(condition=models.Q(('display__regex', '\\S')), name='chart_says_something'),
                    models.CheckConstraint(condition=models.Q(('ended_at', None), ('ended_at__gte', models.F('occurred_at')), models.Q(models.Q(('ended_on', ''), _negated=True), ('ended_at__gte', django.db.models.expressions.CombinedExpression(models.F('occurred_at'), '-', models.Value(datetime.timedelta(days=366, seconds=7200))))), _connector='OR'), name='chart_ends_after_start'),
                    models.CheckConstraint(condition=models.Q(('occurred_on__regex', '^([0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?)?$'), ('ended_on__regex', '^([0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?)?$'), models.Q(('ended_on', ''), ('ended_at__isnull', False), _connector='OR')), name='chart_partial_dates'),
                    models.CheckConstraint(condition=models.Q(models.Q(('retracted_at__isnull', False), ('status', 'entered_in_error'), models.Q(('retraction_reason', ''), _negated=True)), models.Q(models.Q(('status', 'entered_in_error'), _negated=True), ('retracted_at', None), ('retraction_reason', '')), _connector='OR'), name='chart_retraction_whole'),
                    models.UniqueConstraint(condition=models.Q(('source_ref', ''), _negated=True), fields=('source', 'source_ref'), name='chart_source_row_once'),
                ],
            },
        ),
        migrations.CreateModel(
            name='CareTeamMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('because', models.CharField(choices=[('named', 'Named'), ('visit', 'Visit'), ('appointment', 'Appointment')], max_length=11)),
                ('added_at', models.DateTimeField(default=apps.common.clock.now)),
                ('added_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('patient', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.patient')),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('patient', 'user', 'because'), name='care_team_once'),
                    models.CheckConstraint(condition=models.Q(('because__in', ['named', 'visit', 'appointment'])), name='care_team_because_known'),
                ],
            },
        ),
        migrations.CreateModel(
            name='BreakGlass',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('reason', models.CharField(max_length=400)),
                ('broken_at', models.DateTimeField(default=apps.common.clock.now)),
                ('until', models.DateTimeField()),
                ('reviewed_at', models.DateTimeField(null=True)),
                ('review', models.CharField(blank=True, help_text='what the reviewer found', max_length=400)),
                ('reviewed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('patient', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.patient')),
            ],
            options={
                'verbose_name': 'emergency access',
                'verbose_name_plural': 'emergency accesses',
                'ordering': ['-broken_at', '-id'],
                'indexes': [
                    models.Index(fields=['patient', 'user', '-until'], name='break_glass_live'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('reason__regex', '\\S.{8,}\\S')), name='break_glass_has_reason'),
                    models.CheckConstraint(condition=models.Q(('until__gte', models.F('broken_at'))), name='break_glass_ends_later'),
                    models.CheckConstraint(condition=models.Q(models.Q(('review', ''), ('reviewed_at', None)), models.Q(('reviewed_at__isnull', False), ('review__regex', '\\S')), _connector='OR'), name='break_glass_review_whole'),
                    models.CheckConstraint(condition=models.Q(('reviewed_by', None), models.Q(('reviewed_by', models.F('user')), _negated=True), _connector='OR'), name='break_glass_not_reviewed_by_oneself'),
                ],
            },
        ),
        migrations.CreateModel(
            name='PatientIdentifier',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('system', models.CharField(max_length=100)),
                ('value', models.CharField(max_length=100)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False, help_text='empty: before it was noted', null=True)),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.patient')),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('system', 'value'), name='patient_identifier_once'),
                ],
            },
        ),
        migrations.CreateModel(
            name='RemovedWord',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('word', models.CharField(db_collation='C', max_length=100)),
            ],
            options={
                'indexes': [models.Index(fields=['word'], name='removedword_word')],
            },
        ),
        migrations.CreateModel(
            name='Restriction',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('restricted', models.BooleanField()),
                ('care_team', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), blank=True, default=list, size=None)),
                ('reason', models.CharField(max_length=400)),
                ('decided_at', models.DateTimeField(default=apps.common.clock.now)),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.patient')),
            ],
            options={
                'verbose_name': 'restricted chart',
                'ordering': ['-decided_at', '-pk'],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('reason__regex', '\\S.{8,}\\S')), name='restriction_has_reason'),
                ],
            },
        ),
        migrations.CreateModel(
            name='SearchWord',
            fields=[
                ('pk', models.CompositePrimaryKey('seq', 'word', blank=True, editable=False, primary_key=True, serialize=False)),
                ('seq', models.BigIntegerField()),
                ('word', models.CharField(db_collation='C', max_length=100)),
                ('shared', models.SmallIntegerField()),
            ],
            options={
                'indexes': [models.Index(fields=['word', '-seq'], include=('shared',), name='searchword_ordered')],
                'constraints': [models.CheckConstraint(condition=models.Q(('shared__gte', 0), ('shared__lt', 100)), name='searchword_shared_is_part')],
            },
        ),
        migrations.CreateModel(
            name='MergedRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model', models.CharField(max_length=80)),
                ('column', models.CharField(max_length=63)),
                ('row_id', models.CharField(max_length=64)),
                ('merge', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.merge')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('merge', 'model', 'column', 'row_id'), name='merged_row_once')],
            },
        ),
        migrations.CreateModel(
            name='MergeTriage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model', models.CharField(max_length=80)),
                ('row_id', models.CharField(max_length=64)),
                ('note', models.CharField(blank=True, max_length=400)),
                ('settled_at', models.DateTimeField(null=True)),
                ('merge', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.merge')),
                ('settled_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'merge triage',
                'constraints': [models.UniqueConstraint(fields=('merge', 'model', 'row_id'), name='merge_triage_once')],
            },
        ),
    ]
