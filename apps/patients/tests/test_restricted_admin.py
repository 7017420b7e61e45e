"""Restricted charts in the admin: closing one, standing before one, opening it in an emergency, reviewing who did."""

import re
from typing import Any

import pytest
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.audit.models import AuditEvent
from apps.patients import selectors
from apps.patients.models import Patient
from apps.patients.restriction import BreakGlass, Restriction
from apps.patients.tests.factories import admit, chart, restrict

pytestmark = pytest.mark.django_db
LIST, EMERGENCY = "/admin/patients/patient/", "/admin/patients/patient/break-glass/"
RESTRICTIONS, ACCESSES = "/admin/patients/restriction/", "/admin/patients/breakglass/"
WHY = {"why": "Danger to life", "reason": "Unconscious in the waiting room"}


def page(patient: Patient, name: str = "change") -> str:
    return reverse(f"admin:patients_patient_{name}", args=[patient.pk])


@pytest.fixture
def closed(ward: dict[str, User]) -> Patient:
    patient = admit("Dora", "Hale")
    chart(patient, "note", "Letter of the employer")
    restrict(patient, ward["nurse"])
    return patient


def test_an_administrator_closes_a_chart_and_finds_it_by_its_mrn_to_change_and_lift_it(ward: dict[str, User]) -> None:
    desk, patient = browser(ward["admin"]), admit("Dora", "Hale")
    assert page(patient, "restrict") in desk.get(page(patient)).content.decode()
    form = desk.get(page(patient, "restrict")).content.decode()
    assert "Nurse.Ward Tester" in form
    assert "Billing.Ward Tester" not in form
    short = desk.post(page(patient, "restrict"), {"care_team": [ward["nurse"].pk], "reason": "short"})
    assert "at least 10 characters" in short.content.decode()
    done = desk.post(page(patient, "restrict"), {"care_team": [ward["nurse"].pk], "reason": "A colleague of ours"})
    assert done.headers["Location"] == RESTRICTIONS
    assert desk.get(page(patient)).status_code == 404
    listed = desk.get(RESTRICTIONS).content.decode()
    assert patient.mrn in listed
    assert "Hale" not in listed
    decision = Restriction.objects.get()
    team = reverse("admin:patients_restriction_team", args=[decision.pk])
    ticked = re.findall(r'name="care_team" value="([^"]+)"[^>]* checked', desk.get(team).content.decode())
    assert ticked == [str(ward["nurse"].pk)]
    desk.post(team, {"care_team": [ward["doctor"].pk], "reason": "The nurse has left"})
    assert [member.user for member in selectors.care_team(patient)] == [ward["doctor"]]
    latest = Restriction.objects.order_by("-decided_at")[0]
    assert desk.get(reverse("admin:patients_restriction_lift", args=[decision.pk])).status_code == 403  # decided anew since
    desk.post(reverse("admin:patients_restriction_lift", args=[latest.pk]), {"reason": "It was the wrong chart"})
    assert desk.get(page(patient)).status_code == 200
    assert patient.mrn not in desk.get(RESTRICTIONS).content.decode()
    assert patient.mrn in desk.get(RESTRICTIONS, {"decided": "ever"}).content.decode()


def test_who_may_break_the_glass_is_told_and_asked_for_a_reason(ward: dict[str, User], closed: Patient) -> None:
    doctor = browser(ward["doctor"])
    before = doctor.get(page(closed))
    assert before.status_code == 403
    shown = before.content.decode()
    assert "This record is restricted" in shown
    assert f'action="{EMERGENCY}"' in shown
    assert "Hale" not in shown
    short = doctor.post(EMERGENCY, {"mrn": closed.mrn, "why": "Danger to life", "reason": "short"})
    assert "at least 10 characters" in short.content.decode()
    opened = doctor.post(EMERGENCY, {"mrn": closed.mrn, **WHY}, follow=True)
    assert opened.redirect_chain == [(page(closed), 302)]
    text = opened.content.decode()
    assert "The chart is open to you until" in text
    assert "Restricted" in text
    assert BreakGlass.objects.get().reason == "Danger to life: Unconscious in the waiting room"
    assert "Letter of the employer" in doctor.get(f"/admin/patients/chartentry/?patient={closed.pk}").content.decode()
    marked = AuditEvent.objects.filter(user_id=ward["doctor"].pk, purpose="break_glass").values_list("action", flat=True)
    assert set(marked) == {"patient.glass_broken", "patient.read", "chart.read"}
    again = doctor.post(EMERGENCY, {"mrn": closed.mrn, **WHY})
    assert "You have opened this chart already" in again.content.decode()
    assert "There is no such patient." in doctor.post(EMERGENCY, {"mrn": "MRN-0", **WHY}).content.decode()


@pytest.mark.parametrize("role", ["receptionist", "billing", "lab_technician", "admin"])
def test_for_everybody_else_there_is_no_such_page(ward: dict[str, User], closed: Patient, role: str) -> None:
    client = browser(ward[role])
    assert client.get(page(closed)).status_code == 404
    assert client.get(EMERGENCY).status_code == 403
    assert EMERGENCY not in client.get(LIST).content.decode()
    assert closed.mrn not in client.get(LIST, {"q": "hale"}).content.decode()
    assert client.get(LIST, {"q": closed.mrn}).status_code == 200  # a scan leads nowhere


def test_a_refused_look_at_a_page_is_on_record_under_the_patient(ward: dict[str, User], closed: Patient) -> None:
    browser(ward["receptionist"]).get(page(closed))
    browser(ward["doctor"]).get(f"/admin/patients/chartentry/?patient={closed.pk}")
    browser(ward["manager"]).get(page(closed))
    rows = AuditEvent.objects.filter(outcome="denied").order_by("at").values_list("role", "patient_id")
    assert list(rows) == [(role, closed.pk) for role in ("receptionist", "doctor", "manager")]


def test_an_emergency_access_waits_for_its_review(ward: dict[str, User], closed: Patient) -> None:
    browser(ward["doctor"]).post(EMERGENCY, {"mrn": closed.mrn, **WHY})
    glass, desk = BreakGlass.objects.get(), browser(ward["admin"])
    waiting = desk.get(ACCESSES, {"review": "waiting"}).content.decode()
    for words in ("Doctor.Ward", closed.mrn, "Unconscious in the waiting room"):
        assert words in waiting
    assert "Hale" not in waiting
    sign_off = reverse("admin:patients_breakglass_review", args=[glass.pk])
    assert desk.post(sign_off, {"review": ""}).status_code == 200
    assert desk.post(sign_off, {"review": "Asked; she was alone with him"}).status_code == 302
    glass.refresh_from_db()
    assert (glass.reviewed_by, glass.review) == (ward["admin"], "Asked; she was alone with him")
    assert glass.reason not in desk.get(ACCESSES, {"review": "waiting"}).content.decode()
    assert glass.reason in desk.get(ACCESSES, {"review": "done"}).content.decode()
    assert desk.post(sign_off, {"review": "Once more"}).status_code == 200


def test_the_pages_cost_few_queries(ward: dict[str, User], django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        restrict(admit(f"P{number}"), ward["nurse"])
    client = browser(ward["doctor"])
    with django_assert_max_num_queries(12):
        client.get(LIST)
