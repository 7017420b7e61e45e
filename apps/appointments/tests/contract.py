"""What appointments contributes to the tests of the whole: who may call what, who opens which staff page, and sample rows."""

from datetime import timedelta
from uuid import UUID, uuid4

from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.access.tests.role_table import EVERY_ROLE, FRONT_OFFICE, MANAGEMENT, PatientCall, Samples
from apps.accounts.models import User
from apps.appointments import services
from apps.appointments.models import Appointment, BulkReschedule, Series, TimeOff, WaitlistEntry, WaitlistOffer
from apps.appointments.scheduling.recurrence import Rhythm
from apps.appointments.tests import factories
from apps.common import clock
from apps.patients.models import Patient
from apps.patients.tests.factories import register_patient

_SEEN, _LISTED, _CHANGED = "y y y y y y y y", "y y y y - - r r", "y o y y - - - -"
_WAITING, _PLANNED = "y o y y - - - r", "y o - y - - - y"

#                                                              A D N R P L B  manager
MATRIX = {
    "GET /doctors/{id}/availability": _SEEN,
    "GET /doctors/{id}/schedule": _SEEN,
    "PUT /doctors/{id}/schedule": _PLANNED,
    "GET /doctors/{id}/time-off": _SEEN,
    "GET /doctors/{id}/time-off/{time_off}": _SEEN,
    "POST /doctors/{id}/time-off": _PLANNED,
    "DELETE /doctors/{id}/time-off/{time_off}": _PLANNED,
    "GET /rooms": "y y y y - - - y",
    "GET /appointments": _LISTED,
    "GET /appointments/{id}": _LISTED,
    "POST /appointments": "y y y y - - - -",
    "PUT /appointments/{id}": _CHANGED,
    "PATCH /appointments/{id}": _CHANGED,
    "DELETE /appointments/{id}": _CHANGED,
    "POST /appointments/{id}/cancel": _CHANGED,
    "POST /appointments/{id}/confirm": _CHANGED,
    "POST /appointments/{id}/check-in": _CHANGED,
    "POST /appointments/{id}/undo-check-in": _CHANGED,
    "POST /appointments/{id}/no-show": _CHANGED,
    "GET /queue": _WAITING,
    "GET /appointments/{id}.ics": _CHANGED,
    "POST /appointments/series": _CHANGED,
    "GET /appointments/series/{id}": _LISTED,
    "POST /appointments/series/{id}/cancel": _CHANGED,
    "POST /doctors/{id}/move-appointments": _PLANNED,
    "GET /appointments/moves/{id}": _PLANNED,
    "POST /appointments/moves/{id}/undo": _PLANNED,
    "GET /doctors/{id}/calendar-feed": _PLANNED,
    "POST /doctors/{id}/calendar-feed": _PLANNED,
    "DELETE /doctors/{id}/calendar-feed": _PLANNED,
    "GET /waitlist": _WAITING,
    "GET /waitlist/{id}": _WAITING,
    "POST /waitlist": _CHANGED,
    "DELETE /waitlist/{id}": _CHANGED,
    "POST /waitlist/{id}/accept": _CHANGED,
    "POST /waitlist/{id}/decline": _CHANGED,
}
PUBLIC = {"GET /doctors/{id}/calendar.ics"}  # its address contains the secret
KEY_SCOPES = {"GET /appointments/{id}.ics": "appointments:read", "POST /appointments/series": "appointments:write"}
_REASON = "A reason that is long enough"
_BOOKING = {"patient_id": "{patient}", "doctor_id": "{doctor}", "scheduled_time": "{at}"}
PATIENT_WRITES = {
    "POST /appointments": PatientCall("receptionist", _BOOKING),
    "POST /appointments/series": PatientCall("receptionist", {**_BOOKING, "every_weeks": 1, "occurrences": 2}),
    "POST /waitlist": PatientCall("receptionist", {"patient_id": "{patient}", "date_to": "{day}"}),
}
WRITES_WITHOUT_READ = {
    "PATCH /appointments/{id}": "nurse",
    "POST /appointments/{id}/confirm": "nurse",
    "DELETE /waitlist/{id}": "nurse",
}
PATIENT_FORMS = {"appointments_waitlistentry_add": PatientCall("receptionist", {"date_to": "{day}"})}
IDENTITY = {"patient_name"}
PAGE_PARAMETERS = {
    "patient",
    "doctor",
    "appointment",
    "date",
    "day",
    "at",
    "from",
    "until",
    "room",
    "series",
    "part",
    "seen",
    "q",
}


def samples(staff: dict[str, User]) -> Samples:
    """Return an appointment, time off, a series, a bulk reschedule and a waitlist entry, all of the doctor."""
    patient, other, doctor = register_patient(), register_patient("Ann", "Roe"), staff["doctor"]
    booked, here = factories.book(patient, doctor), factories.book(other, doctor, factories.at("13:00"))
    services.check_in(by=SYSTEM, appointment_id=here.pk, early=True)
    off = services.add_time_off(by=SYSTEM, doctor_id=doctor.pk, starts_at=factories.at(), ends_at=factories.at("11:00"))
    series = _series(other, doctor)
    waits = services.NewWaitlistEntry(patient_id=other.pk, date_to=factories.at().date(), appointment_type="lab")
    move = BulkReschedule.objects.create(doctor=doctor, starts_at=off.starts_at, ends_at=off.ends_at, reason="Ill")
    return Samples(
        ids={
            "/doctors/": doctor.pk,
            "/appointments/": booked.pk,
            "/appointments/series/": series.pk,
            "/appointments/moves/": move.pk,
            "/waitlist/": services.add_to_waitlist(by=SYSTEM, new=waits).pk,
            "{time_off}": off.pk,
        },
        bodies=_bodies(other, doctor),
        twins=_twins(patient, booked, here, off),
    )


def _series(patient: Patient, doctor: User) -> Series:
    first = services.NewAppointment(patient_id=patient.pk, doctor_id=doctor.pk, scheduled_time=factories.at("16:00"))
    return services.book_series(by=SYSTEM, new=services.NewSeries(first=first, rhythm=Rhythm(count=2))).series


def _bodies(patient: Patient, doctor: User) -> dict[str, object]:
    who = {"patient_id": str(patient.pk), "doctor_id": str(doctor.pk)}
    day = {"date_from": "2026-01-05", "date_to": "2026-01-05"}
    return {
        "PUT /doctors/{id}/schedule": {"hours": []},
        "POST /doctors/{id}/time-off": {"starts_at": "2026-01-05", "ends_at": "2026-01-05"},
        "DELETE /doctors/{id}/time-off/{time_off}": None,
        "POST /appointments": {**who, "scheduled_time": factories.at("15:00").isoformat()},
        "PUT /appointments/{id}": {"notes": "x"},
        "PATCH /appointments/{id}": {"notes": "Fear of needles"},
        "DELETE /appointments/{id}": None,
        "POST /appointments/{id}/cancel": None,
        "POST /appointments/{id}/confirm": None,
        "POST /appointments/{id}/check-in": None,
        "POST /appointments/{id}/undo-check-in": None,
        "POST /appointments/{id}/no-show": None,
        "POST /appointments/series": {**who, "scheduled_time": factories.at("17:00").isoformat(), "occurrences": 2},
        "POST /appointments/series/{id}/cancel": {},
        "POST /doctors/{id}/move-appointments": {**day, "reason": _REASON},
        "POST /appointments/moves/{id}/undo": None,
        "POST /doctors/{id}/calendar-feed": None,
        "DELETE /doctors/{id}/calendar-feed": None,
        "POST /waitlist": {"patient_id": str(patient.pk), "date_to": str(factories.at().date())},
        "DELETE /waitlist/{id}": None,
        "POST /waitlist/{id}/accept": {},
        "POST /waitlist/{id}/decline": {},
    }


def _twins(patient: Patient, booked: Appointment, here: Appointment, off: TimeOff) -> dict[str, str]:
    page = "admin:appointments_"
    return {
        reverse(f"{page}appointment_changelist"): "GET /appointments",
        reverse(f"{page}appointment_change", args=[booked.pk]): "GET /appointments/{id}",
        f"{reverse(f'{page}appointment_add')}?patient={patient.pk}": "POST /appointments",
        reverse(f"{page}appointment_confirm", args=[booked.pk]): "POST /appointments/{id}/confirm",
        reverse(f"{page}appointment_check_in", args=[booked.pk]): "POST /appointments/{id}/check-in",
        reverse(f"{page}appointment_undo_check_in", args=[here.pk]): "POST /appointments/{id}/undo-check-in",
        reverse(f"{page}appointment_cancel", args=[booked.pk]): "POST /appointments/{id}/cancel",
        reverse(f"{page}appointment_triage", args=[booked.pk]): "PUT /appointments/{id}",
        reverse(f"{page}appointment_move", args=[booked.pk]): "PUT /appointments/{id}",
        reverse("admin:queue"): "GET /queue",
        reverse(f"{page}room_changelist"): "GET /rooms",
        reverse(f"{page}doctorschedule_add"): "PUT /doctors/{id}/schedule",
        reverse(f"{page}doctorschedule_changelist"): "GET /doctors/{id}/schedule",
        reverse(f"{page}timeoff_changelist"): "GET /doctors/{id}/time-off",
        reverse(f"{page}timeoff_change", args=[off.pk]): "GET /doctors/{id}/time-off/{time_off}",
        reverse(f"{page}timeoff_add"): "POST /doctors/{id}/time-off",
        reverse(f"{page}timeoff_remove", args=[off.pk]): "DELETE /doctors/{id}/time-off/{time_off}",
    }


def pages(staff: dict[str, User]) -> dict[str, frozenset[str]]:
    """Return the address of every staff page, with the roles that may open it. The appointments are the doctor's."""
    now, doctor, patient = clock.now(), staff["doctor"], register_patient("Pia", "Roth")
    missed = factories.book(patient, doctor, now - timedelta(hours=1))
    booked = factories.book(patient, doctor, now + timedelta(hours=1))
    here = factories.book(patient, doctor, now + timedelta(hours=2))
    services.check_in(by=SYSTEM, appointment_id=here.pk, early=True)
    requested = factories.book(patient, doctor, now + timedelta(hours=3))
    Appointment.objects.filter(pk=requested.pk).update(status="requested")
    return {
        reverse("admin:schedule"): FRONT_OFFICE | MANAGEMENT,
        reverse("admin:queue"): FRONT_OFFICE | MANAGEMENT,
        reverse("admin:appointments_appointment_changelist"): FRONT_OFFICE | {"billing", "manager"},
        reverse("admin:appointments_appointment_add"): FRONT_OFFICE,
        f"{reverse('admin:appointments_appointment_add')}?patient={patient.pk}": FRONT_OFFICE,
        _at("appointment_change", booked.pk): FRONT_OFFICE | {"billing", "manager"},
        _at("appointment_accept", requested.pk): FRONT_OFFICE,
        _at("appointment_confirm", booked.pk): FRONT_OFFICE,
        _at("appointment_check_in", booked.pk): FRONT_OFFICE,
        _at("appointment_move", booked.pk): FRONT_OFFICE,
        _at("appointment_triage", booked.pk): FRONT_OFFICE,
        _at("appointment_cancel", booked.pk): FRONT_OFFICE,
        _at("appointment_undo_check_in", here.pk): FRONT_OFFICE,
        _at("appointment_no_show", missed.pk): FRONT_OFFICE,
        reverse("admin:appointments_waitlistentry_changelist"): FRONT_OFFICE | MANAGEMENT,
        f"{reverse('admin:appointments_waitlistentry_add')}?patient={patient.pk}": FRONT_OFFICE,
        _at("waitlistentry_change", _offered(doctor)): FRONT_OFFICE | MANAGEMENT,
        **{_at(f"waitlistentry_{page}", _offered(doctor)): FRONT_OFFICE for page in ("accept", "decline", "withdraw")},
        **_schedule_pages(doctor),
        **_planning_pages(doctor, patient),
    }


def _at(page: str, pk: UUID | int) -> str:
    return reverse(f"admin:appointments_{page}", args=[pk])


def _schedule_pages(doctor: User) -> dict[str, frozenset[str]]:
    """The pages of rooms, working hours and time off."""
    now, planners = clock.now(), (FRONT_OFFICE | MANAGEMENT) - {"nurse"}
    factories.publish(doctor)
    room, closed = services.add_room(by=SYSTEM, name="Room 1"), services.add_room(by=SYSTEM, name="Room 2")
    services.close_room(by=SYSTEM, room_id=closed.pk)
    off = services.add_time_off(by=SYSTEM, doctor_id=doctor.pk, starts_at=now, ends_at=now + timedelta(days=1))
    return {
        reverse("admin:appointments_room_changelist"): FRONT_OFFICE | MANAGEMENT,
        reverse("admin:appointments_room_add"): MANAGEMENT,
        _at("room_change", room.pk): FRONT_OFFICE | MANAGEMENT,
        _at("room_close", room.pk): MANAGEMENT,
        _at("room_reopen", closed.pk): MANAGEMENT,
        reverse("admin:appointments_doctorschedule_changelist"): EVERY_ROLE,
        reverse("admin:appointments_doctorschedule_add"): planners,
        _at("doctorschedule_change", doctor.pk): EVERY_ROLE,
        reverse("admin:appointments_timeoff_changelist"): EVERY_ROLE,
        reverse("admin:appointments_timeoff_add"): planners,
        _at("timeoff_change", off.pk): EVERY_ROLE,
        _at("timeoff_remove", off.pk): planners,
    }


def _planning_pages(doctor: User, patient: Patient) -> dict[str, frozenset[str]]:
    """The pages of a series and of a bulk reschedule."""
    now, planners = clock.now(), (FRONT_OFFICE | MANAGEMENT) - {"nurse"}
    first = services.NewAppointment(patient_id=patient.pk, doctor_id=doctor.pk, scheduled_time=now + timedelta(hours=2))
    series = services.book_series(by=SYSTEM, new=services.NewSeries(first=first, rhythm=Rhythm(count=2))).series.pk
    factories.book(patient, doctor, now + timedelta(days=30))
    away = services.DoctorAbsence(doctor_id=doctor.pk, starts_at=now + timedelta(days=29), ends_at=now + timedelta(days=31))
    move = services.bulk_reschedule(by=SYSTEM, absence=away, reason="Ill").move.pk
    return {
        reverse("admin:appointments_series_changelist"): FRONT_OFFICE | {"billing", "manager"},
        reverse("admin:appointments_series_add"): FRONT_OFFICE,
        f"{reverse('admin:appointments_series_add')}?patient={patient.pk}": FRONT_OFFICE,
        _at("series_change", series): FRONT_OFFICE | {"billing", "manager"},
        _at("series_cancel_rest", series): FRONT_OFFICE,
        reverse("admin:appointments_bulkreschedule_changelist"): planners,
        reverse("admin:appointments_bulkreschedule_add"): planners,
        _at("bulkreschedule_change", move): planners,
        _at("bulkreschedule_undo", move): planners,
    }


def _offered(doctor: User) -> UUID:
    """Create a waitlist entry with an open offer. Returns its id."""
    day, soon = clock.today() + timedelta(days=1), clock.now() + timedelta(hours=3)
    entry = WaitlistEntry.objects.create(patient=register_patient("Wanda", "Waits"), date_from=day, date_to=day)
    open_offer = {"opening": uuid4(), "doctor": doctor, "scheduled_time": soon, "expires_at": soon, "rank": 1}
    WaitlistOffer.objects.create(entry=entry, duration_minutes=15, free_minutes=15, **open_offer)
    return entry.pk
