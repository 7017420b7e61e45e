"""`manage.py repair_patient_list`: recounts all patients and rebuilds their search words."""

from typing import Any

from django.core.management.base import BaseCommand
from rich.progress import track

from apps.patients import services
from apps.patients.lists.row_counter import ROW_COUNTER
from apps.patients.models import Patient
from apps.patients.search import vocabulary

_BATCH = 1_000


class Command(BaseCommand):
    help = "Recount all patients and rebuild their search words. Safe at any time; writers wait for the count."

    def handle(self, *args: Any, **options: Any) -> None:
        before, after = ROW_COUNTER.repair()
        self.stdout.write(f"The list had {before:,} patients by its row counter and has {after:,} by counting.")
        newest = Patient.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
        for low in track(range(0, newest + 1, _BATCH), description="Search words"):
            batch = Patient.objects.filter(seq__gte=low, seq__lt=low + _BATCH).order_by("pk").select_for_update()
            services.write_search_words(batch)
        common = vocabulary.note_common()
        self.stdout.write(f"The words of {after:,} patients were rebuilt; {common:,} prefixes are common.")
