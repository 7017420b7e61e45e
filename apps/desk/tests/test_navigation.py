"""The menu of each role, and the frame of every page."""

import re
from datetime import UTC, datetime
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.access.roles import STAFF, Role
from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.appointments.scheduling.availability import clinic_zone
from apps.appointments.tests import factories as appointments
from apps.desk.home.base import greeting
from apps.desk.home.menus import MENUS
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db

MENU = re.compile(r'<nav id="nav-sidebar".*?</nav>', re.DOTALL)
LINK = re.compile(r'<li><a href="([^"]+)"( aria-current="page")?')
HOME = "/admin/"


def menu(client: Client, address: str = HOME) -> str:
    match = MENU.search(client.get(address).content.decode())
    assert match
    return match.group()


@pytest.mark.parametrize("role", STAFF)
def test_every_entry_of_a_menu_opens_for_its_role(staff: dict[str, User], role: Role) -> None:
    client = browser(staff[role])
    links = [unescape(address) for address, _ in LINK.findall(menu(client))]
    assert links[0] == HOME
    assert {address: client.get(address).status_code for address in links} == dict.fromkeys(links, 200)


def test_a_menu_hides_what_a_role_may_not_open(staff: dict[str, User]) -> None:
    groups = {entry.page for group in MENUS[Role.MANAGER] for entry in group.entries}
    assert "admin:accounts_apikey_changelist" not in groups
    shown = menu(browser(staff["receptionist"]))
    assert reverse("admin:accounts_user_changelist") not in shown
    assert reverse("admin:all_records") not in shown
    assert reverse("admin:all_records") in menu(browser(staff["manager"]))


def test_the_menu_counts_the_waiting_patients_and_says_nothing_of_none(staff: dict[str, User]) -> None:
    client, queue = browser(staff["receptionist"]), reverse("admin:queue")
    assert "waiting:" not in menu(client)
    for name in ("Ida", "Ivo"):
        appointments.book_and_check_in(register_patient(name, "Stern"), staff["doctor"], 10)
    assert re.search(rf'href="{queue}".*?waiting: </span>2</b>', menu(client))


@pytest.mark.parametrize(
    ("address", "current"),
    [
        (HOME, HOME),
        ("/admin/queue/?doctor=", "/admin/queue/"),
        ("/admin/patients/patient/add/", "/admin/patients/patient/"),
        ("/admin/appointments/timeoff/", "/admin/appointments/bulkreschedule/"),  # the other tab of Cover for absence
        ("/admin/second-factor/", None),
    ],
)
def test_the_menu_marks_where_the_user_is(staff: dict[str, User], address: str, current: str | None) -> None:
    marked = [link for link, mark in LINK.findall(menu(browser(staff["receptionist"]), address)) if mark]
    assert marked == ([current] if current else [])


def test_the_menu_stays_narrow_until_it_is_made_wide(staff: dict[str, User]) -> None:
    client, queue = browser(staff["nurse"]), reverse("admin:queue")
    answer = client.post(reverse("admin:menu"), {"next": queue})
    assert answer.headers["Location"] == queue
    assert 'class=" rail"' in client.get(queue).content.decode()
    client.post(reverse("admin:menu"), {"next": queue})
    assert 'class=" rail"' not in client.get(queue).content.decode()


def test_the_menu_form_leads_to_no_other_site(staff: dict[str, User]) -> None:
    answer = browser(staff["nurse"]).post(reverse("admin:menu"), {"next": "https://elsewhere.example/"})
    assert answer.headers["Location"] == HOME


def test_the_frame_names_the_person_in_words(staff: dict[str, User]) -> None:
    person = staff["receptionist"]
    page = browser(person).get(HOME).content.decode()
    assert f"<bdi>{person.full_name}</bdi>, Reception</span>" in page
    assert f"Printed by {person.full_name}" in page
    assert person.username not in page


@pytest.mark.parametrize(
    ("utc", "words"),
    [(19, "Good morning"), (20, "Good afternoon"), (1, "Good afternoon"), (2, "Good evening"), (8, "Good morning")],
)
def test_the_greeting_follows_the_hour_at_the_clinic(utc: int, words: str) -> None:
    assert greeting(timezone.localtime(datetime(2026, 11, 30, utc, tzinfo=UTC), clinic_zone())) == words
