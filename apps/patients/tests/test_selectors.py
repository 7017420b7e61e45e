"""Finding people."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.access.actor import SYSTEM
from apps.patients import rules, selectors, services
from apps.patients.models import Patient
from apps.patients.tests.factories import chart, register_patient

pytestmark = pytest.mark.django_db


def matching_names(text: str) -> list[str]:
    rows = selectors.search_within(selectors.patients(visible_to=SYSTEM), text)
    return [f"{row.first_name} {row.last_name}" for row in rows]


@pytest.fixture
def people() -> None:
    register_patient("John", "Doe", mrn="MRN001", phone="+1-555-0123")
    register_patient("Johanna", "Doering", born=date(1985, 3, 20), phone="(213) 373-4253")
    register_patient("José María", "O'Brien-Núñez", born=date(1990, 4, 5), mrn="X-77")
    register_patient("Mary", "van der Berg", born=date(1990, 5, 4))


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("john doe", ["John Doe"]),
        ("DOE JOHN", ["John Doe"]),
        ("doe jo", ["John Doe", "Johanna Doering"]),
        ("jose obrien", ["José María O'Brien-Núñez"]),
        ("JOSÉ O'BRIEN", ["José María O'Brien-Núñez"]),
        ("nunez", ["José María O'Brien-Núñez"]),
        ("vanderberg mary", ["Mary van der Berg"]),
        ("mrn001", ["John Doe"]),
        ("x-77", ["José María O'Brien-Núñez"]),
        ("001", ["John Doe"]),
        ("555-0123", ["John Doe"]),
        ("0123", ["John Doe"]),
        ("+1 213 373 4253", ["Johanna Doering"]),
        ("213.373", ["Johanna Doering"]),
        ("1980-05-15", ["John Doe"]),
        ("doe 15 5 80", ["John Doe"]),
        ("4/5/1990", ["Mary van der Berg", "José María O'Brien-Núñez"]),
        ("20 March 1985 johanna", ["Johanna Doering"]),
        ("john smith", []),
        ("%", []),
        ("_ohn", []),
        ("joh% d_e", []),
        ("", []),
        ("' OR 1=1 --", []),
    ],
)
def test_a_search_finds_patients_that_every_word_fits(text: str, names: list[str]) -> None:
    assert matching_names(text) == names


@pytest.mark.usefixtures("people")
def test_an_inactive_patient_is_still_found() -> None:
    john = Patient.objects.get(mrn="MRN001")
    services.deactivate(by=SYSTEM, patient_id=john.pk)
    assert matching_names("john doe") == ["John Doe"]


class SearchProperties(TestCase):
    @given(
        first=st.text(st.characters(codec="utf-8", categories=("L",)), min_size=1, max_size=20),
        last=st.text(st.characters(codec="utf-8", categories=("L",)), min_size=1, max_size=20),
        cut=st.integers(1, 20),
    )
    @settings(max_examples=60, deadline=None)
    def test_a_registered_patient_is_found_by_the_beginning_of_each_name(self, first: str, last: str, cut: int) -> None:
        patient = register_patient(first, last)
        for name in (first, last):
            words = rules.words(name)
            if words:
                assert patient in selectors.search_within(selectors.patients(visible_to=SYSTEM), words[0][:cut])
                assert patient in selectors.search_within(selectors.patients(visible_to=SYSTEM), name)


def test_all_staff_find_a_patient(staff: dict[str, Any]) -> None:
    register_patient()
    assert {selectors.patients(visible_to=user).count() for user in staff.values()} == {1}


def test_each_role_reads_its_kinds_of_entry(staff: dict[str, Any]) -> None:
    patient = register_patient()
    for kind, details in {
        "allergy": {},
        "medication": {},
        "diagnosis": {"code_system": "ICD-10-CM", "code": "I10"},
        "procedure": {},
        "immunization": {},
        "lab_result": {},
        "vital_sign": {},
        "note": {},
    }.items():
        chart(patient, kind, f"A {kind}", **details)
    chart(patient, "diagnosis", "Uncoded")
    seen = {
        role: sorted(row.type for row in selectors.chart(visible_to=user, patient_id=patient.pk))
        for role, user in staff.items()
        if role in ("doctor", "pharmacist", "lab_technician", "billing", "receptionist", "manager")
    }
    assert len(seen["doctor"]) == 9
    assert seen["pharmacist"] == ["allergy", "diagnosis", "diagnosis", "medication"]
    assert seen["lab_technician"] == ["allergy", "lab_result"]
    assert seen["billing"] == ["diagnosis"]
    assert seen["receptionist"] == seen["manager"] == []
