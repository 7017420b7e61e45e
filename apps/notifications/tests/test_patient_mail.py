"""Mail to patients, to a real server: which patients get one, and that it names no person."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import transaction

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests import factories as people
from apps.accounts.tests.factories import api_client
from apps.appointments import services
from apps.appointments.events import AppointmentUpdated, WaitlistOffered
from apps.appointments.models import Appointment, WaitlistOffer
from apps.appointments.scheduling.recurrence import Rhythm
from apps.appointments.services import NewAppointment, NewSeries, NewWaitlistEntry
from apps.appointments.tests.factories import room
from apps.common import clock
from apps.common.logs import LineFormatter
from apps.events import relay
from apps.events.models import Delivery
from apps.events.services import emit
from apps.notifications.mail import mailer
from apps.notifications.mail.mailer import Recipient
from apps.notifications.models import Message, Notification
from apps.notifications.tests import receiver
from apps.notifications.tests.receiver import Receiver
from apps.patients import services as charts
from apps.patients.models import Patient
from apps.patients.tests.factories import merge, register_patient

pytestmark = pytest.mark.django_db
ADDRESS = "m77@home.example"
NOTES, REASON = "Biopsy of the left breast", "Bus strike"
KINDS = ("booked", "changed", "cancelled", "offer")


@pytest.fixture
def port(settings: Any) -> int:
    """Where the mail server is expected."""
    settings.EMAIL_BACKEND = "apps.notifications.mail.smtp_backend.SmtpUtf8Backend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", receiver.free_port(), 1
    settings.CLINIC_NAME, settings.CLINIC_PHONE = "Harbour Clinic", "(213) 555-0142"
    settings.DEFAULT_FROM_EMAIL = "Harbour Clinic <no-reply@clinic.example>"
    return settings.EMAIL_PORT


@pytest.fixture
def mary(staff: dict[str, User]) -> Patient:
    return register_patient("Mary", "Major", mrn="MRN777", email=ADDRESS, phone="415 555 0134")


def in_days(days: float) -> datetime:
    """A minute of another day that the clock does not show now, in no zone."""
    now = clock.now() + timedelta(days=days)
    return now.replace(minute=(now.minute + 7) % 60, second=0, microsecond=0)


def book(staff: dict[str, User], patient: Patient, when: datetime | None = None, **visit: Any) -> Appointment:
    asked = NewAppointment(
        patient_id=patient.pk,
        doctor_id=staff["doctor"].pk,
        scheduled_time=when or in_days(3),
        appointment_type="procedure",
        notes=NOTES,
        **visit,
    )
    return services.book(by=staff["receptionist"], new=asked).appointment


def deliver() -> None:
    for turn in relay.claim_waiting():
        relay.deliver(turn.delivery_id, turn.attempt)


def mails(port: int) -> list[Any]:
    """What a server that works takes of all that waits."""
    with receiver.open_at(port, Receiver()) as server:
        deliver()
    return server.taken


def forget_the_booking() -> None:
    """The booking's own mail is no matter here."""
    Delivery.objects.all().delete()
    relay.claim_waiting()
    Delivery.objects.all().delete()


def bodies(taken: list[Any]) -> list[str]:
    return [one.get_content() for one in taken]


def test_a_patient_is_mailed_of_a_visit_that_reception_books(port: int, staff: dict[str, User], mary: Patient) -> None:
    body = {
        "patient_id": str(mary.pk),
        "doctor_id": str(staff["doctor"].pk),
        "appointment_type": "procedure",
        "scheduled_time": in_days(3).isoformat(),
        "duration_minutes": 15,
    }
    assert api_client(staff["receptionist"]).post("/appointments", body).status_code == 201
    [sent] = [one for one in mails(port) if one["To"] == ADDRESS]
    assert sent["Subject"] == "News about an appointment at Harbour Clinic"
    assert "were made" in sent.get_content()
    assert "(213) 555-0142" in sent.get_content()
    assert sent["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize(("notify", "sent"), [({}, 1), ({"notify_patient": True}, 1), ({"notify_patient": False}, 0)])
def test_a_cancellation_is_mailed_unless_the_user_declines(
    port: int, staff: dict[str, User], mary: Patient, notify: dict[str, bool], sent: int
) -> None:
    visit = book(staff, mary)
    forget_the_booking()
    asked = {"cancellation_reason": REASON, **notify}
    assert api_client(staff["receptionist"]).call("DELETE", f"/appointments/{visit.pk}", asked).status_code == 200
    taken = [one for one in mails(port) if one["To"] == ADDRESS]
    assert len(taken) == sent
    assert all("were cancelled" in body for body in bodies(taken))


@pytest.mark.parametrize("notify", [True, False])
def test_another_time_or_doctor_is_mailed_where_it_is_wished(
    port: int, staff: dict[str, User], mary: Patient, notify: bool
) -> None:
    colleague = people.hire("dr.two", "doctor", specialty="Oncology", npi="1003000126")
    visit = book(staff, mary)
    forget_the_booking()
    for changes in ({"scheduled_time": in_days(4)}, {"doctor_id": colleague.pk}):
        services.change(by=staff["receptionist"], appointment_id=visit.pk, changes=changes, notify_patient=notify)
    taken = mails(port)
    assert ["has changed" in body for body in bodies(taken)] == [True, True] * notify


def test_what_does_not_concern_the_patient_s_calendar_is_not_mailed(port: int, staff: dict[str, User], mary: Patient) -> None:
    visit = book(staff, mary, in_days(-1 / 24))
    for changes in ({"duration_minutes": 45}, {"room_id": room().pk}, {"notes": "x"}, {"status": "confirmed"}):
        services.change(by=staff["receptionist"], appointment_id=visit.pk, changes=changes)
    assert not mails(port)


@pytest.mark.parametrize("days", [-3, -1 / 24])
def test_a_visit_entered_afterwards_is_not_mailed(port: int, staff: dict[str, User], mary: Patient, days: float) -> None:
    book(staff, mary, in_days(days))
    assert not mails(port)


def test_what_happened_days_ago_is_corrected_without_a_mail(port: int, staff: dict[str, User], mary: Patient) -> None:
    visit = book(staff, mary, in_days(-3))
    services.change(by=staff["receptionist"], appointment_id=visit.pk, changes={"scheduled_time": in_days(-4)})
    services.cancel(by=staff["receptionist"], appointment_id=visit.pk)
    assert not mails(port)


def test_who_asked_for_a_visit_is_mailed_once_it_is_granted(port: int, staff: dict[str, User], mary: Patient) -> None:
    visit = book(staff, mary, status="requested")
    assert not mails(port)
    services.change(by=staff["receptionist"], appointment_id=visit.pk, changes={"status": "scheduled"})
    assert ["were made" in body for body in bodies(mails(port))] == [True]


def test_a_visit_that_a_patient_books_himself_is_no_news_to_him(port: int, staff: dict[str, User], mary: Patient) -> None:
    visit = book(staff, mary)
    User.objects.filter(pk=staff["receptionist"].pk).update(role="patient")
    assert not mails(port)
    assert visit.status == "scheduled"


def test_who_has_no_address_is_not_mailed(port: int, staff: dict[str, User]) -> None:
    visit = book(staff, register_patient("Nora", "Null", email=""))
    services.cancel(by=staff["receptionist"], appointment_id=visit.pk)
    assert not mails(port)
    assert not Delivery.objects.exclude(status=Delivery.Status.DONE).exists()


@pytest.mark.parametrize("gone", ["deceased", "inactive"])
def test_no_mail_goes_to_the_dead_nor_to_users_who_left(port: int, staff: dict[str, User], mary: Patient, gone: str) -> None:
    visit = book(staff, mary)
    if gone == "deceased":
        charts.amend(by=SYSTEM, patient_id=mary.pk, changes={"deceased_at": clock.now()})
    else:
        charts.deactivate(by=SYSTEM, patient_id=mary.pk)
    services.cancel(by=staff["receptionist"], appointment_id=visit.pk)
    assert not mails(port)


def test_the_mail_of_a_merged_record_goes_to_the_survivor(port: int, staff: dict[str, User], mary: Patient) -> None:
    retired = register_patient("Marie", "Major", email="old@home.example")
    book(staff, retired)
    merge(retired, mary)
    assert [one["To"] for one in mails(port)] == [ADDRESS]


def test_a_mail_names_no_person(port: int, staff: dict[str, User], mary: Patient) -> None:
    visit = book(staff, mary, room_id=room("Theatre 9").pk)
    with receiver.open_at(port, Receiver()) as server:
        services.change(by=staff["receptionist"], appointment_id=visit.pk, changes={"scheduled_time": in_days(4)})
        deliver()
        services.cancel(by=staff["receptionist"], appointment_id=visit.pk, reason=REASON)
        deliver()
        mailer.send(to=Recipient(key=mary.pk, address=ADDRESS), template="appointment_offer", context={})
    taken = server.taken
    assert len(taken) == 4
    mails_whole = [f"{one.as_string()}\n{one['Subject']}\n{one.get_content()}".lower() for one in taken]
    for word in secrets_of(staff, mary, visit):
        assert not [text for text in mails_whole if word.lower() in text], word


def secrets_of(staff: dict[str, User], mary: Patient, visit: Appointment) -> set[str]:
    """All that ties the mail to a person or a visit."""
    doctor, clinic = staff["doctor"], ZoneInfo("America/Los_Angeles")
    times = [at.astimezone(zone) for at in (in_days(3), in_days(4)) for zone in (clinic, ZoneInfo("UTC"))]
    shown = {f"{at:{how}}" for at in times for how in ("%H:%M", "%I:%M", "%Y-%m-%d", "%m/%d/%Y", "%d %b %Y", "%B", "%A")}
    ids = {str(one) for one in (mary.pk, visit.pk, doctor.pk)} | {one.hex for one in (mary.pk, visit.pk, doctor.pk)}
    people_s = {"Mary", "Major", "MRN777", "0134", doctor.first_name, doctor.last_name, "Family medicine", "receptionist"}
    return shown | ids | people_s | {"procedure", NOTES, "biopsy", REASON, "Theatre", "http", "/admin"}


@pytest.mark.parametrize("kind", KINDS)
def test_each_mail_asks_to_call_also_where_no_number_is_set(settings: Any, db: None, kind: str, mary: Patient) -> None:
    to = Recipient(key=mary.pk, address=ADDRESS)
    settings.CLINIC_PHONE = "(213) 555-0142"
    with_number = mailer.compose(to=to, template=f"appointment_{kind}", context={}, event_id=None)
    settings.CLINIC_PHONE = ""
    without = mailer.compose(to=to, template=f"appointment_{kind}", context={}, event_id=None)
    assert "call us" in with_number.body
    assert ": (213) 555-0142." in with_number.body
    assert "call us" in without.body
    assert "555" not in without.body
    assert "{" not in with_number.body + without.body


def test_a_series_is_one_mail_when_it_is_booked_and_one_when_it_is_cancelled(
    port: int, staff: dict[str, User], mary: Patient
) -> None:
    first = NewAppointment(patient_id=mary.pk, doctor_id=staff["doctor"].pk, scheduled_time=in_days(3))
    done = services.book_series(by=staff["receptionist"], new=NewSeries(first=first, rhythm=Rhythm(count=5)))
    assert ["were made" in body for body in bodies(mails(port))] == [True]
    services.cancel_rest(by=staff["receptionist"], series_id=done.series.pk)
    assert ["were cancelled" in body for body in bodies(mails(port))] == [True]


def test_a_visit_that_is_added_to_a_series_later_is_mailed(port: int, staff: dict[str, User], mary: Patient) -> None:
    first = NewAppointment(patient_id=mary.pk, doctor_id=staff["doctor"].pk, scheduled_time=in_days(3))
    done = services.book_series(by=staff["receptionist"], new=NewSeries(first=first, rhythm=Rhythm(count=3)))
    forget_the_booking()
    book(staff, mary, in_days(5), series_id=done.series.pk)
    assert ["were made" in body for body in bodies(mails(port))] == [True]


def test_a_visit_of_a_series_that_is_cancelled_alone_is_mailed(port: int, staff: dict[str, User], mary: Patient) -> None:
    first = NewAppointment(patient_id=mary.pk, doctor_id=staff["doctor"].pk, scheduled_time=in_days(3))
    done = services.book_series(by=staff["receptionist"], new=NewSeries(first=first, rhythm=Rhythm(count=3)))
    forget_the_booking()
    services.cancel(by=staff["receptionist"], appointment_id=done.appointments[2].pk)
    assert len(mails(port)) == 1


def test_what_is_cancelled_quietly_keeps_no_mail_of_another_visit_from_the_patient(
    port: int, staff: dict[str, User], mary: Patient
) -> None:
    first = NewAppointment(patient_id=mary.pk, doctor_id=staff["doctor"].pk, scheduled_time=in_days(3))
    done = services.book_series(by=staff["receptionist"], new=NewSeries(first=first, rhythm=Rhythm(count=3)))
    forget_the_booking()
    services.cancel(by=staff["receptionist"], appointment_id=done.appointments[0].pk, notify_patient=False)
    services.cancel(by=staff["receptionist"], appointment_id=done.appointments[1].pk)
    assert len(mails(port)) == 1


def test_a_mail_that_is_sent_again_has_the_same_id_and_another_fact_another(
    port: int, staff: dict[str, User], mary: Patient
) -> None:
    visit = book(staff, mary)
    forget_the_booking()
    services.change(by=staff["receptionist"], appointment_id=visit.pk, changes={"scheduled_time": in_days(4)})
    services.change(by=staff["receptionist"], appointment_id=visit.pk, changes={"scheduled_time": in_days(5)})
    with receiver.open_at(port, Receiver()) as server:
        deliver()
        sent = Delivery.objects.filter(listener__endswith="mail_change")
        assert not any(relay.deliver(row.pk, 1) for row in sent)  # done is done
        sent.update(status=Delivery.Status.PENDING, attempts=0, done_at=None)  # the worker died before its commit
        assert all(relay.deliver(row.pk, 1) for row in sent.order_by("id"))
    ids = [one["Message-ID"] for one in server.taken]
    assert len(ids) == 4
    assert len(set(ids)) == 2


def test_a_dead_server_delays_no_request_and_gets_the_mail_when_it_is_back(
    settings: Any, staff: dict[str, User], mary: Patient, port: int
) -> None:
    visit = book(staff, mary)
    forget_the_booking()
    reception = api_client(staff["receptionist"])
    with receiver.silent_mail_server() as hole:
        settings.EMAIL_PORT = hole.port
        assert reception.call("DELETE", f"/appointments/{visit.pk}", {}).status_code == 200
        assert hole.connections() == 0  # the request did not wait for the server: it never asked
        deliver()
        assert hole.connections() == 1
    waiting = Delivery.objects.get(listener__endswith="mail_change")
    assert (waiting.status, waiting.attempts) == ("pending", 1)
    assert Delivery.objects.get(listener__endswith="offer_freed_time").status == "done"
    assert not Delivery.objects.filter(listener__endswith="notify_doctors_of_change").exists()  # not one of the next days
    settings.EMAIL_PORT = port
    mailer.end_pause()
    with receiver.open_at(port, Receiver()) as server:
        assert relay.deliver(waiting.pk, 2)
    assert [one["To"] for one in server.taken] == [ADDRESS]


def test_a_patient_s_mail_goes_by_the_mail_queue(staff: dict[str, User], mary: Patient) -> None:
    visit = book(staff, mary)
    services.cancel(by=staff["receptionist"], appointment_id=visit.pk)
    for turn in relay.claim_waiting():
        row = Delivery.objects.get(pk=turn.delivery_id)
        assert (turn.queue == "mail") == (".mail_" in row.listener)


class Picky(Receiver):
    """It refuses the address before it hears of any content."""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        return f"550 5.1.1 <{address}>: user unknown"


@pytest.mark.parametrize(
    ("server", "code"),
    [(Receiver(answer="451 M77@home.example is greylisted"), "451"), (Picky(), "550"), (Receiver("554 No"), "554")],
)
def test_a_refusal_is_noted_and_logged_without_the_address(
    port: int, staff: dict[str, User], mary: Patient, server: Receiver, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    with receiver.open_at(port, server):
        book(staff, mary)
        deliver()
    noted = Delivery.objects.get(listener__endswith="mail_booking").last_error
    assert noted.startswith("MailRejected: ")
    assert code in noted
    logged = "".join(LineFormatter().format(record) for record in caplog.records if record.name.startswith("apps."))
    assert "MailRejected" in logged
    assert "m77" not in (noted + logged).lower()


def test_a_change_without_the_wish_is_not_mailed_whatever_changed(port: int, staff: dict[str, User], mary: Patient) -> None:
    visit = book(staff, mary)
    forget_the_booking()
    with transaction.atomic():
        fact = AppointmentUpdated(
            appointment_id=visit.pk,
            patient_id=mary.pk,
            doctor_id=visit.doctor_id,
            scheduled_time=visit.scheduled_time,
            status="scheduled",
            changes=("scheduled_time", "doctor_id", "status"),
        )
        emit(fact, by=SYSTEM)
    assert not mails(port)


# A time that came free


def offered(staff: dict[str, User], patient: Patient) -> None:
    """Cancels another patient's appointment of another day for which the patient waits; workers have processed both events."""
    visit = book(staff, register_patient("Bea", "Booked"))
    day = visit.scheduled_time.astimezone(ZoneInfo("America/Los_Angeles")).date()
    services.add_to_waitlist(by=SYSTEM, new=NewWaitlistEntry(patient_id=patient.pk, date_from=day, date_to=day))
    services.cancel(by=staff["receptionist"], appointment_id=visit.pk)


def calls(staff: dict[str, User]) -> list[Message]:
    notifications = Notification.objects.filter(user=staff["receptionist"], message__title="Please call: a time is free")
    return [one.message for one in notifications.select_related("message")]


def work(port: int) -> list[Any]:
    """A cancellation is heard first, then the offer that it made."""
    return mails(port) + mails(port)


def test_who_waits_is_mailed_of_a_time_that_came_free(port: int, staff: dict[str, User], mary: Patient) -> None:
    offered(staff, mary)
    [sent] = [one for one in work(port) if one["To"] == ADDRESS]
    assert "a free appointment may suit you" in sent.get_content()
    assert not calls(staff)


def test_reception_is_asked_to_call_patients_without_mail(port: int, staff: dict[str, User]) -> None:
    offered(staff, register_patient("Nora", "Nomail", mrn="MRN778"))
    assert not work(port)
    [call] = calls(staff)
    assert "is offered to Nora Nomail (MRN778), who has no e-mail address, until " in call.message


def test_a_restricted_patient_is_not_named_to_the_desk(port: int, staff: dict[str, User]) -> None:
    nora = register_patient("Nora", "Nomail", mrn="MRN778")
    charts.restrict(by=staff["admin"], patient_id=nora.pk, care_team=[staff["nurse"].pk], reason="A colleague of ours")
    offered(staff, nora)
    work(port)
    [call] = calls(staff)
    assert "Nora" not in call.message
    assert "MRN778" not in call.message


def test_a_delayed_mail_or_call_of_an_offer_that_was_settled_meanwhile_is_dropped(
    port: int, staff: dict[str, User], mary: Patient
) -> None:
    nora = register_patient("Nora", "Nomail", mrn="MRN778")
    for patient in (mary, nora):
        offered(staff, patient)
    deliver()
    forget_the_booking()  # of the other appointments: the offers are announced again below
    for offer in WaitlistOffer.objects.select_related("entry"):
        services.decline_offer(by=SYSTEM, entry_id=offer.entry_id)
        with transaction.atomic():
            emit(
                WaitlistOffered(
                    entry_id=offer.entry_id,
                    offer_id=offer.pk,
                    patient_id=offer.entry.patient_id,
                    doctor_id=offer.doctor_id,
                    scheduled_time=offer.scheduled_time,
                    expires_at=offer.expires_at,
                ),
                by=SYSTEM,
            )
    assert not mails(port)
    assert not calls(staff)


def test_a_delayed_mail_of_a_change_is_dropped_once_the_visit_is_cancelled(
    port: int, staff: dict[str, User], mary: Patient
) -> None:
    requested, moved = book(staff, mary, status="requested"), book(staff, mary, in_days(5))
    forget_the_booking()
    services.change(by=staff["receptionist"], appointment_id=requested.pk, changes={"status": "scheduled"})
    services.change(by=staff["receptionist"], appointment_id=moved.pk, changes={"scheduled_time": in_days(6)})
    for visit in (requested, moved):
        services.cancel(by=staff["receptionist"], appointment_id=visit.pk)
    assert ["were cancelled" in body for body in bodies(mails(port))] == [True, True]


def test_an_expired_offer_asks_for_no_call(port: int, staff: dict[str, User], mary: Patient) -> None:
    offered(staff, mary)
    deliver()
    with time_machine.travel(clock.now() + timedelta(hours=1)):
        assert not [body for body in bodies(mails(port)) if "a free appointment may suit you" in body]
