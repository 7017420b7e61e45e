"""Restricted charts, their care teams, emergency access; and every row of the trail that an emergency access wrote says so.

The trail is marked by the database: whichever page, route or task writes about a patient while the person's glass is broken, its
row has the purpose.
"""

import apps.common.clock
import apps.common.ids
import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


MARK = """
CREATE FUNCTION patients_mark_purpose() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM patients_breakglass g WHERE g.patient_id = NEW.patient_id AND g.user_id = NEW.user_id
               AND g.broken_at <= NEW.at AND g.until > NEW.at) THEN
        NEW.purpose := 'break_glass';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER patients_mark_purpose BEFORE INSERT ON audit_auditevent FOR EACH ROW
    WHEN (NEW.patient_id IS NOT NULL AND NEW.user_id IS NOT NULL AND NEW.purpose = '') EXECUTE FUNCTION patients_mark_purpose();
"""
UNMARK = "DROP TRIGGER patients_mark_purpose ON audit_auditevent; DROP FUNCTION patients_mark_purpose();"


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0002_rows_without_a_month"),
        ("patients", "0006_search_stretches"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BreakGlass",
            fields=[
                ("id", models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ("reason", models.CharField(max_length=400)),
                ("broken_at", models.DateTimeField(default=apps.common.clock.now)),
                ("until", models.DateTimeField()),
                ("reviewed_at", models.DateTimeField(null=True)),
                ("review", models.CharField(blank=True, help_text="what the reviewer found", max_length=400)),
            ],
            options={
                "verbose_name": "emergency access",
                "verbose_name_plural": "emergency accesses",
                "ordering": ["-broken_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="CareTeamMember",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("because", models.CharField(choices=[("named", "Named"), ("visit", "Visit")], max_length=10)),
                ("added_at", models.DateTimeField(default=apps.common.clock.now)),
            ],
        ),
        migrations.CreateModel(
            name="Restriction",
            fields=[
                ("id", models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ("restricted", models.BooleanField()),
                (
                    "care_team",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), blank=True, default=list, size=None),
                ),
                ("reason", models.CharField(max_length=400)),
                ("decided_at", models.DateTimeField(default=apps.common.clock.now)),
            ],
            options={
                "verbose_name": "restricted chart",
                "ordering": ["-decided_at", "-pk"],
            },
        ),
        migrations.AddField(
            model_name="patient",
            name="restricted",
            field=models.BooleanField(db_default=False, default=False, editable=False, help_text="open to the care team alone"),
        ),
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(condition=models.Q(("restricted", True)), fields=["-seq"], name="patient_restricted"),
        ),
        migrations.AddField(
            model_name="breakglass",
            name="patient",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.patient"),
        ),
        migrations.AddField(
            model_name="breakglass",
            name="reviewed_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="breakglass",
            name="user",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name="careteammember",
            name="added_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="careteammember",
            name="patient",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.patient"),
        ),
        migrations.AddField(
            model_name="careteammember",
            name="user",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name="restriction",
            name="decided_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="restriction",
            name="patient",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.patient"),
        ),
        migrations.AddIndex(
            model_name="breakglass",
            index=models.Index(fields=["patient", "user", "-until"], name="break_glass_live"),
        ),
        migrations.AddConstraint(
            model_name="breakglass",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason__regex", "\\S.{8,}\\S")), name="break_glass_has_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="breakglass",
            constraint=models.CheckConstraint(
                condition=models.Q(("until__gte", models.F("broken_at"))), name="break_glass_ends_later"
            ),
        ),
        migrations.AddConstraint(
            model_name="breakglass",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("review", ""), ("reviewed_at", None)),
                    models.Q(("reviewed_at__isnull", False), ("review__regex", "\\S")),
                    _connector="OR",
                ),
                name="break_glass_review_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="breakglass",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reviewed_by", None), models.Q(("reviewed_by", models.F("user")), _negated=True), _connector="OR"
                ),
                name="break_glass_not_reviewed_by_oneself",
            ),
        ),
        migrations.AddConstraint(
            model_name="careteammember",
            constraint=models.UniqueConstraint(fields=("patient", "user", "because"), name="care_team_once"),
        ),
        migrations.AddConstraint(
            model_name="careteammember",
            constraint=models.CheckConstraint(
                condition=models.Q(("because__in", ["named", "visit"])), name="care_team_because_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="restriction",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason__regex", "\\S.{8,}\\S")), name="restriction_has_reason"
            ),
        ),
        migrations.RunSQL(MARK, UNMARK),
    ]
