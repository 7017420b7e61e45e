"""Who a patient is: one name, an undocumented birth, a country, names in any script."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, browser
from apps.common.errors import Invalid
from apps.patients import selectors, services
from apps.patients.chart.ages import age_of
from apps.patients.matching.scoring import Person, compare
from apps.patients.models import ChartEntry, Patient
from apps.patients.tests.factories import chart, register_patient

pytestmark = pytest.mark.django_db
CLINIC = ZoneInfo("America/Los_Angeles")
SUKARNO = {"first_name": "", "last_name": "Sukarno", "date_of_birth": "1980-05-15", "gender": "male"}


@pytest.fixture
def receptionist_api(staff: dict[str, User]) -> Any:
    return api_client(staff["receptionist"])


@pytest.fixture
def pages(staff: dict[str, User]) -> Client:
    return browser(staff["receptionist"])


def registered(who: Any, **body: Any) -> dict[str, Any]:
    reply = who.post("/patients", {name: value for name, value in (SUKARNO | body).items() if value is not ...})
    assert reply.status_code == 201, reply.json()
    return reply.json()["data"]["patient"]


# Names


@pytest.mark.parametrize(
    "names", [{"first_name": "", "last_name": "Sukarno"}, {"first_name": "Sukarno", "last_name": ""}], ids=str
)
def test_one_name_is_enough(receptionist_api: Any, pages: Client, names: dict[str, str]) -> None:
    patient = registered(receptionist_api, **names)
    row = Patient.objects.get(pk=patient["id"])
    assert row.full_name == "Sukarno"
    assert (str(row), row.filed_name.casefold()) == (f"Sukarno ({row.mrn})", "sukarno")
    assert [candidates["id"] for candidates in receptionist_api.get("/patients?search=sukar").json()["data"]["patients"]] == [
        patient["id"]
    ]
    page = pages.get(reverse("admin:patients_patient_change", args=[row.pk])).content.decode()
    assert ", </bdi>" not in page
    assert "<bdi>, " not in page
    assert receptionist_api.put(f"/patients/{row.pk}", {"first_name": "", "last_name": ""}).status_code == 400
    assert receptionist_api.put(f"/patients/{row.pk}", {"first_name": "Ahmed", "last_name": "Sukarno"}).status_code == 200
    assert (
        receptionist_api.put(f"/patients/{row.pk}", {"last_name": ""}).json()["data"]["patient"]["demographics"]["last_name"]
        == ""
    )


def test_one_name_is_the_same_whichever_box_it_was_typed_into(receptionist_api: Any) -> None:
    registered(receptionist_api)
    reply = receptionist_api.post("/patients", SUKARNO | {"first_name": "Sukarno", "last_name": ""})
    assert [warning["code"] for warning in reply.json()["warnings"]] == ["possible_duplicate"]
    candidates = receptionist_api.post("/patients/match", SUKARNO).json()["data"]["candidates"]
    assert {one["patient"]["last_name"] or one["patient"]["first_name"] for one in candidates} == {"Sukarno"}
    born = date(1980, 5, 15)
    other = compare(
        Person(first_name="", last_name="Sukarno", date_of_birth=born),
        Person(first_name="", last_name="Suharto", date_of_birth=born),
    )
    assert other.score < 0.8


def test_staff_may_have_one_name_too(staff: dict[str, User]) -> None:
    admin = api_client(staff["admin"])
    body = {"username": "suharto", "email": "s@hims.test", "first_name": "Suharto", "last_name": "", "role": "nurse"}
    reply = admin.post("/users", body)
    assert reply.status_code == 201, reply.json()
    user = User.objects.get(username="suharto")
    assert (user.full_name, str(user)) == ("Suharto", "Suharto")
    assert admin.put(f"/users/{user.pk}", {"first_name": ""}).status_code == 400
    wrong = admin.post("/users", body | {"username": "x", "email": "x@hims.test", "first_name": "\u200b"})
    assert wrong.json()["error"]["details"]["field"] == "first_name"
    assert admin.post("/users", body | {"username": "y", "email": "y@hims.test", "first_name": ""}).status_code == 400


def test_services_clean_and_refuse_names_for_every_caller() -> None:
    assert register_patient(first_name="A\u2066nn", last_name="Doe\r\n").full_name == "Ann Doe"
    with pytest.raises(services.registry.Invalid) as refusal:  # type: ignore[attr-defined]
        register_patient(first_name="\u3164", last_name="Doe")
    assert refusal.value.details["field"] == "first_name"
    entry = chart(register_patient(), display="Asth\u202ema")
    assert entry.display == "Asthma"


def test_a_name_from_right_to_left_is_isolated_and_the_birth_date_follows(pages: Client) -> None:
    patient = register_patient("فاطمة", "الزهراء", date(1950, 3, 4), gender="female")
    page = pages.get(reverse("admin:patients_patient_change", args=[patient.pk])).content.decode()
    title = page[page.index("<title>") : page.index("</title>")]
    assert f"\u2068الزهراء, فاطمة\u2069 (…{patient.mrn[-3:]}) · " in title
    banner = page[page.index('class="banner"') :]
    name, born = banner.index("<bdi>الزهراء, فاطمة</bdi>"), banner.index("4 Mar 1950")
    assert name < born
    listed = pages.get(reverse("admin:patients_patient_changelist")).content.decode()
    assert "<bdi>الزهراء, فاطمة</bdi>" in listed
    assert str(patient) == f"\u2068الزهراء, فاطمة\u2069 ({patient.mrn})"
    assert selectors.patient(SYSTEM, patient.pk).full_name == "فاطمة الزهراء"


@pytest.mark.parametrize(
    "names", [{"first_name": "", "last_name": " "}, {"first_name": "a\u202eb"}, {"last_name": "\u200b"}], ids=str
)
def test_the_database_refuses_staff_without_a_name_that_can_be_seen(staff: dict[str, User], names: dict[str, str]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=staff["nurse"].pk).update(**names)


@pytest.mark.parametrize(
    "columns", [{"occurred_on": "15"}, {"ended_on": "2015"}, {"ended_at": datetime(2010, 1, 1, tzinfo=CLINIC)}], ids=str
)
def test_the_database_refuses_a_date_of_the_chart_that_cannot_be(columns: dict[str, Any]) -> None:
    entry = chart(register_patient(), occurred_on="2015-06-10")
    with pytest.raises(IntegrityError), transaction.atomic():
        ChartEntry.objects.filter(pk=entry.pk).update(**columns)


# Births and ages


@pytest.fixture
def noon() -> Iterator[None]:
    """29 November 2026, 12:00 at the clinic, also for those who sign in."""
    with time_machine.travel(datetime(2026, 11, 29, 12, tzinfo=CLINIC), tick=False):
        yield


@pytest.mark.usefixtures("noon")
@pytest.mark.parametrize(
    ("body", "born", "precision", "age"),
    [
        ({"date_of_birth": "1975"}, "1975-01-01", "year", "about 51 years"),
        ({"date_of_birth": "1975-06"}, "1975-06-01", "month", "about 51 years"),
        ({"date_of_birth": ..., "age": 51}, "1975-01-01", "estimated", "about 51 years"),
        ({"date_of_birth": "1975", "date_of_birth_precision": "estimated"}, "1975-01-01", "estimated", "about 51 years"),
        ({"date_of_birth": "1975-06-10"}, "1975-06-10", "day", "51 years"),
        ({"date_of_birth": "2026-11-29"}, "2026-11-29", "day", "0 days"),
        ({"date_of_birth": "2026-11-29", "time_of_birth": "05:15"}, "2026-11-29", "day", "6 hours"),
        ({"date_of_birth": "2026-11-09"}, "2026-11-09", "day", "20 days"),
    ],
    ids=str,
)
def test_a_birth_is_stored_and_shown_as_exactly_as_it_is_known(
    receptionist_api: Any, pages: Client, body: dict[str, Any], born: str, precision: str, age: str
) -> None:
    patient = registered(receptionist_api, **body)
    demographics = patient["demographics"]
    assert (demographics["date_of_birth"], demographics["date_of_birth_precision"], demographics["age_in_words"]) == (
        born,
        precision,
        age,
    )
    page = pages.get(reverse("admin:patients_patient_change", args=[patient["id"]])).content.decode()
    shown = Patient.objects.get(pk=patient["id"]).born
    assert f"{shown}</bdi> ({age})</li>" in page
    again = {"demographics": {"date_of_birth": demographics["date_of_birth"], "date_of_birth_precision": precision}}
    assert receptionist_api.put(f"/patients/{patient['id']}", again).json()["data"]["patient"]["demographics"] == demographics
    kept = receptionist_api.put(f"/patients/{patient['id']}", {"date_of_birth": demographics["date_of_birth"]})
    assert kept.json()["data"]["patient"]["demographics"] == demographics


def test_an_exact_birth_replaces_an_estimated_one(receptionist_api: Any) -> None:
    patient = registered(receptionist_api, date_of_birth="1975")
    reply = receptionist_api.put(f"/patients/{patient['id']}", {"date_of_birth": "1975-08-19"})
    assert reply.json()["data"]["patient"]["demographics"]["date_of_birth_precision"] == "day"
    first = receptionist_api.put(f"/patients/{patient['id']}", {"date_of_birth": "1976"})
    assert first.json()["data"]["patient"]["demographics"]["date_of_birth"] == "1976-01-01"
    exact = receptionist_api.put(f"/patients/{patient['id']}", {"date_of_birth_precision": "day"})
    assert exact.json()["data"]["patient"]["demographics"]["date_of_birth_precision"] == "day"
    assert receptionist_api.put(f"/patients/{patient['id']}", {"age": 50}).status_code == 400


def test_the_age_of_the_dead_is_that_at_death() -> None:
    patient = register_patient(born=date(1950, 3, 4), deceased_at=datetime(2020, 3, 3, 23, tzinfo=CLINIC))
    assert age_of(patient) == "69 years"
    assert age_of(patient, datetime(2000, 3, 4, tzinfo=CLINIC)) == "50 years"


def test_two_estimates_a_year_apart_may_be_one_person_and_two_exact_dates_are_not() -> None:
    def likeness(**other: Any) -> float:
        mine = {"first_name": "Kwame", "last_name": "Boateng", "phone": "213-373-4911", "gender": "male"}
        left = Person(**mine, date_of_birth=date(1975, 1, 1), precision="estimated")
        return compare(left, Person(**mine, **other)).score

    near = likeness(date_of_birth=date(1973, 8, 19))
    assert near >= 0.8
    assert likeness(date_of_birth=date(1950, 8, 19)) < near


def test_a_merge_keeps_the_birth_that_is_known_exactly_with_its_precision() -> None:
    vague = register_patient(born=date(1980, 1, 1), date_of_birth_precision="year")
    exact = register_patient(born=date(1980, 5, 15))
    services.merge(by=SYSTEM, retired_id=exact.pk, survivor_id=vague.pk, reason="The same passport")
    vague.refresh_from_db()
    assert (str(vague.date_of_birth), vague.date_of_birth_precision) == ("1980-05-15", "day")


# The address, the e-mail


# Dates of the chart


@pytest.mark.parametrize(
    ("when", "shown"),
    [
        ("2015", "2015"),
        ("2015-06", "Jun 2015"),
        ("2015-06-10", "10 Jun 2015"),
        ("2015-06-10T08:00:00Z", "10 Jun 2015"),
    ],
)
def test_the_date_of_an_entry_is_answered_as_it_was_entered(staff: dict[str, User], when: str, shown: str) -> None:
    patient, doctor = register_patient(), api_client(staff["doctor"])
    body = {"type": "diagnosis", "display": "Asthma", "occurred_at": when, "ended_at": "2016-02", "status": "resolved"}
    reply = doctor.post(f"/patients/{patient.pk}/medical-history", body)
    assert reply.status_code == 201, reply.json()
    record = reply.json()["data"]["record"]
    assert (record["occurred_at"], record["ended_at"]) == (when, "2016-02")
    assert doctor.get(f"/patients/{patient.pk}/medical-history/{record['id']}").json()["data"]["record"] == record
    page = (
        browser(staff["doctor"]).get(f"{reverse('admin:patients_chartentry_changelist')}?patient={patient.pk}").content.decode()
    )
    assert f">{shown}</span>" in page


@pytest.mark.parametrize(
    ("times", "field"),
    [
        ({"occurred_at": "2015", "ended_at": "2014"}, "ended_at"),
        ({"occurred_at": "2015-06", "ended_at": "2015-05-31"}, "ended_at"),
        ({"occurred_at": "1979"}, "occurred_at"),
        ({"occurred_at": "2099"}, "occurred_at"),
        ({"occurred_at": "2015-6"}, "occurred_at"),
        ({"occurred_at": "15"}, "occurred_at"),
    ],
    ids=str,
)
def test_a_period_that_cannot_be_is_refused(staff: dict[str, User], times: dict[str, str], field: str) -> None:
    body = {"type": "diagnosis", "display": "Asthma", "status": "resolved"} | times
    reply = api_client(staff["doctor"]).post(f"/patients/{register_patient().pk}/medical-history", body)
    assert reply.status_code == 400
    assert reply.json()["error"]["details"]["field"] == field


def test_periods_that_overlap_a_birth_or_each_other_are_taken_and_stand_in_order(staff: dict[str, User]) -> None:
    patient = register_patient(born=date(1980, 5, 15))
    for on, until in (("1980", ""), ("2015-06", "2015"), ("2015-06-10", "2015-06-10")):
        chart(patient, occurred_on=on, ended_on=until, status="resolved")
    periods = [(row.occurred_on, row.ended_on) for row in selectors.chart(visible_to=SYSTEM, patient_id=patient.pk)]
    assert periods == [("2015-06-10", "2015-06-10"), ("2015-06", "2015"), ("1980", "")]


@pytest.mark.parametrize("names", [("", ""), (" ", "\u200b")])
def test_the_service_registers_no_patient_without_a_name(names: tuple[str, str]) -> None:
    """Not only the API and the page ask for one: imports and the sandbox call the service."""
    registration = services.Registration(first_name=names[0], last_name=names[1], date_of_birth=date(1980, 5, 15), gender="male")
    with pytest.raises(Invalid) as refusal:
        services.register(by=SYSTEM, registration=registration)
    assert refusal.value.details["field"] in ("first_name", "last_name")
    assert not Patient.objects.exists()
