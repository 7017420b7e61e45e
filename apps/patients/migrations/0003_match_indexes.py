import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patients", "0002_tally")]
    operations = [
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(
                django.db.models.functions.text.Upper("email"),
                condition=models.Q(("email", ""), _negated=True),
                name="patient_by_email",
            ),
        ),
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(
                django.db.models.functions.text.Upper("insurance_policy_number"),
                condition=models.Q(("insurance_policy_number", ""), _negated=True),
                name="patient_by_policy",
            ),
        ),
    ]
