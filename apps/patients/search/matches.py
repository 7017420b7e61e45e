"""The patients that a search text finds, as querysets for pages: the best match first."""

from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, F, Func, IntegerField, QuerySet, Value

from apps.access.actor import Actor
from apps.patients.lists import patient_queries
from apps.patients.models import Patient
from apps.patients.search import patient_search
from apps.patients.search.sql import SearchResult

MOST = 500


def search(visible_to: Actor, text: str, *, limit: int = MOST) -> SearchResult:
    """Returns the numbers (`seq`) of the patients who match the text, the best first, and whether they only match nearly."""
    return patient_search.find(text, limit=limit, hidden=patient_queries.hidden_seqs(visible_to))


def best_first(patients: QuerySet[Patient], seqs: list[int]) -> QuerySet[Patient]:
    """Returns those of the patients that have these numbers, in the order of the numbers."""
    numbers = Value(seqs, output_field=ArrayField(BigIntegerField()))
    place = Func(numbers, F("seq"), function="array_position", output_field=IntegerField())
    return patients.filter(seq__in=seqs).order_by(place)
