"""A death cannot be before the birth. Records that say so stay as they are until a person corrects one of the two dates."""

import logging
from datetime import timedelta
from typing import Any

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

NAME = "patient_died_after_birth"


def validate(apps: Any, schema_editor: Any) -> None:
    """Validate the constraint, unless a record contradicts it: PostgreSQL then checks each record when it is written next."""
    first_moment = models.ExpressionWrapper(
        models.F("date_of_birth") - timedelta(hours=14), output_field=models.DateTimeField()
    )
    wrong = apps.get_model("patients", "Patient").objects.filter(deceased_at__lt=first_moment).count()
    if wrong:
        message = "%s patients are recorded as deceased before their birth. Correct them, then run: ALTER TABLE %s VALIDATE CONSTRAINT %s"
        logging.getLogger(__name__).warning(message, wrong, "patients_patient", NAME)
        return
    schema_editor.execute(f"ALTER TABLE patients_patient VALIDATE CONSTRAINT {NAME}")


class Migration(migrations.Migration):
    dependencies = [("patients", "0007_restricted_charts")]

    operations = [
        AddConstraintNotValid(
            model_name="patient",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("deceased_at", None),
                    (
                        "deceased_at__gte",
                        models.ExpressionWrapper(
                            models.F("date_of_birth") - timedelta(hours=14), output_field=models.DateTimeField()
                        ),
                    ),
                    _connector="OR",
                ),
                name=NAME,
            ),
        ),
        migrations.RunPython(validate, migrations.RunPython.noop),
    ]
