"""Who is told of what, once. What is mailed is a delivery of its own, so that a mail server keeps nobody waiting.

In the house a message may name a patient; a mail never does.
"""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.access.roles import Role
from apps.accounts import services as accounts
from apps.accounts.events import PasswordResetAsked, SecondFactorDisabled, SignedInFromNewPlace, StaffInvited
from apps.accounts.models import PasswordLink, User
from apps.audit.events import UnusualReading
from apps.common import clock
from apps.events.listeners import after_commit
from apps.notifications import mail, services
from apps.notifications.models import Priority, Type
from apps.notifications.services import Notice
from apps.patients import selectors as patients
from apps.patients.events import GlassBroken

_ADMINISTRATORS = (Role.ADMIN,)


@after_commit(GlassBroken)
def tell_of_broken_glass(event: GlassBroken) -> None:
    """To every administrator, who may look at what the person read."""
    patient = patients.patient(SYSTEM, event.patient_id)
    notice = Notice(
        title="Emergency access to a restricted chart",
        message=(
            f"{_person(event.user_id)} opened the restricted chart of {patient.first_name} {patient.last_name} "
            f"({patient.mrn}) in an emergency, on {_clinic_time(event.announced_at)}, until {_clinic_time(event.until)}."
        ),
        type=Type.WARNING,
        priority=Priority.URGENT,
        action_url=_trail_of(event.patient_id),
    )
    services.notify(by=SYSTEM, notice=notice, roles=_ADMINISTRATORS, event_id=event.event_id)


@after_commit(UnusualReading)
def tell_of_unusual_reading(event: UnusualReading) -> None:
    """To every administrator."""
    notice = Notice(
        title="Unusually many charts opened",
        message=f"{_person(event.user_id)} opened the charts of {event.charts} patients within an hour.",
        type=Type.WARNING,
        priority=Priority.HIGH,
        action_url=_trail_of(event.user_id),
    )
    services.notify(by=SYSTEM, notice=notice, roles=_ADMINISTRATORS, event_id=event.event_id)


@after_commit(SignedInFromNewPlace)
def tell_of_a_new_place(event: SignedInFromNewPlace) -> None:
    """To whoever the account belongs to."""
    notice = Notice(
        title="New sign-in to your account",
        message=(
            f"Somebody signed in to your account on {_clinic_time(event.announced_at)}, from a place it was not used from in the "
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
    if person := _working(event.user_id):
        at = _clinic_time(event.announced_at)
        mail.send(to=person, template="new_place", context={"at": at}, event_id=event.event_id)


@after_commit(SecondFactorDisabled)
def tell_of_a_second_factor_taken_away(event: SecondFactorDisabled) -> None:
    """To its owner, where somebody else did it."""
    if event.reset:
        notice = Notice(
            title="Your second factor was taken away",
            message=(
                f"An administrator removed the second factor of your account on {_clinic_time(event.announced_at)}. "
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
    if person := _working(event.user_id):
        link = accounts.make_reset_link(user_id=person.pk)
        mail.send(to=person, template="password_reset", context={"link": link, "minutes": 30}, event_id=event.event_id)


@after_commit(StaffInvited, terms=mail.TERMS)
def mail_an_invitation(event: StaffInvited) -> None:
    """As above. Who chose a password meanwhile needs no invitation."""
    person = _working(event.user_id)
    if person and not person.has_usable_password():
        link = accounts.make_reset_link(user_id=person.pk, purpose=PasswordLink.Purpose.INVITATION)
        mail.send(to=person, template="invitation", context={"link": link, "days": 7}, event_id=event.event_id)


def _working(user_id: UUID) -> User | None:
    return User.objects.filter(pk=user_id, is_active=True).first()


def _person(user_id: UUID) -> str:
    return str(User.objects.filter(pk=user_id).first() or "Somebody")


def _clinic_time(at: datetime | None) -> str:
    """As the clinic's clock shows it, with the zone."""
    return f"{(at or clock.now()).astimezone(ZoneInfo(settings.CLINIC_TIME_ZONE)):%Y-%m-%d at %H:%M %Z}"


def _trail_of(someone: UUID) -> str:
    return f"{reverse('admin:audit_auditevent_changelist')}?q={someone}"
