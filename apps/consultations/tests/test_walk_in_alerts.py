"""A vital sign that calls the doctor in a visit without an appointment: the queue has no row of it, other pages show it."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, browser, hire
from apps.audit.models import AuditEvent
from apps.common import clock
from apps.consultations import services
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.services import Acknowledged
from apps.consultations.tests.factories import booked, save, start_consultation
from apps.patients.tests.factories import register_patient, restrict

pytestmark = pytest.mark.django_db

CRITICAL = {"bp": "210/130", "spo2": 88}
QUEUE, LIST = "/admin/queue/", "/admin/consultations/consultation/"


@pytest.fixture
def visit(staff: dict[str, User]) -> ConsultationDetails:
    """Mary Major walked in; the nurse began the visit for the doctor."""
    return save(staff["nurse"], start_consultation(staff["doctor"], register_patient("Mary", "Major"), by=staff["nurse"]), 0)


_signed_in: dict[Any, Client] = {}


@pytest.fixture(autouse=True)
def signed_out() -> None:
    _signed_in.clear()


def get(user: User, address: str) -> Any:
    """The page in this person's browser; each signs in once a test."""
    if user.pk not in _signed_in:
        _signed_in[user.pk] = browser(user)
    return _signed_in[user.pk].get(address)


def walk_ins(user: User, query: str = "") -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = get(user, QUEUE + query).context["walk_ins"]
    return lines


def text(user: User, address: str) -> str:
    return str(get(user, address).content.decode())


def test_the_alert_of_a_walk_in_is_on_the_doctors_queue_page_start_page_and_list_until_acknowledged(
    staff: dict[str, User], visit: ConsultationDetails
) -> None:
    doctor = staff["doctor"]
    assert walk_ins(doctor) == []
    save(staff["nurse"], visit, 1, CRITICAL)
    for reader in (doctor, staff["nurse"]):
        (line,) = walk_ins(reader)
        assert (line["id"], line["alert"] != "", line["ready"]) == (visit.row.pk, True, "")
        assert f"Alert: vital signs since {line['alert']}" in text(reader, f"{QUEUE}?part=1")
        assert f'href="{LIST}{visit.row.pk}/change/"' in text(reader, QUEUE)
        assert "Alert: vital signs" in text(reader, "/admin/")
        for query in ("", "?status=alert"):
            assert "Alert: vital signs since" in text(reader, LIST + query)
    assert "210/130" not in text(doctor, QUEUE)
    for alert_id in ("redflag.pressure", "redflag.oxygen"):
        assert len(walk_ins(doctor)) == 1
        save(doctor, visit, 2, acknowledged=[Acknowledged(id=alert_id, reason="Seen")])
    assert walk_ins(doctor) == []
    assert "Alert: vital signs" not in text(doctor, "/admin/")
    assert "Alert: vital signs" not in text(doctor, LIST)


def test_a_normal_value_takes_the_alert_of_a_walk_in_off_the_pages(staff: dict[str, User], visit: ConsultationDetails) -> None:
    save(staff["nurse"], visit, 1, CRITICAL)
    save(staff["nurse"], visit, 1, {"bp": "130/80", "spo2": 97})
    assert walk_ins(staff["doctor"]) == []
    assert "Alert: vital signs" not in text(staff["doctor"], LIST)


def test_a_walk_in_that_the_nurse_marks_as_ready_comes_after_those_with_an_alert(
    staff: dict[str, User], visit: ConsultationDetails
) -> None:
    services.ready(by=staff["nurse"], consultation_id=visit.row.pk)
    with time_machine.travel(clock.now() + timedelta(minutes=1)):
        other = start_consultation(staff["doctor"], register_patient("Ann", "Roe"), by=staff["nurse"])
        save(staff["nurse"], other, 1, CRITICAL)
        lines = walk_ins(staff["doctor"])
        assert [(line["mrn"], bool(line["alert"]), bool(line["ready"])) for line in lines] == [
            (other.row.patient.mrn, True, False),
            (visit.row.patient.mrn, False, True),
        ]
        services.cancel(by=staff["nurse"], consultation_id=other.row.pk)
        save(staff["doctor"], visit, 2)
        assert walk_ins(staff["doctor"]) == []


def test_the_alert_of_a_walk_in_goes_with_the_visit_to_another_doctor(staff: dict[str, User], visit: ConsultationDetails) -> None:
    other = hire("dr.other", "doctor", last_name="Okafor")
    save(staff["doctor"], visit, 1, CRITICAL)
    assert (walk_ins(staff["doctor"]), walk_ins(other)) == ([], [])  # what a doctor enters they know
    services.hand_over(by=staff["doctor"], consultation_id=visit.row.pk, doctor_id=other.pk)
    assert (walk_ins(staff["doctor"]), len(walk_ins(other))) == ([], 1)
    assert [len(walk_ins(staff["nurse"], f"?doctor={doctor.pk}")) for doctor in (staff["doctor"], other)] == [0, 1]


def test_the_line_of_a_walk_in_is_shown_to_those_alone_who_read_visits_and_may_open_the_chart(
    staff: dict[str, User], visit: ConsultationDetails
) -> None:
    save(staff["nurse"], visit, 1, CRITICAL)
    assert walk_ins(staff["receptionist"]) == []
    assert "Alert: vital signs" not in text(staff["billing"], LIST)
    assert text(staff["billing"], f"{LIST}?status=alert").count(str(visit.row.pk)) == 0
    restrict(visit.row.patient, staff["doctor"])
    assert (walk_ins(staff["nurse"]), len(walk_ins(staff["doctor"]))) == ([], 1)


def test_a_look_that_shows_a_new_walk_in_is_on_record_although_a_script_asked(
    staff: dict[str, User], visit: ConsultationDetails
) -> None:
    doctor = browser(staff["doctor"])
    tag = doctor.get(QUEUE).context["tag"]
    looks = AuditEvent.objects.filter(action="queue.listed")
    before = looks.count()
    doctor.get(f"{QUEUE}?part=1&seen={tag}")
    assert looks.count() == before
    save(staff["nurse"], visit, 1, CRITICAL)
    doctor.get(f"{QUEUE}?part=1&seen={tag}")
    assert looks.count() == before + 1


def test_a_visit_with_an_appointment_is_only_a_row_of_the_queue(staff: dict[str, User]) -> None:
    appointment = booked(register_patient(), staff["doctor"])
    visit = start_consultation(staff["doctor"], appointment.patient, by=staff["nurse"], appointment_id=appointment.pk)
    save(staff["nurse"], visit, 1, CRITICAL)
    assert walk_ins(staff["doctor"]) == []
    assert len(api_client(staff["doctor"]).get("/queue").json()["data"]["queue"]) == 1
    assert "Alert: vital signs since" in text(staff["doctor"], LIST)
