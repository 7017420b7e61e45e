"""What the pages call a row, and how many rows a list has."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.appointments.tests.factories import at, book, publish, room
from apps.desk.templatetags import desk as tags
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(staff: dict[str, User]) -> Client:
    return browser(staff["admin"])


def heading(text: str) -> str:
    match = re.search(r"<h1[^>]*>(.*?)</h1>", text, re.DOTALL)
    assert match
    return re.sub(r"<[^>]+>", "", match[1]).strip()


def test_a_page_is_titled_by_its_row_and_not_by_its_model(admin: Client) -> None:
    row = room()
    page = admin.get(reverse("admin:appointments_room_change", args=[row.pk])).content.decode()
    assert heading(page) == str(row)
    assert "Change room" not in page


def test_a_question_names_the_row_in_words_and_is_titled_by_the_action(admin: Client, staff: dict[str, User]) -> None:
    row = book(register_patient(), staff["doctor"], at("10:00"), appointment_type="telehealth")
    page = admin.get(reverse("admin:appointments_appointment_cancel", args=[row.pk])).content.decode()
    assert heading(page) == "Cancel appointment"
    assert "Video visit, " in page
    assert "telehealth" not in page


def test_the_hours_of_a_doctor_are_named_as_everywhere(admin: Client, staff: dict[str, User]) -> None:
    publish(staff["doctor"])
    page = admin.get(reverse("admin:appointments_doctorschedule_change", args=[staff["doctor"].pk])).content.decode()
    assert re.sub("[\u2066-\u2069]", "", heading(page)) == f"Hours of Dr {staff['doctor'].last_name}"


def test_the_tabs_of_a_list_are_there_once(admin: Client) -> None:
    for name in ("timeoff", "bulkreschedule"):
        assert admin.get(reverse(f"admin:appointments_{name}_changelist")).content.decode().count('class="tabs"') == 1


def test_the_number_of_results_is_shown_only_where_the_list_is_narrowed(admin: Client) -> None:
    address = reverse("admin:accounts_user_changelist")
    assert "Show all" not in admin.get(address).content.decode()
    assert "Show all" in admin.get(address, {"q": "nurse"}).content.decode()


def test_a_list_beyond_what_is_counted_does_not_claim_a_number(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tags, "COUNTED_UP_TO", 3)
    page = admin.get(reverse("admin:accounts_user_changelist")).content.decode()
    assert "More than 10,000 users" in page
