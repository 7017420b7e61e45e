"""Writes the chart: an entry is recorded or retracted, never edited and never deleted."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Self, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from apps.access.actor import Actor
from apps.common import clock, text
from apps.common.errors import Conflict, Forbidden, Invalid
from apps.common.ids import new_id
from apps.events.services import emit
from apps.patients import rights, selectors
from apps.patients.chart import dates, entry_types, measurements
from apps.patients.chart.dates import Precision
from apps.patients.chart.entry_types import CodeSystem, EntryType
from apps.patients.chart.repeats import LISTED_ONCE
from apps.patients.chart.services import derived
from apps.patients.events import ChartEntriesRecorded, ChartEntryRecorded, ChartEntryRetracted
from apps.patients.models import AllergyStatus, ChartEntry, Patient

_DAY = timedelta(days=1)  # the author may be in another time zone than the clinic


class EntryTypeForbidden(Forbidden):
    message = "Your role may not read, or not write, chart entries of this type."


class AlreadyRetracted(Conflict):
    message = "This entry has already been retracted."


class AllergiesListed(Conflict):
    message = "Allergies are recorded; retract them before recording that there are none."


@dataclass(frozen=True, kw_only=True)
class NewEntry:
    """A new entry. An empty `status` means the first of its kind; `detail` contains the details of its kind, by name.

    `confirmed_implausible` means that an implausible vital sign was rechecked and is correct. `occurred_on` and `ended_on` are
    partial dates (`2015`, `2015-06`, `2015-06-10`), instead of an instant.
    """

    type: str
    display: str
    code_system: str = ""
    code: str = ""
    status: str = ""
    occurred_at: datetime | None = None
    occurred_on: str = ""
    ended_at: datetime | None = None
    ended_on: str = ""
    value: Decimal | None = None
    unit: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    source_ref: str = ""
    confirmed_implausible: bool = False
    recorded_by_id: UUID | None = None


@transaction.atomic
def record(*, by: Actor, patient_id: UUID, entry: NewEntry, source: str = ChartEntry.Source.MANUAL) -> ChartEntry:
    """Records one entry. Raises Invalid with the field (also for a vital sign that is impossible, or implausible and not
    confirmed), Forbidden if the role may not write this kind."""
    _check_may_write(by, entry.type)
    patient = selectors.get_for_update(by, patient_id)
    row = draft(patient, entry, source=source, recorded_by_id=by.id)
    measurements.check_entry(patient, row, confirmed=entry.confirmed_implausible)
    row.save(force_insert=True)
    if row.type == EntryType.ALLERGY:
        _refresh_allergies(patient, [row])
    emit(ChartEntryRecorded(patient_id=patient.pk, entry_id=row.pk, type=row.type), by=by)
    return row


@transaction.atomic
def record_all(*, by: Actor, patient_id: UUID, entries: Sequence[NewEntry], source: str) -> list[ChartEntry]:
    """Records the entries of one act (a signed consultation, a set of results), with one event. All or nothing.

    A diagnosis whose code is active on the problem list is not listed there again: its status is `encounter`. Raises Invalid,
    Forbidden, AllergiesListed.
    """
    kinds = sorted({entry.type for entry in entries})
    for kind in kinds:
        _check_may_write(by, kind)
    patient = selectors.get_for_update(by, patient_id)
    rows = [draft(patient, entry, source=source, recorded_by_id=by.id) for entry in entries]
    if rows:
        derived.mark_repeated_diagnoses(patient, rows)
        ChartEntry.objects.bulk_create(rows)
        _refresh_allergies(patient, [row for row in rows if row.type == EntryType.ALLERGY])
        ids = tuple(row.pk for row in rows)
        emit(ChartEntriesRecorded(patient_id=patient.pk, source=source, types=tuple(kinds), entry_ids=ids), by=by)
    return rows


def record_no_known_allergies(*, by: Actor, patient_id: UUID) -> ChartEntry:
    """Records that the patient was asked and has no known allergy. Raises AllergiesListed if some are recorded."""
    system, code, display = entry_types.NO_KNOWN_ALLERGY
    return record(
        by=by, patient_id=patient_id, entry=NewEntry(type=EntryType.ALLERGY, code_system=system, code=code, display=display)
    )


@transaction.atomic
def retract(*, by: Actor, entry_id: UUID, patient_id: UUID, reason: str) -> ChartEntry:
    """Marks an entry as entered in error; it stays readable as such. Raises AlreadyRetracted."""
    patient = selectors.get_for_update(by, patient_id)
    row = selectors.get_entry_for_update(by, patient.pk, entry_id)
    _check_may_write(by, row.type)
    if row.status == entry_types.ENTERED_IN_ERROR:
        raise AlreadyRetracted
    was_active = row.status == entry_types.ACTIVE
    row.amend(status=entry_types.ENTERED_IN_ERROR, retracted_at=clock.now(), retracted_by_id=by.id, retraction_reason=reason)
    if was_active and row.type in LISTED_ONCE:
        derived.restore_repeat(patient, row)
    if row.type == EntryType.ALLERGY:
        derived.refresh_allergy_status(patient)
    if row.type == EntryType.DIAGNOSIS:
        derived.refresh_problem_list(patient)
    emit(ChartEntryRetracted(patient_id=patient.pk, entry_id=row.pk, type=row.type), by=by)
    return row


def draft(patient: Patient, entry: NewEntry, *, source: str, recorded_by_id: UUID | None) -> ChartEntry:
    """Returns the checked, unsaved row of an entry. Raises Invalid with the field."""
    kind = _one_of(entry.type, EntryType, "type")
    status = entry.status or entry_types.STATUSES[kind][0]
    if status not in entry_types.STATUSES[kind]:
        raise Invalid(field="status", issue=f"The status of {kind} is one of {', '.join(entry_types.STATUSES[kind])}.")
    if entry.code_system:
        _one_of(entry.code_system, CodeSystem, "code_system")
    if entry.code and not entry.code_system:
        raise Invalid(field="code_system", issue="A code needs its code system.")
    display = text.checked_line(entry.display, field="display")
    if not display:
        raise Invalid(field="display", issue="Enter a description.")
    if entry.value is not None and kind not in entry_types.MEASURED:
        raise Invalid(field="value", issue="Only laboratory results and vital signs have a value.")
    now = clock.now()
    return ChartEntry(
        id=new_id(),
        patient_id=patient.pk,
        type=kind,
        code_system=entry.code_system,
        code=text.checked_line(entry.code, field="code"),
        display=display,
        status=status,
        **_times(patient, entry, now),
        value=entry.value,
        unit=text.checked_line(entry.unit, field="unit"),
        detail=_detail(kind, entry.detail),
        recorded_at=now,
        recorded_by_id=entry.recorded_by_id or recorded_by_id,
        source=source,
        source_ref=entry.source_ref,
    )


def _refresh_allergies(patient: Patient, rows: Sequence[ChartEntry]) -> None:
    """Ends "no known allergy" as soon as an allergy is active. Raises AllergiesListed."""
    if not rows:
        return
    derived.refresh_allergy_status(patient)
    none_known = any(derived.is_no_known_allergy(row) and row.status == entry_types.ACTIVE for row in rows)
    if none_known and patient.allergy_status == AllergyStatus.LISTED:
        raise AllergiesListed


def _check_may_write(by: Actor, entry_type: str) -> None:
    if entry_type in set(EntryType) and not rights.writes_chart(by, entry_type):
        raise EntryTypeForbidden(f"Your role may not write chart entries of the type {entry_type}.")


def _times(patient: Patient, entry: NewEntry, now: datetime) -> dict[str, Any]:
    """Returns the columns of the time. A period is stored by its beginning, and compared by the days it may mean."""
    began = Moment.of(entry.occurred_on, entry.occurred_at or now, "occurred_at")
    ended = Moment.of(entry.ended_on, entry.ended_at, "ended_at") if entry.ended_on or entry.ended_at else None
    if began.at > now:
        raise Invalid(field="occurred_at", issue="Must not be in the future: a chart contains what has happened.")
    if patient.date_of_birth_precision != Precision.ESTIMATED and began.last < patient.date_of_birth - _DAY:
        raise Invalid(field="occurred_at", issue="Must not be before the patient's birth.")
    if ended and (ended.at < began.at if not ended.on else ended.last < began.first):
        raise Invalid(field="ended_at", issue="The end must not be before the beginning.")
    end = {"ended_at": ended.at, "ended_on": ended.on} if ended else {"ended_at": None, "ended_on": ""}
    return {"occurred_at": began.at, "occurred_on": began.on, **end}


@dataclass(frozen=True)
class Moment:
    """An instant, or the beginning of the period `on`; `first` and `last` are the days it may mean, on the clinic's calendar."""

    at: datetime
    on: str
    first: date
    last: date

    @classmethod
    def of(cls, on: str, at: datetime | None, field: str) -> Self:
        zone = ZoneInfo(settings.CLINIC_TIME_ZONE)
        if not on:
            moment = cast("datetime", at)
            day = moment.astimezone(zone).date()
            return cls(moment, "", day, day)
        try:
            period = dates.partial(on)
            return cls(datetime.combine(period.first, time(), zone).astimezone(UTC), on, period.first, period.last)
        except (ValueError, OverflowError) as problem:
            raise Invalid(field=field, issue=dates.WRITE_IT_AS) from problem


def _detail(kind: EntryType, raw: dict[str, Any]) -> dict[str, Any]:
    try:
        return entry_types.detail_values(entry_types.read_detail(kind, raw))
    except entry_types.BadDetail as problem:
        raise Invalid(field=f"detail.{problem.field}", issue=problem.issue) from problem


def _one_of(value: str, kinds: Any, name: str) -> Any:
    try:
        return kinds(value)
    except ValueError as error:
        raise Invalid(field=name, issue=f"Must be one of {', '.join(kinds)}.") from error
