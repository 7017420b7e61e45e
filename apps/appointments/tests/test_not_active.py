"""Visits of patients who died or whose record is inactive: they stay booked, are only cancelled, and are counted.

What happened before a death can still be entered.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, browser, hire
from apps.appointments import services
from apps.appointments.models import Appointment, RescheduledAppointment
from apps.appointments.rules import TimeSpan
from apps.appointments.services import DoctorAbsence
from apps.appointments.tests.factories import at, book, monday, publish
from apps.common import clock
from apps.patients import services as patients
from apps.patients.models import Patient
from apps.patients.tests.factories import register_patient, restrict

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def doctor(staff: dict[str, User]) -> User:
    publish(staff["doctor"])
    return staff["doctor"]


@pytest.fixture
def receptionist_api(staff: dict[str, User]) -> Any:
    return api_client(staff["receptionist"])


def dies(patient: Patient, when: datetime | None = None) -> None:
    patients.amend(by=SYSTEM, patient_id=patient.pk, changes={"deceased_at": when or clock.now() - timedelta(hours=1)})


def leaves(patient: Patient) -> None:
    patients.deactivate(by=SYSTEM, patient_id=patient.pk)


@pytest.mark.parametrize("gone", [dies, leaves])
def test_a_visit_of_a_patient_who_is_gone_can_only_be_cancelled(receptionist_api: Any, doctor: User, gone: Any) -> None:
    patient = register_patient()
    row, wish = book(patient, doctor), book(patient, doctor, at("11:00"), status="requested")
    gone(patient)
    path = f"/appointments/{row.pk}"
    for refusal in (
        receptionist_api.post(f"{path}/confirm"),
        receptionist_api.post(f"{path}/check-in", {"early": True}),
        receptionist_api.put(path, {"status": "confirmed"}),
        receptionist_api.put(path, {"scheduled_time": at("14:00").isoformat()}),
        receptionist_api.put(path, {"duration_minutes": 30}),
        receptionist_api.put(f"/appointments/{wish.pk}", {"status": "scheduled"}),
    ):
        assert (refusal.status_code, refusal.json()["error"]["details"].get("reason")) == (409, "patient_not_active")
    with pytest.raises(services.PatientNotActive):
        services.start(by=SYSTEM, appointment_id=row.pk, early=True)
    assert receptionist_api.put(path, {"notes": "The family has called"}).status_code == 200
    assert receptionist_api.post(f"{path}/cancel").status_code == 200


def test_a_check_in_is_undone_and_a_visit_goes_on_although_the_patient_died(doctor: User) -> None:
    first, second = register_patient("Ann", "Roe"), register_patient("Ben", "Roe")
    waits, begun = book(first, doctor), book(second, doctor, at("11:00"))
    services.check_in(by=SYSTEM, appointment_id=waits.pk, early=True)
    services.start(by=SYSTEM, appointment_id=begun.pk, early=True)
    dies(first)
    dies(second)
    assert services.undo_check_in(by=SYSTEM, appointment_id=waits.pk).status == "scheduled"
    assert services.complete(by=SYSTEM, appointment_id=begun.pk).status == "completed"


def test_what_happened_before_a_death_is_entered_and_nothing_after_it(receptionist_api: Any, doctor: User) -> None:
    patient, died = register_patient(), at("12:00", monday() - 14 * DAY)
    dies(patient, died)

    def ask(when: datetime) -> Any:
        return receptionist_api.post(
            "/appointments", {"patient_id": str(patient.pk), "doctor_id": str(doctor.pk), "scheduled_time": when.isoformat()}
        )

    before = ask(died - DAY)
    assert (before.status_code, before.json()["warnings"][0]["code"]) == (201, "in_the_past")
    for after in (died, died + timedelta(hours=1), at()):
        assert (ask(after).status_code, ask(after).json()["error"]["details"]["reason"]) == (409, "patient_not_active")
    row = services.start(by=SYSTEM, appointment_id=before.json()["data"]["appointment"]["id"], early=True)
    assert services.complete(by=SYSTEM, appointment_id=row.pk).status == "completed"


def test_of_a_death_without_a_time_the_whole_day_counts_as_before(doctor: User) -> None:
    patient, day = register_patient(), monday() - 14 * DAY
    dies(patient, at("00:00", day))
    assert book(patient, doctor, at("16:00", day)).status == "scheduled"
    with pytest.raises(services.PatientNotActive):
        book(patient, doctor, at("09:00", day + DAY))


def test_nothing_is_booked_for_an_inactive_patient_whenever(doctor: User) -> None:
    patient = register_patient()
    leaves(patient)
    for when in (at(), at("10:00", monday() - 14 * DAY)):
        with pytest.raises(services.PatientNotActive):
            book(patient, doctor, when)


@pytest.mark.parametrize("gone", [dies, leaves])
def test_a_bulk_reschedule_leaves_visits_of_patients_who_are_gone_and_says_why(
    staff: dict[str, User], doctor: User, gone: Any
) -> None:
    away, stays = register_patient("Ann", "Roe"), register_patient("Ben", "Roe")
    left, goes = book(away, doctor), book(stays, doctor, at("11:00"))
    gone(away)
    absence = DoctorAbsence(doctor_id=doctor.pk, starts_at=at("00:00"), ends_at=at("23:59"))
    done = services.bulk_reschedule(by=staff["receptionist"], absence=absence, reason="Ill")
    assert {one.appointment.pk: one.because for one in done.plan.proposals} == {goes.pk: None, left.pk: "patient_not_active"}
    left.refresh_from_db()
    assert left.scheduled_time == at()
    with pytest.raises(services.NoPlaceFound) as refused:
        services.bulk_reschedule(by=staff["receptionist"], absence=absence, reason="Ill")
    assert refused.value.details["unplaced"] == [{"appointment_id": left.pk, "because": "patient_not_active"}]


def test_the_undo_of_a_move_leaves_the_visit_of_a_patient_who_died_meanwhile(staff: dict[str, User], doctor: User) -> None:
    patient = register_patient()
    book(patient, doctor)
    absence = DoctorAbsence(doctor_id=doctor.pk, starts_at=at("00:00"), ends_at=at("23:59"))
    move = services.bulk_reschedule(by=staff["receptionist"], absence=absence, reason="Ill").move
    dies(patient)
    services.undo_bulk_reschedule(by=staff["receptionist"], move_id=move.pk)
    assert RescheduledAppointment.objects.get().because == "patient_not_active"


# Which users learn how many appointments are affected


def warning(reply: Any) -> dict[str, Any] | None:
    warnings = [one for one in reply.json().get("warnings", []) if one["code"] == "visits_affected"]
    return warnings[0] if warnings else None


def test_a_death_says_how_many_booked_visits_it_affects(receptionist_api: Any, doctor: User) -> None:
    patient = register_patient()
    book(patient, doctor)
    book(patient, doctor, at("11:00"), status="requested")
    services.cancel(by=SYSTEM, appointment_id=book(patient, doctor, at("12:00")).pk)
    book(patient, doctor, at("10:00", monday() - 14 * DAY))  # before the death
    reply = receptionist_api.put(f"/patients/{patient.pk}", {"deceased_at": (clock.now() - DAY).isoformat()})
    affected = warning(reply)
    assert reply.status_code == 200
    assert affected is not None
    assert (affected["count"], affected["visits"], affected["field"]) == (2, 2, "deceased_at")
    assert warning(receptionist_api.put(f"/patients/{patient.pk}", {"phone": "415 555 0134"})) is None
    assert (
        warning(receptionist_api.put(f"/patients/{register_patient().pk}", {"deceased_at": (clock.now() - DAY).isoformat()}))
        is None
    )


def test_a_deactivation_says_how_many_booked_visits_it_affects(receptionist_api: Any, doctor: User) -> None:
    patient = register_patient()
    book(patient, doctor)
    affected = warning(receptionist_api.post(f"/patients/{patient.pk}/deactivate"))
    assert affected is not None
    assert affected["count"] == 1
    assert warning(receptionist_api.post(f"/patients/{register_patient().pk}/deactivate")) is None


def test_removed_working_hours_say_how_many_booked_visits_they_affect(receptionist_api: Any, doctor: User) -> None:
    book(register_patient("Ann", "Roe"), doctor, at("09:00"))
    book(register_patient("Ben", "Roe"), doctor, at("16:00"))
    book(register_patient("Cleo", "Roe"), doctor, at("18:00"))  # outside the hours before
    book(register_patient("Dora", "Roe"), doctor, at("10:00", monday() - 14 * DAY))  # over
    closed = register_patient("Rose", "Martin")
    book(closed, doctor, at("15:00"))
    path, hours = f"/doctors/{doctor.pk}/schedule", [{"weekday": 0, "starts": "09:00", "ends": "12:00"}]
    restrict(closed, hire("dr.team", "doctor", specialty="Any"))
    first = receptionist_api.put(path, {"hours": hours})
    affected = warning(first)
    assert affected is not None
    assert (first.status_code, affected["count"]) == (200, 1)  # the visit at 16:00, and none of a closed chart
    assert warning(receptionist_api.put(path, {"hours": hours})) is None
    affected = warning(receptionist_api.put(path, {"hours": []}))
    assert affected is not None
    assert affected["count"] == 1


def test_the_pages_say_the_same(staff: dict[str, User], doctor: User) -> None:
    patient, client = register_patient(), browser(staff["receptionist"])
    book(patient, doctor)
    page = client.post(f"/admin/patients/patient/{patient.pk}/deactivate/", follow=True).content.decode()
    assert "Booked appointments of this patient: 1" in page


def test_a_doctor_who_is_deactivated_or_changes_role_says_how_many_booked_visits_that_affects(
    staff: dict[str, User], doctor: User
) -> None:
    admin, patient = api_client(staff["admin"]), register_patient()
    book(patient, doctor)
    book(patient, doctor, at("11:00"), status="requested")
    services.cancel(by=SYSTEM, appointment_id=book(patient, doctor, at("12:00")).pk)
    book(patient, doctor, at("10:00", monday() - 14 * DAY))  # over
    closed = register_patient("Rose", "Martin")
    book(closed, doctor, at("15:00"))
    restrict(closed, hire("dr.team", "doctor", specialty="Any"))
    assert warning(admin.put(f"/users/{doctor.pk}", {"first_name": "Sam"})) is None
    changed = admin.put(f"/users/{doctor.pk}", {"role": "nurse"})
    affected = warning(changed)
    assert affected is not None, changed.json()
    assert (changed.status_code, affected["count"], affected["visits"], affected["field"]) == (200, 2, 2, "role")
    assert warning(admin.put(f"/users/{doctor.pk}", {"role": "doctor"})) is None
    affected = warning(admin.post(f"/users/{doctor.pk}/deactivate"))
    assert affected is not None
    assert (affected["count"], "field" in affected) == (2, False)
    assert warning(admin.post(f"/users/{staff['nurse'].pk}/deactivate")) is None


@pytest.mark.parametrize("way", ["deactivate", "change"])
def test_the_page_of_a_doctor_who_leaves_says_how_many_visits_stay_booked(staff: dict[str, User], doctor: User, way: str) -> None:
    book(register_patient(), doctor)
    client, page = browser(staff["admin"]), f"/admin/accounts/user/{doctor.pk}"
    form = client.get(f"{page}/change/").context["adminform"].form
    values = {name: form[name].value() or "" for name in form.fields} | {"role": "nurse"}
    page_text = client.post(f"{page}/{way}/", values if way == "change" else {}, follow=True).content.decode()
    assert "Booked appointments with this doctor: 1" in page_text


def test_an_offer_of_the_waitlist_is_not_accepted_for_a_patient_who_died(receptionist_api: Any, doctor: User) -> None:
    patient = register_patient()
    wait = services.NewWaitlistEntry(patient_id=patient.pk, doctor_id=doctor.pk, date_to=monday() + DAY)
    entry = services.add_to_waitlist(by=SYSTEM, new=wait)
    freed = TimeSpan(at(), at("10:15"))
    offers = services.offer_freed_slot(
        by=SYSTEM, opening=uuid4(), doctor_id=doctor.pk, room_id=None, left=freed, freed_at=clock.now()
    )
    assert len(offers) == 1
    dies(patient)
    refusal = receptionist_api.post(f"/waitlist/{entry.pk}/accept", {})
    assert (refusal.status_code, refusal.json()["error"]["details"]["reason"]) == (409, "patient_not_active")
    assert not Appointment.objects.exists()


def test_a_merge_that_makes_a_patient_deceased_counts_the_appointments_that_stay_booked(
    staff: dict[str, User], doctor: User
) -> None:
    first, second, dead = register_patient("Ann", "Roe"), register_patient("Anna", "Roe"), register_patient("Ann", "Roe")
    for patient, when in ((first, "09:00"), (first, "10:00"), (second, "11:00")):
        book(patient, doctor, at(when))
    dies(dead)
    admin, reason = api_client(staff["admin"]), "The same passport"
    reply = admin.post(f"/patients/{dead.pk}/merge", {"into": str(first.pk), "reason": reason})
    assert reply.status_code == 201, reply.json()
    assert [(one["code"], one["count"]) for one in reply.json()["warnings"]] == [("visits_affected", 2)]
    page = f"/admin/patients/patient/{second.pk}/merge/?into={first.pk}"
    page_text = (
        browser(staff["admin"])
        .post(page, {"first_name": "survivor", "deceased_at": "survivor", "reason": reason}, follow=True)
        .content.decode()
    )
    assert "Booked appointments of this patient: 3" in page_text
    assert (
        admin.post(f"/patients/{register_patient('Ben').pk}/merge", {"into": str(register_patient("Benn").pk), "reason": reason})
        .json()
        .get("warnings", [])
        == []
    )
