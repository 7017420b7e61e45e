"""`manage.py repair_patient_list`: rebuilds the search words of all patients."""

from typing import Any

from django.core.management.base import BaseCommand
from rich.progress import track

from apps.patients import services
from apps.patients.lists import sql
from apps.patients.models import Patient
from apps.patients.search import vocabulary

_BATCH = 1_000


class Command(BaseCommand):
    help = "Rebuild the search words of all patients. Safe at any time."

    def handle(self, *args: Any, **options: Any) -> None:
        newest = Patient.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
        for low in track(range(0, newest + 1, _BATCH), description="Search words"):
            batch = Patient.objects.filter(seq__gte=low, seq__lt=low + _BATCH).order_by("pk").select_for_update()
            services.write_search_words(batch)
        common = vocabulary.note_common()
        self.stdout.write(f"The words of {sql.total():,} patients were rebuilt; {common:,} prefixes are common.")
