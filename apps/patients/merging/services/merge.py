"""Merges two records of one person, and records everything that moves, so that an undo can move it back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from apps.access.actor import Actor
from apps.common import clock
from apps.common.errors import Conflict, Invalid
from apps.common.text import LooksBlank, clean_line
from apps.events.services import emit
from apps.patients import rules
from apps.patients.chart.services.derived import ENTRY, STATUS, end_repeats, refresh_allergy_status, refresh_problem_list
from apps.patients.confidentiality.models import CareTeamMember, led_to_open
from apps.patients.events import PatientsMerged
from apps.patients.merging import merge_plan as plan
from apps.patients.merging import patient_links, sql
from apps.patients.merging.patient_links import PatientLink
from apps.patients.models import Merge, MergedRow, NotDuplicate, Patient
from apps.patients.services.registry import write_search_words

PAIRS = NotDuplicate._meta.label
TEAM = CareTeamMember._meta.label
RESTRICTED = "restricted"


class AlreadyMerged(Conflict):
    """`details.patient_id` was merged into `details.survivor_id` (also, as before, `merged_into`)."""

    reason = "record_merged"
    message = "This record has been merged into another."

    def __init__(self, patient: Patient) -> None:
        survivor_id = patient.merged_into_id
        super().__init__(patient_id=patient.pk, merged_into=survivor_id, survivor_id=survivor_id)


class CannotStandTogether(Conflict):
    reason = "rows_contradict"
    message = "Rows of the two records conflict under one patient. Resolve them first."


class NameMissing(Conflict):
    """`details.patient_id` would have neither a first nor a last name."""

    message = "The record would have no name. Enter its first or last name, then try again."
    reason = "name_missing"


class DatesContradict(Conflict):
    reason = "dates_contradict"
    message = "The death would be before the birth. Correct one of the two dates, or keep both of the same record."


@transaction.atomic
def merge(*, by: Actor, retired_id: UUID, survivor_id: UUID, reason: str, fields: Mapping[str, str] | None = None) -> Merge:
    """Merges two records: the retired leads to the survivor, which takes its rows and, column by column, the chosen values.

    `fields` says for a column or a group of them whose value stays: retired or survivor (see `merge_plan`). Of two merges
    that want one record, the first wins.

    Raises NotFound, Invalid, AlreadyMerged, CannotStandTogether, DatesContradict, NameMissing.
    """
    retired, survivor = plan.retired_and_survivor(lock_records(by, retired_id, survivor_id), retired_id, survivor_id)
    _check_mergeable(retired, survivor, reason)
    merge_row = _record_merge(by, retired, survivor, reason.strip(), fields or {})
    check_columns(retired, {})
    retired.amend(merged_into_id=survivor.pk)
    for link in patient_links.links():
        _move(link, merge_row)
    _move_pairs(merge_row)
    _join_care_teams(merge_row)
    _take_chosen_values(survivor, merge_row)
    record_ended_entries(merge_row, refresh_derived(retired, survivor))
    record_ended_entries(merge_row, end_repeats(survivor, _moved_entries(merge_row)))
    emit(PatientsMerged(patient_id=survivor.pk, retired_id=retired.pk, merge_id=merge_row.pk), by=by)
    return merge_row


class _MergedMeanwhile(Exception):
    """Another record was merged into one of the records while we waited for them."""


def lock_records(by: Actor, *patient_ids: UUID) -> dict[UUID, Patient]:
    """Locks the records and all that were merged into them, by id, so that merges wait for each other without a deadlock.

    Records that are closed to the actor are left out. If the family grew while we waited, all locks are released and taken again,
    in order.
    """
    family = Patient.objects.filter(Q(pk__in=patient_ids) | Q(merged_into__in=patient_ids)).order_by("pk")
    while True:
        with suppress(_MergedMeanwhile), transaction.atomic():
            rows = {row.pk: row for row in _shown(by, family, patient_ids).select_for_update(of=("self",))}
            if set(_shown(by, family, patient_ids).values_list("pk", flat=True)) - rows.keys():
                raise _MergedMeanwhile
            return rows


def _shown(by: Actor, family: QuerySet[Patient], named: Sequence[UUID]) -> QuerySet[Patient]:
    """Reads the row itself, so that a simultaneous restriction counts."""
    return family if by.id is None else family.filter(~Q(pk__in=named) | led_to_open(by))


def _check_mergeable(retired: Patient, survivor: Patient, reason: str) -> None:
    """Raises Invalid without a reason, AlreadyMerged."""
    if not reason.strip():
        raise Invalid(field="reason", issue="Enter the reason why these are one person.")
    for row in (retired, survivor):
        if row.merged_into_id:
            raise AlreadyMerged(row)


def _record_merge(by: Actor, retired: Patient, survivor: Patient, reason: str, requested: Mapping[str, str]) -> Merge:
    sides = plan.choices(retired, survivor, requested)
    fields = {
        column: {
            "before": to_json(getattr(survivor, column)),
            "after": to_json(getattr(retired if side == "retired" else survivor, column)),
        }
        for column, side in sides.items()
    }
    # A restriction of either record applies to both. An undo restores the survivor's; the retired record keeps its own.
    fields[RESTRICTED] = {"before": survivor.restricted, "after": survivor.restricted or retired.restricted}
    merge_row = Merge(retired=retired, survivor=survivor, reason=reason, fields=fields, merged_by_id=by.id, merged_at=clock.now())
    merge_row.save(force_insert=True)
    return merge_row


def to_json(value: Any) -> Any:
    """Returns a column's value for JSON."""
    return value.isoformat() if isinstance(value, date | time) else value


def check_columns(patient: Patient, values: Mapping[str, Any]) -> None:
    """Checks the record with these values, which may come from two records and two times.

    Raises NameMissing, and DatesContradict for a death before the birth.
    """
    resulting = {name: values.get(name, getattr(patient, name)) for name in ("date_of_birth", "deceased_at", *plan.NAMES)}
    if not has_name(resulting):
        raise NameMissing(patient_id=patient.pk)
    born, died = resulting["date_of_birth"], resulting["deceased_at"]
    if died and rules.death_problem(died, born, clock.now(), ZoneInfo(settings.CLINIC_TIME_ZONE)):
        raise DatesContradict(patient_id=patient.pk)


def has_name(values: Mapping[str, Any]) -> bool:
    """Returns whether one of the two names is not empty."""
    return any(str(values[name]).strip() for name in plan.NAMES)


def _move(link: PatientLink, merge_row: Merge) -> None:
    _reassign(sql.move, link, merge_row)


def move_back(link: PatientLink, merge_row: Merge) -> None:
    """Returns the rows that a merge took, and that still belong to the survivor, to the retired record, as they are now."""
    _reassign(sql.move_back, link, merge_row)


def _reassign(statement: Callable[[PatientLink, Merge], None], link: PatientLink, merge_row: Merge) -> None:
    try:
        with transaction.atomic():
            statement(link, merge_row)
    except IntegrityError as clash:
        raise CannotStandTogether(model=link.model) from clash


def _move_pairs(merge_row: Merge) -> None:
    """Moves the pairs of two people from the retired record to the survivor."""
    pairs = NotDuplicate.objects.filter(Q(low=merge_row.retired_id) | Q(high=merge_row.retired_id)).order_by("pk")
    reassigned = [pair for pair in pairs if reassign_pair(pair, merge_row.retired_id, merge_row.survivor_id)]
    MergedRow.objects.bulk_create(
        MergedRow(merge=merge_row, model=PAIRS, column="pair", row_id=str(pair.pk)) for pair in reassigned
    )


def reassign_pair(pair: NotDuplicate, leave: UUID, to: UUID) -> bool:
    """Changes the pair from `leave` to `to`, unless it would then name one record twice or exists already."""
    other = pair.high_id if pair.low_id == leave else pair.low_id
    low, high = sorted((to, other))
    if low == high or NotDuplicate.objects.filter(low_id=low, high_id=high).exists():
        return False
    pair.low_id, pair.high_id = low, high
    pair.save(update_fields=["low", "high"])
    return True


def _join_care_teams(merge_row: Merge) -> None:
    """Copies the retired record's care team to the survivor and logs each added member, so that an undo can remove them."""
    joined = sql.copy_care_team(merge_row.retired_id, merge_row.survivor_id)
    MergedRow.objects.bulk_create(MergedRow(merge=merge_row, model=TEAM, column="patient", row_id=str(pk)) for pk in joined)


def _take_chosen_values(survivor: Patient, merge_row: Merge) -> None:
    write_columns(survivor, {column: from_json(column, values["after"]) for column, values in merge_row.fields.items()})


def write_columns(patient: Patient, values: Mapping[str, Any]) -> None:
    """Sets columns; the dialled form of the telephone number follows the number. Raises as `check_columns` does."""
    check_columns(patient, values)
    following = {}
    if "phone" in values and values["phone"] != patient.phone:
        following["phone_e164"] = rules.e164(values["phone"], settings.CLINIC_COUNTRY)
    patient.amend(**values, **following)


def from_json(column: str, value: Any) -> Any:
    """Returns the value of a column, from JSON. Cleans a text that was stored before texts were cleaned."""
    parsed = plan.column_named(column).to_python(value)
    if not isinstance(parsed, str):
        return parsed
    try:
        return clean_line(parsed)
    except LooksBlank:
        return ""


def refresh_derived(*patients: Patient) -> list[UUID]:
    """Derives from the rows: the allergy status and problem list of each separate record, and the search words of each. Returns
    the "no known allergy" entries that an allergy of the other record has ended."""
    ended: list[UUID] = []
    for patient in patients:
        if not patient.merged_into_id:
            ended += refresh_allergy_status(patient)
            refresh_problem_list(patient)
    write_search_words(patients)
    return ended


def record_ended_entries(merge_row: Merge, entries: Iterable[UUID]) -> None:
    """Records which "no known allergy" entries and repeats this merge has ended, so that its undo reactivates them."""
    rows = [MergedRow(merge=merge_row, model=ENTRY, column=STATUS, row_id=str(pk)) for pk in entries]
    MergedRow.objects.bulk_create(rows, ignore_conflicts=True)


def _moved_entries(merge_row: Merge) -> set[UUID]:
    """Returns the chart entries that the merge has moved."""
    rows = MergedRow.objects.filter(merge=merge_row, model=ENTRY).exclude(column=STATUS)
    return {UUID(row_id) for row_id in rows.values_list("row_id", flat=True)}
