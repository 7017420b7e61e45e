"""The pages of visits: the list, booking, changing, the acts."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.tests.factories import browser, hire
from apps.appointments import services
from apps.appointments.models import Appointment
from apps.appointments.tests.factories import at, book, monday, publish, room
from apps.audit.models import AuditEvent
from apps.common import clock
from apps.events.models import OutboxEvent
from apps.patients.models import Patient
from apps.patients.tests.factories import register_patient, restrict

pytestmark = pytest.mark.django_db

LIST = "/admin/appointments/appointment/"
ADD = f"{LIST}add/"


@pytest.fixture
def john(db: None) -> Patient:
    return register_patient()


@pytest.fixture
def receptionist_browser(staff: dict[str, User]) -> Client:
    return browser(staff["receptionist"])


def page(row: Appointment, act: str = "change") -> str:
    return reverse(f"admin:appointments_appointment_{act}", args=[row.pk])


def filled(doctor: User, time: str = "10:00", **other: Any) -> dict[str, Any]:
    """The booking form as it is sent."""
    values = {
        "doctor": str(doctor.pk),
        "appointment_type": "consultation",
        "slot": "",
        "scheduled_time_0": monday().isoformat(),
        "scheduled_time_1": time,
        "duration_minutes": "",
        "room": "",
        "notes": "Sore throat",
        "overbook_reason": "",
        "_save": "Book",
    }
    return values | other


def changed(row: Appointment, **other: Any) -> dict[str, Any]:
    """The visit's form as it is sent."""
    here = timezone.localtime(row.scheduled_time, at().tzinfo)
    values = {
        "version": row.updated_at.isoformat(),
        "scheduled_time_0": f"{here:%Y-%m-%d}",
        "scheduled_time_1": f"{here:%H:%M}",
        "duration_minutes": row.duration_minutes,
        "appointment_type": row.appointment_type,
        "doctor": str(row.doctor_id),
        "room": row.room_id or "",
        "notes": row.notes,
        "overbook_reason": row.overbook_reason,
        "notify_patient": "on",
    }
    return values | other


# Booking


def test_a_receptionist_books_a_free_time(staff: dict[str, User], receptionist_browser: Client, john: Patient) -> None:
    publish(staff["doctor"])
    response = receptionist_browser.post(f"{ADD}?patient={john.pk}", filled(staff["doctor"]), follow=True)
    row = Appointment.objects.get()
    assert (row.patient, row.doctor, row.scheduled_time, row.notes) == (john, staff["doctor"], at(), "Sore throat")
    assert (row.duration_minutes, row.booked_by) == (15, staff["receptionist"])
    assert "Booked: John Doe" in response.content.decode()
    assert OutboxEvent.objects.filter(name="appointment.created").count() == 1


def test_without_a_patient_the_page_searches_for_one_and_keeps_the_parameters(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    asked = f"{ADD}?doctor={staff['doctor'].pk}&at=2030-01-07T18:00:00Z"
    assert "Which patient?" in receptionist_browser.get(asked).content.decode()
    page_text = receptionist_browser.get(f"{asked}&q=doe").content.decode()
    assert f"doctor={staff['doctor'].pk}&amp;at=2030-01-07T18%3A00%3A00Z&amp;patient={john.pk}" in page_text
    form = receptionist_browser.get(f"{asked}&patient={john.pk}").content.decode()
    assert 'value="2030-01-07"' in form
    assert 'value="10:00"' in form
    assert f'<option value="{staff["doctor"].pk}" selected>' in form


def test_the_first_free_times_are_radio_buttons_and_one_of_them_books(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    publish(staff["doctor"])
    book(register_patient("Ann", "Roe"), staff["doctor"], at("09:00"))
    asked = filled(staff["doctor"], time="", look="1")
    offered = receptionist_browser.post(f"{ADD}?patient={john.pk}", asked)
    text = offered.content.decode()
    assert text.count('type="radio"') == 7
    assert "errornote" not in text
    assert "Sore throat" in text
    assert not Appointment.objects.filter(patient=john).exists()
    form = offered.context["adminform"].form
    first = form.times[0]["value"]
    assert first == f"{at('09:15').astimezone(timezone.get_fixed_timezone(0)).isoformat()}/{staff['doctor'].pk}"
    receptionist_browser.post(f"{ADD}?patient={john.pk}", filled(staff["doctor"], time="", slot=first))
    assert Appointment.objects.get(patient=john).scheduled_time == at("09:15")


def test_a_taken_time_is_shown_with_three_that_are_free_and_one_click_books(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    publish(staff["doctor"])
    book(register_patient("Ann", "Roe"), staff["doctor"])
    response = receptionist_browser.post(f"{ADD}?patient={john.pk}", filled(staff["doctor"]))
    text = response.content.decode()
    assert "Taken at that time: doctor" in text
    assert "Ann" not in text
    assert "Sore throat" in text
    choices = response.context["adminform"].form.alternatives
    assert [one["label"][-5:] for one in choices] == ["10:15", "10:30", "10:45"]
    assert f'name="alternative" value="{choices[1]["value"]}"' in text
    receptionist_browser.post(f"{ADD}?patient={john.pk}", filled(staff["doctor"], alternative=choices[1]["value"]))
    row = Appointment.objects.get(patient=john)
    assert (row.scheduled_time, row.notes) == (at("10:30"), "Sore throat")


def test_overbooking_asks_why_and_only_those_who_may(staff: dict[str, User], receptionist_browser: Client, john: Patient) -> None:
    book(register_patient("Ann", "Roe"), staff["doctor"])
    nurse = browser(staff["nurse"])
    assert "overbook_reason" not in nurse.get(f"{ADD}?patient={john.pk}").content.decode()
    nurse.post(f"{ADD}?patient={john.pk}", filled(staff["doctor"], overbook_reason="Fever"))
    assert not Appointment.objects.filter(patient=john).exists()
    receptionist_browser.post(f"{ADD}?patient={john.pk}", filled(staff["doctor"], overbook_reason="Fever"))
    assert Appointment.objects.get(patient=john).overbook_seat == 1


def test_an_unusual_time_is_booked_with_a_warning(staff: dict[str, User], receptionist_browser: Client, john: Patient) -> None:
    publish(staff["doctor"])
    text = receptionist_browser.post(
        f"{ADD}?patient={john.pk}", filled(staff["doctor"], time="20:00"), follow=True
    ).content.decode()
    assert "outside the doctor&#x27;s published hours" in text
    yesterday = (clock.today() - timedelta(days=1)).isoformat()
    values = filled(staff["doctor"], time="10:00", scheduled_time_0=yesterday)
    assert "is in the past" in receptionist_browser.post(f"{ADD}?patient={john.pk}", values, follow=True).content.decode()


def test_a_time_the_clocks_skip_is_refused_in_words(staff: dict[str, User], receptionist_browser: Client, john: Patient) -> None:
    values = filled(staff["doctor"], time="02:30", scheduled_time_0="2027-03-14")
    text = receptionist_browser.post(f"{ADD}?patient={john.pk}", values).content.decode()
    assert "may not exist" in text
    assert not Appointment.objects.exists()


def test_a_closed_chart_cannot_be_booked_by_users_outside_the_team(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    restrict(john)
    assert receptionist_browser.get(f"{ADD}?patient={john.pk}").status_code == 404
    assert receptionist_browser.post(f"{ADD}?patient={john.pk}", filled(staff["doctor"])).status_code == 404
    assert not Appointment.objects.exists()
    assert AuditEvent.objects.filter(action="page.refused", patient_id=john.pk).count() == 2


# The list


def test_the_list_is_filtered_by_day_doctor_status_and_type(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    other = hire("dr.other", "doctor", specialty="Cardiology")
    mine = book(john, staff["doctor"])
    book(register_patient("Ann", "Roe"), other, at("11:00"), appointment_type="vaccination")
    services.confirm(by=staff["nurse"], appointment_id=mine.pk)

    def shown(query: str) -> set[str]:
        text = receptionist_browser.get(f"{LIST}?{query}").content.decode()
        return {name for name in ("DOE, John", "ROE, Ann") if name in text}

    assert shown("") == {"DOE, John", "ROE, Ann"}
    assert shown(f"day={monday()}") == {"DOE, John", "ROE, Ann"}
    assert shown(f"day={monday() + timedelta(days=1)}") == set()
    assert shown("day=nonsense") == set()
    assert shown(f"doctor={other.pk}") == {"ROE, Ann"}
    assert shown("doctor=nonsense") == set()
    assert shown("status=unconfirmed") == {"ROE, Ann"}
    assert shown("status=confirmed") == {"DOE, John"}
    assert shown("type=vaccination") == {"ROE, Ann"}
    assert shown("q=doe") == {"DOE, John"}
    assert shown(f"q={john.mrn}") == {"DOE, John"}


def test_a_list_asks_the_database_as_often_for_many_visits_as_for_one(
    staff: dict[str, User], receptionist_browser: Client, django_assert_max_num_queries: Any
) -> None:
    def asked() -> int:
        with django_assert_max_num_queries(25) as captured:
            assert receptionist_browser.get(LIST).status_code == 200
        return len(captured)

    book(register_patient("Ann", "Roe"), staff["doctor"])
    few = asked()
    for number in range(8):
        book(
            register_patient(f"Ann{number}", "Roe"),
            staff["doctor"],
            at(f"{11 + number // 4}:{number % 4 * 15:02}"),
            room_id=room(f"R{number}").pk,
        )
    assert asked() == few


def test_a_list_leaves_out_visits_of_closed_charts(staff: dict[str, User], receptionist_browser: Client, john: Patient) -> None:
    row = book(john, staff["doctor"])
    restrict(john)
    assert "Doe" not in receptionist_browser.get(LIST).content.decode()
    assert receptionist_browser.get(page(row)).status_code == 404
    assert receptionist_browser.post(page(row, "cancel"), {}).status_code == 404
    assert browser(staff["doctor"]).get(page(row)).status_code == 200


# A visit's page


def test_a_visit_is_moved_and_the_fact_announced(staff: dict[str, User], receptionist_browser: Client, john: Patient) -> None:
    row, here = book(john, staff["doctor"]), room()
    receptionist_browser.post(page(row), changed(row, scheduled_time_1="11:30", room=str(here.pk)))
    row.refresh_from_db()
    assert (row.scheduled_time, row.room) == (at("11:30"), here)
    fact = OutboxEvent.objects.get(name="appointment.updated")
    assert set(fact.payload["changes"]) >= {"scheduled_time", "room"}


def test_a_form_that_moves_nothing_leaves_the_seconds_a_program_booked_with(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    row = book(john, staff["doctor"], at("10:00") + timedelta(seconds=20))
    receptionist_browser.post(page(row), changed(row, notes="Coughs"))
    row.refresh_from_db()
    assert (row.notes, row.scheduled_time) == ("Coughs", at("10:00") + timedelta(seconds=20))


def test_a_visit_moved_onto_another_offers_free_times_and_one_click_moves(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    publish(staff["doctor"])
    book(register_patient("Ann", "Roe"), staff["doctor"], at("14:00"))
    row = book(john, staff["doctor"])
    values = changed(row, scheduled_time_1="14:00", notes="Brings the X-ray")
    response = receptionist_browser.post(page(row), values)
    first = response.context["adminform"].form.alternatives[0]["value"]
    assert "Brings the X-ray" in response.content.decode()
    receptionist_browser.post(page(row), values | {"alternative": first})
    row.refresh_from_db()
    assert (row.scheduled_time, row.notes) == (at("14:15"), "Brings the X-ray")


def test_of_two_at_one_visit_the_second_sees_both_versions(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    row = book(john, staff["doctor"])
    mine = changed(row, notes="Mine")
    services.change(by=staff["nurse"], appointment_id=row.pk, changes={"notes": "Theirs"})
    text = receptionist_browser.post(page(row), mine).content.decode()
    assert "Changed by Nurse.Ward Tester" in text
    assert "Theirs" in text
    assert ">\nMine</textarea>" in text
    row.refresh_from_db()
    assert row.notes == "Theirs"


def test_a_visit_cancelled_during_an_edit_is_reported_and_stays(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    row = book(john, staff["doctor"])
    mine = changed(row, notes="Mine")
    services.cancel(by=staff["nurse"], appointment_id=row.pk)
    response = receptionist_browser.post(page(row), mine)
    assert response.status_code == 200
    assert "Changed by Nurse.Ward Tester" in response.content.decode()
    row.refresh_from_db()
    response = receptionist_browser.post(page(row), changed(row, notes="Mine"))
    assert "The appointment has ended" in response.content.decode()


def test_a_doctor_changes_only_visits_of_their_own_schedule(staff: dict[str, User], john: Patient) -> None:
    other = hire("dr.other", "doctor", specialty="Cardiology")
    row = book(john, other)
    here = browser(staff["doctor"])
    assert here.get(page(row)).status_code == 200
    assert here.post(page(row), changed(row, notes="Mine")).status_code == 403
    assert here.get(page(row, "cancel")).status_code == 403
    assert here.post(page(row, "cancel"), {}).status_code == 403
    row.refresh_from_db()
    assert (row.status, row.notes) == ("scheduled", "")


def test_billing_reads_time_and_doctor_and_no_notes(staff: dict[str, User], john: Patient) -> None:
    row = book(john, staff["doctor"], notes="Drinks", overbook_reason="Angry")
    services.cancel(by=staff["nurse"], appointment_id=row.pk, reason="Moved to Spain")
    text = browser(staff["billing"]).get(page(row)).content.decode()
    assert "Cancelled" in text
    assert [word for word in ("Drinks", "Angry", "Spain") if word in text] == []
    assert "Drinks" in browser(staff["nurse"]).get(page(row)).content.decode()
    assert browser(staff["billing"]).get(page(row, "cancel")).status_code == 403


def test_a_visit_tells_what_it_went_through(staff: dict[str, User], receptionist_browser: Client, john: Patient) -> None:
    row = book(john, staff["doctor"])
    services.cancel(by=staff["nurse"], appointment_id=row.pk, reason="Has the flu")
    text = receptionist_browser.get(page(row)).content.decode()
    assert re.search(r"<b>Cancelled</b>.*<bdi>Nurse.Ward Tester</bdi>: Has the flu", text)
    assert "nurse.ward" not in text
    assert 'name="notes"' not in text


def test_a_nurse_who_may_not_overbook_leaves_the_reason_of_an_overbooked_visit(staff: dict[str, User], john: Patient) -> None:
    book(register_patient("Ann", "Roe"), staff["doctor"])
    row = book(john, staff["doctor"], overbook_reason="Fever")
    values = changed(row, notes="Brings the X-ray")
    del values["overbook_reason"]
    assert browser(staff["nurse"]).post(page(row), values).status_code == 302
    row.refresh_from_db()
    assert (row.notes, row.overbook_reason) == ("Brings the X-ray", "Fever")


def test_once_the_patient_is_here_the_note_alone_is_written(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    row = book(john, staff["doctor"], clock.now() + timedelta(minutes=1))
    services.check_in(by=staff["nurse"], appointment_id=row.pk, early=True)
    row.refresh_from_db()
    text = receptionist_browser.get(page(row)).content.decode()
    assert 'name="scheduled_time_0"' not in text
    assert 'name="notes"' in text
    values = {"version": row.updated_at.isoformat(), "appointment_type": "consultation", "notes": "Coughs"}
    assert receptionist_browser.post(page(row), values).status_code == 302
    row.refresh_from_db()
    assert row.notes == "Coughs"
    refused = receptionist_browser.post(page(row), changed(row, duration_minutes=45)).content.decode()
    assert "can change only while the appointment is requested, scheduled or confirmed" in refused


# Acts


def test_the_desk_confirms_checks_in_and_says_the_token(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    row = book(john, staff["doctor"], clock.now() + timedelta(minutes=1))
    assert receptionist_browser.post(page(row, "confirm")).status_code == 302
    text = receptionist_browser.post(page(row, "check_in"), follow=True).content.decode()
    row.refresh_from_db()
    assert row.status == "checked_in"
    assert f"Checked in. Token {row.queue_number}." in text
    assert "not allow" in receptionist_browser.post(page(row, "confirm")).content.decode()


def test_a_cancelled_visit_says_why_and_whether_the_patient_is_notified(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    row = book(john, staff["doctor"])
    assert 'name="notify_patient"' in receptionist_browser.get(page(row, "cancel")).content.decode()
    receptionist_browser.post(page(row, "cancel"), {"reason": "Has the flu"})
    row.refresh_from_db()
    assert (row.status, row.cancellation_reason) == ("cancelled", "Has the flu")
    fact = OutboxEvent.objects.get(name="appointment.updated")
    assert fact.payload["notify_patient"] is False
    assert "not allow" in receptionist_browser.post(page(row, "cancel"), {}).content.decode()


def test_a_no_show_is_offered_a_quarter_of_an_hour_later(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    late = book(john, staff["doctor"], clock.now() - timedelta(minutes=10))
    assert receptionist_browser.get(page(late, "no_show")).status_code == 403
    missed = book(register_patient("Ann", "Roe"), staff["doctor"], clock.now() - timedelta(minutes=40))
    assert receptionist_browser.get(page(missed, "no_show")).status_code == 200
    receptionist_browser.post(page(missed, "no_show"))
    missed.refresh_from_db()
    assert missed.status == "no_show"


def test_an_urgent_patient_is_marked(staff: dict[str, User], receptionist_browser: Client, john: Patient) -> None:
    row = book(john, staff["doctor"])
    receptionist_browser.post(page(row, "triage"), {"triage": "urgent", "triage_reason": "Chest pain"})
    row.refresh_from_db()
    assert (row.triage, row.triage_reason) == ("urgent", "Chest pain")


# Other pages


def test_the_patients_page_shows_the_next_visits_and_books(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    row = book(john, staff["doctor"])
    text = receptionist_browser.get(reverse("admin:patients_patient_change", args=[john.pk])).content.decode()
    assert page(row) in text
    assert f"{ADD}?patient={john.pk}" in text
    pharmacist = browser(staff["pharmacist"]).get(reverse("admin:patients_patient_change", args=[john.pk])).content.decode()
    assert "Next appointments" not in pharmacist


def test_the_home_of_reception_counts_what_waits_at_the_desk(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    today = clock.now()
    book(john, staff["doctor"], today + timedelta(seconds=1))
    text = receptionist_browser.get("/admin/").content.decode()
    assert re.search(r'Not confirmed</a></h2><div class="v">1</div>', text)
    assert re.search(r'In the waiting room</a></h2><div class="v">0</div>', text)
    assert f'href="{reverse("admin:schedule")}"' in text
    assert "Schedule" not in browser(staff["pharmacist"]).get("/admin/").content.decode()
