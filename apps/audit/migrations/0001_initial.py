"""The audit log, partitioned by month with a default partition so that no row is ever refused; its seals and anchors."""

import apps.common.clock
import apps.common.ids
import django.core.serializers.json
from django.db import migrations, models


TABLE = """
CREATE TABLE audit_auditevent (
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    user_id uuid,
    role varchar(20) NOT NULL,
    action varchar(80) NOT NULL,
    outcome varchar(10) NOT NULL CHECK (outcome IN ('success', 'denied', 'failure')),
    patient_id uuid,
    object_id uuid,
    ip inet,
    request_id varchar(64) NOT NULL,
    purpose varchar(80) NOT NULL,
    detail jsonb NOT NULL CHECK (jsonb_typeof(detail) = 'object'),
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE INDEX audit_at ON audit_auditevent (at DESC, id DESC);
CREATE INDEX audit_patient ON audit_auditevent (patient_id, at DESC) WHERE patient_id IS NOT NULL;
CREATE INDEX audit_user ON audit_auditevent (user_id, at DESC) WHERE user_id IS NOT NULL;
CREATE TABLE audit_auditevent_other PARTITION OF audit_auditevent DEFAULT;
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Anchor',
            fields=[
                ('day', models.DateField(primary_key=True, serialize=False)),
                ('sequence', models.BigIntegerField()),
                ('hash', models.BinaryField()),
            ],
            options={
                'db_table': 'audit_anchor',
                'ordering': ['day'],
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TABLE, "DROP TABLE audit_auditevent")],
            state_operations=[
                migrations.CreateModel(
                    name='AuditEvent',
                    fields=[
                        ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                        ('at', models.DateTimeField(default=apps.common.clock.now)),
                        ('user_id', models.UUIDField(null=True)),
                        ('role', models.CharField(blank=True, max_length=20)),
                        ('action', models.CharField(max_length=80)),
                        ('outcome', models.CharField(choices=[('success', 'Success'), ('denied', 'Denied'), ('failure', 'Failure')], max_length=10)),
                        ('patient_id', models.UUIDField(null=True)),
                        ('object_id', models.UUIDField(null=True)),
                        ('ip', models.GenericIPAddressField(null=True)),
                        ('request_id', models.CharField(blank=True, max_length=64)),
                        ('purpose', models.CharField(blank=True, max_length=80)),
                        ('detail', models.JSONField(default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder)),
                    ],
                    options={
                        'ordering': ['-at', '-id'],
                    },
                ),
            ],
        ),
        migrations.CreateModel(
            name='Chain',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('secret', models.BinaryField()),
                ('sequence', models.BigIntegerField(default=0)),
                ('hash', models.BinaryField()),
                ('reach', models.DateTimeField(null=True)),
                ('swept', models.DateTimeField(null=True)),
                ('anchored_on', models.DateField(null=True)),
                ('mac', models.BinaryField()),
            ],
            options={
                'db_table': 'audit_chain',
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='one_chain')],
            },
        ),
        migrations.CreateModel(
            name='Seal',
            fields=[
                ('sequence', models.BigIntegerField(primary_key=True, serialize=False)),
                ('event_id', models.UUIDField()),
                ('at', models.DateTimeField()),
                ('hash', models.BinaryField()),
            ],
            options={
                'db_table': 'audit_seal',
                'ordering': ['sequence'],
                'constraints': [models.UniqueConstraint(fields=('event_id', 'at'), name='seal_once_per_row'), models.CheckConstraint(condition=models.Q(('sequence__gte', 1)), name='seal_sequence_from_one')],
            },
        ),
        migrations.CreateModel(
            name='VerificationProgress',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('sequence', models.BigIntegerField(default=0)),
                ('hash', models.BinaryField()),
                ('is_whole', models.BooleanField(default=False)),
                ('started_at', models.DateTimeField()),
                ('trusted', models.BigIntegerField(default=0)),
                ('trusted_hash', models.BinaryField()),
                ('finished_at', models.DateTimeField(null=True)),
                ('broken', models.JSONField(null=True)),
                ('mac', models.BinaryField()),
            ],
            options={
                'db_table': 'audit_verification',
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='one_verification'), models.CheckConstraint(condition=models.Q(('sequence__gte', 0), ('trusted__gte', 0)), name='verification_places_from_zero')],
            },
        ),
    ]
