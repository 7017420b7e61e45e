"""Listeners: a doctor who leaves, merged patients, freed times, and waitlist offers that were settled."""

from datetime import timedelta

from apps.access.actor import SYSTEM
from apps.accounts.events import StaffDeactivated
from apps.appointments import services
from apps.appointments.events import AppointmentUpdated, WaitlistOfferSettled
from apps.appointments.models import OfferStatus
from apps.appointments.rules import TimeSpan
from apps.common import clock
from apps.events.listeners import after_commit
from apps.patients.events import PatientsMerged


@after_commit(StaffDeactivated)
def close_the_calendar(event: StaffDeactivated) -> None:
    """Revokes the calendar address of a doctor who left, so that it also stays invalid if the doctor returns. (The feed already
    returns nothing once the account is inactive.)"""
    services.close_feed(by=SYSTEM, doctor_id=event.user_id)


@after_commit(PatientsMerged)
def refresh_care_team_of_survivor(event: PatientsMerged) -> None:
    """A merge copies the care team, and moves the appointments that made it."""
    services.remove_stale_members(by=SYSTEM, patient_id=event.patient_id)


@after_commit(AppointmentUpdated, when=lambda event: event.left_at is not None)
def offer_freed_time(event: AppointmentUpdated) -> None:
    """Offers the freed time. A repeated delivery offers it once, because the event's id is the id of the opening."""
    if event.left_at is None or event.left_minutes is None or event.left_doctor_id is None or event.event_id is None:
        return
    services.offer_freed_slot(
        by=SYSTEM,
        opening=event.event_id,
        doctor_id=event.left_doctor_id,
        room_id=event.left_room_id,
        left=TimeSpan(event.left_at, event.left_at + timedelta(minutes=event.left_minutes)),
        freed_at=event.announced_at or clock.now(),
    )


@after_commit(WaitlistOfferSettled, when=lambda event: event.status != OfferStatus.ACCEPTED)
def offer_to_the_next(event: WaitlistOfferSettled) -> None:
    """An offer that was not accepted goes to the next in rank."""
    services.offer_to_next(by=SYSTEM, opening=event.opening)
