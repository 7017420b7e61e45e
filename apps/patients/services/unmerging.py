"""Taking a merge back, also long after: what it moved goes back as it is now, what came since waits for a person's word."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from apps.access.actor import Actor
from apps.common import clock
from apps.common.errors import Conflict, Invalid, NotFound
from apps.events.services import emit
from apps.patients import selectors
from apps.patients.chart import ACTIVE
from apps.patients.dates import Precision
from apps.patients.events import MergeTriageSettled, MergeUndone
from apps.patients.merging import links, links_of
from apps.patients.merging_plan import GROUPS, NAMES, column_named
from apps.patients.models import ChartEntry, Merge, MergedRow, MergeTriage, NotSame, Patient
from apps.patients.restriction import CareTeamMember
from apps.patients.services.merging import (
    PAIRS,
    RESTRICTED,
    TEAM,
    AlreadyMerged,
    CannotStandTogether,
    check_columns,
    copy_team,
    has_name,
    hold,
    move_back,
    note_ended,
    plain,
    read,
    say_what_follows,
    turn_pair,
    write_columns,
)
from apps.patients.services.settling import ENDED, ENTRY, STATUS, end_repeats

PERSON = Patient._meta.label
BIRTH, *_OF_THE_BIRTH = GROUPS["date_of_birth"]  # a date, and what is never given back or given away without it


class AlreadyUndone(Conflict):
    message = "This merge has already been undone."


class MergedFurther(Conflict):
    message = "The surviving record has been merged further since. Undo that merge first."


class AlreadySettled(Conflict):
    message = "This has already been settled."


class NotTheSurvivors(Conflict):
    message = "This is no longer the survivor's to give away."


class _Fate(Enum):
    """What becomes of a column: the value before the merge is back, a later merge decided, or somebody changed it since. In this
    order: of columns that belong together the last decides."""

    RESTORED = "restored"
    OVERTAKEN = "overtaken"
    EDITED = "edited"


@transaction.atomic
def undo_merge(*, by: Actor, merge_id: UUID) -> Merge:
    """Make the retired record one of its own again. Nothing is lost: rows born and fields changed on the survivor since stay
    there and go to triage. Raises NotFound, AlreadyUndone, MergedFurther, CannotStandTogether, DatesContradict, NameMissing."""
    known = selectors.merge(by, merge_id)
    held = hold(by, known.retired_id, known.survivor_id)
    done = Merge.objects.select_for_update().get(pk=merge_id)
    retired, survivor = held[done.retired_id], held[done.survivor_id]
    _may_undo(done, survivor)
    check_columns(retired, {})
    retired.amend(merged_into_id=None)
    for link in links():
        move_back(link, done)
    _turn_pairs_back(done)
    edited = _give_back(done, survivor)
    _part_teams(done, retired, survivor, closed_since=RESTRICTED in edited and survivor.restricted)
    restored = _restore_ended(done)
    waiting = [*_born_since(done, survivor), *(_changed(done, column) for column in edited if column not in _OF_THE_BIRTH)]
    MergeTriage.objects.bulk_create(waiting)
    done.amend(undone_by_id=by.id, undone_at=clock.now())
    _leave_to_later_merge(survivor, restored, say_what_follows(retired, survivor))
    fact = MergeUndone(patient_id=survivor.pk, retired_id=retired.pk, merge_id=done.pk, to_triage=len(waiting))
    emit(fact, by=by)
    return done


@transaction.atomic
def settle_triage(*, by: Actor, triage_id: int, belongs_to: str) -> MergeTriage:
    """Say whose a row or field is: it stays with the survivor, or goes to the retired (a field: the survivor then has again what
    he had before the merge). Raises NotFound, Invalid, AlreadySettled, AlreadyMerged, NotTheSurvivors, CannotStandTogether,
    DatesContradict, NameMissing."""
    if belongs_to not in ("retired", "survivor"):
        raise Invalid(field="belongs_to", issue="Must be retired or survivor.")
    known = MergeTriage.objects.visible_to(by).select_related("merge").filter(pk=triage_id).first()
    if known is None:
        raise NotFound("There is no such row.")
    held = hold(by, known.merge.retired_id, known.merge.survivor_id)
    row = MergeTriage.objects.select_for_update(of=("self",)).select_related("merge").get(pk=triage_id)
    if row.settled_at:
        raise AlreadySettled
    retired, survivor = held[row.merge.retired_id], held[row.merge.survivor_id]
    if belongs_to == "retired":
        _hand_over(row, retired, survivor)
    row.settled_by_id, row.settled_at = by.id, clock.now()
    row.save(update_fields=["settled_by", "settled_at"])
    owner = retired if belongs_to == "retired" else survivor
    emit(MergeTriageSettled(patient_id=owner.pk, merge_id=row.merge_id, triage_id=row.pk, model=row.model), by=by)
    return row


def _may_undo(done: Merge, survivor: Patient) -> None:
    if done.undone_at:
        raise AlreadyUndone
    if survivor.merged_into_id:
        further = Merge.objects.get(retired=survivor, undone_at=None)
        raise MergedFurther(merge_id=further.pk, merged_into=further.survivor_id)


def _turn_pairs_back(done: Merge) -> None:
    ours = MergedRow.objects.filter(merge=done, model=PAIRS).values_list("row_id", flat=True)
    pairs = NotSame.objects.filter(Q(low=done.survivor_id) | Q(high=done.survivor_id), pk__in=[int(pk) for pk in ours])
    for pair in pairs:
        turn_pair(pair, done.survivor_id, done.retired_id)


def _part_teams(done: Merge, retired: Patient, survivor: Patient, *, closed_since: bool) -> None:
    """Whoever came from the retired record's team leaves the survivor's again. A chart that was restricted while the two were one
    stays restricted on both sides, with the team named for it: taking a merge back opens nothing."""
    if closed_since:
        copy_team(survivor.pk, retired.pk)
        retired.amend(restricted=True)
    came = MergedRow.objects.filter(merge=done, model=TEAM).values_list("row_id", flat=True)
    CareTeamMember.objects.filter(patient=survivor, pk__in=[int(pk) for pk in came]).delete()


def _restore_ended(done: Merge) -> set[UUID]:
    """Make the entries active again that the merge has ended, and those of the retired record that another merge into the
    survivor has ended; not those retracted since. Returns them."""
    noted = MergedRow.objects.filter(model=ENTRY, column=STATUS)
    here = noted.filter(merge=done).values_list("row_id", flat=True)
    others = noted.filter(merge__survivor=done.survivor_id, merge__undone_at=None).exclude(merge=done)
    rows = ChartEntry.objects.filter(
        Q(patient__in=[done.retired_id, done.survivor_id], pk__in=[UUID(pk) for pk in here])
        | Q(patient=done.retired_id, pk__in=[UUID(pk) for pk in others.values_list("row_id", flat=True)]),
        status=ENDED,
    )
    restored = set(rows.values_list("pk", flat=True))
    ChartEntry.objects.filter(pk__in=restored).update(status=ACTIVE, updated_at=clock.now())
    return restored


def _leave_to_later_merge(survivor: Patient, restored: set[UUID], ended: Iterable[UUID]) -> None:
    """Restored entries that another merge into the survivor ends at once again are that merge's to restore."""
    later = Merge.objects.filter(survivor=survivor, undone_at=None).order_by("-merged_at", "-pk")
    if (last := later.first()) is not None:
        note_ended(last, restored & set(ended))
        note_ended(last, end_repeats(survivor, restored))


# Rows born since


def _born_since(done: Merge, survivor: Patient) -> Iterator[MergeTriage]:
    """Rows that came to be under the survivor's name while it stood for two. What another merge brought is that merge's."""
    brought = set(
        MergedRow.objects.filter(merge__survivor=survivor, merge__undone_at=None)
        .exclude(merge=done)
        .exclude(column=STATUS)
        .values_list("model", "row_id")
    )
    seen: set[tuple[str, str]] = set()
    for model, name, pk, born in _rows_since(survivor, done.merged_at):
        if (model, pk) not in brought | seen:
            seen.add((model, pk))
            yield MergeTriage(merge=done, model=model, row_id=pk, note=f"{name}, since {born:%Y-%m-%d %H:%M} UTC")


def _rows_since(patient: Patient, since: datetime) -> Iterator[tuple[str, str, str, datetime]]:
    """Model, its name, id and birth of the patient's rows since."""
    for link in (link for link in links() if link.born):
        name = str(link.kind._meta.verbose_name)
        for pk, born in link.rows_of(patient).filter(**{f"{link.born}__gt": since}).values_list("pk", link.born):
            yield link.model, name, str(pk), born
    said = NotSame.objects.filter(Q(low=patient) | Q(high=patient), said_at__gt=since)
    for pk, born in said.values_list("pk", "said_at"):
        yield PAIRS, str(NotSame._meta.verbose_name), str(pk), born


# Fields changed since


def _give_back(done: Merge, survivor: Patient) -> list[str]:
    """Give the survivor's columns the values of before the merge. Answers those that somebody changed since: they stay."""
    later = list(
        Merge.objects.filter(survivor=survivor, undone_at=None, merged_at__gt=done.merged_at).order_by("merged_at", "pk")
    )
    for merge in (done, *later):
        _with_whole_birth(merge)
    fates = {column: _fate_of(column, told, later, plain(getattr(survivor, column))) for column, told in done.fields.items()}
    Merge.objects.bulk_update(later, ["fields"])
    birth = [column for column in (BIRTH, *_OF_THE_BIRTH) if column in fates]
    fates |= dict.fromkeys(birth, max((fates[column] for column in birth), key=list(_Fate).index, default=_Fate.RESTORED))
    restored = [column for column, fate in fates.items() if fate is _Fate.RESTORED]
    before = {name: read(name, done.fields[name]["before"]) for name in NAMES if name in restored}
    if before and not has_name({name: before.get(name, getattr(survivor, name)) for name in NAMES}):
        # The name that was changed since was the one that it had before: the record keeps the name it has now.
        fates |= dict.fromkeys(before, _Fate.EDITED)
        restored = [column for column in restored if column not in before]
    write_columns(survivor, {column: read(column, done.fields[column]["before"]) for column in restored})
    return [column for column, fate in fates.items() if fate is _Fate.EDITED]


def _with_whole_birth(merge: Merge) -> None:
    """Add precision and time to the birth of a merge from before they were stored: a whole day without a time."""
    if BIRTH in merge.fields:
        for name, value in (("date_of_birth_precision", Precision.DAY.value), ("time_of_birth", None)):
            merge.fields.setdefault(name, {"before": value, "after": value})


def _changed(done: Merge, column: str) -> MergeTriage:
    label = column_named(column).verbose_name
    return MergeTriage(merge=done, model=PERSON, row_id=column, note=f"{label} was changed since the merge")


def _fate_of(column: str, told: dict[str, Any], later: list[Merge], now: Any) -> _Fate:
    """What becomes of the column. Later merges into the same record that passed this merge's value on are told the earlier one:
    when they are undone in their turn, they give back what they would have found."""
    for merge in later:
        theirs = merge.fields[column]
        if theirs["before"] != told["after"]:
            return _Fate.EDITED
        decided = theirs["after"] != theirs["before"]
        theirs["before"] = told["before"]
        if decided:
            return _Fate.OVERTAKEN
        theirs["after"] = told["before"]
    return _Fate.RESTORED if now == told["after"] else _Fate.EDITED


# Whose it is


def _hand_over(row: MergeTriage, retired: Patient, survivor: Patient) -> None:
    """Give the row or field to the retired record."""
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
            raise NotTheSurvivors
    say_what_follows(retired, survivor)


def _hand_over_field(row: MergeTriage, retired: Patient, survivor: Patient) -> None:
    _with_whole_birth(row.merge)
    fields = row.merge.fields
    columns = [name for name in (BIRTH, *_OF_THE_BIRTH) if name in fields] if row.row_id == BIRTH else [row.row_id]
    write_columns(retired, {column: getattr(survivor, column) for column in columns})
    write_columns(survivor, {column: read(column, fields[column]["before"]) for column in columns})


def _hand_over_row(row: MergeTriage, retired: Patient, survivor: Patient) -> bool:
    if row.model == PAIRS:
        pair = NotSame.objects.filter(Q(low=survivor) | Q(high=survivor), pk=row.row_id).first()
        return pair is not None and turn_pair(pair, survivor.pk, retired.pk)
    return sum(link.rows_of(survivor).filter(pk=row.row_id).update(**{link.column: retired}) for link in links_of(row.model)) > 0
