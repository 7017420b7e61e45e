"""The trail: a table partitioned by month, with a default partition so that no row is ever refused."""

import django.core.serializers.json
from django.db import migrations, models

import apps.common.clock
import apps.common.ids

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

CREATE FUNCTION audit_make_partition(month date) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    -- Months are counted in UTC, whatever zone the session has.
    low timestamptz := date_trunc('month', month)::timestamp AT TIME ZONE 'UTC';
    high timestamptz := (date_trunc('month', month) + interval '1 month')::timestamp AT TIME ZONE 'UTC';
    partition text := 'audit_auditevent_' || to_char(month, 'YYYY_MM');
BEGIN
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF audit_auditevent FOR VALUES FROM (%L) TO (%L)', partition, low, high);
    RETURN partition;
END $$;

SELECT audit_make_partition(((now() AT TIME ZONE 'UTC')::date + n * interval '1 month')::date) FROM generate_series(0, 3) AS n;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    TABLE, "DROP TABLE audit_auditevent; DROP FUNCTION audit_make_partition(date);"
                )
            ],
            state_operations=[
                migrations.CreateModel(
                    name="AuditEvent",
                    fields=[
                        ("id", models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                        ("at", models.DateTimeField(default=apps.common.clock.now)),
                        ("user_id", models.UUIDField(null=True)),
                        ("role", models.CharField(blank=True, max_length=20)),
                        ("action", models.CharField(max_length=80)),
                        ("outcome", models.CharField(choices=[("success", "Success"), ("denied", "Denied"), ("failure", "Failure")], max_length=10)),
                        ("patient_id", models.UUIDField(null=True)),
                        ("object_id", models.UUIDField(null=True)),
                        ("ip", models.GenericIPAddressField(null=True)),
                        ("request_id", models.CharField(blank=True, max_length=64)),
                        ("purpose", models.CharField(blank=True, max_length=80)),
                        ("detail", models.JSONField(default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder)),
                    ],
                    options={"ordering": ["-at", "-id"]},
                )
            ],
        )
    ]
