"""Vital signs: their units, what cannot be measured, and what is hardly to be believed of this patient."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from apps.accounts.models import User
from apps.accounts.tests.factories import api_client
from apps.common import clock
from apps.consultations.steps import definitions
from apps.consultations.steps.definitions import Step, Unreadable
from apps.consultations.tests.factories import start_consultation
from apps.patients.chart import vitals
from apps.patients.chart.vitals import LastMeasurement, MeasuredPerson, limits
from apps.patients.models import ChartEntry, Patient
from apps.patients.tests.factories import chart, register_patient

TODAY = date(2026, 11, 29)
ADULT = MeasuredPerson(age_days=int(45.4 * 365.25), age="45 years", today=TODAY)
SURE = {"confirmed_implausible": True}


def kept(sent: dict[str, Any], stored: dict[str, Any] | None = None, person: MeasuredPerson | None = None) -> dict[str, Any]:
    return definitions.merged(Step.VITALS, stored or {}, definitions.read(Step.VITALS, sent), person)


def refused(sent: dict[str, Any], person: MeasuredPerson | None = None, stored: dict[str, Any] | None = None) -> dict[str, str]:
    """The issues by field; nothing where the values are taken."""
    try:
        kept(sent, stored, person)
    except Unreadable as refusal:
        return {problem.field: problem.issue for problem in refusal.problems}
    return {}


def weighed(kg: float, days_ago: int, age_days: int = ADULT.age_days) -> MeasuredPerson:
    last = {"weight_kg": LastMeasurement(kg, TODAY - timedelta(days=days_ago))}
    return MeasuredPerson(age_days=age_days, age=f"{age_days} days", today=TODAY, last=last)


# --- units


@pytest.mark.parametrize(
    ("sent", "metric", "entered"),
    [
        ({"temperature_c": 98.6, "temperature_unit": "F"}, 37.0, {"value": 98.6, "unit": "F"}),
        ({"temperature_c": "98.6 °F"}, 37.0, {"value": 98.6, "unit": "F"}),
        ({"temperature_c": "37.2 °C"}, 37.2, None),
        ({"temperature_c": 37.2, "temperature_unit": "C"}, 37.2, None),
        ({"weight_kg": 158, "weight_unit": "lb"}, 71.668, {"value": 158, "unit": "lb"}),
        ({"weight_kg": "158 lbs"}, 71.668, {"value": 158, "unit": "lb"}),
        ({"height_cm": 70, "height_unit": "in"}, 177.8, {"value": 70, "unit": "in"}),
        ({"pulse": "72 bpm"}, 72, None),
        ({"spo2": "98 %"}, 98, None),
        ({"respiratory_rate": "14/min"}, 14, None),
        ({"pain": "3/10"}, 3, None),
    ],
)
def test_a_value_is_stored_in_its_metric_unit_and_as_it_was_entered(sent: dict[str, Any], metric: float, entered: Any) -> None:
    (name,) = (name for name in sent if not name.endswith("_unit"))
    assert kept(sent) == {name: metric} | ({"entered": {name: entered}} if entered else {})


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"temperature_unit": "F"}, "temperature_unit"),
        ({"temperature_c": 37, "temperature_unit": "K"}, "temperature_unit"),
        ({"temperature_c": "98.6 F", "temperature_unit": "C"}, "temperature_unit"),
        ({"weight_kg": "11 stone"}, "weight_kg"),
        ({"weight_kg": "70"}, "weight_kg"),
        ({"weight_kg": True, "weight_unit": "lb"}, "weight_kg"),
        ({"pulse": "72 kg"}, "pulse"),
        ({"weight_kg": 3000, "weight_unit": "lb"}, "weight_kg"),
        ({"temperature_c": 37, "temperature_unit": "F"}, "temperature_c"),
    ],
)
def test_a_unit_that_does_not_fit_is_refused_by_name(sent: dict[str, Any], field: str) -> None:
    assert list(refused(sent)) == [field]


def test_fahrenheit_typed_as_celsius_is_refused_with_the_conversion() -> None:
    assert "98.6 °F = 37.0 °C?" in refused({"temperature_c": 98.6})["temperature_c"]
    assert "98.6 °F = 37.0 °C?" in refused({"temperature_c": 98.6} | SURE)["temperature_c"]
    assert "1.72 m = 172 cm?" in refused({"height_cm": 1.72})["height_cm"]


def test_what_was_entered_stays_next_to_the_metric_value_until_another_value_is_typed() -> None:
    stored = kept({"temperature_c": 98.6, "temperature_unit": "F", "pulse": 70})
    assert kept(stored, stored) == stored  # what a client read may be sent back
    assert kept({"pulse": 80}, stored)["entered"] == stored["entered"]
    assert kept({"temperature_c": 38}, stored) == {"temperature_c": 38, "pulse": 70}
    assert kept({"temperature_c": None}, stored) == {"pulse": 70}


# --- pressure, and what cannot be measured


@pytest.mark.parametrize(
    ("bp", "numbers"),
    [
        ("120/80 mmHg", {"systolic": 120, "diastolic": 80}),
        ("120/80mm Hg", {"systolic": 120, "diastolic": 80}),
        ("90/P", {"systolic": 90}),
        ("90/p mmHg", {"systolic": 90}),
        ("90 / palp", {"systolic": 90}),
        ("not_measurable", {}),
    ],
)
def test_a_pressure_is_read_with_its_unit_by_palpation_or_as_not_measurable(bp: str, numbers: dict[str, int]) -> None:
    data = kept({"bp": bp})
    assert data == {"bp": bp}
    assert vitals.measured(data) == numbers
    assert list(refused({"bp": "300/P"})) == ["bp"]


@pytest.mark.parametrize("name", ["bp", "pulse", "temperature_c", "spo2", "respiratory_rate", "weight_kg", "height_cm", "pain"])
def test_every_vital_sign_may_be_not_measurable(name: str) -> None:
    for text in ("not_measurable", "Not measurable"):
        data = kept({name: text}, person=ADULT)
        assert data == {name: "not_measurable"}
        assert (vitals.measured(data), vitals.not_measurable(data)) == ({}, (name,))


# --- weight and height of this patient


@pytest.mark.parametrize(
    ("sent", "field", "mistake"),
    [
        ({"weight_kg": 172, "height_cm": 72}, "height_cm", "swapped"),
        ({"weight_kg": 7.2}, "weight_kg", "72 kg (decimal point)"),
        ({"height_cm": 17.2}, "height_cm", "172 cm (decimal point)"),
        ({"height_cm": 72}, "height_cm", '72 in = 182.9 cm (send height_unit: "in")'),
        ({"weight_kg": 300, "height_cm": 150}, "weight_kg", "body mass index 133.3"),
    ],
)
def test_a_hardly_possible_weight_or_height_of_an_adult_is_refused_with_the_likely_mistake(
    sent: dict[str, Any], field: str, mistake: str
) -> None:
    issues = refused(sent, ADULT)
    assert list(issues) == [field]
    assert "hardly possible" in issues[field]
    assert mistake in issues[field]
    assert not refused(sent | SURE, ADULT)


def test_180_kg_two_days_after_76_6_kg_is_refused_as_pounds() -> None:
    issue = refused({"weight_kg": 180}, weighed(76.6, 2))["weight_kg"]
    assert "180 kg, 2 days after 76.6 kg on 27 Nov 2026" in issue
    assert '180 lb = 81.6 kg (send weight_unit: "lb")' in issue
    assert not refused({"weight_kg": 180} | SURE, weighed(76.6, 2))
    assert not refused({"weight_kg": 81}, weighed(76.6, 2))
    assert not refused({"weight_kg": 180, "weight_unit": "lb"}, weighed(76.6, 2))
    meant = refused({"weight_kg": 80, "weight_unit": "lb"}, weighed(80, 2))["weight_kg"]
    assert "80 kg, not 80 lb" in meant


@pytest.mark.parametrize(
    ("person", "kg", "believed"),
    [
        (weighed(80, 0), 90, True),
        (weighed(80, 0), 90.1, False),
        (weighed(80, 365), 130, True),
        (weighed(80, 365), 131, False),
        (weighed(80, 365), 29, False),
        (weighed(3.4, 30, age_days=40), 4.6, True),  # a baby gains 40 g a day
        (weighed(3.4, 150, age_days=155), 7.5, True),
        (weighed(20, 30, age_days=6 * 366), 44, False),  # pounds of a child
        (weighed(20, 30, age_days=6 * 366), 20.5, True),
        (weighed(20, 30, age_days=6 * 366), 14, False),
    ],
)
def test_a_weight_is_compared_with_the_last_one_by_the_time_between(person: MeasuredPerson, kg: float, believed: bool) -> None:
    assert (not refused({"weight_kg": kg}, person)) is believed


@pytest.mark.parametrize(
    ("age_days", "kg", "cm"),
    [
        (0, 3.4, 50),
        (0, 0.6, 31),
        (180, 7.6, 67),
        (400, 10, 76),
        (1200, 15, 97),
        (2500, 22, 120),
        (4500, 45, 155),
        (6300, 70, 178),
    ],
)
def test_a_usual_child_is_never_questioned_and_an_adult_s_weight_is(age_days: int, kg: float, cm: float) -> None:
    person = MeasuredPerson(age_days=age_days, age=f"{age_days} days", today=TODAY)
    assert not refused({"weight_kg": kg, "height_cm": cm}, person)
    assert bool(refused({"weight_kg": 80}, person)) is (age_days <= 2500)


def test_an_adult_s_weight_is_compared_with_the_height_that_is_on_record() -> None:
    tall = MeasuredPerson(
        age_days=ADULT.age_days, age=ADULT.age, today=TODAY, last={"height_cm": LastMeasurement(190, date(2020, 1, 1))}
    )
    assert "body mass index 8.3" in refused({"weight_kg": 30}, tall)["weight_kg"]
    assert not refused({"weight_kg": 30}, ADULT)


def test_a_value_that_stands_is_not_questioned_again() -> None:
    stored = {"weight_kg": 400, "confirmed_implausible": True}
    assert not refused({"weight_kg": 400, "pulse": 70}, ADULT, stored)
    assert list(refused({"weight_kg": 401}, ADULT, stored)) == ["weight_kg"]


def test_the_bands_follow_each_other_without_a_gap_and_name_their_source() -> None:
    assert limits.BANDS[0].from_days == 0
    assert all(one.until_days == following.from_days for one, following in pairwise(limits.BANDS))
    for band in limits.BANDS:
        assert all(least < most for least, most in (band.weight, band.height, band.bmi))
        assert any(source in band.source for source in ("WHO", "CDC"))
    assert all(row.source for row in limits.RANGES.values())
    assert all(f"- {name}:" in (limits.__doc__ or "") for name in ("WHO", "CDC", "CDC-20", "growthcleanr", "NEWS2", "house"))


# --- in a visit


def put(user: User, visit: Any, data: dict[str, Any]) -> Any:
    return api_client(user).put(f"/consultations/{visit.row.pk}/step", {"step_number": 1, "step_data": data})


def weight_on_record(patient: Patient, kg: str, days_ago: int, unit: str = "kg") -> ChartEntry:
    code, display, _ = vitals.LOINC["weight_kg"]
    at = clock.now() - timedelta(days=days_ago)
    coded = {"code_system": "LOINC", "code": code, "value": Decimal(kg), "unit": unit, "occurred_at": at}
    return chart(patient, "vital_sign", display, **coded)


@pytest.mark.django_db
def test_the_last_weight_is_the_newest_of_the_chart_in_whatever_unit(staff: dict[str, User]) -> None:
    patient = register_patient()
    weight_on_record(patient, "120", 400)
    weight_on_record(patient, "168.9", 2, "[lb_av]")
    visit = start_consultation(staff["doctor"], patient)
    error = put(staff["nurse"], visit, {"weight_kg": 180}).json()["error"]["details"]["errors"][0]
    assert error["field"] == "step_data.weight_kg"
    assert "2 days after 76.612 kg" in error["issue"]
    assert put(staff["nurse"], visit, {"weight_kg": 180, "confirmed_implausible": True}).status_code == 200


@pytest.mark.django_db
def test_a_pressure_by_palpation_and_one_that_cannot_be_measured_are_red_flags(staff: dict[str, User]) -> None:
    visit = start_consultation(staff["doctor"], register_patient())

    def alerts(data: dict[str, Any]) -> set[str]:
        return {one["rule_id"] for one in put(staff["nurse"], visit, data).json()["data"]["consultation"]["alerts"]}

    assert alerts({"bp": "80/P"}) == {"redflag.low-pressure"}
    assert alerts({"bp": "not_measurable"}) == {"redflag.not-measurable"}
    assert alerts({"bp": "120/80"}) == set()


def test_the_age_of_an_infant_is_shown_as_on_the_banner(staff: dict[str, User]) -> None:
    infant = register_patient(born=clock.today() - timedelta(days=42))
    visit = start_consultation(staff["doctor"], infant)
    reply = api_client(staff["doctor"]).put(
        f"/consultations/{visit.row.pk}/step", {"step_number": 1, "step_data": {"weight_kg": 45}}
    )
    assert reply.status_code == 400
    assert "at the age of 6 weeks" in reply.json()["error"]["details"]["issue"]


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"temperature_c": "37,2"}, "Write the number with a point, like 37.2."),
        ({"temperature_c": "98,6 F"}, "Write the number with a point, like 98.6."),
        ({"temperature_c": "37.2"}, "Must be a number."),
        ({"temperature_c": 372}, "37.2 °C (decimal point)?"),
        ({"weight_kg": 3500}, "3500 g = 3.5 kg"),
        ({"weight_kg": 766}, "76.6 kg (decimal point)?"),
        ({"weight_kg": "9" * 400 + " kg"}, "Must be a number."),
        ({"weight_kg": Decimal("1e400")}, "decimals"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_value_that_cannot_be_read_is_refused_with_the_likely_mistake(sent: dict[str, Any], says: str) -> None:
    (issue,) = refused(sent).values()
    assert says in issue
