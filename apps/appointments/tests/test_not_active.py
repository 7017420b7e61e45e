"""Visits of patients who died or whose record is inactive: they stay booked, are only cancelled, and are counted.

What happened before a death can still be entered.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import browser, caller, hire
from apps.appointments import services
from apps.appointments.models import Appointment, MovedVisit
from apps.appointments.rules import Span
from apps.appointments.services import Absence
from apps.appointments.tests.factories import at, book, monday, publish
from apps.common import clock
from apps.patients import services as patients
from apps.patients.models import Patient
from apps.patients.tests.factories import admit, restrict

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def doctor(ward: dict[str, User]) -> User:
    publish(ward["doctor"])
    return ward["doctor"]


@pytest.fixture
def desk(ward: dict[str, User]) -> Any:
    return caller(ward["receptionist"])


def dies(patient: Patient, when: datetime | None = None) -> None:
    patients.amend(by=SYSTEM, patient_id=patient.pk, changes={"deceased_at": when or clock.now() - timedelta(hours=1)})


def leaves(patient: Patient) -> None:
    patients.deactivate(by=SYSTEM, patient_id=patient.pk)


@pytest.mark.parametrize("gone", [dies, leaves])
def test_a_visit_of_a_patient_who_is_gone_can_only_be_cancelled(desk: Any, doctor: User, gone: Any) -> None:
    patient = admit()
    row, wish = book(patient, doctor), book(patient, doctor, at("11:00"), status="requested")
    gone(patient)
    path = f"/appointments/{row.pk}"
    for refusal in (
        desk.post(f"{path}/confirm"),
        desk.post(f"{path}/check-in", {"early": True}),
        desk.put(path, {"status": "confirmed"}),
        desk.put(path, {"scheduled_time": at("14:00").isoformat()}),
        desk.put(path, {"duration_minutes": 30}),
        desk.put(f"/appointments/{wish.pk}", {"status": "scheduled"}),
    ):
        assert (refusal.status_code, refusal.json()["error"]["details"].get("reason")) == (409, "patient_not_active")
    with pytest.raises(services.PatientNotActive):
        services.begin(by=SYSTEM, appointment_id=row.pk, early=True)
    assert desk.put(path, {"notes": "The family has called"}).status_code == 200
    assert desk.post(f"{path}/cancel").status_code == 200


def test_a_check_in_is_undone_and_a_visit_goes_on_although_the_patient_died(doctor: User) -> None:
    first, second = admit("Ann", "Roe"), admit("Ben", "Roe")
    waits, begun = book(first, doctor), book(second, doctor, at("11:00"))
    services.check_in(by=SYSTEM, appointment_id=waits.pk, early=True)
    services.begin(by=SYSTEM, appointment_id=begun.pk, early=True)
    dies(first)
    dies(second)
    assert services.undo_check_in(by=SYSTEM, appointment_id=waits.pk).status == "scheduled"
    assert services.finish(by=SYSTEM, appointment_id=begun.pk).status == "completed"


def test_what_happened_before_a_death_is_entered_and_nothing_after_it(desk: Any, doctor: User) -> None:
    patient, died = admit(), at("12:00", monday() - 14 * DAY)
    dies(patient, died)

    def ask(when: datetime) -> Any:
        return desk.post(
            "/appointments", {"patient_id": str(patient.pk), "doctor_id": str(doctor.pk), "scheduled_time": when.isoformat()}
        )

    before = ask(died - DAY)
    assert (before.status_code, before.json()["warnings"][0]["code"]) == (201, "in_the_past")
    for after in (died, died + timedelta(hours=1), at()):
        assert (ask(after).status_code, ask(after).json()["error"]["details"]["reason"]) == (409, "patient_not_active")
    row = services.begin(by=SYSTEM, appointment_id=before.json()["data"]["appointment"]["id"], early=True)
    assert services.finish(by=SYSTEM, appointment_id=row.pk).status == "completed"


def test_of_a_death_without_a_time_the_whole_day_counts_as_before(doctor: User) -> None:
    patient, day = admit(), monday() - 14 * DAY
    dies(patient, at("00:00", day))
    assert book(patient, doctor, at("16:00", day)).status == "scheduled"
    with pytest.raises(services.PatientNotActive):
        book(patient, doctor, at("09:00", day + DAY))


def test_nothing_is_booked_for_an_inactive_patient_whenever(doctor: User) -> None:
    patient = admit()
    leaves(patient)
    for when in (at(), at("10:00", monday() - 14 * DAY)):
        with pytest.raises(services.PatientNotActive):
            book(patient, doctor, when)


@pytest.mark.parametrize("gone", [dies, leaves])
def test_a_bulk_move_leaves_visits_of_patients_who_are_gone_and_says_why(ward: dict[str, User], doctor: User, gone: Any) -> None:
    away, stays = admit("Ann", "Roe"), admit("Ben", "Roe")
    left, goes = book(away, doctor), book(stays, doctor, at("11:00"))
    gone(away)
    absence = Absence(doctor_id=doctor.pk, starts_at=at("00:00"), ends_at=at("23:59"))
    done = services.move_visits(by=ward["receptionist"], absence=absence, reason="Ill")
    assert {one.visit.pk: one.because for one in done.plan.proposals} == {goes.pk: None, left.pk: "patient_not_active"}
    left.refresh_from_db()
    assert left.scheduled_time == at()
    with pytest.raises(services.NoPlaceFound) as refused:
        services.move_visits(by=ward["receptionist"], absence=absence, reason="Ill")
    assert refused.value.details["unplaced"] == [{"appointment_id": left.pk, "because": "patient_not_active"}]


def test_the_undo_of_a_move_leaves_the_visit_of_a_patient_who_died_meanwhile(ward: dict[str, User], doctor: User) -> None:
    patient = admit()
    book(patient, doctor)
    absence = Absence(doctor_id=doctor.pk, starts_at=at("00:00"), ends_at=at("23:59"))
    move = services.move_visits(by=ward["receptionist"], absence=absence, reason="Ill").move
    dies(patient)
    services.undo_move(by=ward["receptionist"], move_id=move.pk)
    assert MovedVisit.objects.get().because == "patient_not_active"


# Who is told how many visits are affected


def warning(reply: Any) -> dict[str, Any] | None:
    found = [one for one in reply.json().get("warnings", []) if one["code"] == "visits_affected"]
    return found[0] if found else None


def test_a_death_says_how_many_booked_visits_it_affects(desk: Any, doctor: User) -> None:
    patient = admit()
    book(patient, doctor)
    book(patient, doctor, at("11:00"), status="requested")
    services.cancel(by=SYSTEM, appointment_id=book(patient, doctor, at("12:00")).pk)
    book(patient, doctor, at("10:00", monday() - 14 * DAY))  # before the death
    reply = desk.put(f"/patients/{patient.pk}", {"deceased_at": (clock.now() - DAY).isoformat()})
    told = warning(reply)
    assert reply.status_code == 200
    assert told is not None
    assert (told["count"], told["visits"], told["field"]) == (2, 2, "deceased_at")
    assert warning(desk.put(f"/patients/{patient.pk}", {"phone": "415 555 0134"})) is None
    assert warning(desk.put(f"/patients/{admit().pk}", {"deceased_at": (clock.now() - DAY).isoformat()})) is None


def test_a_deactivation_says_how_many_booked_visits_it_affects(desk: Any, doctor: User) -> None:
    patient = admit()
    book(patient, doctor)
    told = warning(desk.post(f"/patients/{patient.pk}/deactivate"))
    assert told is not None
    assert told["count"] == 1
    assert warning(desk.post(f"/patients/{admit().pk}/deactivate")) is None


def test_removed_working_hours_say_how_many_booked_visits_they_affect(desk: Any, doctor: User) -> None:
    book(admit("Ann", "Roe"), doctor, at("09:00"))
    book(admit("Ben", "Roe"), doctor, at("16:00"))
    book(admit("Cleo", "Roe"), doctor, at("18:00"))  # outside the hours before
    book(admit("Dora", "Roe"), doctor, at("10:00", monday() - 14 * DAY))  # over
    closed = admit("Rose", "Martin")
    book(closed, doctor, at("15:00"))
    path, hours = f"/doctors/{doctor.pk}/schedule", [{"weekday": 0, "starts": "09:00", "ends": "12:00"}]
    restrict(closed, hire("dr.team", "doctor", specialty="Any"))
    first = desk.put(path, {"hours": hours})
    told = warning(first)
    assert told is not None
    assert (first.status_code, told["count"]) == (200, 1)  # the visit at 16:00, and none of a closed chart
    assert warning(desk.put(path, {"hours": hours})) is None
    told = warning(desk.put(path, {"hours": []}))
    assert told is not None
    assert told["count"] == 1


def test_the_pages_say_the_same(ward: dict[str, User], doctor: User) -> None:
    patient, client = admit(), browser(ward["receptionist"])
    book(patient, doctor)
    page = client.post(f"/admin/patients/patient/{patient.pk}/deactivate/", follow=True).content.decode()
    assert "Booked appointments of this patient: 1" in page


def test_a_doctor_who_is_deactivated_or_changes_role_says_how_many_booked_visits_that_affects(
    ward: dict[str, User], doctor: User
) -> None:
    admin, patient = caller(ward["admin"]), admit()
    book(patient, doctor)
    book(patient, doctor, at("11:00"), status="requested")
    services.cancel(by=SYSTEM, appointment_id=book(patient, doctor, at("12:00")).pk)
    book(patient, doctor, at("10:00", monday() - 14 * DAY))  # over
    closed = admit("Rose", "Martin")
    book(closed, doctor, at("15:00"))
    restrict(closed, hire("dr.team", "doctor", specialty="Any"))
    assert warning(admin.put(f"/users/{doctor.pk}", {"first_name": "Sam"})) is None
    changed = admin.put(f"/users/{doctor.pk}", {"role": "nurse"})
    told = warning(changed)
    assert told is not None, changed.json()
    assert (changed.status_code, told["count"], told["visits"], told["field"]) == (200, 2, 2, "role")
    assert warning(admin.put(f"/users/{doctor.pk}", {"role": "doctor"})) is None
    told = warning(admin.post(f"/users/{doctor.pk}/deactivate"))
    assert told is not None
    assert (told["count"], "field" in told) == (2, False)
    assert warning(admin.post(f"/users/{ward['nurse'].pk}/deactivate")) is None


@pytest.mark.parametrize("way", ["deactivate", "change"])
def test_the_page_of_a_doctor_who_leaves_says_how_many_visits_stay_booked(ward: dict[str, User], doctor: User, way: str) -> None:
    book(admit(), doctor)
    client, page = browser(ward["admin"]), f"/admin/accounts/user/{doctor.pk}"
    form = client.get(f"{page}/change/").context["adminform"].form
    said = {name: form[name].value() or "" for name in form.fields} | {"role": "nurse"}
    told = client.post(f"{page}/{way}/", said if way == "change" else {}, follow=True).content.decode()
    assert "Booked appointments with this doctor: 1" in told


def test_an_offer_of_the_waitlist_is_not_accepted_for_a_patient_who_died(desk: Any, doctor: User) -> None:
    patient = admit()
    wait = services.NewWait(patient_id=patient.pk, doctor_id=doctor.pk, date_to=monday() + DAY)
    entry = services.put_on_waitlist(by=SYSTEM, wait=wait)
    freed = Span(at(), at("10:15"))
    offers = services.offer_freed(by=SYSTEM, opening=uuid4(), doctor_id=doctor.pk, room_id=None, left=freed, told_at=clock.now())
    assert len(offers) == 1
    dies(patient)
    refusal = desk.post(f"/waitlist/{entry.pk}/accept", {})
    assert (refusal.status_code, refusal.json()["error"]["details"]["reason"]) == (409, "patient_not_active")
    assert not Appointment.objects.exists()


def test_a_merge_that_makes_a_patient_deceased_counts_the_appointments_that_stay_booked(
    ward: dict[str, User], doctor: User
) -> None:
    first, second, dead = admit("Ann", "Roe"), admit("Anna", "Roe"), admit("Ann", "Roe")
    for patient, when in ((first, "09:00"), (first, "10:00"), (second, "11:00")):
        book(patient, doctor, at(when))
    dies(dead)
    admin, reason = caller(ward["admin"]), "The same passport"
    reply = admin.post(f"/patients/{dead.pk}/merge", {"into": str(first.pk), "reason": reason})
    assert reply.status_code == 201, reply.json()
    assert [(one["code"], one["count"]) for one in reply.json()["warnings"]] == [("visits_affected", 2)]
    page = f"/admin/patients/patient/{second.pk}/merge/?into={first.pk}"
    told = (
        browser(ward["admin"])
        .post(page, {"first_name": "survivor", "deceased_at": "survivor", "reason": reason}, follow=True)
        .content.decode()
    )
    assert "Booked appointments of this patient: 3" in told
    assert (
        admin.post(f"/patients/{admit('Ben').pk}/merge", {"into": str(admit("Benn").pk), "reason": reason})
        .json()
        .get("warnings", [])
        == []
    )
