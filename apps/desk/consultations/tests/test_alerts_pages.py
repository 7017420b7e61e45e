"""Alerts of the nurse's values on the pages of the visit and the queue."""

import pytest

from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, browser, hire
from apps.consultations import services
from apps.consultations.tests.factories import save
from apps.consultations.tests.test_alerts import CRITICAL, NORMAL, WORKFLOWS, nurse_visit, put, queue
from apps.consultations.tests.test_ports import Pharmacy, pharmacy
from apps.desk.consultations.tests.test_admin import fill_in, page

__all__ = ["pharmacy"]  # fixtures
pytestmark = pytest.mark.django_db


def test_the_banner_stays_on_every_page_of_the_visit_until_a_doctor_acknowledges(staff: dict[str, User]) -> None:
    visit = nurse_visit(staff, "standard")
    nurse, doctor = browser(staff["nurse"]), browser(staff["doctor"])
    assert fill_in(nurse, page("step", visit, 1), bp="210/130").status_code == 302
    banner = "Very high blood pressure: look for organ damage before the patient leaves.</h2><p>The blood pressure is 210/130"
    for client in (nurse, doctor):
        for address in (page("change", visit), *(page("step", visit, number) for number in range(10))):
            assert banner in client.get(address).content.decode(), address
    assert "A doctor must acknowledge it" in nurse.get(page("step", visit, 1)).content.decode()
    assert 'class="alert stop"' not in browser(staff["billing"]).get(page("change", visit)).content.decode()
    (alert,) = save(staff["nurse"], visit, 2).alerts
    assert fill_in(doctor, page("step", visit, 1), **{f"alert-{alert['id']}": "Repeated: 150/90"}).status_code == 302
    assert 'class="alert stop"' not in doctor.get(page("change", visit)).content.decode()


def reason_box(alert_id: str, reason: str) -> str:
    return f'name="alert-{alert_id}" value="{reason}"'


def test_the_reason_for_an_alert_is_shown_again_when_the_signature_or_the_section_is_refused(staff: dict[str, User]) -> None:
    visit, client = nurse_visit(staff), browser(staff["doctor"])
    visit = save(staff["nurse"], visit, 1, CRITICAL)
    first, second = (alert["id"] for alert in visit.open_alerts)
    sent = {f"alert-{first}": "Repeated: 150/90"}
    refused = client.post(page("complete", visit), sent | {"version": visit.row.version}).content.decode()
    assert reason_box(first, "Repeated: 150/90") in refused
    assert f'name="alert-{second}" maxlength' in refused
    for number, wrong in ((1, {"pulse": "x"}), (9, {"follow_up_date": "2020-01-01"})):  # a page of the alerts, and another one
        shown = fill_in(client, page("step", visit, number), **sent, **wrong).content.decode()
        assert reason_box(first, "Repeated: 150/90") in shown, number
    save(staff["nurse"], visit, 1, CRITICAL | {"pulse": 70})
    stale = {"version": "1", "bp": "118/80"} | sent
    assert reason_box(first, "Repeated: 150/90") in client.post(page("step", visit, 1), stale).content.decode()
    services.hold(by=staff["doctor"], consultation_id=visit.row.pk)
    read_only = client.post(page("step", visit, 1), stale).content.decode()
    assert "<dt>Reason for overriding this alert</dt><dd>Repeated: 150/90</dd>" in read_only


def test_the_reason_for_an_alert_of_a_handler_is_shown_again_with_the_next_refusal(
    staff: dict[str, User], pharmacy: Pharmacy
) -> None:
    visit, client = nurse_visit(staff), browser(staff["doctor"])
    sent = {"medications_0_name": "Penicillin"}
    assert 'name="alert-a1" maxlength' in fill_in(client, page("step", visit, 8), **sent).content.decode()
    sent |= {"alert-a1": "Tolerated twice", "medications_0_refills": "many"}
    assert reason_box("a1", "Tolerated twice") in fill_in(client, page("step", visit, 8), **sent).content.decode()
    sent["medications_0_refills"] = "1"
    assert fill_in(client, page("step", visit, 8), **sent).status_code == 302
    assert [one.reason for one in pharmacy.orders[-1].acknowledged] == ["Tolerated twice"]


@WORKFLOWS
def test_the_row_of_a_visit_that_was_handed_over_is_in_the_queue_of_the_doctor_who_has_it_with_its_marks(
    staff: dict[str, User], workflow: str
) -> None:
    visit, other = nurse_visit(staff, workflow), hire("dr.other", "doctor", last_name="Okafor")
    put(staff["nurse"], visit, 1, CRITICAL)
    services.ready(by=staff["nurse"], consultation_id=visit.row.pk)
    (before,) = queue(staff["doctor"])["queue"]
    reply = api_client(staff["doctor"]).post(f"/consultations/{visit.row.pk}/hand-over", {"doctor_id": str(other.pk)})
    assert reply.status_code == 200
    assert queue(staff["doctor"])["queue"] == []
    (row,) = queue(other)["queue"]
    assert row == before | {"doctor_id": str(other.pk), "doctor_name": other.full_name, "waiting_minutes": row["waiting_minutes"]}
    assert (row["alert_since"] is not None, row["ready_since"] is not None) == (True, True)
    for doctor, rows in ((staff["doctor"], []), (other, [row["appointment_id"]])):
        data = api_client(staff["nurse"]).get(f"/queue?doctor_id={doctor.pk}").json()["data"]
        assert [one["appointment_id"] for one in data["queue"]] == rows
        page = browser(staff["receptionist"]).get(f"/admin/queue/?doctor={doctor.pk}").content.decode()
        assert ("Alert: vital signs, " in page) == bool(rows)
    (shown,) = browser(other).get("/admin/queue/").context["rows"]
    assert ("Okafor" in shown["doctor"], shown["alert"] != "", shown["ready"] != "") == (True, True, True)
    put(staff["nurse"], visit, 1, NORMAL | {"pulse": 80})
    (row,) = queue(other)["queue"]
    assert (row["alert_since"], row["ready_since"] is not None) == (None, True)
