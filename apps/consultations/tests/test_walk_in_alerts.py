"""A vital sign that calls the doctor in a visit without an appointment: the queue has no row of it, other pages show it."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from apps.accounts.models import User
from apps.accounts.tests.factories import browser, caller, hire
from apps.audit.models import AuditEvent
from apps.common import clock
from apps.consultations import services
from apps.consultations.selectors import Visit
from apps.consultations.services import Acknowledged
from apps.consultations.tests.factories import booked, save, visit_of
from apps.patients.tests.factories import admit, restrict

pytestmark = pytest.mark.django_db

CRITICAL = {"bp": "210/130", "spo2": 88}
QUEUE, LIST = "/admin/queue/", "/admin/consultations/consultation/"


@pytest.fixture
def visit(ward: dict[str, User]) -> Visit:
    """Mary Major walked in; the nurse began the visit for the doctor."""
    return save(ward["nurse"], visit_of(ward["doctor"], admit("Mary", "Major"), by=ward["nurse"]), 0)


_signed_in: dict[Any, Client] = {}


@pytest.fixture(autouse=True)
def nobody_is_signed_in() -> None:
    _signed_in.clear()


def get(user: User, address: str) -> Any:
    """The page in this person's browser; each signs in once a test."""
    if user.pk not in _signed_in:
        _signed_in[user.pk] = browser(user)
    return _signed_in[user.pk].get(address)


def walk_ins(user: User, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get(user, QUEUE + query).context["walk_ins"]
    return found


def text(user: User, address: str) -> str:
    return str(get(user, address).content.decode())


def test_the_alert_of_a_walk_in_is_on_the_doctors_queue_page_start_page_and_list_until_acknowledged(
    ward: dict[str, User], visit: Visit
) -> None:
    doctor = ward["doctor"]
    assert walk_ins(doctor) == []
    save(ward["nurse"], visit, 1, CRITICAL)
    for reader in (doctor, ward["nurse"]):
        (line,) = walk_ins(reader)
        assert (line["id"], line["alert"] != "", line["ready"]) == (visit.row.pk, True, "")
        assert "Alert: vital signs</strong> since" in text(reader, f"{QUEUE}?part=1")
        assert f'href="{LIST}{visit.row.pk}/change/"' in text(reader, QUEUE)
        assert "acknowledged</a>: <strong>1</strong>" in text(reader, "/admin/")
        for query in ("", "?status=alert"):
            assert "Alert: vital signs</strong> since" in text(reader, LIST + query)
    assert "210/130" not in text(doctor, QUEUE)
    for alert_id in ("redflag.pressure", "redflag.oxygen"):
        assert len(walk_ins(doctor)) == 1
        save(doctor, visit, 2, acknowledged=[Acknowledged(id=alert_id, reason="Seen")])
    assert walk_ins(doctor) == []
    assert "acknowledged</a>: <strong>none</strong>" in text(doctor, "/admin/")
    assert "Alert: vital signs" not in text(doctor, LIST)


def test_a_normal_value_takes_the_alert_of_a_walk_in_off_the_pages(ward: dict[str, User], visit: Visit) -> None:
    save(ward["nurse"], visit, 1, CRITICAL)
    save(ward["nurse"], visit, 1, {"bp": "130/80", "spo2": 97})
    assert walk_ins(ward["doctor"]) == []
    assert "Alert: vital signs" not in text(ward["doctor"], LIST)


def test_a_walk_in_whom_the_nurse_marks_as_ready_stands_behind_those_with_an_alert(ward: dict[str, User], visit: Visit) -> None:
    services.ready(by=ward["nurse"], consultation_id=visit.row.pk)
    with time_machine.travel(clock.now() + timedelta(minutes=1)):
        other = visit_of(ward["doctor"], admit("Ann", "Roe"), by=ward["nurse"])
        save(ward["nurse"], other, 1, CRITICAL)
        lines = walk_ins(ward["doctor"])
        assert [(line["mrn"], bool(line["alert"]), bool(line["ready"])) for line in lines] == [
            (other.row.patient.mrn, True, False),
            (visit.row.patient.mrn, False, True),
        ]
        services.cancel(by=ward["nurse"], consultation_id=other.row.pk)
        save(ward["doctor"], visit, 2)
        assert walk_ins(ward["doctor"]) == []


def test_the_alert_of_a_walk_in_goes_with_the_visit_to_another_doctor(ward: dict[str, User], visit: Visit) -> None:
    other = hire("dr.other", "doctor", last_name="Okafor")
    save(ward["doctor"], visit, 1, CRITICAL)
    assert (walk_ins(ward["doctor"]), walk_ins(other)) == ([], [])  # what a doctor enters they know
    services.hand_over(by=ward["doctor"], consultation_id=visit.row.pk, doctor_id=other.pk)
    assert (walk_ins(ward["doctor"]), len(walk_ins(other))) == ([], 1)
    assert [len(walk_ins(ward["nurse"], f"?doctor={doctor.pk}")) for doctor in (ward["doctor"], other)] == [0, 1]


def test_the_line_of_a_walk_in_is_shown_to_those_alone_who_read_visits_and_may_open_the_chart(
    ward: dict[str, User], visit: Visit
) -> None:
    save(ward["nurse"], visit, 1, CRITICAL)
    assert walk_ins(ward["receptionist"]) == []
    assert "Alert: vital signs" not in text(ward["billing"], LIST)
    assert text(ward["billing"], f"{LIST}?status=alert").count(str(visit.row.pk)) == 0
    restrict(visit.row.patient, ward["doctor"])
    assert (walk_ins(ward["nurse"]), len(walk_ins(ward["doctor"]))) == ([], 1)


def test_a_look_that_shows_a_new_walk_in_is_on_record_although_a_script_asked(ward: dict[str, User], visit: Visit) -> None:
    doctor = browser(ward["doctor"])
    tag = doctor.get(QUEUE).context["tag"]
    looks = AuditEvent.objects.filter(action="queue.listed")
    before = looks.count()
    doctor.get(f"{QUEUE}?part=1&seen={tag}")
    assert looks.count() == before
    save(ward["nurse"], visit, 1, CRITICAL)
    doctor.get(f"{QUEUE}?part=1&seen={tag}")
    assert looks.count() == before + 1


def test_a_visit_with_an_appointment_is_a_row_of_the_queue_and_no_line_beside_it(ward: dict[str, User]) -> None:
    appointment = booked(admit(), ward["doctor"])
    visit = visit_of(ward["doctor"], appointment.patient, by=ward["nurse"], appointment_id=appointment.pk)
    save(ward["nurse"], visit, 1, CRITICAL)
    assert walk_ins(ward["doctor"]) == []
    assert len(caller(ward["doctor"]).get("/queue").json()["data"]["queue"]) == 1
    assert "Alert: vital signs</strong> since" in text(ward["doctor"], LIST)
