"""The listeners that notify, once per event. A mail is a delivery of its own, so that a mail server delays no other listener.

A message within HIMS may name a patient; a mail never does.
"""

from uuid import UUID

from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.access.roles import Role
from apps.accounts import services as accounts
from apps.accounts.events import PasswordResetAccepted, SecondFactorDisabled, SignedInFromNewPlace, StaffInvited
from apps.accounts.models import PasswordLink, User
from apps.appointments.events import AppointmentBooked, AppointmentUpdated, SeriesBooked, WaitlistOffered
from apps.audit.events import UnusualReading
from apps.common.errors import NotFound
from apps.common.text import isolated
from apps.consultations import selectors as consultations
from apps.consultations.events import ConsultationAlertRaised, ConsultationHandedOver, ConsultationReady
from apps.consultations.models import VitalAlert
from apps.events.listeners import SHARED_TRANSACTION, after_commit
from apps.notifications import services
from apps.notifications.mail import mailer
from apps.notifications.mail.mailer import Recipient
from apps.notifications.messages import appointment_messages, consultation_messages
from apps.notifications.messages.wording import clinic_time, person
from apps.notifications.models import Priority, Type
from apps.notifications.services import Notice
from apps.patients import selectors as patients
from apps.patients.events import GlassBroken, MergeRequested
from apps.patients.matching import pairs

_ADMINISTRATORS = (Role.ADMIN,)


@after_commit(GlassBroken, policy=SHARED_TRANSACTION)
def notify_of_break_glass(event: GlassBroken) -> None:
    """Notifies every administrator, who may look at what the user read."""
    patient = patients.patient(SYSTEM, event.patient_id)
    notice = Notice(
        title="Emergency access to a restricted chart",
        message=(
            f"{person(event.user_id)} opened the restricted chart of {isolated(patient.full_name)} "
            f"({patient.mrn}) in an emergency, on {clinic_time(event.announced_at)}, until {clinic_time(event.until)}."
        ),
        type=Type.WARNING,
        priority=Priority.URGENT,
        action_url=_audit_log_of(event.patient_id),
    )
    services.notify(by=SYSTEM, notice=notice, roles=_ADMINISTRATORS, event_id=event.event_id)


@after_commit(MergeRequested, policy=SHARED_TRANSACTION)
def notify_of_merge_request(event: MergeRequested) -> None:
    """Notifies every administrator, unless the pair was decided meanwhile. The notification leads to the pair."""
    try:
        pair = pairs.pair(SYSTEM, event.pair_id)
    except NotFound:
        return
    keep, other = (pair.low, pair.high) if pair.low_id == event.patient_id else (pair.high, pair.low)
    asker = isolated(pair.merge_asked_by.full_name) if pair.merge_asked_by else "A user"
    reason = f" Reason: {pair.merge_reason}" if pair.merge_reason else ""
    notice = Notice(
        title="A merge of two records was asked for",
        message=(
            f"{asker} asks you to merge {isolated(other.full_name)} ({other.mrn}) into {isolated(keep.full_name)} "
            f"({keep.mrn}).{reason}"
        ),
        action_url=reverse("admin:patients_duplicatecandidate_change", args=[pair.pk]),
    )
    services.notify(by=SYSTEM, notice=notice, roles=_ADMINISTRATORS, event_id=event.event_id)


@after_commit(UnusualReading, policy=SHARED_TRANSACTION)
def notify_of_unusual_access(event: UnusualReading) -> None:
    """Notifies every administrator."""
    notice = Notice(
        title="Unusually many charts opened",
        message=f"{person(event.user_id)} opened the charts of {event.charts} patients within an hour.",
        type=Type.WARNING,
        priority=Priority.HIGH,
        action_url=_audit_log_of(event.user_id),
    )
    services.notify(by=SYSTEM, notice=notice, roles=_ADMINISTRATORS, event_id=event.event_id)


@after_commit(SignedInFromNewPlace, policy=SHARED_TRANSACTION)
def notify_of_new_place(event: SignedInFromNewPlace) -> None:
    """Notifies the owner of the account."""
    notice = Notice(
        title="New sign-in to your account",
        message=(
            f"There was a sign-in to your account on {clinic_time(event.announced_at)}, from a place it was not "
            "used from in the last 30 days. If it was not you, change your password and tell an administrator."
        ),
        type=Type.WARNING,
        priority=Priority.HIGH,
        action_url=reverse("admin:password_change"),
    )
    services.notify(by=SYSTEM, notice=notice, ids=[event.user_id], event_id=event.event_id)


@after_commit(SignedInFromNewPlace, policy=mailer.RETRY_POLICY)
def mail_new_place(event: SignedInFromNewPlace) -> None:
    """Mails the owner of the account, who may not be the person who signed in."""
    if user := _active_user(event.user_id):
        at = clinic_time(event.announced_at)
        mailer.send(to=Recipient.of(user), template="new_place", context={"at": at}, event_id=event.event_id)


@after_commit(SecondFactorDisabled, policy=SHARED_TRANSACTION, when=lambda event: event.reset)
def notify_of_second_factor_reset(event: SecondFactorDisabled) -> None:
    """Notifies the owner, if another user did it."""
    notice = Notice(
        title="Your second factor was removed",
        message=(
            f"An administrator removed the second factor of your account on {clinic_time(event.announced_at)}. "
            "Set up another one. If you did not ask for this, tell an administrator."
        ),
        type=Type.WARNING,
        priority=Priority.HIGH,
        action_url=reverse("admin:second_factor"),
    )
    services.notify(by=SYSTEM, notice=notice, ids=[event.user_id], event_id=event.event_id)


@after_commit(PasswordResetAccepted, policy=mailer.RETRY_POLICY)
def mail_password_reset_link(event: PasswordResetAccepted) -> None:
    """Creates the link here, so that none waits in the outbox or the broker; each attempt creates another."""
    if user := _active_user(event.user_id):
        context = {"link": accounts.create_password_link(user_id=user.pk), "minutes": 30}
        mailer.send(to=Recipient.of(user), template="password_reset", context=context, event_id=event.event_id)


@after_commit(StaffInvited, policy=mailer.RETRY_POLICY)
def mail_invitation(event: StaffInvited) -> None:
    """Creates the link as above. A user who has chosen a password meanwhile needs no invitation."""
    user = _active_user(event.user_id)
    if user and not user.has_usable_password():
        link = accounts.create_password_link(user_id=user.pk, purpose=PasswordLink.Purpose.INVITATION)
        context = {"link": link, "days": 7}
        mailer.send(to=Recipient.of(user), template="invitation", context=context, event_id=event.event_id)


@after_commit(AppointmentBooked, policy=SHARED_TRANSACTION, when=appointment_messages.concerns_doctors)
def notify_doctor_of_booking(event: AppointmentBooked) -> None:
    """Notifies the doctor of the schedule, if another user booked the appointment for one of the next days."""
    _notify_doctors(event)


@after_commit(AppointmentUpdated, policy=SHARED_TRANSACTION, when=appointment_messages.concerns_doctors)
def notify_doctors_of_change(event: AppointmentUpdated) -> None:
    """Notifies the doctors of an appointment that was moved or cancelled."""
    _notify_doctors(event)


@after_commit(AppointmentBooked, policy=mailer.RETRY_POLICY, when=appointment_messages.may_concern_patient)
def mail_booking(event: AppointmentBooked) -> None:
    """Mails the patient about an appointment that is still ahead."""
    _mail_patient(event)


@after_commit(SeriesBooked, policy=mailer.RETRY_POLICY)
def mail_series(event: SeriesBooked) -> None:
    """Mails the patient once for all appointments of a series."""
    _mail_patient(event)


@after_commit(AppointmentUpdated, policy=mailer.RETRY_POLICY, when=appointment_messages.may_concern_patient)
def mail_change(event: AppointmentUpdated) -> None:
    """Mails the patient if the user who moved or cancelled the appointment chose so."""
    _mail_patient(event)


@after_commit(WaitlistOffered, policy=mailer.RETRY_POLICY)
def mail_offer(event: WaitlistOffered) -> None:
    """Mails the patient while the offer is open."""
    recipient = appointment_messages.mail_recipient(event.patient_id)
    if recipient and appointment_messages.is_open_offer(event):
        mailer.send(to=recipient, template="appointment_offer", context={}, event_id=event.event_id)


@after_commit(WaitlistOffered, policy=SHARED_TRANSACTION)
def notify_reception_of_offer(event: WaitlistOffered) -> None:
    """Notifies reception to call if no mail can be sent."""
    if notice := appointment_messages.reception_notice(event):
        services.notify(by=SYSTEM, notice=notice, roles=(Role.RECEPTIONIST,), event_id=event.event_id)


@after_commit(ConsultationAlertRaised, policy=SHARED_TRANSACTION, when=consultation_messages.is_entered_by_other)
def notify_doctor_of_alert(event: ConsultationAlertRaised) -> None:
    """Notifies the doctor of the consultation, unless the doctor entered the value."""
    _notify_of_alerts(event, consultations.vital_alerts(event.consultation_id, event.alert_ids))


@after_commit(ConsultationHandedOver, policy=SHARED_TRANSACTION)
def notify_next_doctor_of_open_alerts(event: ConsultationHandedOver) -> None:
    """Notifies the new doctor of a consultation of the alerts that have not been acknowledged."""
    _notify_of_alerts(event, consultations.vital_alerts(event.consultation_id))


@after_commit(ConsultationAlertRaised, policy=mailer.RETRY_POLICY, when=consultation_messages.is_entered_by_other)
def mail_alert_to_doctor(event: ConsultationAlertRaised) -> None:
    """Mails the doctor that a patient needs attention, without the patient and without the value."""
    if user := _active_user(event.doctor_id):
        mailer.send(to=Recipient.of(user), template="vital_alert", context={}, event_id=event.event_id)


@after_commit(ConsultationReady, policy=SHARED_TRANSACTION)
def notify_doctor_of_ready_patient(event: ConsultationReady) -> None:
    """Notifies the doctor of the consultation."""
    notice = consultation_messages.ready_notice(event.consultation_id, event.patient_id, event.announced_by, event.ready_at)
    services.notify(by=SYSTEM, notice=notice, ids=[event.doctor_id], event_id=event.event_id)


def _notify_of_alerts(event: ConsultationAlertRaised | ConsultationHandedOver, alerts: list[VitalAlert]) -> None:
    if notice := consultation_messages.alert_notice(event.consultation_id, event.patient_id, alerts):
        services.notify(by=SYSTEM, notice=notice, ids=[event.doctor_id], event_id=event.event_id)


def _notify_doctors(event: appointment_messages.AppointmentEvent) -> None:
    for doctor_notice in appointment_messages.doctor_notices(event):
        services.notify(
            by=SYSTEM,
            notice=doctor_notice.notice,
            ids=[doctor_notice.doctor_id],
            event_id=event.event_id,
            part=doctor_notice.part,
        )


def _mail_patient(event: appointment_messages.AppointmentEvent | SeriesBooked) -> None:
    news = appointment_messages.news_for_patient(event)
    recipient = appointment_messages.mail_recipient(event.patient_id) if news else None
    if recipient:
        mailer.send(to=recipient, template=f"appointment_{news}", context={}, event_id=event.event_id)


def _active_user(user_id: UUID) -> User | None:
    return User.objects.filter(pk=user_id, is_active=True).first()


def _audit_log_of(person_id: UUID) -> str:
    return f"{reverse('admin:audit_auditevent_changelist')}?q={person_id}"
