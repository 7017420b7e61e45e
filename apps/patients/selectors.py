"""Finding patients and reading charts. Everything here is already scoped to whoever asks."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from apps.access import matrix
from apps.access.actor import SYSTEM, Actor
from apps.access.permissions import Permission
from apps.access.roles import STAFF
from apps.accounts.models import User
from apps.common.errors import NotFound
from apps.patients import duplicates, reads, search, tally
from apps.patients.duplicates import Match
from apps.patients.matching import SUGGESTED, WARNED, Person
from apps.patients.models import ChartEntry, ChartQuerySet, Merge, MergeTriage, NotSame, Patient
from apps.patients.reads import Reads, standing
from apps.patients.restriction import CareTeamMember, Restriction

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

    `status` is active, inactive or empty for everybody. Two statements; a search has three or four.
    """
    read = reads.of(visible_to)
    if text:
        found = search.find(text, status=status, offset=offset, limit=limit, hidden=read.hidden_seqs())
        return Listing(_in_order(read, found.seqs), found.total, found.is_estimate, found.fuzzy)
    which = status or "listed"
    place = tally.place(offset, which, read.hidden())
    return Listing(read.page(which, place.seq, place.skip, limit) if offset < place.total else [], place.total)


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


def locked(by: Actor, patient_id: UUID) -> Patient:
    """The patient's row, held until the transaction ends. A merged id finds the survivor.

    Whoever writes rows of a patient holds this lock, or a merge at the same moment would not see them.
    """
    found = Patient.objects.visible_to(by).filter(pk=standing(patient_id)).select_for_update().first()
    if found is None:
        raise nobody(patient_id)
    return locked(by, found.merged_into_id) if found.merged_into_id else found  # merged while we waited


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
    others = Patient.objects.visible_to(visible_to).listed().exclude(pk=patient.pk)
    others = others.exclude(pk__in=NotSame.objects.filter(low=patient).values("high"))
    others = others.exclude(pk__in=NotSame.objects.filter(high=patient).values("low"))
    return duplicates.likely(duplicates.person_of(patient), others, at_least=WARNED)


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


def entry_locked(by: Actor, patient_id: UUID, entry_id: UUID) -> ChartEntry:
    """The entry's row, held until the transaction ends; NotFound as above."""
    found = ChartEntry.objects.visible_to(by).filter(pk=entry_id, patient_id=patient_id).select_for_update(of=("self",)).first()
    if found is None:
        raise NotFound("There is no such chart entry.")
    return found
