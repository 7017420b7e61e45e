"""The queue of duplicate candidates in the admin: both side by side, merged or marked as not the same, and back to the queue."""

import re
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.audit.models import AuditEvent
from apps.patients import services
from apps.patients.matching.models import DuplicateCandidate
from apps.patients.models import NotDuplicate, Patient
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db
QUEUE = "/admin/patients/duplicatecandidate/"


@pytest.fixture
def admin_browser(staff: dict[str, User]) -> Client:
    return browser(staff["admin"])


def alike(first: str = "John", second: str = "Jhon", born: date = date(1980, 5, 15), **more: str) -> tuple[Patient, Patient]:
    """Two records that may be one person's, the older first, and queued."""
    older, newer = register_patient(first, born=born, mrn=f"OLD-{born:%Y}"), register_patient(second, born=born, **more)
    services.refresh_duplicate_candidates(by=SYSTEM, patient_id=older.pk)
    return older, newer


def test_both_stand_side_by_side_with_what_differs_marked_and_reasons_in_words(admin_browser: Client) -> None:
    older, newer = alike(phone="(213) 373-4253")
    shown = admin_browser.get(QUEUE)
    page = shown.content.decode()
    (pair,) = shown.context["pairs"]
    assert [side.url for side in pair.sides] == [
        reverse("admin:patients_patient_change", args=[row.pk]) for row in (older, newer)
    ]
    for text in ("OLD-1980", newer.mrn, "15 May 1980", "Male", "name nearly the same, same date of birth"):
        assert text in page, text
    assert "<mark>DOE, Jhon</mark>" in page
    assert "<mark>(213) 373-4253</mark>" in page
    assert "<mark>1980" not in page
    row = AuditEvent.objects.get(action="suspected_pair.listed")
    assert (row.detail["shown"], row.detail["door"]) == (1, "admin")


def test_a_pair_is_merged_from_the_queue_and_one_is_back_for_the_next(admin_browser: Client) -> None:
    older, newer = alike()
    (pair,) = admin_browser.get(QUEUE).context["pairs"]
    form = admin_browser.get(pair.merge_url)
    assert (form.context["form"].preview.retired, form.context["form"].preview.survivor) == (newer, older)
    assert form.context["back"] == QUEUE
    assert f"?into={newer.pk}&amp;queue=1" in form.content.decode()  # the other way round
    done = admin_browser.post(pair.merge_url, {"first_name": "survivor", "reason": "The same passport"})
    assert done.headers["Location"] == QUEUE
    assert Patient.objects.get(pk=newer.pk).merged_into_id == older.pk
    assert not DuplicateCandidate.objects.exists()


def test_a_merge_from_a_patients_page_still_ends_on_the_patients_page(admin_browser: Client) -> None:
    older, newer = alike()
    address = f"{reverse('admin:patients_patient_merge', args=[newer.pk])}?into={older.pk}"
    done = admin_browser.post(address, {"first_name": "survivor", "reason": "x"})
    assert done.headers["Location"] == reverse("admin:patients_patient_change", args=[newer.pk])


def test_two_people_are_marked_as_not_the_same_from_the_queue(admin_browser: Client, staff: dict[str, User]) -> None:
    older, newer = alike()
    (pair,) = admin_browser.get(QUEUE).context["pairs"]
    asked = admin_browser.get(pair.not_same_url)
    assert "two people" in asked.content.decode()
    assert AuditEvent.objects.get(action="suspected_pair.read").detail["other"] in (str(older.pk), str(newer.pk))
    assert admin_browser.post(pair.not_same_url).headers["Location"] == QUEUE
    assert NotDuplicate.objects.get().decided_by_id == staff["admin"].pk
    assert not DuplicateCandidate.objects.exists()
    for response in (admin_browser.get(pair.not_same_url, follow=True), admin_browser.post(pair.not_same_url, follow=True)):
        assert "no longer in the queue" in response.content.decode()


def test_a_pair_has_a_page_of_its_own(admin_browser: Client) -> None:
    alike()
    pair = DuplicateCandidate.objects.get()
    page = admin_browser.get(f"{QUEUE}{pair.pk}/change/").content.decode()
    for text in ("name nearly the same", "OLD-1980", "/not-same/", "queue=1"):
        assert text in page, text
    assert "no longer in the queue" in admin_browser.get(f"{QUEUE}{older_id()}/change/", follow=True).content.decode()


def older_id() -> str:
    return str(Patient.objects.order_by("seq")[0].pk)


def test_chips_narrow_the_queue(admin_browser: Client) -> None:
    alike("John", "John", date(1950, 1, 2))
    alike("John", "Jhon", date(1963, 1, 2))
    shown = {
        query: [row.why for row in admin_browser.get(QUEUE + query).context["pairs"]]
        for query in ("", "?why=misspelt_name", "?why=same_name", "?likely=sure&why=same_email")
    }
    assert [len(rows) for rows in shown.values()] == [2, 1, 1, 0]
    page = admin_browser.get(QUEUE + "?likely=sure&why=same_email").content.decode()
    assert "No pair matches" in page
    assert 'aria-current="true">Same e-mail' in page


def test_an_empty_queue_says_what_to_do_next(admin_browser: Client) -> None:
    page = admin_browser.get(QUEUE).content.decode()
    assert "find_duplicates" in page
    assert reverse("admin:patients_patient_changelist") in page


def test_the_menu_and_the_merges_say_how_many_wait_to_those_who_may(admin_browser: Client, staff: dict[str, User]) -> None:
    shown = re.compile(rf'href="{QUEUE}".*?<span>Possible duplicates</span>(.*?)</a>')
    assert shown.findall(admin_browser.get("/admin/").content.decode()) == [""]
    alike()
    assert shown.findall(admin_browser.get("/admin/").content.decode()) == ['<b class="n"><span class="vh">waiting: </span>1</b>']
    assert 'To decide <span class="n">1</span>' in admin_browser.get("/admin/patients/merge/").content.decode()
    for role in set(staff) - {"admin", "manager"}:
        client = browser(staff[role])
        page = client.get("/admin/").content.decode()
        assert "Possible duplicates" not in page  # other work may wait for them
        assert QUEUE not in page
        assert client.get(QUEUE).status_code == 403


def test_a_page_of_the_queue_costs_the_same_however_many_wait(admin_browser: Client) -> None:
    counts = []
    for year in (1930, 1943, 1956):
        alike(born=date(year, 3, 4))
        with CaptureQueriesContext(connection) as caught:
            admin_browser.get(QUEUE)
        counts.append(len(caught))
    assert counts[0] == counts[1] == counts[2] <= 12
