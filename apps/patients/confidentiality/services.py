"""Restricts a chart to its care team, lifts the restriction, and opens a restricted chart in an emergency."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from uuid import UUID

from django.db import transaction

from apps.access.actor import SYSTEM, Actor
from apps.access.roles import Role
from apps.common import clock
from apps.common.errors import Conflict, Forbidden, Invalid, NotFound
from apps.common.prepared import PreparedQuery, Slot
from apps.events.services import emit
from apps.patients import selectors
from apps.patients.confidentiality import sql
from apps.patients.confidentiality.models import BreakGlass, CareTeamMember, Restriction
from apps.patients.events import CareTeamJoined, CareTeamLeft, GlassBroken, GlassReviewed, PatientRestricted, RestrictionLifted
from apps.patients.models import Patient
from apps.patients.ports import care_team_doctors

REASON_MIN = 10  # characters
GLASS_OPEN = timedelta(hours=4)
_NAMED, _VISIT = CareTeamMember.Because.NAMED, CareTeamMember.Because.VISIT
_BOOK_FOR_THE_TEAM = (Role.PATIENT, Role.RECEPTIONIST, Role.ADMIN)


class NotRestricted(Conflict):
    message = "This chart is not restricted."


class NoNeedToBreakGlass(Conflict):
    message = "You belong to the care team: the chart is open to you."


class GlassAlreadyBroken(Conflict):
    message = "You have already opened this chart; it stays open until the given time."


class OwnEmergencyAccess(Forbidden):
    message = "You can't review your own emergency access."


class AlreadyReviewed(Conflict):
    message = "This has already been signed off."


@transaction.atomic
def restrict(*, by: Actor, patient_id: UUID, care_team: Sequence[UUID] | None, reason: str) -> Restriction:
    """Restricts the chart to its care team: doctors with an appointment or consultation, and named members; None keeps the named
    ones. For a chart that is already restricted, a new team removes all members it does not name, doctors too; an empty one
    removes the named. Users outside the team lose access immediately. Raises NotFound, Invalid for a reason too short or a team
    member who is not an active clinician."""
    reason = _checked_reason(reason)
    patient = selectors.get_for_update(SYSTEM, patient_id)
    if care_team is not None:
        _name_members(by, patient, care_team)
        if patient.restricted and care_team:
            CareTeamMember.objects.filter(patient=patient).exclude(user__in=care_team).delete()
    named = tuple(CareTeamMember.objects.filter(patient=patient, because=_NAMED).order_by("pk").values_list("user_id", flat=True))
    patient.amend(restricted=True)
    restriction = _record_decision(by, patient, reason, named)
    emit(PatientRestricted(patient_id=patient.pk, care_team=named), by=by)
    return restriction


@transaction.atomic
def lift_restriction(*, by: Actor, patient_id: UUID, reason: str) -> Restriction:
    """Opens the chart again, and with it the records that were merged into it. The named members leave the team, and emergency
    accesses end. Raises NotFound, Invalid, NotRestricted."""
    reason = _checked_reason(reason)
    patient = selectors.get_for_update(SYSTEM, patient_id)
    if not patient.amend(restricted=False):
        raise NotRestricted
    family = [patient.pk, *Patient.objects.filter(merged_into=patient).values_list("pk", flat=True)]
    Patient.objects.filter(pk__in=family, restricted=True).update(restricted=False, updated_at=clock.now())
    CareTeamMember.objects.filter(patient__in=family, because=_NAMED).delete()
    BreakGlass.objects.filter(patient=patient, until__gt=clock.now()).update(until=clock.now())
    restriction = _record_decision(by, patient, reason, ())
    emit(RestrictionLifted(patient_id=patient.pk), by=by)
    return restriction


def join_care_team(*, by: Actor, patient: Patient, doctor_id: UUID, because: str = _VISIT) -> None:
    """Records that the doctor has a consultation (or an appointment) with the patient: if the chart is restricted, it stays open
    to this doctor.

    Called in the transaction of the booking or the consultation; a second call does nothing.
    """
    if sql.join_care_team(patient_id=patient.pk, user_id=doctor_id, because=str(because), by_id=by.id, at=clock.now()):
        emit(CareTeamJoined(patient_id=patient.pk, user_id=doctor_id), by=by)


def leave_care_team(*, by: Actor, patient_id: UUID, doctor_id: UUID, because: str = _VISIT) -> None:
    """Reverts `join_care_team`: the doctor has no such consultation or appointment any more.

    Called in the transaction of the cancellation. A member for another reason stays one.
    """
    removed, _ = CareTeamMember.objects.filter(patient=patient_id, user=doctor_id, because=because).delete()
    if removed:
        emit(CareTeamLeft(patient_id=patient_id, user_id=doctor_id), by=by)


def team_by_reason(patient: Patient) -> dict[str, set[UUID]]:
    """Returns the members of the patient's care team for each reason."""
    members: dict[str, set[UUID]] = {str(because): set() for because in CareTeamMember.Because}
    for because, user_id in CareTeamMember.objects.filter(patient=patient).values_list("because", "user_id"):
        members[because].add(user_id)
    return members


def refresh_care_team(*, by: Actor, patient: Patient, may_join: Mapping[str, set[UUID]]) -> None:
    """Makes the care team agree with the patient's appointments and consultations (contract, section 2), after some of them moved
    to or from another record: doctors without one leave, and those of `may_join`, by reason, who have one join.

    Others do not join: a new team of a restricted chart may have removed them.
    """
    members = team_by_reason(patient)
    for because, doctors in care_team_doctors.doctors_by_reason(patient.pk).items():
        for doctor_id in sorted(members[because] - doctors):
            leave_care_team(by=by, patient_id=patient.pk, doctor_id=doctor_id, because=because)
        for doctor_id in sorted((may_join[because] & doctors) - members[because]):
            join_care_team(by=by, patient=patient, doctor_id=doctor_id, because=because)


def adds_to_care_team(by: Actor, patient_id: UUID) -> bool:
    """Returns whether an appointment that this actor books makes its doctor a member of the care team (contract, section 2):
    booked by the patient, reception, an administrator, the system, or a member. A user with emergency access is none of these."""
    if by.id is None or by.role in _BOOK_FOR_THE_TEAM:
        return True
    return bool(_membership().dicts(patient_id=patient_id, user_id=by.id))


@cache
def _membership() -> PreparedQuery:
    """Prepared: every booking of a doctor asks it."""
    return PreparedQuery(CareTeamMember.objects.filter(patient=Slot("patient_id"), user=Slot("user_id")).order_by().values("pk"))


@transaction.atomic
def break_glass(*, by: Actor, patient_id: UUID, reason: str) -> BreakGlass:
    """Opens a restricted chart to this user for four hours; administrators are notified. Raises NotFound, Invalid for a reason
    too short, NotRestricted, NoNeedToBreakGlass, and GlassAlreadyBroken while it is already open to them."""
    reason, now = _checked_reason(reason), clock.now()
    if by.id is None:
        raise Forbidden("Only a person can use emergency access.", reason="person_required")
    patient = selectors.get_for_update(SYSTEM, patient_id)
    if not patient.restricted:
        raise NotRestricted
    live = BreakGlass.objects.filter(patient=patient, user_id=by.id, until__gt=now).first()
    if live:
        raise GlassAlreadyBroken(patient_id=patient.pk, until=live.until)
    if Patient.objects.visible_to(by).filter(pk=patient.pk).exists():
        raise NoNeedToBreakGlass
    row = BreakGlass.objects.create(patient=patient, user_id=by.id, reason=reason, broken_at=now, until=now + GLASS_OPEN)
    emit(GlassBroken(patient_id=patient.pk, user_id=by.id, until=row.until), by=by)
    return row


def break_glass_of(*, by: Actor, mrn: str, reason: str) -> BreakGlass:
    """The same for the patient who has this MRN, in any case, or had it before a merge."""
    patient = selectors.by_mrn(SYSTEM, mrn.strip())
    if patient is None:
        raise NotFound("There is no such patient.")
    return break_glass(by=by, patient_id=patient.pk, reason=reason)


@transaction.atomic
def review_glass(*, by: Actor, break_glass_id: UUID, review: str) -> BreakGlass:
    """Signs an emergency access off, with the result of the review. Raises NotFound, Invalid, AlreadyReviewed, Forbidden for
    one's own."""
    row = BreakGlass.objects.visible_to(by).filter(pk=break_glass_id).select_for_update().first()
    if row is None:
        raise NotFound("There is no such emergency access.")
    if not review.strip():
        raise Invalid(field="review", issue="Enter the result of the review.")
    if row.reviewed_at:
        raise AlreadyReviewed
    if row.user_id == by.id:
        raise OwnEmergencyAccess
    row.amend(reviewed_by_id=by.id, reviewed_at=clock.now(), review=review.strip())
    emit(GlassReviewed(patient_id=row.patient_id, break_glass_id=row.pk), by=by)
    return row


def _checked_reason(reason: str) -> str:
    reason = reason.strip()
    if len(reason) < REASON_MIN:
        raise Invalid(field="reason", issue=f"Enter a reason of at least {REASON_MIN} characters.")
    return reason


def _name_members(by: Actor, patient: Patient, care_team: Sequence[UUID]) -> None:
    """Makes exactly these the named members of the team."""
    wanted = list(dict.fromkeys(care_team))
    known = set(selectors.may_join_care_team().filter(pk__in=wanted).values_list("pk", flat=True))
    wrong = [(number, user_id) for number, user_id in enumerate(care_team) if user_id not in known]
    if wrong:
        issue = "Must be an active doctor, nurse, pharmacist or lab technician."
        raise Invalid(errors=[{"field": f"care_team[{number}]", "issue": issue} for number, _ in wrong])
    members = CareTeamMember.objects.filter(patient=patient, because=_NAMED)
    members.exclude(user__in=wanted).delete()
    present = set(members.values_list("user_id", flat=True))
    CareTeamMember.objects.bulk_create(
        CareTeamMember(patient=patient, user_id=user_id, because=_NAMED, added_by_id=by.id, added_at=clock.now())
        for user_id in wanted
        if user_id not in present
    )


def _record_decision(by: Actor, patient: Patient, reason: str, named: Sequence[UUID]) -> Restriction:
    return Restriction.objects.create(
        patient=patient,
        restricted=patient.restricted,
        care_team=list(named),
        reason=reason,
        decided_by_id=by.id,
        decided_at=clock.now(),
    )
