"""Derives from the entries of a chart: the allergy status, and which diagnoses are on the problem list.

Call it under the patient's lock, after every change of the chart's entries: recording, import, signing, retraction, merge, undo.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from apps.common import clock
from apps.patients.chart import entry_types, repeats
from apps.patients.chart.entry_types import ACTIVE, ENCOUNTER, ENTERED_IN_ERROR, EntryType
from apps.patients.chart.repeats import LISTED_ONCE
from apps.patients.models import AllergyStatus, ChartEntry, MergedRow, Patient

_SYSTEM, _CODE, _ = entry_types.NO_KNOWN_ALLERGY
ENDED = "inactive"  # the status of an entry that a merge or a new allergy ends
ENTRY, STATUS = ChartEntry._meta.label, "status"  # under these a merge records which entries it has ended


def refresh_allergy_status(patient: Patient) -> list[UUID]:
    """Ends active "no known allergy" entries while an allergy is active, and writes the allergy status.

    Returns the entries that were ended.
    """
    status, ended = allergy_status(patient), []
    if status == AllergyStatus.LISTED:
        none_known = _active_allergies(patient).filter(code_system=_SYSTEM, code=_CODE)
        ended = list(none_known.values_list("pk", flat=True))
        ChartEntry.objects.filter(pk__in=ended).update(status=ENDED, updated_at=clock.now())
    patient.amend(allergy_status=status)
    return ended


def end_repeats(patient: Patient, among: Collection[UUID]) -> list[UUID]:
    """Ends active allergies and diagnoses that repeat another one, if one of the two is among these entries and one is not.

    Returns the entries that were ended. They stay in the chart as inactive (`repeats.repeats_to_end` chooses).
    """
    rows = ChartEntry.objects.filter(patient=patient, type__in=LISTED_ONCE, status=ACTIVE)
    ended = [row.pk for row in repeats.repeats_to_end(rows, among)]
    ChartEntry.objects.filter(pk__in=ended).update(status=ENDED, updated_at=clock.now())
    return ended


def restore_repeat(patient: Patient, retracted: ChartEntry) -> None:
    """Reactivates the entry that a merge ended as a repeat of one that is now retracted, unless another one is active."""
    rows = ChartEntry.objects.filter(patient=patient, type=retracted.type, status__in=[ACTIVE, ENDED])
    same = [row for row in rows if repeats.is_same_entry(row, retracted)]
    if any(row.status == ACTIVE for row in same):
        return
    by_merges = MergedRow.objects.filter(
        merge__undone_at=None, model=ENTRY, column=STATUS, row_id__in=[str(row.pk) for row in same]
    )
    ended_ids = set(by_merges.values_list("row_id", flat=True))
    if entry := repeats.entry_to_keep(row for row in same if str(row.pk) in ended_ids):
        entry.amend(status=ACTIVE)


def allergy_status(patient: Patient) -> AllergyStatus:
    """Returns what the active entries say: allergies listed, none known, or never asked."""
    codes = set(_active_allergies(patient).values_list("code_system", "code"))
    if codes - {(_SYSTEM, _CODE)}:
        return AllergyStatus.LISTED
    return AllergyStatus.NONE_KNOWN if codes else AllergyStatus.NOT_ASKED


def is_no_known_allergy(row: ChartEntry) -> bool:
    """Returns whether the entry says that the patient was asked and has no known allergy."""
    return (row.type, row.code_system, row.code) == (EntryType.ALLERGY, _SYSTEM, _CODE)


def mark_repeated_diagnoses(patient: Patient, rows: list[ChartEntry]) -> None:
    """Gives new diagnoses of a signed consultation the status `encounter` if the same code is active on the problem list.

    FHIR R4 distinguishes the two by Condition.category: encounter-diagnosis and problem-list-item. The consultation's own entry
    keeps its date, source and signer. Changes the rows, which are not saved yet.
    """
    codes = {row.code for row in rows if row.type == EntryType.DIAGNOSIS and row.code and row.status == ACTIVE}
    if not codes:
        return
    on_problem_list = ChartEntry.objects.filter(patient=patient, type=EntryType.DIAGNOSIS, status=ACTIVE, code__in=codes)
    known = set(on_problem_list.values_list("code_system", "code"))
    for row in rows:
        if row.type == EntryType.DIAGNOSIS and row.code and row.status == ACTIVE:
            if (row.code_system, row.code) in known:
                row.status = ENCOUNTER
            known.add((row.code_system, row.code))


def refresh_problem_list(patient: Patient) -> None:
    """Puts the diagnosis of the first consultation on the problem list if the entry that was there has left the chart.

    An undone merge moves that entry to the other record, a retraction marks it as entered in error. A diagnosis that was made
    before the same problem ended stays off the list.
    """
    diagnoses = ChartEntry.objects.filter(patient=patient, type=EntryType.DIAGNOSIS).exclude(status=ENTERED_IN_ERROR)
    of_visits = list(diagnoses.filter(status=ENCOUNTER).order_by("occurred_at", "pk"))
    if not of_visits:
        return
    listed, ended = set(), dict[tuple[str, str], datetime]()
    for row in diagnoses.exclude(status=ENCOUNTER):
        key = (row.code_system, row.code)
        if row.status == ACTIVE:
            listed.add(key)
        else:
            at = row.ended_at or row.occurred_at
            ended[key] = max(at, ended.get(key, at))
    for row in of_visits:
        key = (row.code_system, row.code)
        if key not in listed and (key not in ended or row.occurred_at >= ended[key]):
            row.amend(status=ACTIVE)
            listed.add(key)


def _active_allergies(patient: Patient) -> QuerySet[ChartEntry]:
    return ChartEntry.objects.filter(patient=patient, type=EntryType.ALLERGY, status=ACTIVE)
