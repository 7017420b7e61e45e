"""Who is told of what, once. What is mailed is a delivery of its own, so that a mail server keeps nobody waiting.

In the house a message may name a patient; a mail never does.
"""

from uuid import UUID

from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.access.roles import Role
from apps.accounts import services as accounts
from apps.accounts.events import PasswordResetAsked, SecondFactorDisabled, SignedInFromNewPlace, StaffInvited
from apps.accounts.models import PasswordLink, User
from apps.appointments.events import AppointmentBooked, AppointmentUpdated, SeriesBooked, WaitlistOffered
from apps.audit.events import UnusualReading
from apps.common import clock
from apps.common.text import isolated
from apps.consultations import selectors as consultations
from apps.consultations.events import ConsultationAlertRaised, ConsultationHandedOver, ConsultationReady
from apps.consultations.models import VitalAlert
from apps.events.listeners import SHARED, after_commit
from apps.notifications import consulting, diary, mail, services
from apps.notifications.mail import Recipient
from apps.notifications.models import Priority, Type
from apps.notifications.services import Notice
from apps.notifications.wording import clinic_time, person
from apps.patients import selectors as patients
from apps.patients.events import GlassBroken

_ADMINISTRATORS = (Role.ADMIN,)


@after_commit(GlassBroken, terms=SHARED)
def tell_of_broken_glass(event: GlassBroken) -> None:
    """To every administrator, who may look at what the person read."""
    patient = patients.patient(SYSTEM, event.patient_id)
    notice = Notice(
        title="Emergency access to a restricted chart",
        message=(
            f"{person(event.user_id)} opened the restricted chart of {isolated(patient.full_name)} "
            f"({patient.mrn}) in an emergency, on {clinic_time(event.announced_at)}, until {clinic_time(event.until)}."
        ),
        type=Type.WARNING,
        priority=Priority.URGENT,
        action_url=_trail_of(event.patient_id),
    )
    services.notify(by=SYSTEM, notice=notice, roles=_ADMINISTRATORS, event_id=event.event_id)


@after_commit(UnusualReading, terms=SHARED)
def tell_of_unusual_reading(event: UnusualReading) -> None:
    """To every administrator."""
    notice = Notice(
        title="Unusually many charts opened",
        message=f"{person(event.user_id)} opened the charts of {event.charts} patients within an hour.",
        type=Type.WARNING,
        priority=Priority.HIGH,
        action_url=_trail_of(event.user_id),
    )
    services.notify(by=SYSTEM, notice=notice, roles=_ADMINISTRATORS, event_id=event.event_id)


@after_commit(SignedInFromNewPlace, terms=SHARED)
def tell_of_a_new_place(event: SignedInFromNewPlace) -> None:
    """To whoever the account belongs to."""
    notice = Notice(
        title="New sign-in to your account",
        message=(
            f"Somebody signed in to your account on {clinic_time(event.announced_at)}, from a place it was not used from in the "
            "last 30 days. If it was not you, change your password and tell an administrator."
        ),
        type=Type.WARNING,
        priority=Priority.HIGH,
        action_url=reverse("admin:password_change"),
    )
    services.notify(by=SYSTEM, notice=notice, ids=[event.user_id], event_id=event.event_id)


@after_commit(SignedInFromNewPlace, terms=mail.TERMS)
def mail_of_a_new_place(event: SignedInFromNewPlace) -> None:
    """To whoever the account belongs to, who may not be the one who signed in."""
    if user := _working(event.user_id):
        at = clinic_time(event.announced_at)
        mail.send(to=Recipient.of(user), template="new_place", context={"at": at}, event_id=event.event_id)


@after_commit(SecondFactorDisabled, terms=SHARED, when=lambda event: event.reset)
def tell_of_a_second_factor_taken_away(event: SecondFactorDisabled) -> None:
    """To its owner, where somebody else did it."""
    notice = Notice(
        title="Your second factor was taken away",
        message=(
            f"An administrator removed the second factor of your account on {clinic_time(event.announced_at)}. "
            "Set up another one. If you did not ask for it, tell an administrator."
        ),
        type=Type.WARNING,
        priority=Priority.HIGH,
        action_url=reverse("admin:second_factor"),
    )
    services.notify(by=SYSTEM, notice=notice, ids=[event.user_id], event_id=event.event_id)


@after_commit(PasswordResetAsked, terms=mail.TERMS)
def mail_a_new_password_s_link(event: PasswordResetAsked) -> None:
    """The link is made here, so that none waits in the outbox or the broker; each attempt makes another."""
    if user := _working(event.user_id):
        context = {"link": accounts.make_reset_link(user_id=user.pk), "minutes": 30}
        mail.send(to=Recipient.of(user), template="password_reset", context=context, event_id=event.event_id)


@after_commit(StaffInvited, terms=mail.TERMS)
def mail_an_invitation(event: StaffInvited) -> None:
    """As above. Who chose a password meanwhile needs no invitation."""
    user = _working(event.user_id)
    if user and not user.has_usable_password():
        link = accounts.make_reset_link(user_id=user.pk, purpose=PasswordLink.Purpose.INVITATION)
        context = {"link": link, "days": 7}
        mail.send(to=Recipient.of(user), template="invitation", context=context, event_id=event.event_id)


@after_commit(AppointmentBooked, terms=SHARED, when=diary.concerns_doctors)
def tell_the_doctor_of_a_booking(event: AppointmentBooked) -> None:
    """Whose diary it stands in, where somebody else put it there for one of the next days."""
    _tell_doctors(event)


@after_commit(AppointmentUpdated, terms=SHARED, when=diary.concerns_doctors)
def tell_the_doctors_of_a_change(event: AppointmentUpdated) -> None:
    """As above, of a visit that was moved or cancelled."""
    _tell_doctors(event)


@after_commit(AppointmentBooked, terms=mail.TERMS, when=diary.may_concern_patient)
def mail_of_a_booking(event: AppointmentBooked) -> None:
    """To the patient, of a visit that is still ahead."""
    _mail_patient(event)


@after_commit(SeriesBooked, terms=mail.TERMS)
def mail_of_a_series(event: SeriesBooked) -> None:
    """As above, once for all of its visits."""
    _mail_patient(event)


@after_commit(AppointmentUpdated, terms=mail.TERMS, when=diary.may_concern_patient)
def mail_of_a_change(event: AppointmentUpdated) -> None:
    """To the patient, where whoever moved or cancelled the visit wished it."""
    _mail_patient(event)


@after_commit(WaitlistOffered, terms=mail.TERMS)
def mail_of_an_offer(event: WaitlistOffered) -> None:
    """To the patient, as long as it stands."""
    recipient = diary.address_of(event.patient_id)
    if recipient and event.expires_at > clock.now():
        mail.send(to=recipient, template="appointment_offer", context={}, event_id=event.event_id)


@after_commit(WaitlistOffered, terms=SHARED)
def tell_the_desk_of_an_offer(event: WaitlistOffered) -> None:
    """Where nobody can be mailed, somebody has to call."""
    if notice := diary.to_the_desk(event):
        services.notify(by=SYSTEM, notice=notice, roles=(Role.RECEPTIONIST,), event_id=event.event_id)


@after_commit(ConsultationAlertRaised, terms=SHARED, when=consulting.is_news_to_the_doctor)
def tell_the_doctor_of_an_alert(event: ConsultationAlertRaised) -> None:
    """The doctor of the visit, unless the doctor entered the value."""
    _tell_of_alerts(event, consultations.vital_alerts(event.consultation_id, event.alert_ids))


@after_commit(ConsultationHandedOver, terms=SHARED)
def tell_the_next_doctor_of_open_alerts(event: ConsultationHandedOver) -> None:
    """The doctor who takes the visit over learns which alerts nobody has acknowledged."""
    _tell_of_alerts(event, consultations.vital_alerts(event.consultation_id))


@after_commit(ConsultationAlertRaised, terms=mail.TERMS, when=consulting.is_news_to_the_doctor)
def mail_the_doctor_of_an_alert(event: ConsultationAlertRaised) -> None:
    """That a patient needs the doctor, without the patient and without the value."""
    if user := _working(event.doctor_id):
        mail.send(to=Recipient.of(user), template="vital_alert", context={}, event_id=event.event_id)


@after_commit(ConsultationReady, terms=SHARED)
def tell_the_doctor_of_a_ready_patient(event: ConsultationReady) -> None:
    """The doctor of the visit."""
    notice = consulting.of_ready(event.consultation_id, event.patient_id, event.announced_by, event.ready_at)
    services.notify(by=SYSTEM, notice=notice, ids=[event.doctor_id], event_id=event.event_id)


def _tell_of_alerts(event: ConsultationAlertRaised | ConsultationHandedOver, alerts: list[VitalAlert]) -> None:
    if notice := consulting.of_alerts(event.consultation_id, event.patient_id, alerts):
        services.notify(by=SYSTEM, notice=notice, ids=[event.doctor_id], event_id=event.event_id)


def _tell_doctors(event: diary.Change) -> None:
    for said in diary.to_doctors(event):
        services.notify(by=SYSTEM, notice=said.notice, ids=[said.doctor_id], event_id=event.event_id, part=said.part)


def _mail_patient(event: diary.Change | SeriesBooked) -> None:
    news = diary.news_to_patient(event)
    recipient = diary.address_of(event.patient_id) if news else None
    if recipient:
        mail.send(to=recipient, template=f"appointment_{news}", context={}, event_id=event.event_id)


def _working(user_id: UUID) -> User | None:
    return User.objects.filter(pk=user_id, is_active=True).first()


def _trail_of(someone: UUID) -> str:
    return f"{reverse('admin:audit_auditevent_changelist')}?q={someone}"
