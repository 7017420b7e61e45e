"""Asking for a merge on the desk: from the queue, from a patient's page, and what the administrators see of it."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.patients import services
from apps.patients.matching.models import DuplicateCandidate
from apps.patients.models import NotDuplicate, Patient
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db
QUEUE = "/admin/patients/duplicatecandidate/"
BORN = date(1980, 5, 15)
AT = datetime(2026, 11, 30, 22, 3, tzinfo=UTC)  # 14:03 in the clinic


@pytest.fixture
def manager(staff: dict[str, User]) -> Client:
    return browser(staff["manager"])


def alike() -> tuple[Patient, Patient, DuplicateCandidate]:
    older, newer = register_patient("John", born=BORN), register_patient("Jhon", born=BORN)
    services.refresh_duplicate_candidates(by=SYSTEM, patient_id=older.pk)
    return older, newer, DuplicateCandidate.objects.get()


def page(patient: Patient, name: str = "change") -> str:
    return reverse(f"admin:patients_patient_{name}", args=[patient.pk])


def ask_page(pair: DuplicateCandidate) -> str:
    return reverse("admin:patients_duplicatecandidate_ask_merge", args=[pair.pk])


def test_a_manager_asks_from_the_queue_and_the_pair_says_so(staff: dict[str, User]) -> None:
    _, newer, pair = alike()
    with time_machine.travel(AT, tick=False):
        manager = browser(staff["manager"])
        assert ask_page(pair) in manager.get(QUEUE).content.decode()
        assert "Which record should stay?" in manager.get(ask_page(pair)).content.decode()
        done = manager.post(ask_page(pair), {"keep": str(newer.pk), "reason": "Same passport"})
        assert done.headers["Location"] == QUEUE
        queue = manager.get(QUEUE).content.decode()
        asked = manager.get(QUEUE + "?asked=yes")
    assert f"Merge asked for by {staff['manager'].full_name}, 30 Nov 2026 14:03" in queue
    assert ask_page(pair) not in queue
    assert asked.context["pairs"]


def test_the_administrator_sees_the_request_and_merges_in_its_direction(staff: dict[str, User]) -> None:
    older, newer, pair = alike()
    services.ask_for_merge(by=staff["manager"], pair_id=pair.pk, keep_id=newer.pk, reason="Same passport")
    shown = browser(staff["admin"]).get(f"{QUEUE}{pair.pk}/change/")
    assert "Same passport" in shown.content.decode()
    assert shown.context["pair"].merge_url == f"{page(older, 'merge')}?into={newer.pk}&queue=1"


def test_a_second_request_is_refused_with_the_reason(manager: Client, staff: dict[str, User]) -> None:
    older, _, pair = alike()
    services.ask_for_merge(by=staff["receptionist"], pair_id=pair.pk, keep_id=older.pk)
    assert "already asked" in manager.post(ask_page(pair), {"keep": str(older.pk)}).content.decode()
    assert "already asked" in manager.get(ask_page(pair), follow=True).content.decode()


def test_reception_asks_from_the_page_of_the_patient_and_returns_to_it(staff: dict[str, User]) -> None:
    older, newer, pair = alike()
    client, details = browser(staff["receptionist"]), page(older)
    address = f"{ask_page(pair)}?next={details}"
    assert address in client.get(details).content.decode()
    asked = client.get(address).content.decode()
    assert QUEUE + '"' not in asked  # the queue is closed to reception
    assert client.post(address, {"keep": str(newer.pk)}).headers["Location"] == details
    assert "Merge asked for by" in client.get(details).content.decode()


def test_roles_that_decide_nothing_about_merges_do_not_ask(staff: dict[str, User]) -> None:
    older, _, pair = alike()
    for role in set(staff) - {"manager", "receptionist"}:
        client = browser(staff[role])
        assert client.post(ask_page(pair), {"keep": str(older.pk)}).status_code == 403, role
        assert ask_page(pair) not in client.get(page(older)).content.decode(), role
    assert DuplicateCandidate.objects.get().merge_asked_at is None


def test_the_summary_of_a_nurse_warns_of_a_possible_duplicate(staff: dict[str, User]) -> None:
    older, newer, _ = alike()
    shown = browser(staff["nurse"]).get(page(older, "summary")).content.decode()
    for text in ("May be the same as", newer.mrn, page(newer), f"{page(older, 'not_same')}?other={newer.mrn}"):
        assert text in shown, text
    assert "May be the same as" not in browser(staff["pharmacist"]).get(page(older, "summary")).content.decode()


def test_a_manager_sees_no_more_of_the_two_than_finds_a_person(manager: Client, staff: dict[str, User]) -> None:
    alike()
    assert "Male" not in manager.get(QUEUE).content.decode()
    assert "Male" in browser(staff["admin"]).get(QUEUE).content.decode()


def test_records_of_two_people_are_listed_with_who_decided(manager: Client, staff: dict[str, User]) -> None:
    older, newer, pair = alike()
    manager.post(reverse("admin:patients_duplicatecandidate_not_same", args=[pair.pk]))
    decided = manager.get("/admin/patients/notduplicate/").content.decode()
    for text in (older.mrn, newer.mrn, staff["manager"].full_name):
        assert text in decided, text
    assert NotDuplicate.objects.count() == 1
    tabs = manager.get(QUEUE).context["duplicate_tabs"]
    assert [tab["label"] for tab in tabs] == ["To decide", "Not the same"]  # merges are the administrator's


def test_saving_the_details_stays_on_the_patient(staff: dict[str, User]) -> None:
    patient = register_patient()
    for role, tab in (("receptionist", "change"), ("doctor", "details")):
        client = browser(staff[role])
        form = client.get(page(patient, tab)).context["adminform"].form
        values = {name: form[name].value() or "" for name in form.fields if name != "deceased_at"}
        saved = client.post(page(patient, tab), values | {"deceased_at_0": "", "deceased_at_1": "", "phone": "5550101"})
        assert saved.headers["Location"] == page(patient, tab)
        assert "The details are saved." in client.get(page(patient, tab)).content.decode()
