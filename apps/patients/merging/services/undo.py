"""Undoes a merge, also long afterwards: moved rows go back as they are now, later ones wait for a user's decision."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from apps.access.actor import Actor
from apps.common import clinic_times, clock
from apps.common.errors import Conflict, Invalid, NotFound
from apps.events.services import emit
from apps.patients import selectors
from apps.patients.chart import dates
from apps.patients.chart.dates import Precision
from apps.patients.chart.entry_types import ACTIVE
from apps.patients.chart.services.derived import ENDED, ENTRY, STATUS, end_repeats
from apps.patients.confidentiality.models import CareTeamMember
from apps.patients.confidentiality.services import refresh_care_team, team_by_reason
from apps.patients.events import MergeTriageSettled, MergeUndone
from apps.patients.merging import sql
from apps.patients.merging.merge_plan import NAMES, label_of, together
from apps.patients.merging.patient_links import links, links_of
from apps.patients.merging.services.merge import (
    PAIRS,
    RESTRICTED,
    TEAM,
    AlreadyMerged,
    CannotStandTogether,
    check_columns,
    from_json,
    has_name,
    lock_records,
    move_back,
    reassign_pair,
    record_ended_entries,
    refresh_derived,
    to_json,
    write_columns,
)
from apps.patients.models import ChartEntry, Merge, MergedRow, MergeTriage, NotDuplicate, Patient

PERSON = Patient._meta.label
BIRTH = "date_of_birth"


class AlreadyUndone(Conflict):
    message = "This merge has already been undone."


class MergedFurther(Conflict):
    message = "The surviving record has been merged further since. Undo that merge first."


class AlreadySettled(Conflict):
    message = "This item is already resolved."


class NotOwnedBySurvivor(Conflict):
    message = "The item has since been reassigned."


class _Outcome(Enum):
    """The result for a column, or for columns that belong together: the values before the merge are restored, a later merge
    decided, or one was changed since."""

    RESTORED = "restored"
    OVERTAKEN = "overtaken"
    EDITED = "edited"


@transaction.atomic
def undo_merge(*, by: Actor, merge_id: UUID) -> Merge:
    """Makes the retired record a separate one again. No data is lost: rows created and fields changed on the survivor since stay
    there and go to triage. Raises NotFound, AlreadyUndone, MergedFurther, CannotStandTogether, DatesContradict, NameMissing."""
    known = selectors.merge(by, merge_id)
    locked = lock_records(by, known.retired_id, known.survivor_id)
    merge_row = Merge.objects.select_for_update().get(pk=merge_id)
    retired, survivor = locked[merge_row.retired_id], locked[merge_row.survivor_id]
    _may_undo(merge_row, survivor)
    check_columns(retired, {})
    retired.amend(merged_into_id=None)
    for link in links():
        move_back(link, merge_row)
    _reassign_pairs_back(merge_row)
    edited = _give_back(merge_row, survivor)
    _separate_care_teams(by, merge_row, retired, survivor, closed_since=RESTRICTED in edited and survivor.restricted)
    restored = _restore_ended(merge_row)
    waiting = [*_rows_created_since(merge_row, survivor), *(_changed(merge_row, name) for name in edited)]
    MergeTriage.objects.bulk_create(waiting)
    merge_row.amend(undone_by_id=by.id, undone_at=clock.now())
    _leave_to_later_merge(survivor, restored, refresh_derived(retired, survivor))
    fact = MergeUndone(patient_id=survivor.pk, retired_id=retired.pk, merge_id=merge_row.pk, to_triage=len(waiting))
    emit(fact, by=by)
    return merge_row


@transaction.atomic
def settle_triage(*, by: Actor, triage_id: int, belongs_to: str) -> MergeTriage:
    """Assigns a row or field: it stays with the survivor, or goes to the retired (the survivor's field then returns to its value
    before the merge). Raises NotFound, Invalid, AlreadySettled, AlreadyMerged, NotOwnedBySurvivor, CannotStandTogether,
    DatesContradict, NameMissing."""
    if belongs_to not in ("retired", "survivor"):
        raise Invalid(field="belongs_to", issue="Must be retired or survivor.")
    known = MergeTriage.objects.visible_to(by).select_related("merge").filter(pk=triage_id).first()
    if known is None:
        raise NotFound("There is no such row.")
    locked = lock_records(by, known.merge.retired_id, known.merge.survivor_id)
    row = MergeTriage.objects.select_for_update(of=("self",)).select_related("merge").get(pk=triage_id)
    if row.settled_at:
        raise AlreadySettled
    retired, survivor = locked[row.merge.retired_id], locked[row.merge.survivor_id]
    if belongs_to == "retired":
        _hand_over(by, row, retired, survivor)
    row.settled_by_id, row.settled_at = by.id, clock.now()
    row.save(update_fields=["settled_by", "settled_at"])
    owner = retired if belongs_to == "retired" else survivor
    emit(MergeTriageSettled(patient_id=owner.pk, merge_id=row.merge_id, triage_id=row.pk, model=row.model), by=by)
    return row


def _may_undo(merge_row: Merge, survivor: Patient) -> None:
    if merge_row.undone_at:
        raise AlreadyUndone
    if survivor.merged_into_id:
        further = Merge.objects.get(retired=survivor, undone_at=None)
        raise MergedFurther(merge_id=further.pk, merged_into=further.survivor_id)


def _reassign_pairs_back(merge_row: Merge) -> None:
    ours = MergedRow.objects.filter(merge=merge_row, model=PAIRS).values_list("row_id", flat=True)
    pairs = NotDuplicate.objects.filter(Q(low=merge_row.survivor_id) | Q(high=merge_row.survivor_id), pk__in=list(ours))
    for pair in pairs:
        reassign_pair(pair, merge_row.survivor_id, merge_row.retired_id)


def _separate_care_teams(by: Actor, merge_row: Merge, retired: Patient, survivor: Patient, *, closed_since: bool) -> None:
    """Removes the members that came from the retired record's team from the survivor's; doctors then belong to the team of the
    record that has their appointments and consultations. A chart that was restricted while the two were one stays restricted on
    both sides, with its named team: an undo opens no chart."""
    before = team_by_reason(survivor)
    if closed_since:
        sql.copy_care_team(survivor.pk, retired.pk)
        retired.amend(restricted=True)
    added = MergedRow.objects.filter(merge=merge_row, model=TEAM).values_list("row_id", flat=True)
    CareTeamMember.objects.filter(patient=survivor, pk__in=[int(pk) for pk in added]).delete()
    for patient in (retired, survivor):
        refresh_care_team(by=by, patient=patient, may_join=before)


def _restore_ended(merge_row: Merge) -> set[UUID]:
    """Reactivates the entries that the merge has ended, and those of the retired record that another merge into the survivor has
    ended; not those retracted since. Returns them."""
    ended_rows = MergedRow.objects.filter(model=ENTRY, column=STATUS)
    by_this_merge = ended_rows.filter(merge=merge_row).values_list("row_id", flat=True)
    by_others = ended_rows.filter(merge__survivor=merge_row.survivor_id, merge__undone_at=None).exclude(merge=merge_row)
    rows = ChartEntry.objects.filter(
        Q(patient__in=[merge_row.retired_id, merge_row.survivor_id], pk__in=[UUID(pk) for pk in by_this_merge])
        | Q(patient=merge_row.retired_id, pk__in=[UUID(pk) for pk in by_others.values_list("row_id", flat=True)]),
        status=ENDED,
    )
    restored = set(rows.values_list("pk", flat=True))
    ChartEntry.objects.filter(pk__in=restored).update(status=ACTIVE, updated_at=clock.now())
    return restored


def _leave_to_later_merge(survivor: Patient, restored: set[UUID], ended: Iterable[UUID]) -> None:
    """Leaves restored entries that another merge into the survivor ends again to the undo of that merge."""
    later = Merge.objects.filter(survivor=survivor, undone_at=None).order_by("-merged_at", "-pk")
    if (last := later.first()) is not None:
        record_ended_entries(last, restored & set(ended))
        record_ended_entries(last, end_repeats(survivor, restored))


# Rows created since


def _rows_created_since(merge_row: Merge, survivor: Patient) -> Iterator[MergeTriage]:
    """Returns rows created for the survivor while the two were one. Rows moved by another merge belong to that merge."""
    brought = set(
        MergedRow.objects.filter(merge__survivor=survivor, merge__undone_at=None)
        .exclude(merge=merge_row)
        .exclude(column=STATUS)
        .values_list("model", "row_id")
    )
    seen: set[tuple[str, str]] = set()
    for model, name, pk, born in _rows_since(survivor, merge_row.merged_at):
        if (model, pk) not in brought | seen:
            seen.add((model, pk))
            here = clinic_times.local(born)
            note = f"{name}, since {dates.day_text(here)}, {here:%H:%M}"  # stored, so in English on every page
            yield MergeTriage(merge=merge_row, model=model, row_id=pk, note=note)


def _rows_since(patient: Patient, since: datetime) -> Iterator[tuple[str, str, str, datetime]]:
    """Yields the model, its name, id and creation time of the patient's rows since."""
    for link in (link for link in links() if link.born):
        name = str(link.kind._meta.verbose_name)
        for pk, born in link.rows_of(patient).filter(**{f"{link.born}__gt": since}).values_list("pk", link.born):
            yield link.model, name, str(pk), born
    pairs = NotDuplicate.objects.filter(Q(low=patient) | Q(high=patient), decided_at__gt=since)
    for pk, born in pairs.values_list("pk", "decided_at"):
        yield PAIRS, str(NotDuplicate._meta.verbose_name), str(pk), born


# Fields changed since


def _give_back(merge_row: Merge, survivor: Patient) -> list[str]:
    """Restores the survivor's columns from before the merge. Returns those that were changed since, by column or group: they
    stay."""
    later = list(
        Merge.objects.filter(survivor=survivor, undone_at=None, merged_at__gt=merge_row.merged_at).order_by("merged_at", "pk")
    )
    for merge in (merge_row, *later):
        _with_whole_birth(merge)
    parts = together(merge_row.fields)
    outcomes = {name: _outcome_of(columns, merge_row.fields, later, survivor) for name, columns in parts.items()}
    Merge.objects.bulk_update(later, ["fields"])
    restored = [column for name, columns in parts.items() if outcomes[name] is _Outcome.RESTORED for column in columns]
    before = {name: from_json(name, merge_row.fields[name]["before"]) for name in NAMES if name in restored}
    if before and not has_name({name: before.get(name, getattr(survivor, name)) for name in NAMES}):
        # The name that was changed since equals the one before the merge: the record keeps its current name.
        outcomes |= dict.fromkeys(before, _Outcome.EDITED)
        restored = [column for column in restored if column not in before]
    write_columns(survivor, {column: from_json(column, merge_row.fields[column]["before"]) for column in restored})
    return [name for name, outcome in outcomes.items() if outcome is _Outcome.EDITED]


def _with_whole_birth(merge: Merge) -> None:
    """Adds precision and time to the birth of a merge from before they were stored: a whole day without a time."""
    if BIRTH in merge.fields:
        for name, value in (("date_of_birth_precision", Precision.DAY.value), ("time_of_birth", None)):
            merge.fields.setdefault(name, {"before": value, "after": value})


def _changed(merge_row: Merge, name: str) -> MergeTriage:
    return MergeTriage(merge=merge_row, model=PERSON, row_id=name, note=f"{label_of(name)} was changed since the merge")


def _outcome_of(columns: Iterable[str], fields: dict[str, Any], later: list[Merge], survivor: Patient) -> _Outcome:
    """Returns the result for columns that belong together. Later merges into the same record that passed this merge's values on
    get the earlier ones: their undo then restores what they would have replaced."""
    for merge in later:
        pairs = [(merge.fields[column], fields[column]) for column in columns]
        if any(theirs["before"] != ours["after"] for theirs, ours in pairs):
            return _Outcome.EDITED
        decided = any(theirs["after"] != theirs["before"] for theirs, _ in pairs)
        for theirs, ours in pairs:
            theirs["before"] = ours["before"]
            if not decided:
                theirs["after"] = ours["before"]
        if decided:
            return _Outcome.OVERTAKEN
    same = all(to_json(getattr(survivor, column)) == fields[column]["after"] for column in columns)
    return _Outcome.RESTORED if same else _Outcome.EDITED


# Assignment


def _hand_over(by: Actor, row: MergeTriage, retired: Patient, survivor: Patient) -> None:
    """Assigns the row or field to the retired record."""
    for patient in (retired, survivor):
        if patient.merged_into_id:
            raise AlreadyMerged(patient)
    if row.model == PERSON:
        _hand_over_field(row, retired, survivor)
    else:
        try:
            with transaction.atomic():
                moved = _hand_over_row(row, retired, survivor)
        except IntegrityError as clash:
            raise CannotStandTogether(model=row.model) from clash
        if not moved:
            raise NotOwnedBySurvivor
        team = team_by_reason(survivor)
        for patient in (retired, survivor):
            refresh_care_team(by=by, patient=patient, may_join=team)
    refresh_derived(retired, survivor)


def _hand_over_field(row: MergeTriage, retired: Patient, survivor: Patient) -> None:
    _with_whole_birth(row.merge)
    fields = row.merge.fields
    columns = together(fields)[row.row_id]
    write_columns(retired, {column: getattr(survivor, column) for column in columns})
    write_columns(survivor, {column: from_json(column, fields[column]["before"]) for column in columns})


def _hand_over_row(row: MergeTriage, retired: Patient, survivor: Patient) -> bool:
    if row.model == PAIRS:
        pair = NotDuplicate.objects.filter(Q(low=survivor) | Q(high=survivor), pk=row.row_id).first()
        return pair is not None and reassign_pair(pair, survivor.pk, retired.pk)
    return sum(link.rows_of(survivor).filter(pk=row.row_id).update(**{link.column: retired}) for link in links_of(row.model)) > 0
