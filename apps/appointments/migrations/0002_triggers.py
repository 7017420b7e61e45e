"""The row counter of the list of appointments."""

from django.db import migrations

from apps.common.row_counters import RowCounter
from apps.common.row_counters.operation import CreateRowCounter


class Migration(migrations.Migration):
    dependencies = [("appointments", "0001_initial")]
    operations = [CreateRowCounter(RowCounter("appointments_rowcounter", counted="appointments_appointment"))]
