"""The marker that the sample data exist."""

from django.db import models
from django.db.models import Q

from apps.common import clinic_times, clock


class SampleData(models.Model):
    """At most one row, written in the transaction that creates the sample data."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    fingerprint = models.CharField(max_length=64)
    laid_out_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name_plural = "sample data"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="sample_data_once")]

    def __str__(self) -> str:
        return f"sample data of {clinic_times.moment(self.laid_out_at)}"
