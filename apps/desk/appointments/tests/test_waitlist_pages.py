"""The waitlist in the admin."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import browser, hire
from apps.appointments.models import Appointment, WaitlistEntry, WaitlistOffer
from apps.appointments.tests.factories import at, book, monday
from apps.appointments.tests.test_waitlist_constraints import offer, waits
from apps.audit.models import AuditEvent
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db

LIST = "/admin/appointments/waitlistentry/"


@pytest.fixture
def receptionist_browser(staff: dict[str, User]) -> Client:
    return browser(staff["receptionist"])


def act(name: str, entry: WaitlistEntry) -> str:
    return reverse(f"admin:appointments_waitlistentry_{name}", args=[entry.pk])


def text(response: Any) -> str:
    return response.content.decode()


def test_the_list_is_in_rank_and_shows_who_waits(receptionist_browser: Client, staff: dict[str, User]) -> None:
    first, urgent = (
        waits(patient=register_patient("Ann", "First")),
        waits(patient=register_patient("Una", "Urgent"), priority="urgent"),
    )
    gone = waits(patient=register_patient("Gil", "Gone"), status="withdrawn")
    offer(first, staff["doctor"])
    page = text(receptionist_browser.get(LIST))
    assert page.index("URGENT, Una") < page.index("FIRST, Ann")
    assert "GONE, Gil" not in page
    assert "GONE, Gil" in text(receptionist_browser.get(f"{LIST}?status=withdrawn"))
    on_offer = text(receptionist_browser.get(f"{LIST}?offer=open"))
    assert "FIRST, Ann" in on_offer
    assert "URGENT, Una" not in on_offer
    assert "FIRST, Ann" in text(receptionist_browser.get(f"{LIST}?q=first"))
    start = text(receptionist_browser.get("/admin/"))
    assert "1 offered a time" in start
    assert gone.status == "withdrawn"
    assert str(urgent.pk) in page


def test_the_list_costs_the_same_however_many_wait(receptionist_browser: Client, staff: dict[str, User]) -> None:
    offer(waits(), staff["doctor"])
    receptionist_browser.get(LIST)
    with CaptureQueriesContext(connection) as few:
        receptionist_browser.get(LIST)
    for _ in range(8):
        offer(waits(), staff["doctor"])
    with CaptureQueriesContext(connection) as many:
        assert receptionist_browser.get(LIST).status_code == 200
    assert len(many) == len(few)


def test_a_patient_is_put_on_the_waitlist_from_the_patients_page(receptionist_browser: Client, staff: dict[str, User]) -> None:
    patient = register_patient("Ann", "Roe")
    address = f"{reverse('admin:appointments_waitlistentry_add')}?patient={patient.pk}"
    assert address.replace("&", "&amp;") in text(
        receptionist_browser.get(reverse("admin:patients_patient_change", args=[patient.pk]))
    )
    assert receptionist_browser.get(address.partition("?")[0]).status_code == 302
    form = {"appointment_type": "consultation", "doctor": str(staff["doctor"].pk), "priority": "high", "note": "Knee"}
    form |= {"date_from": str(monday()), "date_to": str(monday(2)), "duration_minutes": "", "time_from": "", "time_to": ""}
    refused = receptionist_browser.post(address, form | {"time_from": "09:00"})
    assert "Send both time_from and time_to" in text(refused)
    assert receptionist_browser.post(address, form).status_code == 302
    entry = WaitlistEntry.objects.get()
    assert (entry.patient_id, entry.doctor_id, entry.priority) == (patient.pk, staff["doctor"].pk, "high")
    assert "is already waiting for such an appointment" in text(receptionist_browser.post(address, form))
    page = text(receptionist_browser.get(reverse("admin:appointments_waitlistentry_change", args=[entry.pk])))
    assert "Knee" in page
    assert "Accept the offer" not in page
    assert AuditEvent.objects.filter(action="waitlist.added", user_id=staff["receptionist"].pk).count() == 1


def test_an_offer_is_accepted_and_one_lands_on_the_visit(receptionist_browser: Client, staff: dict[str, User]) -> None:
    entry = waits()
    made = offer(entry, staff["doctor"])
    page = text(receptionist_browser.get(act("accept", entry)))
    assert str(made.pk) in page
    done = receptionist_browser.post(act("accept", entry), {"offer": str(made.pk)})
    visit = Appointment.objects.get()
    assert done.headers["Location"] == reverse("admin:appointments_appointment_change", args=[visit.pk])
    entry.refresh_from_db()
    assert (entry.status, entry.appointment_id) == ("booked", visit.pk)
    assert receptionist_browser.get(act("accept", entry)).status_code == 403


def test_a_time_that_is_gone_is_reported_on_the_page(receptionist_browser: Client, staff: dict[str, User]) -> None:
    entry = waits()
    made = offer(entry, staff["doctor"])
    book(register_patient("Cara", "Fast"), staff["doctor"], at())
    assert "already booked at that time" in text(receptionist_browser.post(act("accept", entry), {"offer": str(made.pk)}))
    assert WaitlistOffer.objects.get().status == "lost"
    assert "another patient was booked" in text(receptionist_browser.post(act("accept", entry), {"offer": str(made.pk)}))


def test_an_offer_is_declined_and_the_patient_taken_off(receptionist_browser: Client, staff: dict[str, User]) -> None:
    entry = waits()
    made = offer(entry, staff["doctor"])
    assert receptionist_browser.post(act("decline", entry), {"offer": str(made.pk)}).status_code == 302
    assert WaitlistOffer.objects.get().status == "declined"
    assert receptionist_browser.post(act("withdraw", entry)).status_code == 302
    entry.refresh_from_db()
    assert entry.status == "withdrawn"
    assert "no longer waiting" in text(receptionist_browser.post(act("withdraw", entry)))


def test_a_doctor_has_his_own_waitlist(staff: dict[str, User]) -> None:
    other, patient = hire("dr.other", "doctor", specialty="Any"), register_patient("Ann", "Roe")
    theirs = waits(patient=register_patient("Theo", "Theirs"), doctor=other)
    doctor = browser(staff["doctor"])
    assert "THEIRS" not in text(doctor.get(LIST))
    assert doctor.get(act("change", theirs)).status_code == 404
    form = text(doctor.get(f"{reverse('admin:appointments_waitlistentry_add')}?patient={patient.pk}"))
    assert str(staff["doctor"].pk) in form
    assert str(other.pk) not in form


@pytest.mark.parametrize(
    ("model", "resource"), [("waitlistentry", "waitlist"), ("appointment", "appointment"), ("series", "series")]
)
def test_a_form_with_a_patient_above_it_is_audited_whenever_it_is_shown(
    staff: dict[str, User], model: str, resource: str
) -> None:
    patient, client = register_patient("Ann", "Roe"), browser(staff["nurse"])
    address = f"{reverse(f'admin:appointments_{model}_add')}?patient={patient.pk}"
    assert "ROE, Ann" in text(client.get(address))
    assert "ROE, Ann" in text(client.post(address, {}))  # refused, and shown again
    rows = AuditEvent.objects.filter(action=f"{resource}.asked_for").values_list("user_id", "patient_id")
    assert list(rows) == [(staff["nurse"].pk, patient.pk)] * 2
