"""Appointments, schedules, series, the queue, the waiting list, cover for absence and calendar feeds."""

import apps.appointments.scheduling.recurrence
import apps.common.clock
import apps.common.ids
import datetime
import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.conf import settings
from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('patients', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        BtreeGistExtension(),
        migrations.CreateModel(
            name='Queue',
            fields=[
                ('day', models.DateField(primary_key=True, serialize=False)),
                ('last_number', models.PositiveSmallIntegerField()),
            ],
            options={
                'verbose_name': 'queue of a day',
            },
        ),
        migrations.CreateModel(
            name='Appointment',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('appointment_type', models.CharField(choices=[('consultation', 'Consultation'), ('follow_up', 'Follow Up'), ('procedure', 'Procedure'), ('vaccination', 'Vaccination'), ('lab', 'Lab'), ('telehealth', 'Telehealth'), ('emergency', 'Emergency')], default='consultation', max_length=20)),
                ('status', models.CharField(choices=[('requested', 'requested'), ('scheduled', 'scheduled'), ('confirmed', 'confirmed'), ('checked_in', 'checked in'), ('in_progress', 'in progress'), ('completed', 'completed'), ('cancelled', 'cancelled'), ('no_show', 'no show')], default='scheduled', max_length=12)),
                ('scheduled_time', models.DateTimeField()),
                ('duration_minutes', models.PositiveSmallIntegerField()),
                ('ends_at', models.DateTimeField(editable=False)),
                ('notes', models.TextField(blank=True, max_length=4000)),
                ('joins_care_team', models.BooleanField(db_default=False, default=False, editable=False, help_text='the user who chose the doctor could add to the care team')),
                ('overbook_reason', models.CharField(blank=True, max_length=400)),
                ('overbook_day', models.DateField(editable=False, null=True)),
                ('overbook_seat', models.PositiveSmallIntegerField(editable=False, null=True)),
                ('checked_in_at', models.DateTimeField(editable=False, null=True)),
                ('queue_number', models.PositiveSmallIntegerField(editable=False, null=True)),
                ('triage', models.CharField(choices=[('routine', 'Routine'), ('urgent', 'Urgent'), ('emergency', 'Emergency')], default='routine', max_length=10)),
                ('triage_reason', models.CharField(blank=True, max_length=400)),
                ('alert_since', models.DateTimeField(editable=False, null=True)),
                ('ready_since', models.DateTimeField(editable=False, null=True)),
                ('cancelled_at', models.DateTimeField(editable=False, null=True)),
                ('cancellation_reason', models.CharField(blank=True, max_length=400)),
                ('attending_doctor', models.ForeignKey(db_index=False, editable=False, help_text='the doctor after a handover, while in progress; empty: the booked doctor', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('booked_by', models.ForeignKey(db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('doctor', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('patient', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.patient')),
            ],
            options={
                'ordering': ['-scheduled_time', '-id'],
                'indexes': [
                    models.Index(fields=['-scheduled_time', '-id'], name='appointment_newest'),
                    models.Index(fields=['doctor', '-scheduled_time', '-id'], name='appointment_of_doctor'),
                    models.Index(fields=['doctor', 'status', '-scheduled_time', '-id'], name='appointment_of_doctor_status'),
                    models.Index(fields=['patient', '-scheduled_time', '-id'], name='appointment_of_patient'),
                    models.Index(fields=['status', '-scheduled_time', '-id'], name='appointment_by_status'),
                    models.Index(condition=models.Q(('checked_in_at__isnull', False)), fields=['checked_in_at'], name='appointment_came'),
                    models.Index(condition=models.Q(('status', 'completed')), fields=['doctor', 'appointment_type', '-scheduled_time', '-id'], name='appointment_seen'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('status__in', ['requested', 'scheduled', 'confirmed', 'checked_in', 'in_progress', 'completed', 'cancelled', 'no_show'])), name='appointment_status_known'),
                    models.CheckConstraint(condition=models.Q(('appointment_type__in', ['consultation', 'follow_up', 'procedure', 'vaccination', 'lab', 'telehealth', 'emergency'])), name='appointment_type_known'),
                    models.CheckConstraint(condition=models.Q(('triage__in', ['routine', 'urgent', 'emergency'])), name='appointment_triage_known'),
                    models.CheckConstraint(condition=models.Q(('duration_minutes__gte', 5), ('duration_minutes__lte', 480)), name='appointment_duration_sensible'),
                    models.CheckConstraint(condition=models.Q(('duration_minutes', django.db.models.expressions.CombinedExpression(django.db.models.functions.datetime.Extract(models.ExpressionWrapper(django.db.models.expressions.CombinedExpression(models.F('ends_at'), '-', models.F('scheduled_time')), output_field=models.DurationField()), 'epoch'), '/', models.Value(60)))), name='appointment_ends_after_its_duration'),
                    models.CheckConstraint(condition=models.Q(models.Q(('overbook_day', None), ('overbook_reason', ''), ('overbook_seat', None)), models.Q(('overbook_day__isnull', False), ('overbook_reason__regex', '\\S'), ('overbook_seat__gte', 1), ('overbook_seat__isnull', False)), _connector='OR'), name='appointment_overbooked_whole'),
                    models.CheckConstraint(condition=models.Q(models.Q(('cancelled_at__isnull', False), ('status', 'cancelled')), models.Q(models.Q(('status', 'cancelled'), _negated=True), ('cancellation_reason', ''), ('cancelled_at', None)), _connector='OR'), name='appointment_cancelled_whole'),
                    models.CheckConstraint(condition=models.Q(('attending_doctor', None), ('status', 'in_progress'), _connector='OR'), name='appointment_attended_in_progress'),
                    models.UniqueConstraint(condition=models.Q(('overbook_seat__isnull', False), ('status__in', ['scheduled', 'confirmed', 'checked_in', 'in_progress'])), fields=('doctor', 'overbook_day', 'overbook_seat'), name='appointment_overbook_seat_once'),
                    django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('overbook_seat', None), ('status__in', ['scheduled', 'confirmed', 'checked_in', 'in_progress'])), expressions=[('doctor', '='), (models.Func('scheduled_time', 'ends_at', django.contrib.postgres.fields.ranges.RangeBoundary(), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='appointment_doctor_not_twice'),
                    django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('status__in', ['scheduled', 'confirmed', 'checked_in', 'in_progress'])), expressions=[('patient', '='), (models.Func('scheduled_time', 'ends_at', django.contrib.postgres.fields.ranges.RangeBoundary(), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='appointment_patient_not_twice'),
                ],
            },
        ),
        migrations.CreateModel(
            name='BulkReschedule',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('reason', models.CharField(max_length=400)),
                ('notify_patient', models.BooleanField(default=True)),
                ('moved_at', models.DateTimeField(default=apps.common.clock.now)),
                ('undone_at', models.DateTimeField(null=True)),
                ('doctor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('moved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('to_doctor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('undone_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'cover for absence',
                'verbose_name_plural': 'covers for absence',
                'ordering': ['-moved_at', '-id'],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('starts_at__lt', models.F('ends_at'))), name='bulk_reschedule_ends_later'),
                    models.CheckConstraint(condition=models.Q(('reason__regex', '\\S')), name='bulk_reschedule_has_reason'),
                    models.CheckConstraint(condition=models.Q(('to_doctor', None), models.Q(('to_doctor', models.F('doctor')), _negated=True), _connector='OR'), name='bulk_reschedule_to_another'),
                    models.CheckConstraint(condition=models.Q(('undone_at', None), ('undone_at__gte', models.F('moved_at')), _connector='OR'), name='bulk_reschedule_undone_later'),
                ],
            },
        ),
        migrations.CreateModel(
            name='CalendarFeed',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('secret_hash', models.BinaryField(max_length=32, unique=True)),
                ('last_fetched_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
                ('doctor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('revoked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-created_at', '-id'],
                'constraints': [
                    models.UniqueConstraint(condition=models.Q(('revoked_at', None)), fields=('doctor',), name='calendar_feed_one_live'),
                ],
            },
        ),
        migrations.CreateModel(
            name='DoctorSchedule',
            fields=[
                ('doctor', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('slot_minutes', models.PositiveSmallIntegerField(default=15)),
                ('overbook_per_day', models.PositiveSmallIntegerField(default=6)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
            ],
            options={
                'verbose_name': 'schedule',
                'constraints': [models.CheckConstraint(condition=models.Q(('slot_minutes__gte', 5), ('slot_minutes__lte', 480)), name='schedule_slot_sensible'), models.CheckConstraint(condition=models.Q(('overbook_per_day__lte', 50)), name='schedule_overbooking_bounded')],
            },
        ),
        migrations.CreateModel(
            name='AppointmentLength',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('appointment_type', models.CharField(choices=[('consultation', 'Consultation'), ('follow_up', 'Follow Up'), ('procedure', 'Procedure'), ('vaccination', 'Vaccination'), ('lab', 'Lab'), ('telehealth', 'Telehealth'), ('emergency', 'Emergency')], max_length=20)),
                ('minutes', models.PositiveSmallIntegerField()),
                ('schedule', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='appointments.doctorschedule')),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('schedule', 'appointment_type'), name='appointment_length_once'),
                    models.CheckConstraint(condition=models.Q(('minutes__gte', 5), ('minutes__lte', 480)), name='appointment_length_sensible'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Room',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('name', models.CharField(max_length=60)),
                ('location', models.CharField(blank=True, help_text='the site or floor it is on', max_length=100)),
                ('is_active', models.BooleanField(default=True)),
            ],
            options={
                'ordering': ['location', 'name'],
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('location'), django.db.models.functions.text.Lower('name'), name='room_once'), models.CheckConstraint(condition=models.Q(('name__regex', '\\S')), name='room_named')],
            },
        ),
        migrations.CreateModel(
            name='RescheduledAppointment',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('from_time', models.DateTimeField()),
                ('from_overbook_reason', models.CharField(blank=True, max_length=400)),
                ('to_time', models.DateTimeField()),
                ('left_at', models.DateTimeField()),
                ('result', models.CharField(choices=[('moved', 'Moved'), ('put_back', 'Put Back'), ('kept', 'Kept')], default='moved', max_length=10)),
                ('because', models.CharField(blank=True, max_length=40)),
                ('appointment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='appointments.appointment')),
                ('from_doctor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('move', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='appointments.bulkreschedule')),
                ('to_doctor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('from_room', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='appointments.room')),
                ('to_room', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='appointments.room')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [
                    models.UniqueConstraint(fields=('move', 'appointment'), name='rescheduled_once'),
                    models.CheckConstraint(condition=models.Q(('result__in', ['moved', 'put_back', 'kept'])), name='rescheduled_result_known'),
                    models.CheckConstraint(condition=models.Q(models.Q(('because__regex', '\\S'), ('result', 'kept')), models.Q(models.Q(('result', 'kept'), _negated=True), ('because', '')), _connector='OR'), name='rescheduled_kept_why'),
                ],
            },
        ),
        migrations.CreateModel(
            name='FreedSlotOffer',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('is_open', models.BooleanField(default=True)),
                ('doctor', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('room', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='appointments.room')),
            ],
            options={
                'indexes': [
                    models.Index(condition=models.Q(('is_open', True)), fields=['starts_at'], name='freed_slot_offer_to_come'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('starts_at__lt', models.F('ends_at'))), name='freed_slot_offer_ends_later'),
                ],
            },
        ),
        migrations.AddField(
            model_name='appointment',
            name='room',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='appointments.room'),
        ),
        migrations.CreateModel(
            name='Series',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('frequency', models.CharField(choices=[('daily', 'daily'), ('weekly', 'weekly'), ('monthly', 'monthly')], default=apps.appointments.scheduling.recurrence.Frequency['WEEKLY'], max_length=10)),
                ('interval', models.PositiveSmallIntegerField(default=1, help_text='the number of days, weeks or months between two appointments')),
                ('by_weekday', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(), blank=True, default=list, help_text='0 is Monday', size=None)),
                ('by_month_day', models.SmallIntegerField(blank=True, help_text='-1 is the last day of the month', null=True)),
                ('by_set_position', models.SmallIntegerField(blank=True, help_text="which of the month's weekdays; -1 is the last", null=True)),
                ('until', models.DateField(blank=True, help_text='the last day, inclusive', null=True)),
                ('occurrences', models.PositiveSmallIntegerField(help_text='the number of requested appointments; conflicting ones were left out')),
            ],
            options={
                'verbose_name': 'repeat booking',
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('frequency', 'daily'), ('interval__range', (1, 365))), models.Q(('frequency', 'weekly'), ('interval__range', (1, 52))), models.Q(('frequency', 'monthly'), ('interval__range', (1, 12))), _connector='OR'), name='series_rhythm'), models.CheckConstraint(condition=models.Q(('frequency', 'monthly'), models.Q(('by_month_day', None), ('by_set_position', None)), _connector='OR'), name='series_month_parts'), models.CheckConstraint(condition=models.Q(('by_weekday__contained_by', [0, 1, 2, 3, 4, 5, 6])), name='series_weekdays'), models.CheckConstraint(condition=models.Q(('occurrences__gte', 2), ('occurrences__lte', 104)), name='series_length')],
            },
        ),
        migrations.AddField(
            model_name='appointment',
            name='series',
            field=models.ForeignKey(db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='appointments.series'),
        ),
        migrations.CreateModel(
            name='StatusChange',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('from_status', models.CharField(blank=True, max_length=12)),
                ('to_status', models.CharField(choices=[('requested', 'requested'), ('scheduled', 'scheduled'), ('confirmed', 'confirmed'), ('checked_in', 'checked in'), ('in_progress', 'in progress'), ('completed', 'completed'), ('cancelled', 'cancelled'), ('no_show', 'no show')], max_length=12)),
                ('at', models.DateTimeField(default=apps.common.clock.now)),
                ('reason', models.CharField(blank=True, max_length=400)),
                ('appointment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='appointments.appointment')),
                ('by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['id'],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('from_status', models.F('to_status')), _negated=True), name='status_change_changes'),
                ],
            },
        ),
        migrations.CreateModel(
            name='TimeOff',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('added_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('doctor', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'time off',
                'ordering': ['starts_at', 'id'],
                'indexes': [
                    models.Index(fields=['doctor', 'ends_at'], name='time_off_of_doctor'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('starts_at__lt', models.F('ends_at'))), name='time_off_ends_later'),
                ],
            },
        ),
        migrations.CreateModel(
            name='WaitlistEntry',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('appointment_type', models.CharField(choices=[('consultation', 'Consultation'), ('follow_up', 'Follow Up'), ('procedure', 'Procedure'), ('vaccination', 'Vaccination'), ('lab', 'Lab'), ('telehealth', 'Telehealth'), ('emergency', 'Emergency')], default='consultation', max_length=20)),
                ('duration_minutes', models.PositiveSmallIntegerField(blank=True, help_text='empty: the usual length of the doctor', null=True)),
                ('date_from', models.DateField()),
                ('date_to', models.DateField()),
                ('time_from', models.TimeField(blank=True, null=True)),
                ('time_to', models.TimeField(blank=True, null=True)),
                ('priority', models.CharField(choices=[('low', 'Low'), ('medium', 'Medium'), ('high', 'High'), ('urgent', 'Urgent')], default='medium', max_length=10)),
                ('note', models.CharField(blank=True, max_length=400)),
                ('status', models.CharField(choices=[('waiting', 'Waiting'), ('booked', 'Booked'), ('withdrawn', 'Withdrawn'), ('expired', 'Expired')], default='waiting', editable=False, max_length=10)),
                ('added_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('appointment', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='appointments.appointment')),
                ('doctor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('patient', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.patient')),
            ],
            options={
                'verbose_name': 'waiting list entry',
                'verbose_name_plural': 'waiting list entries',
                'indexes': [
                    models.Index(condition=models.Q(('status', 'waiting')), fields=['date_to', 'created_at'], name='waitlist_waiting'),
                    models.Index(fields=['patient'], name='waitlist_of_patient'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('status__in', ['waiting', 'booked', 'withdrawn', 'expired'])), name='waitlist_status_known'),
                    models.CheckConstraint(condition=models.Q(('priority__in', ['low', 'medium', 'high', 'urgent'])), name='waitlist_priority_known'),
                    models.CheckConstraint(condition=models.Q(('appointment_type__in', ['consultation', 'follow_up', 'procedure', 'vaccination', 'lab', 'telehealth', 'emergency'])), name='waitlist_type_known'),
                    models.CheckConstraint(condition=models.Q(('date_from__lte', models.F('date_to'))), name='waitlist_days_in_order'),
                    models.CheckConstraint(condition=models.Q(models.Q(('time_from', None), ('time_to', None)), models.Q(('time_from__isnull', False), ('time_from__lt', models.F('time_to')), ('time_to__isnull', False)), _connector='OR'), name='waitlist_times_in_order'),
                    models.CheckConstraint(condition=models.Q(('duration_minutes', None), models.Q(('duration_minutes__gte', 5), ('duration_minutes__lte', 480)), _connector='OR'), name='waitlist_duration_sensible'),
                    models.CheckConstraint(condition=models.Q(models.Q(('appointment__isnull', False), ('status', 'booked')), models.Q(models.Q(('status', 'booked'), _negated=True), ('appointment', None)), _connector='OR'), name='waitlist_booked_whole'),
                ],
            },
        ),
        migrations.CreateModel(
            name='WaitlistOffer',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('opening', models.UUIDField()),
                ('scheduled_time', models.DateTimeField()),
                ('duration_minutes', models.PositiveSmallIntegerField()),
                ('free_minutes', models.PositiveSmallIntegerField()),
                ('rank', models.PositiveSmallIntegerField()),
                ('offered_at', models.DateTimeField(default=apps.common.clock.now)),
                ('expires_at', models.DateTimeField()),
                ('status', models.CharField(choices=[('open', 'Open'), ('accepted', 'Accepted'), ('declined', 'Declined'), ('expired', 'Expired'), ('lost', 'Lost'), ('withdrawn', 'Withdrawn')], default='open', max_length=10)),
                ('settled_at', models.DateTimeField(null=True)),
                ('appointment', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='appointments.appointment')),
                ('doctor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('entry', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='appointments.waitlistentry')),
                ('room', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='appointments.room')),
            ],
            options={
                'verbose_name': 'offer',
                'indexes': [
                    models.Index(condition=models.Q(('status', 'open')), fields=['expires_at'], name='offer_due'),
                    models.Index(fields=['opening'], name='offer_of_opening'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('status__in', ['open', 'accepted', 'declined', 'expired', 'lost', 'withdrawn'])), name='offer_status_known'),
                    models.CheckConstraint(condition=models.Q(('expires_at__lte', models.F('scheduled_time'))), name='offer_ends_before_the_visit'),
                    models.CheckConstraint(condition=models.Q(('duration_minutes__lte', models.F('free_minutes'))), name='offer_fits'),
                    models.CheckConstraint(condition=models.Q(models.Q(('appointment__isnull', False), ('status', 'accepted')), models.Q(models.Q(('status', 'accepted'), _negated=True), ('appointment', None)), _connector='OR'), name='offer_accepted_whole'),
                    models.CheckConstraint(condition=models.Q(models.Q(('settled_at', None), ('status', 'open')), models.Q(models.Q(('status', 'open'), _negated=True), ('settled_at__isnull', False)), _connector='OR'), name='offer_settled_whole'),
                    models.UniqueConstraint(condition=models.Q(('status', 'open')), fields=('entry',), name='offer_one_open_an_entry'),
                    models.UniqueConstraint(fields=('entry', 'opening'), name='offer_once_an_opening'),
                ],
            },
        ),
        migrations.CreateModel(
            name='WorkingHours',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weekday', models.PositiveSmallIntegerField()),
                ('starts', models.TimeField()),
                ('ends', models.TimeField(help_text='00:00 is the midnight that ends the day')),
                ('valid_from', models.DateField(blank=True, null=True)),
                ('valid_until', models.DateField(blank=True, help_text='the last day; empty: no end', null=True)),
                ('room', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='appointments.room')),
                ('schedule', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='appointments.doctorschedule')),
            ],
            options={
                'verbose_name_plural': 'working hours',
                'ordering': ['weekday', 'starts'],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('weekday__lte', 6)), name='working_hours_weekday'),
                    models.CheckConstraint(condition=models.Q(('starts__lt', models.F('ends')), ('ends', datetime.time(0, 0)), _connector='OR'), name='working_hours_end_later'),
                    models.CheckConstraint(condition=models.Q(('valid_from', None), ('valid_until', None), ('valid_from__lte', models.F('valid_until')), _connector='OR'), name='working_hours_valid'),
                    django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('schedule', '='), ('weekday', '='), (models.Func('valid_from', 'valid_until', django.contrib.postgres.fields.ranges.RangeBoundary(inclusive_upper=True), function='daterange', output_field=django.contrib.postgres.fields.ranges.DateRangeField()), '&&'), (models.Func(models.Func(django.db.models.functions.datetime.Extract(models.F('starts'), 'epoch'), template='(%(expressions)s)::integer'), models.Case(models.When(ends=datetime.time(0, 0), then=models.Value(86400)), default=models.Func(django.db.models.functions.datetime.Extract(models.F('ends'), 'epoch'), template='(%(expressions)s)::integer'), output_field=models.IntegerField()), django.contrib.postgres.fields.ranges.RangeBoundary(), function='int4range', output_field=django.contrib.postgres.fields.ranges.IntegerRangeField()), '&&')], name='working_hours_do_not_overlap'),
                ],
            },
        ),
        migrations.AddIndex(
            model_name='appointment',
            index=models.Index(condition=models.Q(('series__isnull', False)), fields=['series'], name='appointment_of_series'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('overbook_seat', None), ('room__isnull', False), ('status__in', ['scheduled', 'confirmed', 'checked_in', 'in_progress'])), expressions=[('room', '='), (models.Func('scheduled_time', 'ends_at', django.contrib.postgres.fields.ranges.RangeBoundary(), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='appointment_room_not_twice'),
        ),
    ]
