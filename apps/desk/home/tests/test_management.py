"""The homes of manager and system administrator, and those of roles whose work is built later."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.accounts.models import FailureCount, PasswordLink, TotpDevice, User
from apps.accounts.services import lockout
from apps.accounts.tests.factories import browser, create_api_key, hire
from apps.appointments import services
from apps.appointments.models import Appointment
from apps.appointments.rights import Permission
from apps.appointments.tests.factories import at, book, publish
from apps.common import clock
from apps.desk.home.tests.pages import HOME, ann, rows, statements, text_of, tiles, words
from apps.events.tests.contract import dead_lettered
from apps.patients import services as patients
from apps.patients.models import Patient
from apps.patients.tests.factories import register_patient, restrict

pytestmark = pytest.mark.django_db

DASHBOARD = "/admin/dashboard/"


@pytest.fixture
def admin(staff: dict[str, User]) -> Client:
    return browser(staff["admin"])


def booked(last_name: str, doctor: User, clock_time: str, status: str = "confirmed", days: int = 0) -> Appointment:
    row = book(ann(last_name), doctor, at(clock_time, clock.today() + timedelta(days=days)))
    Appointment.objects.filter(pk=row.pk).update(status=status)
    return row


def busy_day(doctor: User) -> None:
    publish(doctor)
    booked("Seen", doctor, "09:00", "completed"), booked("Missed", doctor, "09:15", "no_show")
    booked("Next", doctor, "11:00"), booked("New", doctor, "11:15", "scheduled")
    services.cancel(by=SYSTEM, appointment_id=booked("Gone", doctor, "12:00").pk)
    services.check_in(by=SYSTEM, appointment_id=booked("Here", doctor, "09:45").pk)
    Appointment.objects.filter(patient__last_name="Here").update(checked_in_at=clock.now() - timedelta(minutes=31))
    booked("Tomorrow", doctor, "09:00", "scheduled", days=1), booked("Sure", doctor, "09:15", days=1)


def test_the_dashboard_counts_the_day_and_names_no_patient(admin: Client, doctor: User) -> None:
    busy_day(doctor)
    text = text_of(admin, DASHBOARD)
    assert tiles(text) == {
        "Waiting now": "1 Longest wait 31 min, limit 30 min",
        "Patients seen": "1 of 5 1 cancelled",
        "Still to arrive": "2 1 not confirmed",
        "Did not come": "1 33 % of 3 due so far",
        "Tomorrow not confirmed": "1 of 2",
    }
    assert text.count('class="tile alarm"') == 1
    assert rows(text) == [["Dr Tester", "5", "1", "1", "2", "1", "16 %"]]
    for name in ("SEEN", "HERE", "NEXT", "Ann"):
        assert name not in text


def test_the_manager_sees_the_sections_that_the_role_may_open_and_links_only_to_them(
    staff: dict[str, User], doctor: User
) -> None:
    busy_day(doctor)
    manager = staff["manager"]
    client = browser(manager)
    text = text_of(client)
    assert ("Patients seen" in tiles(text)) == manager.has_permission(Permission.APPOINTMENT_VIEW)
    assert ("Waiting now" in tiles(text)) == (
        manager.has_permission(Permission.APPOINTMENT_VIEW) and manager.has_permission(Permission.QUEUE_VIEW)
    )
    for address in {part.partition('"')[0] for part in text.split('href="')[1:]}:
        assert client.get(address.replace("&amp;", "&")).status_code == 200, address
    assert "Ann" not in text


@pytest.mark.parametrize("role", ["receptionist", "doctor", "nurse", "billing", "pharmacist", "lab_technician"])
def test_the_dashboard_page_is_closed_to_those_who_do_not_run_the_clinic(staff: dict[str, User], role: str) -> None:
    assert browser(staff[role]).get(DASHBOARD).status_code == 403


def test_emergency_access_and_duplicates_wait_for_those_who_decide(staff: dict[str, User], admin: Client, doctor: User) -> None:
    assert "Nothing waiting" in text_of(admin)
    dora = ann("Hale")
    restrict(dora, staff["nurse"])
    glass = patients.break_glass(by=doctor, patient_id=dora.pk, reason="Unconscious in the hall")
    register_patient(mrn="OLD-1"), register_patient("Jhon")
    patients.refresh_duplicate_candidates(by=SYSTEM, patient_id=Patient.objects.get(mrn="OLD-1").pk)
    text = text_of(admin)
    day = clock.today()
    assert f"Review 1 emergency access Since {day.day} {day:%b %Y}" in words(text)
    assert f'href="{reverse("admin:patients_breakglass_changelist")}?review=waiting"' in text
    assert "1 possible duplicate" in text
    assert "HALE" not in text
    for role in ("nurse", "receptionist", "billing"):
        assert "possible duplicate" not in text_of(browser(staff[role]))
    patients.review_glass(by=staff["admin"], break_glass_id=glass.pk, review="Justified: the patient was unconscious")
    assert "emergency access" not in text_of(admin)


def test_failed_events_accounts_and_keys_wait_for_the_administrator(staff: dict[str, User], admin: Client, settings: Any) -> None:
    settings.HIMS_MFA_REQUIRED_ROLES = frozenset({"nurse"})
    dead_lettered()
    locked = staff["billing"]
    attempt = lockout.login_attempt(locked, lockout.SignInPlace())
    lockout.record_failure(attempt)
    assert "account is locked" not in text_of(admin)
    FailureCount.objects.update(in_a_row=100)
    PasswordLink.objects.create(
        token_hash=b"x" * 32, user=staff["doctor"], purpose="invitation", expires_at=clock.now() + timedelta(days=7)
    )
    create_api_key(staff["doctor"], expires_at=clock.now() + timedelta(days=13))
    create_api_key(staff["doctor"], expires_at=clock.now() + timedelta(days=20))
    text = text_of(admin)
    shown = words(text)
    assert "1 event failed" in shown
    assert "1 account is locked Billing.Ward Tester" in shown
    assert "1 account without two-step sign-in Nurse.Ward Tester" in shown
    assert "1 API key ends soon First: a program" in shown
    assert "1 invitation not used yet Doctor.Ward Tester" in shown
    assert f'href="{reverse("admin:accounts_user_change", args=[locked.pk])}"' in text
    TotpDevice.objects.create(user=staff["nurse"], sealed_seed=b"x", confirmed_at=clock.now())
    assert "two-step" not in text_of(admin)


@pytest.mark.parametrize("role", ["pharmacist", "lab_technician", "billing"])
def test_roles_whose_work_is_built_later_find_a_patient_and_see_nothing_else(staff: dict[str, User], role: str) -> None:
    text = text_of(browser(staff[role]))
    assert f"Good morning, <bdi>{staff[role].first_name}</bdi>" in text
    links = {part.partition('"')[0] for part in text.split('href="')[1:]}
    assert {link for link in links if link.startswith("/admin/")} == {reverse("admin:patients_patient_changelist")}
    assert "tile" not in text


def test_the_pages_need_the_same_statements_for_a_small_and_a_large_clinic(
    staff: dict[str, User], admin: Client, doctor: User
) -> None:
    busy_day(doctor)
    few = [statements(admin, address) for address in (HOME, DASHBOARD, HOME, DASHBOARD)][2:]
    for number in range(12):
        other = hire(f"other{number}", "doctor", specialty="Cardiology", last_name=f"Other{'abcdefghijkl'[number]}")
        publish(other)
        booked(f"Roe{'abcdefghijkl'[number]}", other, "11:00")
        dead_lettered()
        create_api_key(other, expires_at=clock.now() + timedelta(days=13))
    assert [statements(admin, address) for address in (HOME, DASHBOARD)] == few
