"""Finds patients and reads charts. All of it is scoped to the actor."""

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
from apps.access.roles import STAFF
from apps.accounts.models import User
from apps.common.errors import Conflict, NotFound, Unavailable
from apps.common.prepared import Slot
from apps.patients import rules
from apps.patients.chart import ages, dates
from apps.patients.chart.entry_types import ACTIVE, CodeSystem, EntryType
from apps.patients.confidentiality.models import CareTeamMember, Restriction, led_to_open
from apps.patients.lists import patient_queries, sql
from apps.patients.lists.patient_queries import surviving_id
from apps.patients.matching import duplicates
from apps.patients.matching.duplicates import Match
from apps.patients.matching.models import DuplicateCandidate
from apps.patients.matching.scoring import SUGGESTED, WARNED, Person
from apps.patients.models import ChartEntry, ChartQuerySet, Merge, MergeTriage, NotDuplicate, Patient, PatientIdentifier
from apps.patients.rights import Permission
from apps.patients.search import matches, patient_search
from apps.rest import paging
from apps.rest.paging import FIRST, Page, Position, Total, Window
from apps.terminology import rules as icd10
from apps.terminology.icd10 import plausibility

_NEWEST = 2**63 - 1  # the greatest `seq` there can be; a row's id, as a number, is greater
_MEANWHILE = 1_000  # patients registered while a user pages through a search; more than that may shift it
COUNTED_UP_TO = 999  # waiting pairs, where only their number is shown
_TRIES = 20  # one or two do; more is a sign that merged records lead to merged records


def patients(*, visible_to: Actor) -> QuerySet[Patient]:
    """Returns all patients that the actor may know of, the newest first."""
    return Patient.objects.visible_to(visible_to).unmerged().order_by("-seq")


def patient_count(*, visible_to: Actor, status: str = "") -> int:
    """Returns the exact number of these patients, from their row counter. `status` is active, inactive or empty for all."""
    return sql.total(status or "listed", patient_queries.hidden(visible_to))


@dataclass(frozen=True)
class PatientPage(Page):
    """A page of the patient list. `fuzzy` if nothing matched the search, and similar names are shown.

    The total is exact, except for a search with more than 10,000 matches. `next` is the last row's `seq` and id. A search has no
    stable order: its position is the offset and, as an id, the newest `seq` when the search began.
    """

    fuzzy: bool = False


def list_page(*, visible_to: Actor, window: Window = FIRST, text: str = "", status: str = "") -> PatientPage:
    """Returns a page of all patients, the newest first, or of those who match every word of the text, the best first.

    `status` is active, inactive or empty for all. Two statements; a search has three or four. Raises Invalid for a cursor that no
    page of this list has.
    """
    if text:
        return _searched(visible_to, text, window, status=status)
    which, after, limit = status or "listed", window.after, window.limit
    if after is not None:
        if after.id.int <= _NEWEST or after.number < 1:
            raise paging.unknown_cursor()
        return _page(patient_queries.page(visible_to, which, after.number - 1, 0, limit + 1), limit)
    start = sql.page_start(window.offset, which, patient_queries.hidden(visible_to))
    if window.offset >= start.total:
        return PatientPage([], total=Total(start.total))
    return _page(patient_queries.page(visible_to, which, start.seq, start.skip, limit + 1), limit, Total(start.total))


def _page(rows: list[dict[str, Any]], limit: int, total: Total | None = None) -> PatientPage:
    seqs = [row.pop("seq") for row in rows]
    following = Position(seqs[limit - 1], rows[limit - 1]["id"]) if len(rows) > limit else None
    return PatientPage(rows[:limit], following, total)


def _searched(by: Actor, text: str, window: Window, *, status: str) -> PatientPage:
    hidden, newest = patient_queries.hidden_seqs(by), None
    after, offset, limit = window.after, window.offset, window.limit
    if after is not None:
        if not 0 <= after.number <= paging.FURTHEST or after.id.int > _NEWEST:
            raise paging.unknown_cursor()
        offset, newest = after.number, after.id.int
        hidden += list(Patient.objects.filter(seq__gt=newest).values_list("seq", flat=True)[:_MEANWHILE])
    result = patient_search.find(text, status=status, offset=offset, limit=limit, hidden=hidden)
    rows, following = _in_order(by, result.seqs), None
    newest = newest or max((row["newest"] for row in rows), default=0)
    if offset + limit < result.total or (result.is_estimate and len(rows) == limit):
        following = Position(offset + limit, UUID(int=newest))
    rows = [{name: value for name, value in row.items() if name != "newest"} for row in rows]
    total = Total(result.total, result.is_estimate) if after is None else None
    return PatientPage(rows, following, total, result.fuzzy)


def search_within(patients: QuerySet[Patient], text: str, visible_to: Actor = SYSTEM) -> QuerySet[Patient]:
    """Returns the best matches among these patients, the best first, as a queryset for the admin: typing more finds the others.

    `patients` are already scoped; `visible_to` keeps hidden patients from displacing near spellings.
    """
    return matches.best_first(patients, matches.search(visible_to, text).seqs)


def _in_order(by: Actor, seqs: list[int]) -> list[dict[str, Any]]:
    rows = {row.pop("seq"): row for row in patient_queries.rows(by, seqs)} if seqs else {}
    return [rows[seq] for seq in seqs if seq in rows]


def patient(by: Actor, patient_id: UUID) -> Patient:
    """Returns the patient. Raises NotFound if there is none or it is closed to the actor. A merged id finds the survivor."""
    row = patient_queries.one(by, patient_id)
    if row is None:
        raise patient_not_found(patient_id)
    return row


def named(*, visible_to: Actor, ids: Collection[UUID]) -> QuerySet[Patient]:
    """Returns those of these patients that the actor may know of, merged ones too."""
    return Patient.objects.visible_to(visible_to).filter(pk__in=ids)


def any_closed(by: Actor, ids: Collection[UUID]) -> bool:
    """Returns whether a chart among these ids is closed to the actor, or was merged into one that is. Other ids are ignored."""
    patients = Patient.objects.filter(pk__in=ids)
    return patients.exclude(pk__in=patients.filter(led_to_open(by)).values("pk")).exists()


def patient_not_found(patient_id: UUID) -> NotFound:
    """Returns the refusal for a patient who does not exist or is not shown. The caller sees the same; the audit log gets the
    requested id."""
    refusal = NotFound("There is no such patient.")
    refusal.withheld = Patient.objects.filter(pk=surviving_id(patient_id)).values_list("pk", flat=True).first()
    return refusal


def care_team(patient: Patient) -> QuerySet[CareTeamMember]:
    """Returns the users who see the patient's chart while it is restricted."""
    return (
        CareTeamMember.objects.filter(patient=patient)
        .select_related("user")
        .order_by("user__last_name", "user__first_name", "pk")
    )


def restrictions(*, visible_to: Actor) -> QuerySet[Restriction]:
    """Returns the decisions about charts, the latest first."""
    return Restriction.objects.visible_to(visible_to).select_related("patient", "decided_by")


def may_join_care_team() -> QuerySet[User]:
    """Returns the clinicians who may be named for a restricted chart: active, of a role that gives care."""
    roles = [role for role in STAFF if Permission.PATIENT_CARE_TEAM in matrix.permissions_of(role, admin_clinical=False)]
    return User.objects.filter(is_active=True, role__in=roles).order_by("last_name", "first_name", "pk")


class RecordMerged(Conflict):
    """A write names a record that was merged. `details.survivor_id` is the record to write to instead."""

    reason = "record_merged"
    message = "This record was merged into another one. Use the surviving record."

    def __init__(self, survivor_id: UUID, **details: Any) -> None:
        super().__init__(survivor_id=survivor_id, **details)


class _MergedMeanwhile(Exception):
    """While we waited for the lock of a record, it was merged or another one became the target."""


def get_for_update(by: Actor, patient_id: UUID) -> Patient:
    """Locks the patient that a caller names for a write, until the transaction ends.

    Every write of a patient's rows needs this lock, or a simultaneous merge would not see them. Reads resolve the id of a merged
    record, writes refuse it: the caller saw another record than the one that would change. Raises NotFound, RecordMerged.
    """
    row = get_survivor_for_update(by, patient_id)
    if row.pk != patient_id:
        raise RecordMerged(row.pk)
    return row


def get_several_for_update(by: Actor, *patient_ids: UUID) -> list[Patient]:
    """Locks several patients that a caller names for a write; returns them in the given order. Raises as `get_for_update`
    does."""
    rows = get_survivors_for_update(by, *patient_ids)
    for patient_id, row in zip(patient_ids, rows, strict=True):
        if row.pk != patient_id:
            raise RecordMerged(row.pk, patient_id=patient_id)
    return rows


def get_survivor_for_update(by: Actor, patient_id: UUID) -> Patient:
    """Locks the patient of one of our own rows; resolves an id that was merged since the row was read.

    For ids that come from a row. `get_for_update` is for ids that come from a caller. Raises NotFound.
    """
    rows = _lock_unmerged(
        lambda: patient_queries.get_for_update(by, patient_id),
        without_waiting=lambda: patient_queries.get_for_update(by, patient_id, skip_locked=True),
    )
    if not rows:
        raise patient_not_found(patient_id)
    return rows[0]


def lock_survivor(lock: Callable[..., list[Patient]]) -> Patient | None:
    """Lock the patient that the statement finds and locks, until the transaction ends; None where it finds none.

    For a statement that leads from one of our own rows to its patient. `lock` runs it, with `skip_locked` True or False. It runs
    again where the patient was merged meanwhile.
    """
    rows = _lock_unmerged(lambda: lock(skip_locked=False), without_waiting=lambda: lock(skip_locked=True))
    return next(iter(rows), None)


def get_survivors_for_update(by: Actor, *patient_ids: UUID) -> list[Patient]:
    """As `get_survivor_for_update`, for several, in the given order; two ids that resolve to one patient return it twice."""
    surviving_ids: list[UUID] = []

    def rows() -> list[Patient]:
        surviving_ids[:] = [patient(by, patient_id).pk for patient_id in patient_ids]
        return _lock_in_order(by, Patient.objects.filter(pk__in=surviving_ids))

    by_id = {row.pk: row for row in _lock_unmerged(rows)}
    return [by_id[pk] for pk in surviving_ids]


def get_by_identifier_for_update(by: Actor, system: str, value: str) -> Patient | None:
    """As `get_for_update`, by another system's number. The number itself is not locked: a merge, which has locked the patient,
    moves it, and then the current target is waited for."""
    number = PatientIdentifier.objects.filter(system=system, value=value).values_list("patient_id", flat=True)
    patient_ids: list[UUID] = []

    def rows() -> list[Patient]:
        patient_ids[:] = number
        return _lock_in_order(by, Patient.objects.filter(pk__in=[surviving_id(patient_id) for patient_id in patient_ids]))

    patients = _lock_unmerged(rows, still=lambda: list(number) == patient_ids)
    return patients[0] if patients else None


def _lock_in_order(by: Actor, rows: QuerySet[Patient]) -> list[Patient]:
    """Locks by id, as merges do."""
    return list(rows.visible_to(by).order_by("pk").select_for_update())  # type: ignore[attr-defined]  # the model of the merge link is known when it runs


def _lock_unmerged(
    lock: Callable[[], list[Patient]],
    still: Callable[[], bool] = lambda: True,
    without_waiting: Callable[[], list[Patient]] = list,
) -> list[Patient]:
    """Returns the rows that `lock` finds and locks, none of them merged and all of them `still` the targets.

    If that changed while we waited, all locks are released (the savepoint is rolled back) before waiting for the current ones: no
    process waits for a record while it has locked an earlier one, so no deadlock occurs. The savepoint must be the innermost:
    once it is released, PostgreSQL makes others wait for the whole transaction, whatever is rolled back around it.

    `without_waiting` locks the same rows, but skips those that another transaction has locked. A row that it returns unmerged
    needed no waiting and so no savepoint, which is two round trips of every write. Nearly always that is so.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("A patient is locked inside a transaction.")
    if (rows := without_waiting()) and not any(row.merged_into_id for row in rows):
        return rows
    for _ in range(_TRIES):
        with suppress(_MergedMeanwhile), transaction.atomic():
            rows = lock()
            if any(row.merged_into_id for row in rows) or not still():
                raise _MergedMeanwhile
            return rows
    raise Unavailable("The record is being merged. Try again.")


def by_mrn(visible_to: Actor, mrn: str) -> Patient | None:
    """Returns the patient with this MRN, in any case, or the survivor of the one who had it before a merge."""
    surviving_ids = Patient.objects.filter(mrn__iexact=mrn).values(surviving_id=Coalesce("merged_into", "pk"))
    return Patient.objects.visible_to(visible_to).filter(pk__in=surviving_ids).first()


def merges(*, visible_to: Actor) -> QuerySet[Merge]:
    """Returns all merges, the latest first, with their patients and users."""
    return Merge.objects.visible_to(visible_to).select_related("retired", "survivor", "merged_by", "undone_by")


def merge(by: Actor, merge_id: UUID) -> Merge:
    """Returns the merge. Raises NotFound."""
    row = merges(visible_to=by).filter(pk=merge_id).first()
    if row is None:
        raise NotFound("There is no such merge.")
    return row


def triage(merge: Merge) -> QuerySet[MergeTriage]:
    """Returns what an undo left for a user to decide, in order."""
    return MergeTriage.objects.filter(merge=merge).order_by("id")


def possible_matches(*, visible_to: Actor, person: Person) -> list[Match]:
    """Returns recorded patients who may be the described person, the most likely first."""
    people = Patient.objects.visible_to(visible_to).unmerged()
    return duplicates.likely(person, people, at_least=SUGGESTED, thorough=True)


def likely_matches(*, visible_to: Actor, person: Person) -> list[Match]:
    """Returns recorded patients who are the described person so likely that a registration is worth interrupting."""
    return duplicates.likely(person, Patient.objects.visible_to(visible_to).unmerged(), at_least=WARNED)


def duplicates_of(patient: Patient, *, visible_to: Actor) -> list[Match]:
    """Returns other records that are likely this patient's, without those marked as another person's."""
    others = exclude_not_duplicates(patient, Patient.objects.visible_to(visible_to).unmerged())
    return duplicates.likely(duplicates.person_of(patient), others, at_least=WARNED)


def exclude_not_duplicates(patient: Patient, people: QuerySet[Patient]) -> QuerySet[Patient]:
    """Returns these people without the patient and those marked as another person."""
    others = people.exclude(pk=patient.pk).exclude(pk__in=NotDuplicate.objects.filter(low=patient).values("high"))
    return others.exclude(pk__in=NotDuplicate.objects.filter(high=patient).values("low"))


def duplicate_candidates(*, visible_to: Actor) -> QuerySet[DuplicateCandidate]:
    """Returns the pairs that may be one person and wait for a decision, the most likely first and of equals the oldest."""
    return DuplicateCandidate.objects.visible_to(visible_to).select_related("low", "high")


def duplicate_candidate_count(visible_to: Actor) -> int:
    """Returns how many pairs wait; COUNTED_UP_TO + 1 if there are more than are counted."""
    return DuplicateCandidate.objects.visible_to(visible_to).order_by()[: COUNTED_UP_TO + 1].count()


def duplicate_candidates_of(patient: Patient) -> dict[UUID, DuplicateCandidate]:
    """Returns the pairs of one patient, by the other's id."""
    pairs = DuplicateCandidate.objects.filter(Q(low=patient) | Q(high=patient))
    return {pair.high_id if pair.low_id == patient.pk else pair.low_id: pair for pair in pairs}


def mrn_in_use(mrn: str) -> bool:
    """Returns whether a patient has this MRN, in any case."""
    return Patient.objects.filter(mrn__iexact=mrn).exists()


def chart(*, visible_to: Actor, patient_id: UUID | Slot, **filters: Any) -> ChartQuerySet:
    """Returns the patient's chart as the actor may read it, the latest first."""
    return ChartEntry.objects.visible_to(visible_to).filter(patient_id=patient_id, **filters).order_by("-occurred_at", "-id")


def entry(by: Actor, patient_id: UUID, entry_id: UUID) -> ChartEntry:
    """Returns one entry of the patient's chart. Raises NotFound if there is none or the actor may not read it."""
    row = ChartEntry.objects.visible_to(by).filter(pk=entry_id, patient_id=surviving_id(patient_id)).first()
    if row is None:
        patient(by, patient_id)  # if the patient is not shown, that is the refusal
        raise NotFound("There is no such chart entry.")
    return row


def already_recorded(entry: ChartEntry) -> list[ChartEntry]:
    """Returns other active entries of the chart with the same meaning: the same code, or the same words in any case and
    accents."""
    if entry.status != ACTIVE:
        return []
    rows = ChartEntry.objects.filter(patient_id=entry.patient_id, type=entry.type, status=ACTIVE).exclude(pk=entry.pk)
    words = rules.words(entry.display)
    return [
        row
        for row in rows.order_by("occurred_at", "pk")
        if (row.code and (row.code_system, row.code) == (entry.code_system, entry.code)) or rules.words(row.display) == words
    ]


def unusual_for_patient(entry: ChartEntry) -> str:
    """Returns why an ICD-10-CM diagnosis is unusual for the patient's sex, or age on its day (`fit`); empty if it is not."""
    if entry.type != EntryType.DIAGNOSIS or entry.code_system != CodeSystem.ICD_10_CM:
        return ""
    born, sex = entry.patient.date_of_birth, entry.patient.gender
    day = entry.occurred_at.astimezone(ZoneInfo(settings.CLINIC_TIME_ZONE)).date()
    years, age = max(dates.years_between(born, day), 0), ages.age_of(entry.patient, entry.occurred_at)
    return plausibility.implausibility(icd10.dotted(entry.code), age_years=years, sex=sex, age=age)


def get_entry_for_update(by: Actor, patient_id: UUID, entry_id: UUID) -> ChartEntry:
    """Returns the entry's row, locked until the transaction ends. Raises NotFound as above."""
    row = ChartEntry.objects.visible_to(by).filter(pk=entry_id, patient_id=patient_id).select_for_update(of=("self",)).first()
    if row is None:
        raise NotFound("There is no such chart entry.")
    return row
