"""Doctors who are on a care team by an appointment are told from those with a consultation."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patients", "0010_search_forms")]

    operations = [
        migrations.RemoveConstraint(model_name="careteammember", name="care_team_because_known"),
        migrations.AlterField(
            model_name="careteammember",
            name="because",
            field=models.CharField(
                choices=[("named", "Named"), ("visit", "Visit"), ("appointment", "Appointment")], max_length=11
            ),
        ),
        migrations.AddConstraint(
            model_name="careteammember",
            constraint=models.CheckConstraint(
                condition=models.Q(("because__in", ["named", "visit", "appointment"])), name="care_team_because_known"
            ),
        ),
    ]
