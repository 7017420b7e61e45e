"""Find or register: the search, its suggestions, and the form of registration."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.appointments.models import Appointment
from apps.appointments.tests.factories import at, book
from apps.audit.models import AuditEvent
from apps.common import clock
from apps.desk.drafts import forms_in_page as drafts
from apps.patients import services
from apps.patients.models import Patient
from apps.patients.tests.factories import merge, register_patient, restrict

pytestmark = pytest.mark.django_db
LIST, ADD, FIND = "/admin/patients/patient/", "/admin/patients/patient/add/", "/admin/find/"
MATCHES = "/admin/patients/patient/matches/"
ROSA = {"first_name": "Rosa", "last_name": "Martin", "date_of_birth": "1990-02-03", "gender": "female", "phone": "415 555 0134"}


@pytest.fixture
def desk(staff: dict[str, User]) -> Client:
    return browser(staff["receptionist"])


def card(patient: Patient) -> str:
    return reverse("admin:patients_patient_change", args=[patient.pk])


# Suggestions


def test_suggestions_show_what_tells_patients_apart_and_are_audited_as_a_search(desk: Client, staff: dict[str, User]) -> None:
    john = register_patient(phone="(415) 555-0134")
    closed = register_patient("Johanna", "Doerr")
    restrict(closed, staff["doctor"])
    text = desk.get(FIND, {"q": "do"}).content.decode()
    assert text.count('role="option"') == 1
    for words in ("DOE, John", "15 May 1980", "Male", john.mrn, "… 0134", f'data-url="{card(john)}"'):
        assert words in text, words
    assert "555-0134" not in text
    row = AuditEvent.objects.get(action="patient.searched")
    assert (row.user_id, row.detail["shown"], row.detail["query"]) == (staff["receptionist"].pk, 1, {"q": "do"})


def test_one_character_suggests_nothing_and_strangers_see_nothing(desk: Client) -> None:
    register_patient()
    assert desk.get(FIND, {"q": "d"}).content.decode().strip() == ""
    assert not AuditEvent.objects.filter(action="patient.searched").exists()
    assert Client().get(FIND, {"q": "doe"}).status_code == 302


def test_suggestions_are_few_and_cost_the_same_for_many(desk: Client, django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        register_patient(f"P{number}")
    with django_assert_max_num_queries(12):
        assert desk.get(FIND, {"q": "doe"}).content.decode().count('role="option"') == 8


@pytest.mark.parametrize(("role", "is_shown"), [("manager", False), ("receptionist", True)])
def test_sex_and_death_are_shown_to_roles_with_the_details(staff: dict[str, User], role: str, is_shown: bool) -> None:
    person, client = register_patient(gender="male"), browser(staff[role])
    register_patient("Joan", gender="male")  # a second match, so that the list is shown
    services.amend(by=staff["receptionist"], patient_id=person.pk, changes={"deceased_at": clock.now()})
    suggested, listed = (client.get(address, {"q": "doe"}).content.decode() for address in (FIND, LIST))
    rows = listed.partition("<table")[2].partition("</table>")[0]
    for words, text in (("Male", suggested), ("Male", rows), (">Sex<", rows), ("Deceased", rows)):
        assert (words in text) is is_shown, words
    assert person.mrn in suggested
    assert person.mrn in rows
    assert "·  ·" not in suggested


# The list


def test_the_list_counts_the_patients_that_the_user_may_see_from_the_row_counter(desk: Client, staff: dict[str, User]) -> None:
    people = [register_patient(f"P{number}") for number in range(5)]
    services.deactivate(by=staff["receptionist"], patient_id=people[0].pk)
    restrict(people[1], staff["doctor"])
    merge(people[2], people[3])
    for query, count in ({}, 3), ({"status": "active"}, 2), ({"status": "inactive"}, 1), ({"status": "unknown"}, 1):
        with CaptureQueriesContext(connection) as log:
            shown = desk.get(LIST, query).context["cl"]
        assert (shown.result_count, len(shown.result_list)) == (count, count), query
        assert not [one for one in log if 'COUNT(*) FROM (SELECT "patients_patient"' in one["sql"]], query


def test_the_only_match_opens_at_once_and_the_page_offers_to_register_another(desk: Client) -> None:
    john = register_patient()
    register_patient("Ann", "Roe")
    response = desk.get(LIST, {"q": "doe 15 5 80"}, follow=True)
    assert response.redirect_chain == [(card(john), 302)]
    assert f"{ADD}?q=doe+15+5+80" in response.content.decode()
    assert AuditEvent.objects.get(action="patient.searched").detail["query"] == {"q": "doe 15 5 80"}


def test_a_similar_name_is_shown_and_never_opened_at_once(desk: Client) -> None:
    register_patient("John", "Smyth")
    text = desk.get(LIST, {"q": "smith"}).content.decode()
    assert "No exact match" in text
    assert "SMYTH, John" in text


def test_the_best_match_comes_first_with_birth_phone_and_last_visit(desk: Client, staff: dict[str, User]) -> None:
    doe = register_patient("John", "Doe", phone="415 555 0134")
    register_patient("Jane", "Doerr")
    seen = book(doe, staff["doctor"], at("10:00"))
    Appointment.objects.filter(pk=seen.pk).update(status="completed")
    response = desk.get(LIST, {"q": "doe"})
    first, second = response.context["found"]
    assert (first.name, second.name) == ("DOE, John", "DOERR, Jane")
    day = at().date()
    assert (first.phone, first.last_seen, second.last_seen) == ("… 0134", f"{day.day} {day:%b %Y}", "")
    assert f"{reverse('admin:appointments_appointment_add')}?patient={doe.pk}" in response.content.decode()


def test_a_search_that_finds_nothing_keeps_the_words_in_the_form(desk: Client) -> None:
    response = desk.get(LIST, {"q": "ann smith 3/20/85 415 555 0134"})
    text = response.content.decode()
    assert "Register “Smith, Ann, 20 Mar 1985, 415 555 0134”" in text
    form = response.context["registration"]
    typed = {name: form[name].value() for name in ("first_name", "last_name", "date_of_birth", "phone")}
    assert typed == {"first_name": "Ann", "last_name": "Smith", "date_of_birth": "1985-03-20", "phone": "415 555 0134"}


def test_users_who_may_not_register_get_no_form(staff: dict[str, User]) -> None:
    text = browser(staff["pharmacist"]).get(LIST, {"q": "nobody here"}).content.decode()
    assert "No patient found" in text
    assert 'id="registration"' not in text
    assert ADD not in text


# Registration


def test_a_form_that_is_sent_twice_registers_once_and_opens_the_patient(desk: Client) -> None:
    sent = ROSA | {"new_id": str(desk.get(ADD).context["new_id"])}
    first, second = desk.post(ADD, sent), desk.post(ADD, sent)
    rosa = Patient.objects.get()
    assert first.headers["Location"] == second.headers["Location"] == card(rosa)
    assert str(rosa.pk) == sent["new_id"]


def test_a_refused_form_is_still_the_same_form(desk: Client) -> None:
    sent = ROSA | {"new_id": str(desk.get(ADD).context["new_id"]), "phone": "1", "city": "Oakland"}
    response = desk.post(ADD, sent)
    text = response.content.decode()
    assert str(response.context["new_id"]) == sent["new_id"]
    assert 'href="#id_phone"' in text
    assert 'value="Oakland"' in text


def test_the_panel_says_how_likely_and_what_agrees_while_the_form_is_filled_in(desk: Client, staff: dict[str, User]) -> None:
    rosa = register_patient("Rosa", "Martin", date(1990, 2, 3), gender="female", phone="415 555 0134")
    half = {"first_name": "Rosa", "last_name": "Martyn", "date_of_birth": "1990-02-03"}
    text = desk.post(MATCHES, half).content.decode()
    for words in ("the same person", "same date of birth", "MARTIN, Rosa", card(rosa), f'data-ids="{rosa.pk}"'):
        assert words in text, words
    assert AuditEvent.objects.get(action="patient.matched").detail["patients"] == [str(rosa.pk)]
    assert Patient.objects.count() == 1
    assert "hidden" in desk.post(MATCHES, {"first_name": "Rosa"}).content.decode()
    assert "hidden" in desk.post(MATCHES, half | {"date_of_birth": "soon"}).content.decode()
    assert desk.get(MATCHES).status_code == 405
    assert browser(staff["pharmacist"]).post(MATCHES, half).status_code == 403
    assert AuditEvent.objects.filter(action="patient.matched").count() == 1


def test_a_draft_of_the_registration_is_found_again_although_each_form_has_its_own_id(desk: Client) -> None:
    pages = [desk.get(ADD).content.decode() for _ in range(2)]
    forms = [[form for form in drafts.forms(text, ADD) if form.path == ADD] for text in pages]
    assert [form.hidden for form in forms[0]] == [form.hidden for form in forms[1]] != []
