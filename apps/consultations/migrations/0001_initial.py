"""Consultations: steps, alerts, addenda and their status history."""

import apps.common.clock
import apps.common.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('appointments', '0001_initial'),
        ('patients', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Consultation',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('workflow_type', models.CharField(choices=[('adaptive', 'adaptive'), ('standard', 'standard'), ('quick', 'quick')], max_length=10)),
                ('status', models.CharField(choices=[('in_progress', 'in progress'), ('on_hold', 'on hold'), ('completed', 'completed'), ('amended', 'amended'), ('cancelled', 'cancelled')], default='in_progress', max_length=12)),
                ('current_step', models.PositiveSmallIntegerField(default=0)),
                ('started_at', models.DateTimeField(default=apps.common.clock.now)),
                ('guidance', models.JSONField(blank=True, default=dict)),
                ('rule_version', models.CharField(blank=True, max_length=20)),
                ('version', models.PositiveIntegerField(default=1)),
                ('ready_at', models.DateTimeField(editable=False, help_text='since when it is ready for the doctor', null=True)),
                ('completed_at', models.DateTimeField(editable=False, null=True)),
                ('override_reason', models.CharField(blank=True, help_text='why it was signed with missing steps', max_length=400)),
                ('content_sha256', models.CharField(blank=True, editable=False, max_length=64)),
                ('cancelled_at', models.DateTimeField(editable=False, null=True)),
                ('appointment', models.ForeignKey(db_index=False, blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='appointments.appointment')),
                ('doctor', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('entered_by', models.ForeignKey(db_index=False, help_text='who started it', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('patient', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.patient')),
                ('ready_by', models.ForeignKey(db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('signed_by', models.ForeignKey(db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'visit',
                'ordering': ['-started_at', '-id'],
                'indexes': [
                    models.Index(fields=['-started_at', '-id'], name='consultation_newest'),
                    models.Index(fields=['patient', '-started_at', '-id'], name='consultation_of_patient'),
                    models.Index(fields=['doctor', '-started_at', '-id'], name='consultation_of_doctor'),
                    models.Index(fields=['doctor', 'status', '-started_at', '-id'], name='consultation_of_doctor_status'),
                    models.Index(fields=['status', '-started_at', '-id'], name='consultation_by_status'),
                    models.Index(fields=['appointment', '-started_at', '-id'], name='consultation_of_visit'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('status__in', ['in_progress', 'on_hold', 'completed', 'amended', 'cancelled'])), name='consultation_status_known'),
                    models.CheckConstraint(condition=models.Q(('workflow_type__in', ['adaptive', 'standard', 'quick'])), name='consultation_workflow_known'),
                    models.CheckConstraint(condition=models.Q(('current_step__lte', 10)), name='consultation_step_exists'),
                    models.CheckConstraint(condition=models.Q(models.Q(('completed_at__isnull', False), ('content_sha256__regex', '^[0-9a-f]{64}$'), ('status__in', ['completed', 'amended'])), models.Q(models.Q(('status__in', ['completed', 'amended']), _negated=True), ('completed_at', None), ('content_sha256', ''), ('override_reason', ''), ('signed_by', None)), _connector='OR'), name='consultation_signed_whole'),
                    models.CheckConstraint(condition=models.Q(models.Q(('cancelled_at__isnull', False), ('status', 'cancelled')), models.Q(models.Q(('status', 'cancelled'), _negated=True), ('cancelled_at', None)), _connector='OR'), name='consultation_cancelled_whole'),
                    models.CheckConstraint(condition=models.Q(('completed_at', None), ('completed_at__gte', models.F('started_at')), _connector='OR'), name='consultation_ends_later'),
                    models.CheckConstraint(condition=models.Q(models.Q(('workflow_type', 'adaptive'), models.Q(('rule_version', ''), _negated=True)), models.Q(models.Q(('workflow_type', 'adaptive'), _negated=True), ('rule_version', '')), _connector='OR'), name='consultation_guided_by_a_version'),
                    models.UniqueConstraint(condition=models.Q(('status__in', ['in_progress', 'on_hold'])), fields=('appointment',), name='consultation_one_live_of_appointment'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Addendum',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('text', models.TextField(max_length=4000)),
                ('signed_at', models.DateTimeField(default=apps.common.clock.now)),
                ('signed_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('consultation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consultations.consultation')),
            ],
            options={
                'verbose_name_plural': 'addenda',
                'ordering': ['signed_at', 'id'],
                'indexes': [
                    models.Index(fields=['consultation', 'signed_at', 'id'], name='addendum_of_consultation'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('text__regex', '\\S')), name='addendum_says_something'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Acknowledgement',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('alert_id', models.CharField(max_length=64)),
                ('rule_id', models.CharField(max_length=60)),
                ('because', models.CharField(max_length=400)),
                ('reason', models.CharField(max_length=400)),
                ('at', models.DateTimeField(default=apps.common.clock.now)),
                ('by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('consultation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consultations.consultation')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [
                    models.UniqueConstraint(fields=('consultation', 'alert_id'), name='acknowledgement_once'),
                    models.CheckConstraint(condition=models.Q(('reason__regex', '\\S')), name='acknowledgement_has_reason'),
                ],
            },
        ),
        migrations.CreateModel(
            name='ConsultationStatusChange',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('from_status', models.CharField(blank=True, max_length=12)),
                ('to_status', models.CharField(choices=[('in_progress', 'in progress'), ('on_hold', 'on hold'), ('completed', 'completed'), ('amended', 'amended'), ('cancelled', 'cancelled')], max_length=12)),
                ('reason', models.CharField(blank=True, max_length=400)),
                ('at', models.DateTimeField(default=apps.common.clock.now)),
                ('by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('consultation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consultations.consultation')),
                ('from_doctor', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('to_doctor', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['id'],
                'indexes': [
                    models.Index(fields=['consultation', 'id'], name='consultation_status_change'),
                ],
            },
        ),
        migrations.CreateModel(
            name='StepSave',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('number', models.PositiveSmallIntegerField()),
                ('version', models.PositiveIntegerField()),
                ('state', models.CharField(choices=[('in_progress', 'in progress'), ('completed', 'completed')], max_length=12)),
                ('data', models.JSONField(blank=True, default=dict)),
                ('parsed', models.JSONField(blank=True, default=dict)),
                ('outcome', models.JSONField(blank=True, default=dict)),
                ('saved_at', models.DateTimeField(default=apps.common.clock.now)),
                ('consultation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consultations.consultation')),
                ('saved_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['consultation', 'number', '-version'],
                'constraints': [
                    models.UniqueConstraint(fields=('consultation', 'number', 'version'), name='step_save_version_once'),
                    models.CheckConstraint(condition=models.Q(('number__lte', 10)), name='step_save_step_exists'),
                    models.CheckConstraint(condition=models.Q(('version__gte', 1)), name='step_save_version_counts'),
                    models.CheckConstraint(condition=models.Q(('state__in', ['in_progress', 'completed'])), name='step_save_state_known'),
                ],
            },
        ),
        migrations.CreateModel(
            name='VitalAlert',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('alert_id', models.CharField(max_length=64)),
                ('rule_id', models.CharField(max_length=60)),
                ('because', models.CharField(max_length=400)),
                ('message', models.CharField(max_length=400)),
                ('raised_at', models.DateTimeField(default=apps.common.clock.now)),
                ('cleared_at', models.DateTimeField(null=True)),
                ('cleared_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('consultation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consultations.consultation')),
                ('raised_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['id'],
                'constraints': [
                    models.UniqueConstraint(fields=('consultation', 'alert_id'), name='vital_alert_once'),
                    models.CheckConstraint(condition=models.Q(models.Q(('cleared_at', None), ('cleared_by', None)), ('cleared_at__gte', models.F('raised_at')), _connector='OR'), name='vital_alert_cleared_later'),
                ],
            },
        ),
    ]
