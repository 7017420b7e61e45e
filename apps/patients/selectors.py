"""Finding patients and reading charts. Everything here is already scoped to whoever asks."""

from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.access.actor import Actor
from apps.common import clock
from apps.common.errors import NotFound
from apps.patients import rules
from apps.patients.models import ChartEntry, ChartQuerySet, Patient, SearchWord

LIST_COLUMNS = ("id", "mrn", "first_name", "last_name", "date_of_birth", "phone", "email", "is_active")


def roll(*, visible_to: Actor) -> QuerySet[Patient]:
    """All patients the actor may know of, the newest first."""
    return Patient.objects.visible_to(visible_to).order_by("-seq")


def matching(patients: QuerySet[Patient], text: str) -> QuerySet[Patient]:
    """Those whom every word of the text fits; nobody for a text in which there is no word."""
    query = rules.read_query(text, clock.today())
    if query.is_empty:
        return patients.none()
    if query.born:
        patients = patients.filter(date_of_birth__in=query.born)
    for prefixes in query.words:
        fits = Q()
        for prefix in prefixes:
            fits |= Q(word__startswith=prefix)
        patients = patients.filter(Exists(SearchWord.objects.filter(fits, seq=OuterRef("seq"))))
    return patients


def patient(by: Actor, patient_id: UUID) -> Patient:
    """The patient, or NotFound where there is none or it is not the actor's to see."""
    found = Patient.objects.visible_to(by).filter(pk=patient_id).first()
    if found is None:
        raise NotFound("There is no such patient.")
    return found


def locked(by: Actor, patient_id: UUID) -> Patient:
    """The patient's row, held until the transaction ends."""
    found = Patient.objects.visible_to(by).filter(pk=patient_id).select_for_update().first()
    if found is None:
        raise NotFound("There is no such patient.")
    return found


def namesakes(first_name: str, last_name: str, born: date) -> list[Patient]:
    """Patients born on that day whose name reads the same, case and accents aside."""
    name = rules.words(first_name) + rules.words(last_name)
    same_day = Patient.objects.filter(date_of_birth=born).order_by("-seq")[:1_000]
    return [row for row in same_day if rules.words(row.first_name) + rules.words(row.last_name) == name]


def mrn_in_use(mrn: str) -> bool:
    """Whether somebody has this MRN, in any case."""
    return Patient.objects.filter(mrn__iexact=mrn).exists()


def chart(*, visible_to: Actor, patient_id: UUID, **filters: Any) -> ChartQuerySet:
    """The patient's chart as the actor may read it, the latest first."""
    return ChartEntry.objects.visible_to(visible_to).filter(patient_id=patient_id, **filters).order_by("-occurred_at", "-id")


def entry_locked(by: Actor, patient_id: UUID, entry_id: UUID) -> ChartEntry:
    """The entry's row, held until the transaction ends; NotFound as above."""
    found = ChartEntry.objects.visible_to(by).filter(pk=entry_id, patient_id=patient_id).select_for_update(of=("self",)).first()
    if found is None:
        raise NotFound("There is no such chart entry.")
    return found
