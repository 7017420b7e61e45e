"""How many clicks the jobs of reception take, by pointer and by keyboard alone; see `desk_jobs`."""

from django.urls import reverse

from apps.accounts.models import User
from apps.appointments.models import Appointment
from apps.common import clock
from apps.patients.models import Patient
from hims.tests import factories
from hims.tests.journeys.desk_jobs import HANDS, HANDS_FULL, IN_A_BROWSER, Desk, Hands

pytestmark = IN_A_BROWSER


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


@HANDS_FULL
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


@HANDS_FULL
def test_reception_books_from_the_card(desk: Desk, staff: dict[str, User], john: Patient) -> None:
    desk.sign_in(staff["receptionist"])
    desk.page.goto(f"{desk.base}{reverse('admin:patients_patient_change', args=[john.pk])}")
    with desk.job("reception", "book", clicks=3) as hands:
        book(hands)
    assert "with Dr Tester" in desk.page.inner_text(".messagelist")
    assert Appointment.objects.get().patient == john


@HANDS
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


@HANDS_FULL
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


@HANDS_FULL
def test_reception_checks_a_patient_in_from_the_home(desk: Desk, staff: dict[str, User], john: Patient) -> None:
    row = factories.book(john, staff["doctor"], factories.at("10:30", clock.today()))
    desk.sign_in(staff["receptionist"])
    with desk.job("reception", "check in", clicks=2) as hands:
        hands.click(f"a[href*='{row.pk}/check-in/']")
        hands.click("form.question .primary")
    row.refresh_from_db()
    assert row.status == "checked_in"


@HANDS
def test_reception_registers_books_and_checks_in_a_walk_in(desk: Desk, staff: dict[str, User]) -> None:
    desk.sign_in(staff["receptionist"])
    with desk.job("reception", "register, book and check in", clicks=7) as hands:
        register(hands)
        book(hands)
        hands.click("a.primary[href*='/check-in/']")
        hands.click("form.question .primary")
    row = Appointment.objects.get()
    assert (row.status, row.patient.last_name) == ("checked_in", "Smith")
