"""Finding patients and reading charts. Everything here is already scoped to whoever asks."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.access.actor import Actor
from apps.common.errors import NotFound
from apps.patients import rules, search, tally
from apps.patients.models import ChartEntry, ChartQuerySet, Patient

LIST_COLUMNS = ("id", "mrn", "first_name", "last_name", "date_of_birth", "phone", "email", "is_active")
MATCHES_SHOWN = 500


def roll(*, visible_to: Actor) -> QuerySet[Patient]:
    """All patients the actor may know of, the newest first."""
    return Patient.objects.visible_to(visible_to).listed().order_by("-seq")


@dataclass(frozen=True)
class Listing:
    """A page of the patient list. `total` is exact, but for a search with more than 10,000 matches."""

    rows: list[dict[str, Any]]
    total: int
    is_estimate: bool = False
    fuzzy: bool = False


def listing(*, visible_to: Actor, text: str = "", status: str = "", offset: int = 0, limit: int = 20) -> Listing:
    """A page of all patients, the newest first, or of those whom every word of the text fits, the best first.

    `status` is active, inactive or empty for everybody. Two statements, three for a search of several words.
    """
    people = Patient.objects.visible_to(visible_to).listed()
    if text:
        found = search.find(text, status=status, offset=offset, limit=limit)
        return Listing(_in_order(people, found.seqs), found.total, found.is_estimate, found.fuzzy)
    which = status or "listed"
    place = tally.place(offset, which)
    rows = people.filter(seq__lte=place.seq).order_by("-seq")
    if status:
        rows = rows.filter(is_active=status == "active")
    return Listing(list(rows.values(*LIST_COLUMNS)[place.skip : place.skip + limit]) if offset < place.total else [], place.total)


def matching(patients: QuerySet[Patient], text: str) -> QuerySet[Patient]:
    """The best matches among these patients, as a queryset for the admin: what is beyond them is found by typing more."""
    return patients.filter(seq__in=search.find(text, limit=MATCHES_SHOWN).seqs)


def _in_order(people: QuerySet[Patient], seqs: list[int]) -> list[dict[str, Any]]:
    rows = {row.pop("seq"): row for row in people.filter(seq__in=seqs).values("seq", *LIST_COLUMNS)} if seqs else {}
    return [rows[seq] for seq in seqs if seq in rows]


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
