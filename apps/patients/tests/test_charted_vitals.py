"""Vital signs that are entered into the chart by hand are checked as those of a visit."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, browser
from apps.common import clock
from apps.patients.models import ChartEntry
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db
SURE = {"confirmed_implausible": True}
CODES = {
    "pulse": "8867-4",
    "temperature": "8310-5",
    "oral temperature": "8331-1",
    "weight": "29463-7",
    "height": "8302-2",
    "systolic": "8480-6",
    "saturation": "59408-5",
    "mass index": "39156-5",
    "pain": "72514-3",
}


@pytest.fixture
def doctor(staff: dict[str, User]) -> Any:
    return api_client(staff["doctor"])


def send(doctor: Any, patient: Any, sign: str, value: float, unit: str = "", **more: Any) -> Any:
    coded = {"code_system": "LOINC", "code": CODES[sign]} if sign in CODES else {}
    body = {"type": "vital_sign", "display": sign, "value": value, "unit": unit} | coded | more
    return doctor.post(f"/patients/{patient.pk}/medical-history", body)


def refusal(reply: Any) -> tuple[str, str]:
    assert reply.status_code == 400, reply.content
    details = reply.json()["error"]["details"]
    return details["field"], details["issue"]


@pytest.mark.parametrize(
    ("sign", "value", "unit", "says"),
    [
        ("pulse", 4000, "/min", "between 0 and 400"),
        ("Pulse", 4000, "", "between 0 and 400"),
        ("temperature", 98.6, "°C", '98.6 °F = 37.0 °C? Then send unit: "F"'),
        ("oral temperature", 98.6, "Cel", "98.6 °F = 37.0 °C"),
        ("temperature", 370, "Cel", "37 °C (decimal point)"),
        ("temperature", 250, "[degF]", "between 10 and 50"),
        ("saturation", 120, "%", "between 0 and 100"),
        ("weight", 3200, "kg", "3200 g = 3.2 kg"),
        ("height", 1.72, "cm", "1.72 m = 172 cm"),
        ("systolic", 1200, "mm[Hg]", "between 0 and 500"),
        ("mass index", 2500, "kg/m2", "between 2 and 300"),
        ("pain", 11, "", "between 0 and 10"),
    ],
)
def test_an_impossible_value_is_refused_by_its_field_whether_it_is_confirmed_or_not(
    doctor: Any, sign: str, value: float, unit: str, says: str
) -> None:
    patient = register_patient()
    for more in ({}, SURE):
        field, issue = refusal(send(doctor, patient, sign, value, unit, **more))
        assert field == "value"
        assert says in issue
    assert not ChartEntry.objects.exists()


@pytest.mark.parametrize(
    ("sign", "value", "unit", "says"),
    [
        ("pulse", 12, "/min", "A pulse of 12 /min is hardly possible (expected 25 to 230)"),
        ("temperature", 44, "Cel", "A temperature of 44 °C is hardly possible"),
        ("systolic", 300, "mmHg", "A systolic of 300 mmHg is hardly possible"),
        ("weight", 12, "kg", "a weight of 12 kg at the age of"),
        ("height", 72, "in", "a height of 182.9 cm"),
        ("mass index", 120, "kg/m2", "a body mass index of 120 kg/m2 at the age of"),
    ],
)
def test_an_implausible_value_is_questioned_and_stored_once_it_is_confirmed(
    doctor: Any, sign: str, value: float, unit: str, says: str
) -> None:
    patient = register_patient(born=clock.today() - timedelta(days=4 * 365) if sign == "height" else date(1980, 5, 15))
    field, issue = refusal(send(doctor, patient, sign, value, unit))
    assert field == "value"
    assert says in issue
    assert "confirmed_implausible: true" in issue
    reply = send(doctor, patient, sign, value, unit, **SURE)
    assert reply.status_code == 201, reply.content
    assert reply.json()["data"]["record"]["detail"] == {"value": value, "unit": unit}


def test_a_weight_is_compared_with_the_last_one_before_it_in_whatever_unit(doctor: Any) -> None:
    patient, today = register_patient(), clock.today()
    assert send(doctor, patient, "weight", 168.9, "lbs", occurred_at=str(today - timedelta(days=10))).status_code == 201
    _, issue = refusal(send(doctor, patient, "weight", 180, "kg", occurred_at=str(today - timedelta(days=8))))
    assert "180 kg, 2 days after 76.612 kg" in issue
    assert send(doctor, patient, "weight", 180, "kg", occurred_at=str(today - timedelta(days=900))).status_code == 201


def test_a_unit_that_is_not_one_of_the_value_is_refused_and_the_known_ones_are_named(doctor: Any) -> None:
    field, issue = refusal(send(doctor, register_patient(), "weight", 80, "stone"))
    assert (field, issue.startswith("stone is not a unit of this value. Send one of kg, lb, g")) == ("unit", True)


def test_ordinary_values_and_signs_without_a_range_are_stored_as_they_were_sent(doctor: Any) -> None:
    patient = register_patient()
    for sign, value, unit in (("pulse", 72.5, "{beats}/min"), ("temperature", 98.6, "[degF]"), ("Ejection fraction", 4000, "%")):
        reply = send(doctor, patient, sign, value, unit)
        assert reply.status_code == 201, reply.content
        assert reply.json()["data"]["record"]["detail"] == {"value": value, "unit": unit}


def test_only_a_vital_sign_is_confirmed(doctor: Any) -> None:
    body = {"type": "diagnosis", "display": "Headache"} | SURE
    field, _ = refusal(doctor.post(f"/patients/{register_patient().pk}/medical-history", body))
    assert field == "confirmed_implausible"


def test_the_page_refuses_what_is_implausible_until_it_is_confirmed(staff: dict[str, User]) -> None:
    patient, client = register_patient(), browser(staff["doctor"])
    address = f"{reverse('admin:patients_chartentry_add')}?patient={patient.pk}&type=vital_sign"
    filled = {"display": "Heart rate", "code_system": "LOINC", "code": "8867-4", "value": "12", "unit": "/min", "status": "final"}
    shown = client.post(address, filled)
    assert shown.status_code == 200
    assert "A pulse of 12 /min is hardly possible" in shown.content.decode()
    assert client.post(address, filled | {"confirmed_implausible": "on"}).status_code == 302
    assert ChartEntry.objects.get().value == 12
