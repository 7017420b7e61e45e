"""Restricted charts in the admin: closing one, being refused, opening it in an emergency, reviewing that."""

import re
from typing import Any

import pytest
from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.audit.models import AuditEvent
from apps.patients import selectors
from apps.patients.confidentiality import services
from apps.patients.confidentiality.models import BreakGlass, Restriction
from apps.patients.models import Patient
from apps.patients.tests.factories import chart, register_patient, restrict

pytestmark = pytest.mark.django_db
LIST, EMERGENCY = "/admin/patients/patient/", "/admin/patients/patient/break-glass/"
RESTRICTIONS, ACCESSES = "/admin/patients/restriction/", "/admin/patients/breakglass/"
WHY = {"why": "Danger to life", "reason": "Unconscious in the waiting room"}


def page(patient: Patient, name: str = "change") -> str:
    return reverse(f"admin:patients_patient_{name}", args=[patient.pk])


@pytest.fixture
def closed(staff: dict[str, User]) -> Patient:
    patient = register_patient("Dora", "Hale")
    chart(patient, "note", "Letter of the employer")
    restrict(patient, staff["nurse"])
    return patient


def test_an_administrator_closes_a_chart_and_finds_it_by_its_mrn_to_change_and_lift_it(staff: dict[str, User]) -> None:
    admin_browser, patient = browser(staff["admin"]), register_patient("Dora", "Hale")
    assert page(patient, "restrict") in admin_browser.get(page(patient)).content.decode()
    form = admin_browser.get(page(patient, "restrict")).content.decode()
    assert "Nurse.Ward Tester" in form
    assert "Billing.Ward Tester" not in form
    short = admin_browser.post(page(patient, "restrict"), {"care_team": [staff["nurse"].pk], "reason": "short"})
    assert "at least 10 characters" in short.content.decode()
    done = admin_browser.post(page(patient, "restrict"), {"care_team": [staff["nurse"].pk], "reason": "A colleague of ours"})
    assert done.headers["Location"] == RESTRICTIONS
    assert admin_browser.get(page(patient)).status_code == 404
    listed = admin_browser.get(RESTRICTIONS).content.decode()
    assert patient.mrn in listed
    assert "Hale" not in listed
    decision = Restriction.objects.get()
    team = reverse("admin:patients_restriction_team", args=[decision.pk])
    ticked = re.findall(r'name="care_team" value="([^"]+)"[^>]* checked', admin_browser.get(team).content.decode())
    assert ticked == [str(staff["nurse"].pk)]
    admin_browser.post(team, {"care_team": [staff["doctor"].pk], "reason": "The nurse has left"})
    assert [member.user for member in selectors.care_team(patient)] == [staff["doctor"]]
    latest = Restriction.objects.order_by("-decided_at")[0]
    assert (
        admin_browser.get(reverse("admin:patients_restriction_lift", args=[decision.pk])).status_code == 403
    )  # decided anew since
    admin_browser.post(reverse("admin:patients_restriction_lift", args=[latest.pk]), {"reason": "It was the wrong chart"})
    assert admin_browser.get(page(patient)).status_code == 200
    assert patient.mrn not in admin_browser.get(RESTRICTIONS).content.decode()
    assert patient.mrn in admin_browser.get(RESTRICTIONS, {"decided": "ever"}).content.decode()


def test_a_changed_team_keeps_the_doctors_who_have_a_visit_unless_they_are_unticked(
    staff: dict[str, User], closed: Patient
) -> None:
    services.join_care_team(by=SYSTEM, patient=closed, doctor_id=staff["doctor"].pk)
    client = browser(staff["admin"])
    listed = client.get(RESTRICTIONS).content.decode()
    assert str(staff["doctor"]) in listed
    assert str(staff["nurse"]) in listed
    team = reverse("admin:patients_restriction_team", args=[Restriction.objects.get().pk])
    form = client.get(team).content.decode()
    assert "doctors with a visit or an appointment" in form
    ticked = re.findall(r'name="care_team" value="([^"]+)"[^>]* checked', form)
    assert set(ticked) == {str(staff["doctor"].pk), str(staff["nurse"].pk)}
    client.post(team, {"care_team": [*ticked, staff["pharmacist"].pk], "reason": "One more colleague"})
    assert {member.user for member in selectors.care_team(closed)} == {staff[role] for role in ("doctor", "nurse", "pharmacist")}
    latest = Restriction.objects.order_by("-decided_at")[0]
    team = reverse("admin:patients_restriction_team", args=[latest.pk])
    client.post(team, {"care_team": [staff["nurse"].pk], "reason": "The doctor has left"})
    assert {member.user for member in selectors.care_team(closed)} == {staff["nurse"]}
    decisions = client.get(RESTRICTIONS, {"decided": "ever"}).content.decode()
    assert str(staff["pharmacist"]) in decisions  # named by a decision that is no longer in force


def test_users_who_may_break_the_glass_see_it_and_are_asked_for_a_reason(staff: dict[str, User], closed: Patient) -> None:
    doctor = browser(staff["doctor"])
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
    marked = AuditEvent.objects.filter(user_id=staff["doctor"].pk, purpose="break_glass").values_list("action", flat=True)
    assert set(marked) == {"patient.glass_broken", "patient.read", "chart.read"}
    again = doctor.post(EMERGENCY, {"mrn": closed.mrn, **WHY})
    assert "You have already opened this chart" in again.content.decode()
    assert "There is no such patient." in doctor.post(EMERGENCY, {"mrn": "MRN-0", **WHY}).content.decode()


@pytest.mark.parametrize("role", ["receptionist", "billing", "lab_technician", "admin"])
def test_for_everybody_else_there_is_no_such_page(staff: dict[str, User], closed: Patient, role: str) -> None:
    client = browser(staff[role])
    assert client.get(page(closed)).status_code == 404
    assert client.get(EMERGENCY).status_code == 403
    assert EMERGENCY not in client.get(LIST).content.decode()
    assert closed.mrn not in client.get(LIST, {"q": "hale"}).content.decode()
    assert client.get(LIST, {"q": closed.mrn}).status_code == 200  # a scan leads nowhere


def test_a_refused_look_at_a_page_is_on_record_under_the_patient(staff: dict[str, User], closed: Patient) -> None:
    browser(staff["receptionist"]).get(page(closed))
    browser(staff["doctor"]).get(f"/admin/patients/chartentry/?patient={closed.pk}")
    browser(staff["manager"]).get(page(closed))
    rows = AuditEvent.objects.filter(outcome="denied").order_by("at").values_list("role", "patient_id")
    assert list(rows) == [(role, closed.pk) for role in ("receptionist", "doctor", "manager")]


def test_an_emergency_access_waits_for_its_review(staff: dict[str, User], closed: Patient) -> None:
    browser(staff["doctor"]).post(EMERGENCY, {"mrn": closed.mrn, **WHY})
    glass, admin_browser = BreakGlass.objects.get(), browser(staff["admin"])
    waiting = admin_browser.get(ACCESSES, {"review": "waiting"}).content.decode()
    for words in ("Doctor.Ward", closed.mrn, "Unconscious in the waiting room"):
        assert words in waiting
    assert "Hale" not in waiting
    sign_off = reverse("admin:patients_breakglass_review", args=[glass.pk])
    assert admin_browser.post(sign_off, {"review": ""}).status_code == 200
    assert admin_browser.post(sign_off, {"review": "Asked; she was alone on call"}).status_code == 302
    glass.refresh_from_db()
    assert (glass.reviewed_by, glass.review) == (staff["admin"], "Asked; she was alone on call")
    assert glass.reason not in admin_browser.get(ACCESSES, {"review": "waiting"}).content.decode()
    assert glass.reason in admin_browser.get(ACCESSES, {"review": "done"}).content.decode()
    assert admin_browser.post(sign_off, {"review": "Once more"}).status_code == 200


def test_the_pages_cost_few_queries(staff: dict[str, User], django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        restrict(register_patient(f"P{number}"), staff["nurse"])
    client = browser(staff["doctor"])
    with django_assert_max_num_queries(12):
        client.get(LIST)
