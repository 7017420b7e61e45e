"""The messages about a change of the schedule: to doctors within HIMS, with patient and time; to the patient by mail, without
details. If a patient on the waitlist has no address, reception has to call.

A mail passes through other systems, often into a mailbox that a family shares. That a person has an appointment, and when, with
which doctor and for what, is health information as soon as it can be tied to the person (45 CFR 160.103, 164.514(b)(2): dates of
care are among the identifiers), and the address ties it. So a mail says only that there is news and which number to call: no
name, no date or time, no doctor, type or note, no link with an id in it.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.access.roles import Role
from apps.accounts import selectors as accounts
from apps.appointments.events import AppointmentBooked, AppointmentUpdated, SeriesBooked, WaitlistOffered
from apps.appointments.models import Appointment, OfferStatus, WaitlistOffer
from apps.appointments.rules import LIVE, Status
from apps.common import clock
from apps.common.prepared import PreparedQuery, Slot
from apps.common.text import isolated
from apps.notifications import rules
from apps.notifications.mail.mailer import Recipient
from apps.notifications.messages.wording import clinic_time, clinic_zone, person
from apps.notifications.models import Category, Priority
from apps.notifications.rules import AppointmentNews
from apps.notifications.services import Notice
from apps.patients import selectors as patients

_BOOKED = ("scheduled_time", "booked_by__role")
AppointmentEvent = AppointmentBooked | AppointmentUpdated


@dataclass(frozen=True, kw_only=True)
class DoctorNotice:
    """The message to one doctor. `part` distinguishes several messages about one event."""

    doctor_id: UUID
    notice: Notice
    part: str = ""


@dataclass(frozen=True)
class PreviousSlot:
    """The previous place of an appointment, as far as the event names it."""

    doctor_id: UUID | None
    at: datetime | None

    @classmethod
    def of(cls, event: AppointmentEvent) -> "PreviousSlot":
        """Returns no place if the appointment was booked or stays."""
        return cls(event.left_doctor_id, event.left_at) if isinstance(event, AppointmentUpdated) else cls(None, None)


def doctor_notices(event: AppointmentEvent) -> list[DoctorNotice]:
    """Returns the messages to the doctor of the schedule and to the previous doctor; none for a doctor's own change, or a distant
    date."""
    previous, news = PreviousSlot.of(event), _news(event)
    return [
        DoctorNotice(doctor_id=doctor_id, notice=_notice(event, news, previous, (doctor_id, part)), part=part)
        for doctor_id, part in _doctors_to_notify(event)
        if news is not None
    ]


def concerns_doctors(event: AppointmentEvent) -> bool:
    """Returns whether any doctor is notified. Runs no query, so that a change without news starts no task."""
    return bool(_doctors_to_notify(event))


def may_concern_patient(event: AppointmentEvent) -> bool:
    """Returns whether the patient may get a mail, judging by the event alone. Runs no query.

    The appointments that were booked with a new series send no mails of their own.
    """
    if isinstance(event, AppointmentUpdated):
        return _change_for_patient(event) is not None
    return not event.with_series and event.scheduled_time > (event.announced_at or clock.now())


def news_for_patient(event: AppointmentEvent | SeriesBooked) -> AppointmentNews | None:
    """Returns the news for the patient: future appointments only, and not what the patient booked without staff.

    A mail may wait for hours. News of an appointment that was cancelled or has ended since are none.
    """
    if isinstance(event, AppointmentUpdated):
        news = _change_for_patient(event)
        return news if news in (None, AppointmentNews.CANCELLED) or _is_still_ahead(event.appointment_id) else None
    now = clock.now()
    ahead = [appointment for appointment in _booked_appointments(event) if appointment["scheduled_time"] > now]
    return AppointmentNews.BOOKED if any(appointment["booked_by__role"] != Role.PATIENT for appointment in ahead) else None


def mail_recipient(patient_id: UUID) -> Recipient | None:
    """Returns the recipient; None without an address, or if the patient has died or is no longer active.

    For a record that was merged into another, the survivor's.
    """
    patient = patients.patient(SYSTEM, patient_id)
    if not patient.email or patient.deceased_at or not patient.is_active:
        return None
    return Recipient(key=patient.pk, address=patient.email, language=patient.language)


def is_open_offer(event: WaitlistOffered) -> bool:
    """Returns whether the patient can still accept the offer."""
    return WaitlistOffer.objects.filter(pk=event.offer_id, status=OfferStatus.OPEN, expires_at__gt=clock.now()).exists()


def reception_notice(event: WaitlistOffered) -> Notice | None:
    """Returns the message to call the patient while the offer is open; None if a mail was sent. The patient of a restricted chart
    is named only on the waitlist, to users who may see it there."""
    patient = patients.patient(SYSTEM, event.patient_id)
    if mail_recipient(event.patient_id) or patient.deceased_at or not patient.is_active or not is_open_offer(event):
        return None
    who = "a patient on the waiting list" if patient.restricted else f"{isolated(patient.full_name)} ({patient.mrn})"
    return Notice(
        title="Please call: a time is free",
        message=(
            f"{clinic_time(event.scheduled_time)} with {person(event.doctor_id)} is offered to {who}, who has no e-mail address, "
            f"until {clinic_time(event.expires_at)}."
        ),
        priority=Priority.HIGH,
        category=Category.APPOINTMENT,
        action_url=reverse("admin:appointments_waitlistentry_change", args=[event.entry_id]),
    )


def _doctors_to_notify(event: AppointmentEvent) -> list[tuple[UUID, str]]:
    """Returns the doctors to notify, each with the part of the event that concerns them."""
    previous, news = PreviousSlot.of(event), _news(event)
    if news is None or event.status == Status.REQUESTED or not _is_soon(event, previous):
        return []
    recipients = [(event.doctor_id, "")]
    if news is AppointmentNews.CHANGED and previous.doctor_id and previous.doctor_id != event.doctor_id:
        recipients.append((previous.doctor_id, "left"))
    return [(doctor_id, part) for doctor_id, part in recipients if doctor_id != event.announced_by]


def _news(event: AppointmentEvent) -> AppointmentNews | None:
    return AppointmentNews.BOOKED if isinstance(event, AppointmentBooked) else rules.news_for_doctor(event.changes, event.status)


def _change_for_patient(event: AppointmentUpdated) -> AppointmentNews | None:
    if not event.notify_patient or rules.is_over(event.scheduled_time, now=clock.now(), zone=clinic_zone()):
        return None
    return rules.news_for_patient(event.changes, event.status)


def _is_still_ahead(appointment_id: UUID) -> bool:
    return Appointment.objects.filter(pk=appointment_id, status__in=[Status.REQUESTED, *LIVE]).exists()


def _booked_appointments(event: AppointmentBooked | SeriesBooked) -> list[dict[str, Any]]:
    """Returns what is still booked of it."""
    if isinstance(event, SeriesBooked):
        return list(Appointment.objects.live().filter(series=event.series_id).values(*_BOOKED))
    return _live_appointment().dicts(appointment_id=event.appointment_id)


@cache
def _live_appointment() -> PreparedQuery:
    """Every booking runs this query: its SQL is built once and planned once per connection."""
    single = Appointment.objects.live().filter(pk=Slot("appointment_id"))
    return PreparedQuery(single.order_by().values(*_BOOKED))


def _is_soon(event: AppointmentEvent, previous: PreviousSlot) -> bool:
    now = event.announced_at or clock.now()
    times = [at for at in (event.scheduled_time, previous.at) if at]
    return any(rules.is_soon(at, now=now, days=settings.HIMS_NOTICE_DAYS, zone=clinic_zone()) for at in times)


def _notice(event: AppointmentEvent, news: AppointmentNews, previous: PreviousSlot, recipient: tuple[UUID, str]) -> Notice:
    """Returns the message to a doctor about the part of the event. A patient whose restricted chart is closed to the doctor is
    not named, as in the schedule, and the message leads to no page."""
    doctor_id, part = recipient
    title, what = _title_and_text(event, news, previous, part)
    patient = patients.patient(SYSTEM, event.patient_id)
    is_closed = patient.restricted and not _may_know_of(doctor_id, patient.pk)
    by = person(event.announced_by) if event.announced_by else "the system"
    return Notice(
        title=title,
        message=f"{'A patient' if is_closed else f'{isolated(patient.full_name)} ({patient.mrn})'}: {what}, by {by}.",
        category=Category.APPOINTMENT,
        action_url="" if is_closed else reverse("admin:appointments_appointment_change", args=[event.appointment_id]),
    )


def _may_know_of(user_id: UUID, patient_id: UUID) -> bool:
    user = accounts.staff_member(user_id)
    return user is not None and patients.named(visible_to=user, ids=[patient_id]).exists()


def _title_and_text(event: AppointmentEvent, news: AppointmentNews, previous: PreviousSlot, part: str) -> tuple[str, str]:
    """Returns the title, and what happened to the appointment."""
    at = clinic_time(event.scheduled_time)
    if news is AppointmentNews.BOOKED:
        return "New appointment", f"booked for {at}"
    if news is AppointmentNews.CANCELLED:
        return "Appointment cancelled", f"the appointment on {at} was cancelled"
    changes = getattr(event, "changes", ())
    if part:
        return "Appointment moved to a colleague", f"moved from you to {person(event.doctor_id)}, for {at}"
    before = f", before on {clinic_time(previous.at)}" if previous.at and previous.at != event.scheduled_time else ""
    if "doctor_id" in changes:
        return "Appointment moved to you", f"moved to you, for {at}{before}"
    if "scheduled_time" in changes:
        return "Appointment moved", f"moved to {at}{before}"
    return "Appointment changed", f"the appointment on {at} has a new length"
