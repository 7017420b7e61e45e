"""Finding patients and reading charts. Everything here is already scoped to whoever asks."""

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.db.transaction import TransactionManagementError

from apps.access import matrix
from apps.access.actor import SYSTEM, Actor
from apps.access.permissions import Permission
from apps.access.roles import STAFF
from apps.accounts.models import User
from apps.common.errors import Conflict, NotFound, Unavailable
from apps.patients import ages, dates, duplicates, reads, rules, search, tally
from apps.patients.chart import ACTIVE, CodeSystem, EntryType
from apps.patients.duplicates import Match
from apps.patients.matching import SUGGESTED, WARNED, Person
from apps.patients.models import ChartEntry, ChartQuerySet, Merge, MergeTriage, NotSame, Patient, PatientIdentifier
from apps.patients.reads import Reads, standing
from apps.patients.restriction import CareTeamMember, Restriction, led_to_open
from apps.patients.suspicion import SuspectedPair
from apps.rest import cursor, paging
from apps.rest.cursor import Position
from apps.terminology import fit
from apps.terminology import rules as icd10

MATCHES_SHOWN = 500
_NEWEST = 2**63 - 1  # the greatest `seq` there can be; a row's id, as a number, is greater
_MEANWHILE = 1_000  # patients registered while somebody pages through a search; of more than that, some may shift it
COUNTED_UP_TO = 999  # pairs that wait, where only their number is told
_TRIES = 20  # one or two do; more is a sign that merged records lead to merged records


def roll(*, visible_to: Actor) -> QuerySet[Patient]:
    """All patients the actor may know of, the newest first."""
    return Patient.objects.visible_to(visible_to).listed().order_by("-seq")


@dataclass(frozen=True)
class Listing:
    """A page of the patient list. `total` is exact, but for a search with more than 10,000 matches; None in a page by cursor.

    `next` is the place of the page that follows, None at the end. Of the list it is the last row's `seq` and id. A search is not
    ordered by anything that stays: its place is the offset and, as an id, the newest `seq` there was when the search began.
    """

    rows: list[dict[str, Any]]
    total: int | None
    is_estimate: bool = False
    fuzzy: bool = False
    next: Position | None = None


def listing(
    *, visible_to: Actor, text: str = "", status: str = "", offset: int = 0, limit: int = 20, after: Position | None = None
) -> Listing:
    """A page of all patients, the newest first, or of those whom every word of the text fits, the best first.

    `status` is active, inactive or empty for everybody. `after` is the `next` of another page, instead of an offset: patients who
    were registered meanwhile shift nothing. Two statements; a search has three or four.
    Raises Invalid for an `after` that no page of this list has.
    """
    read = reads.of(visible_to)
    if text:
        return _searched(read, text, after, status=status, offset=offset, limit=limit)
    which = status or "listed"
    if after is not None:
        if after.id.int <= _NEWEST or after.number < 1:
            raise cursor.unknown()
        return _page(read.page(which, after.number - 1, 0, limit + 1), limit, None)
    place = tally.place(offset, which, read.hidden())
    return _page(read.page(which, place.seq, place.skip, limit + 1) if offset < place.total else [], limit, place.total)


def _page(rows: list[dict[str, Any]], limit: int, total: int | None) -> Listing:
    seqs = [row.pop("seq") for row in rows]
    following = Position(seqs[limit - 1], rows[limit - 1]["id"]) if len(rows) > limit else None
    return Listing(rows[:limit], total, next=following)


def _searched(read: Reads, text: str, after: Position | None, *, status: str, offset: int, limit: int) -> Listing:
    hidden, newest = read.hidden_seqs(), None
    if after is not None:
        if not 0 <= after.number <= paging.FURTHEST or after.id.int > _NEWEST:
            raise cursor.unknown()
        offset, newest = after.number, after.id.int
        hidden += list(Patient.objects.filter(seq__gt=newest).values_list("seq", flat=True)[:_MEANWHILE])
    found = search.find(text, status=status, offset=offset, limit=limit, hidden=hidden)
    rows, following = _in_order(read, found.seqs), None
    newest = newest or max((row["newest"] for row in rows), default=0)
    if offset + limit < found.total or (found.is_estimate and len(rows) == limit):
        following = Position(offset + limit, UUID(int=newest))
    rows = [{name: value for name, value in row.items() if name != "newest"} for row in rows]
    return Listing(rows, found.total if after is None else None, found.is_estimate, found.fuzzy, following)


def matching(patients: QuerySet[Patient], text: str, visible_to: Actor = SYSTEM) -> QuerySet[Patient]:
    """The best matches among these patients, as a queryset for the admin: what is beyond them is found by typing more.

    `patients` are scoped already; `visible_to` keeps whom they leave out from crowding out near spellings.
    """
    return patients.filter(seq__in=search.find(text, limit=MATCHES_SHOWN, hidden=reads.of(visible_to).hidden_seqs()).seqs)


def _in_order(read: Reads, seqs: list[int]) -> list[dict[str, Any]]:
    rows = {row.pop("seq"): row for row in read.rows(seqs)} if seqs else {}
    return [rows[seq] for seq in seqs if seq in rows]


def patient(by: Actor, patient_id: UUID) -> Patient:
    """The patient, or NotFound where there is none or it is not the actor's to see. A merged id finds the survivor."""
    found = reads.of(by).one(patient_id)
    if found is None:
        raise nobody(patient_id)
    return found


def named(*, visible_to: Actor, ids: Collection[UUID]) -> QuerySet[Patient]:
    """Those of these patients whom the actor may know of, merged ones too."""
    return Patient.objects.visible_to(visible_to).filter(pk__in=ids)


def any_closed(by: Actor, ids: Collection[UUID]) -> bool:
    """Whether a chart among these ids is closed to the actor, or was merged into one that is. Other ids count for nothing."""
    asked = Patient.objects.filter(pk__in=ids)
    return asked.exclude(pk__in=asked.filter(led_to_open(by)).values("pk")).exists()


def nobody(patient_id: UUID) -> NotFound:
    """The refusal for a patient who is not there or not shown. The caller reads the same; the trail is told who was asked for."""
    refusal = NotFound("There is no such patient.")
    refusal.withheld = Patient.objects.filter(pk=standing(patient_id)).values_list("pk", flat=True).first()
    return refusal


def care_team(patient: Patient) -> QuerySet[CareTeamMember]:
    """Who sees the patient's chart while it is restricted."""
    return (
        CareTeamMember.objects.filter(patient=patient)
        .select_related("user")
        .order_by("user__last_name", "user__first_name", "pk")
    )


def restrictions(*, visible_to: Actor) -> QuerySet[Restriction]:
    """What was decided of charts, the latest first."""
    return Restriction.objects.visible_to(visible_to).select_related("patient", "decided_by")


def may_join_care_team() -> QuerySet[User]:
    """The clinicians who may be named for a restricted chart: active, of a role that gives care."""
    roles = [role for role in STAFF if Permission.PATIENT_CARE_TEAM in matrix.permissions_of(role, admin_clinical=False)]
    return User.objects.filter(is_active=True, role__in=roles).order_by("last_name", "first_name", "pk")


class RecordMerged(Conflict):
    """A write names a record that was merged. `details.survivor_id` is the record to write to instead."""

    message = "This record was merged into another one. Look at the surviving record and write there."

    def __init__(self, survivor_id: UUID, **details: Any) -> None:
        super().__init__(survivor_id=survivor_id, reason="record_merged", **details)


class _MovedMeanwhile(Exception):
    """While we waited for the lock of a record, it was merged or another one came to be meant."""


def locked(by: Actor, patient_id: UUID) -> Patient:
    """Lock the patient whom a caller names for a write, until the transaction ends.

    Every write of a patient's rows holds this lock, or a merge at the same moment would not see them. Reads resolve the id of a
    merged record, writes refuse it: the caller looked at another record than the one that would change. Raises NotFound,
    RecordMerged.
    """
    found = locked_survivor(by, patient_id)
    if found.pk != patient_id:
        raise RecordMerged(found.pk)
    return found


def locked_together(by: Actor, *patient_ids: UUID) -> list[Patient]:
    """Lock several patients whom a caller names for a write; returns them in the given order. Raises as `locked` does."""
    found = locked_survivors(by, *patient_ids)
    for patient_id, row in zip(patient_ids, found, strict=True):
        if row.pk != patient_id:
            raise RecordMerged(row.pk, patient_id=patient_id)
    return found


def locked_survivor(by: Actor, patient_id: UUID) -> Patient:
    """Lock the patient to whom one of our own rows belongs; resolves an id that was merged since the row was read.

    For ids that come from a row. `locked` is for ids that come from a caller. Raises NotFound.
    """
    found = _held(lambda: reads.of(by).held(patient_id))
    if not found:
        raise nobody(patient_id)
    return found[0]


def locked_survivors(by: Actor, *patient_ids: UUID) -> list[Patient]:
    """As `locked_survivor`, for several, in the given order; two ids that resolve to one patient return this patient twice."""
    stand_for: list[UUID] = []

    def rows() -> list[Patient]:
        stand_for[:] = [patient(by, patient_id).pk for patient_id in patient_ids]
        return _locked_in_order(by, Patient.objects.filter(pk__in=stand_for))

    found = {row.pk: row for row in _held(rows)}
    return [found[pk] for pk in stand_for]


def locked_by_number(by: Actor, system: str, value: str) -> Patient | None:
    """As `locked`, for whom another system's number leads to. The number itself is not locked: a merge, which holds the patient,
    moves it, and then whoever it leads to now is waited for."""
    number = PatientIdentifier.objects.filter(system=system, value=value).values_list("patient_id", flat=True)
    led_to: list[UUID] = []

    def rows() -> list[Patient]:
        led_to[:] = number
        return _locked_in_order(by, Patient.objects.filter(pk__in=[standing(patient_id) for patient_id in led_to]))

    found = _held(rows, still=lambda: list(number) == led_to)
    return found[0] if found else None


def _locked_in_order(by: Actor, rows: QuerySet[Patient]) -> list[Patient]:
    """By id, as merges lock them."""
    return list(rows.visible_to(by).order_by("pk").select_for_update())  # type: ignore[attr-defined]


def _held(lock: Callable[[], list[Patient]], still: Callable[[], bool] = lambda: True) -> list[Patient]:
    """The rows that `lock` finds and locks, none of them merged and all of them `still` those that are meant.

    Where that changed while we waited, all are let go (the savepoint is rolled back) before the right ones are waited for: nobody
    waits for a record while he holds an earlier one, so nobody waits in a circle. The savepoint must be the innermost: once it is
    released, PostgreSQL has others wait for the whole transaction, whatever is rolled back around it.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("A patient is locked inside a transaction.")
    for _ in range(_TRIES):
        with suppress(_MovedMeanwhile), transaction.atomic():
            found = lock()
            if any(row.merged_into_id for row in found) or not still():
                raise _MovedMeanwhile
            return found
    raise Unavailable("The record is being merged again and again right now.")


def by_mrn(visible_to: Actor, mrn: str) -> Patient | None:
    """Whoever has this MRN, in any case, or had it before a merge."""
    bearer = Patient.objects.filter(mrn__iexact=mrn).values(standing_id=Coalesce("merged_into", "pk"))
    return Patient.objects.visible_to(visible_to).filter(pk__in=bearer).first()


def merges(*, visible_to: Actor) -> QuerySet[Merge]:
    """All merges, the latest first, with their patients and people."""
    return Merge.objects.visible_to(visible_to).select_related("retired", "survivor", "merged_by", "undone_by")


def merge(by: Actor, merge_id: UUID) -> Merge:
    """The merge, or NotFound."""
    found = merges(visible_to=by).filter(pk=merge_id).first()
    if found is None:
        raise NotFound("There is no such merge.")
    return found


def triage(merge: Merge) -> QuerySet[MergeTriage]:
    """What an undo left for a person to decide, in the order it was found."""
    return MergeTriage.objects.filter(merge=merge).order_by("id")


def candidates(*, visible_to: Actor, person: Person) -> list[Match]:
    """Whoever on record may be the person described, the most likely first."""
    people = Patient.objects.visible_to(visible_to).listed()
    return duplicates.likely(person, people, at_least=SUGGESTED, thorough=True)


def lookalikes(*, visible_to: Actor, person: Person) -> list[Match]:
    """Whoever on record so likely is the person described that a registration is worth interrupting."""
    return duplicates.likely(person, Patient.objects.visible_to(visible_to).listed(), at_least=WARNED)


def duplicates_of(patient: Patient, *, visible_to: Actor) -> list[Match]:
    """Other records that likely are this patient's, without those somebody said are another person's."""
    others = not_told_apart(patient, Patient.objects.visible_to(visible_to).listed())
    return duplicates.likely(duplicates.person_of(patient), others, at_least=WARNED)


def not_told_apart(patient: Patient, people: QuerySet[Patient]) -> QuerySet[Patient]:
    """Of these people those other than the patient whom nobody said to be somebody else."""
    others = people.exclude(pk=patient.pk).exclude(pk__in=NotSame.objects.filter(low=patient).values("high"))
    return others.exclude(pk__in=NotSame.objects.filter(high=patient).values("low"))


def suspected(*, visible_to: Actor) -> QuerySet[SuspectedPair]:
    """The pairs that may be one person and wait for a word, the likeliest first and of equals the longest known."""
    return SuspectedPair.objects.visible_to(visible_to).select_related("low", "high")


def suspected_count(visible_to: Actor) -> int:
    """How many pairs wait; COUNTED_UP_TO + 1 where there are more than are counted."""
    return SuspectedPair.objects.visible_to(visible_to).order_by()[: COUNTED_UP_TO + 1].count()


def suspected_of(patient: Patient) -> dict[UUID, SuspectedPair]:
    """The pairs of one patient, by the other's id."""
    pairs = SuspectedPair.objects.filter(Q(low=patient) | Q(high=patient))
    return {pair.high_id if pair.low_id == patient.pk else pair.low_id: pair for pair in pairs}


def mrn_in_use(mrn: str) -> bool:
    """Whether somebody has this MRN, in any case."""
    return Patient.objects.filter(mrn__iexact=mrn).exists()


def chart(*, visible_to: Actor, patient_id: UUID, **filters: Any) -> ChartQuerySet:
    """The patient's chart as the actor may read it, the latest first."""
    return ChartEntry.objects.visible_to(visible_to).filter(patient_id=patient_id, **filters).order_by("-occurred_at", "-id")


def entry(by: Actor, patient_id: UUID, entry_id: UUID) -> ChartEntry:
    """One entry of the patient's chart, or NotFound where there is none or it is not the actor's to read."""
    found = ChartEntry.objects.visible_to(by).filter(pk=entry_id, patient_id=standing(patient_id)).first()
    if found is None:
        patient(by, patient_id)  # where the patient is not shown, that is what is told
        raise NotFound("There is no such chart entry.")
    return found


def already_recorded(entry: ChartEntry) -> list[ChartEntry]:
    """Other active entries of the chart that say the same: the same code, or the same words in any case and accents."""
    if entry.status != ACTIVE:
        return []
    rows = ChartEntry.objects.filter(patient_id=entry.patient_id, type=entry.type, status=ACTIVE).exclude(pk=entry.pk)
    said = rules.words(entry.display)
    return [
        row
        for row in rows.order_by("occurred_at", "pk")
        if (row.code and (row.code_system, row.code) == (entry.code_system, entry.code)) or rules.words(row.display) == said
    ]


def unusual_for_patient(entry: ChartEntry) -> str:
    """Why an ICD-10-CM diagnosis is unusual for the patient's sex, or age on its day (`fit`); empty where it fits."""
    if entry.type != EntryType.DIAGNOSIS or entry.code_system != CodeSystem.ICD_10_CM:
        return ""
    born, sex = entry.patient.date_of_birth, entry.patient.gender
    day = entry.occurred_at.astimezone(ZoneInfo(settings.CLINIC_TIME_ZONE)).date()
    years, age = max(dates.years_between(born, day), 0), ages.age_of(entry.patient, entry.occurred_at)
    return fit.unusual(icd10.dotted(entry.code), age_years=years, sex=sex, age=age)


def entry_locked(by: Actor, patient_id: UUID, entry_id: UUID) -> ChartEntry:
    """The entry's row, held until the transaction ends; NotFound as above."""
    found = ChartEntry.objects.visible_to(by).filter(pk=entry_id, patient_id=patient_id).select_for_update(of=("self",)).first()
    if found is None:
        raise NotFound("There is no such chart entry.")
    return found
