"""How many clicks the jobs of each role take, with real clicks and keys in a browser. `pytest -s` prints the table.

A click is a pointer press, or an Enter or Space that activates a control; typing and Tab are none. A job starts at the home page
of the role (moving and cancelling on the schedule), signed in. To add a job, write a test that performs it in `Desk.job(...)`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import time
from typing import Any

import pytest
import time_machine
from django.urls import reverse
from playwright.sync_api import Page

from apps.accounts.models import User
from apps.appointments.models import Appointment
from apps.common import clock
from apps.patients.models import Patient
from hims.tests import factories
from hims.tests.browser import CHROMIUM, chromium, watched

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium (apt-get install chromium)"),
]
ACTIVATES = {"Enter", "Space"}


@dataclass
class Hands:
    """What a user does on a page, counted."""

    page: Page
    clicks: int = 0
    keys: int = 0  # pressed, except typed characters

    def click(self, selector: str) -> None:
        """Clicks the first element that matches. Waits for a page that follows: a click returns when the reply begins."""
        self.clicks += 1
        self.page.locator(selector).first.click()
        self.page.wait_for_load_state()

    def press(self, key: str) -> None:
        """Presses a key where the focus is. Enter and Space activate a control, which is a click."""
        self.keys += 1
        self.clicks += key in ACTIVATES
        self.page.keyboard.press(key)
        self.page.wait_for_load_state()

    def type(self, text: str) -> None:
        """Types where the focus is."""
        self.page.keyboard.type(text)


@dataclass
class Desk:
    """A user's signed-in browser, and the jobs that it has done."""

    page: Page
    base: str
    results: list[tuple[str, ...]] = field(default_factory=list)

    def open(self, page: str, query: str = "") -> None:
        self.page.goto(f"{self.base}{reverse(page)}{query}")

    def sign_in(self, user: User) -> None:
        self.open("admin:login", "?next=/admin/")
        self.page.fill("#id_username", user.username)
        self.page.fill("#id_password", factories.PASSWORD)
        self.page.press("#id_password", "Enter")
        self.page.wait_for_url(f"{self.base}/admin/")

    @contextmanager
    def job(self, role: str, name: str, *, clicks: int, keys: int = 60) -> Iterator[Hands]:
        """Counts what the job takes, and fails above the budget."""
        hands = Hands(self.page)
        yield hands
        self.results.append((role, name, f"{hands.clicks} of {clicks}", f"{hands.keys} of {keys}"))
        assert hands.clicks <= clicks, f"{name} took {hands.clicks} clicks"
        assert hands.keys <= keys, f"{name} took {hands.keys} keys"


@pytest.fixture(scope="module")
def results() -> Iterator[list[tuple[str, ...]]]:
    """The rows of the table, printed at the end."""
    rows: list[tuple[str, ...]] = [("Role", "Job", "Clicks", "Keys")]
    yield rows
    print("\n" + "\n".join(f"{role:<12} {job:<34} {clicks:<10} {keys}" for role, job, clicks, keys in rows))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's loop runs in this thread
    with chromium() as one:
        yield one
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(autouse=True)
def morning() -> Iterator[None]:
    """Ten o'clock next Monday, and the clock runs: the doctor works, and today has free times."""
    with time_machine.travel(factories.at("10:00")):
        yield


@pytest.fixture
def staff(morning: None) -> dict[str, User]:
    people = factories.create_staff()
    factories.publish(people["doctor"], weekdays=7, starts=time(8), ends=time(20))
    return people


@pytest.fixture
def john(staff: dict[str, User]) -> Patient:
    return factories.register_patient(phone="(415) 555-0134", email="john@example.com")


@pytest.fixture
def desk(browser: Any, live_server: Any, results: list[tuple[str, ...]]) -> Iterator[Desk]:
    with watched(browser, viewport={"width": 1280, "height": 900}) as one:
        yield Desk(one.page, live_server.url, results)
        assert not one.errors
        assert not one.foreign_hosts


def heading(page: Page) -> str:
    return page.inner_text("h1")


# Reception


def test_reception_finds_a_patient_by_name_and_birth_date_with_one_key(desk: Desk, staff: dict[str, User], john: Patient) -> None:
    factories.register_patient("Jane", "Doe")
    desk.sign_in(staff["receptionist"])
    with desk.job("reception", "find a patient", clicks=1) as hands:
        hands.press("/")
        hands.type("doe john 15 5 80")
        hands.press("Enter")
        desk.page.wait_for_url(f"**{reverse('admin:patients_patient_change', args=[john.pk])}")


def test_reception_opens_a_suggestion_with_the_arrow_keys(desk: Desk, staff: dict[str, User], john: Patient) -> None:
    factories.register_patient("Jane", "Doe")
    desk.sign_in(staff["receptionist"])
    with desk.job("reception", "find by a suggestion", clicks=1) as hands:
        hands.press("/")
        hands.type("doe jo")
        desk.page.wait_for_selector("#find-list [role=option]:has-text('DOE, John')")
        assert desk.page.get_attribute("#hims-search", "aria-expanded") == "true"
        hands.press("ArrowDown")
        assert desk.page.get_attribute("#hims-search", "aria-activedescendant") == "find-1"
        hands.press("Enter")
        desk.page.wait_for_url(f"**{reverse('admin:patients_patient_change', args=[john.pk])}")


def register(hands: Hands) -> None:
    """Registers Ann Smith: the words of the search are in the form, the focus is in the first empty box."""
    hands.press("/")
    hands.type("ann smith 3/20/85")
    hands.press("Enter")
    hands.page.wait_for_selector("#registration")
    hands.page.wait_for_load_state()  # then the first empty box has the focus
    hands.type("f")
    hands.press("Tab")
    hands.type("415 555 0199")
    hands.press("Enter")
    hands.page.wait_for_url("**/patients/patient/*/change/")


def test_reception_registers_a_patient_with_the_words_of_the_search(desk: Desk, staff: dict[str, User]) -> None:
    desk.sign_in(staff["receptionist"])
    with desk.job("reception", "register", clicks=3) as hands:
        register(hands)
    ann = Patient.objects.get()
    assert (ann.first_name, ann.last_name, str(ann.date_of_birth), ann.gender) == ("Ann", "Smith", "1985-03-20", "female")


def test_reception_sees_a_possible_duplicate_while_typing_and_registers_another_person(
    desk: Desk, staff: dict[str, User]
) -> None:
    factories.register_patient("Anna", "Smith", clock.today().replace(year=1985, month=3, day=20), gender="female")
    desk.sign_in(staff["receptionist"])
    desk.open("admin:patients_patient_add")
    with desk.job("reception", "register next to a duplicate", clicks=3) as hands:
        hands.type("Ann")
        hands.press("Tab")
        hands.type("Smith")
        hands.press("Tab")
        hands.type("1985-03-20")
        hands.press("Tab")
        hands.type("f")
        desk.page.wait_for_selector("#matches:has-text('SMITH, Anna')")
        hands.click("#other-person input")
        hands.click("#registration .primary")
        desk.page.wait_for_url("**/patients/patient/*/change/")
    assert Patient.objects.count() == 2


def book(hands: Hands) -> None:
    """Books the first free time, from the patient's card."""
    hands.click("a[href*='/appointment/add/?patient=']")
    hands.click(".times input[type=radio]")
    hands.click("#booking .bar-end .primary")
    hands.page.wait_for_url("**/appointments/appointment/*/change/")


def test_reception_books_from_the_card(desk: Desk, staff: dict[str, User], john: Patient) -> None:
    desk.sign_in(staff["receptionist"])
    desk.page.goto(f"{desk.base}{reverse('admin:patients_patient_change', args=[john.pk])}")
    with desk.job("reception", "book", clicks=3) as hands:
        book(hands)
    assert "with Dr Tester" in desk.page.inner_text(".messagelist")
    assert Appointment.objects.get().patient == john


def test_reception_moves_an_appointment_and_tells_the_patient(desk: Desk, staff: dict[str, User], john: Patient) -> None:
    row = factories.book(john, staff["doctor"], factories.at("14:00", clock.today()))
    desk.sign_in(staff["receptionist"])
    desk.open("admin:schedule")
    with desk.job("reception", "move", clicks=3) as hands:
        hands.click(f"a[href*='{row.pk}']")
        hands.click(".times a")
        hands.click("form.question .primary")
    assert "Moved:" in desk.page.inner_text(".messagelist")
    row.refresh_from_db()
    assert row.scheduled_time != factories.at("14:00", clock.today())


def test_reception_cancels_an_appointment(desk: Desk, staff: dict[str, User], john: Patient) -> None:
    row = factories.book(john, staff["doctor"], factories.at("14:00", clock.today()))
    desk.sign_in(staff["receptionist"])
    desk.open("admin:schedule")
    with desk.job("reception", "cancel", clicks=3) as hands:
        hands.click(f"a[href*='{row.pk}']")
        hands.click(f"a[href*='{row.pk}/cancel/']")
        hands.click("form.question .danger")
    row.refresh_from_db()
    assert (row.status, row.cancellation_reason) == ("cancelled", "Patient asked")


def test_reception_checks_a_patient_in_from_the_home(desk: Desk, staff: dict[str, User], john: Patient) -> None:
    row = factories.book(john, staff["doctor"], factories.at("10:30", clock.today()))
    desk.sign_in(staff["receptionist"])
    with desk.job("reception", "check in", clicks=2) as hands:
        hands.click(f"a[href*='{row.pk}/check-in/']")
        hands.click("form.question .primary")
    row.refresh_from_db()
    assert row.status == "checked_in"


def test_reception_registers_books_and_checks_in_a_walk_in(desk: Desk, staff: dict[str, User]) -> None:
    desk.sign_in(staff["receptionist"])
    with desk.job("reception", "register, book and check in", clicks=7) as hands:
        register(hands)
        book(hands)
        hands.click("a.primary[href*='/check-in/']")
        hands.click("form.question .primary")
    row = Appointment.objects.get()
    assert (row.status, row.patient.last_name) == ("checked_in", "Smith")
