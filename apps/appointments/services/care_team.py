"""Which doctors an appointment adds to a patient's care team: added with the appointment and removed with it.

The rule is in section 2 of the contract: a live or completed appointment whose doctor was chosen by the patient, by reception, by
an administrator or by a member of the team, and not under emergency access.
"""

from uuid import UUID

from django.db import transaction

from apps.access.actor import Actor
from apps.appointments import rules
from apps.appointments.models import Appointment
from apps.common.lifecycle.machine import Transition
from apps.patients import services as charts
from apps.patients.confidentiality.models import CareTeamMember

COUNTS = rules.FOR_CARE_TEAM
BECAUSE = CareTeamMember.Because.APPOINTMENT


def follow(by: Actor, change: Transition[Appointment]) -> None:
    """Update the care team after a change: the doctor of an appointment that counts from now on joins, and the doctor of one that
    no longer counts leaves."""
    before, after = change.before, change.after
    counted, counts = before.status in COUNTS, after.status in COUNTS
    other_doctor = before.doctor_id != after.doctor_id
    if counted and (other_doctor or not counts):
        leave(by, after.patient_id, before.doctor_id)
    if counts and (other_doctor or not counted):
        join(by, after)


def join(by: Actor, row: Appointment) -> None:
    """Adds the appointment's doctor to the care team if the appointment counts."""
    if row.joins_care_team and row.status in COUNTS:
        charts.join_care_team(by=by, patient=row.patient, doctor_id=row.doctor_id, because=BECAUSE)


def leave(by: Actor, patient_id: UUID, doctor_id: UUID) -> None:
    """Removes the doctor from the care team unless another appointment of the two counts."""
    others = Appointment.objects.filter(patient=patient_id, doctor=doctor_id, joins_care_team=True, status__in=COUNTS)
    if not others.exists():
        charts.leave_care_team(by=by, patient_id=patient_id, doctor_id=doctor_id, because=BECAUSE)


@transaction.atomic
def remove_stale_members(*, by: Actor, patient_id: UUID) -> None:
    """Removes members whose appointment is no longer there, as after a merge."""
    members = CareTeamMember.objects.filter(patient=patient_id, because=BECAUSE).values_list("user_id", flat=True)
    for doctor_id in list(members):
        leave(by, patient_id, doctor_id)
