"""What is laid out must be possible: codes, statuses, dates, ages, and figures that follow from one another."""

import json
import re
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from stdnum import luhn, verhoeff

from apps.patients.chart import entry_types
from apps.patients.chart.entry_types import CodeSystem, EntryType
from apps.sandbox.samples import charts, staff
from apps.sandbox.samples.generated_patients import generate_patients

FOLDER = Path(charts.__file__).parent.parent / "data"
END = datetime(2026, 11, 22, tzinfo=UTC)
WRITTEN = charts.handwritten_patients()
WARD = generate_patients()
EVERYBODY = WRITTEN + WARD
BY_ALIAS = {raw["alias"]: raw for raw in EVERYBODY}
KEYS = {"type", "code_system", "code", "display", "status", "occurred_at", "recorded_by", "detail"}
MAY_HAVE = {"ended_at", "occurred_on", "value", "unit"}
SYSTEMS = {
    "allergy": {"RxNorm", "SNOMED-CT"},
    "medication": {"RxNorm", "local"},
    "diagnosis": {"ICD-10-CM"},
    "procedure": {"SNOMED-CT", "local"},
    "immunization": {"CVX"},
    "lab_result": {"LOINC"},
    "vital_sign": {"LOINC"},
    "note": {"local"},
}
FAMILIES = {  # RxNorm ingredient of an allergy: words in the names of what must not be given
    "70618": ("penicillin", "amoxicillin"),
    "10831": ("sulfamethoxazole",),
    "10180": ("sulfamethoxazole",),
    "2670": ("codeine",),
    "1191": ("aspirin", "ibuprofen", "naproxen"),
}
SHAPES = {
    "ICD-10-CM": re.compile(r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?"),
    "SNOMED-CT": re.compile(r"[1-9]\d{5,17}"),
    "RxNorm": re.compile(r"\d{4,7}"),
    "LOINC": re.compile(r"\d{3,5}-\d"),
    "CVX": re.compile(r"\d{2,3}"),
    "local": re.compile(r""),
}


def for_everybody(check):
    """A test of one chart, made of all of them; a failure names the chart."""

    def test():
        for person in EVERYBODY:
            try:
                check(person)
            except Exception as error:
                error.add_note(person["alias"])
                raise

    test.__name__ = check.__name__
    return test


def entries(raw, kind, code=None):
    return [line for line in raw["entries"] if line["type"] == kind and code in (None, line["code"])]


def series(raw, code):
    """Values of one measurement by moment."""
    return {line["occurred_at"]: line["value"] for line in raw["entries"] if line["code"] == code and "value" in line}


def born(raw):
    return date.fromisoformat(raw["registration"]["date_of_birth"])


def years(raw, moment):
    return (charts.moment(moment).date() - born(raw)).days / 365.25


@pytest.mark.parametrize("name", ["patient_001", "patient_002", "patient_003", "ward"])
def test_every_data_file_says_that_no_clinician_has_reviewed_it(name):
    text = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert text["review"] == "not reviewed by a clinician; sample data"


@for_everybody
def test_an_entry_has_the_known_keys_and_a_status_of_its_kind(person):
    for line in person["entries"]:
        assert set(line) >= KEYS, line
        assert set(line) <= KEYS | MAY_HAVE, line
        assert line["status"] in entry_types.STATUSES[EntryType(line["type"])], line
        assert CodeSystem(line["code_system"]) in SYSTEMS[line["type"]], line
        assert SHAPES[line["code_system"]].fullmatch(line["code"]), line
        assert line["recorded_by"] in staff.ID_OF, line


@for_everybody
def test_a_detail_is_one_that_its_kind_has(person):
    for line in person["entries"]:
        entry_types.read_detail(EntryType(line["type"]), line["detail"])


@for_everybody
def test_only_measurements_have_a_value_and_they_have_a_unit(person):
    for line in person["entries"]:
        assert ("value" in line) == (line["type"] in entry_types.MEASURED), line
        assert bool(line.get("unit")) == ("value" in line), line


@for_everybody
def test_a_loinc_check_digit_is_right(person):
    for line in person["entries"]:
        if line["code_system"] == "LOINC":
            assert luhn.is_valid(line["code"].replace("-", "")), line


@for_everybody
def test_a_snomed_check_digit_is_right(person):
    for line in person["entries"]:
        if line["code_system"] == "SNOMED-CT":
            assert verhoeff.is_valid(line["code"]), line


@for_everybody
def test_nothing_happens_before_birth_or_after_the_last_day(person):
    for line in person["entries"]:
        moment = charts.moment(line["occurred_at"])
        assert moment.date() >= born(person), line
        assert moment < END, line
        if "ended_at" in line:
            assert moment <= charts.moment(line["ended_at"]) < END, line


@for_everybody
def test_what_is_over_has_an_end_and_what_is_active_has_none(person):
    for line in person["entries"]:
        if line["status"] in ("resolved", "stopped", "remission") or (line["type"], line["status"]) == (
            "medication",
            "completed",
        ):
            assert "ended_at" in line, line
        if line["status"] in ("active", "on_hold", "final"):
            assert "ended_at" not in line, line


@for_everybody
def test_nothing_stands_twice_in_a_chart(person):
    refs = [charts.source_ref(person["alias"], line) for line in person["entries"]]
    assert len(refs) == len(set(refs))


@for_everybody
def test_the_clinic_measures_and_vaccinates_on_working_days(person):
    for line in person["entries"]:
        if line["type"] in ("vital_sign", "immunization") and years(person, line["occurred_at"]) > 0.01:
            assert charts.moment(line["occurred_at"]).weekday() < 5, line


@for_everybody
def test_a_flag_agrees_with_the_range_next_to_it(person):
    for line in entries(person, "lab_result"):
        limits, flag = line["detail"]["reference_range"], line["detail"]["flag"]
        low, high = bounds(limits)
        side = "low" if line["value"] < low else "high" if line["value"] > high else "normal"
        assert flag.removeprefix("critical_") == side, line


@for_everybody
def test_the_two_blood_pressures_come_together(person):
    systolic, diastolic = series(person, "8480-6"), series(person, "8462-4")
    assert systolic.keys() == diastolic.keys()
    assert all(systolic[moment] > diastolic[moment] + 15 for moment in systolic)


@for_everybody
def test_body_mass_index_follows_from_weight_and_height(person):
    height = series(person, "8302-2")
    for moment, index in series(person, "39156-5").items():
        tall = height.get(moment) or max(height.values())
        assert index == pytest.approx(series(person, "29463-7")[moment] / (tall / 100) ** 2, abs=0.06), moment


@for_everybody
def test_ldl_is_what_friedewald_makes_of_the_other_lipids(person):
    for moment, ldl in series(person, "13457-7").items():
        if moment in (total := series(person, "2093-3")):
            assert ldl == pytest.approx(
                total[moment] - series(person, "2085-9")[moment] - series(person, "2571-8")[moment] / 5, abs=0.51
            )


@for_everybody
def test_egfr_is_what_ckd_epi_2021_makes_of_creatinine(person):
    female = person["registration"]["gender"] == "female"
    for moment, rate in series(person, "98979-8").items():
        creatinine = series(person, "2160-0")[moment]
        assert rate == pytest.approx(ckd_epi_2021(creatinine, int(years(person, moment)), female), abs=0.6), moment


@for_everybody
def test_no_sample_patient_takes_what_they_are_allergic_to(person):
    taken = " ".join(line["display"].lower() for line in entries(person, "medication"))
    for line in entries(person, "allergy"):
        assert not [word for word in FAMILIES.get(line["code"], ()) if word in taken], line


@for_everybody
def test_a_child_grows_and_stays_within_human_measure(person):
    heights = sorted(
        (charts.moment(moment), tall) for moment, tall in series(person, "8302-2").items() if years(person, moment) < 18
    )
    assert [tall for _, tall in heights] == sorted(tall for _, tall in heights)
    for moment, weight in series(person, "29463-7").items():
        age = years(person, moment)
        low, high = (3, 14) if age < 1 else (8, 25) if age < 4 else (14, 60) if age < 11 else (28, 90) if age < 18 else (42, 125)
        assert low <= weight <= high, (age, weight)


# Of each vaccine: first and last age in years (CDC schedule), first and last year on the US market.
ALWAYS = (2000, 2026)
VACCINES = {
    "03": ((0.997, 60), ALWAYS),
    "08": ((0, 19), ALWAYS),
    "10": ((0.11, 18), ALWAYS),
    "20": ((0.11, 7), ALWAYS),
    "21": ((0.997, 60), ALWAYS),
    "49": ((0.11, 5), ALWAYS),
    "83": ((0.997, 19), ALWAYS),
    "113": ((7, 120), ALWAYS),
    "115": ((7, 120), ALWAYS),
    "119": ((0.11, 0.67), ALWAYS),
    "133": ((0.11, 6), (2010, 2026)),
    "135": ((65, 120), (2024, 2026)),  # influenza vaccines are trivalent again since autumn 2024
    "140": ((0.49, 120), (2024, 2026)),
    "150": ((0.49, 120), (2013, 2023)),
    "187": ((50, 120), (2017, 2026)),
    "189": ((18, 120), (2017, 2026)),
    "197": ((65, 120), (2020, 2023)),
    "207": ((18, 120), (2020, 2023)),
    "208": ((12, 120), (2020, 2023)),
    "216": ((19, 120), (2021, 2026)),
    "219": ((0.49, 5), (2022, 2023)),
    "229": ((12, 120), (2022, 2023)),
    "300": ((12, 120), (2022, 2023)),
    "305": ((60, 120), (2023, 2026)),
    "308": ((0.49, 5), (2023, 2026)),
    "309": ((12, 120), (2023, 2026)),
    "310": ((5, 12), (2023, 2026)),
    "312": ((12, 120), (2023, 2026)),
}


@for_everybody
def test_a_vaccine_is_given_at_an_age_and_in_a_year_in_which_it_is_given(person):
    for line in entries(person, "immunization"):
        (youngest, oldest), (first, last) = VACCINES[line["code"]]
        assert youngest <= years(person, line["occurred_at"]) < oldest, line
        assert first <= charts.moment(line["occurred_at"]).year <= last, line


@for_everybody
def test_the_doses_of_a_series_are_numbered_in_order_and_four_weeks_apart(person):
    doses = defaultdict(list)
    for line in entries(person, "immunization"):
        if "dose_number" in line["detail"]:
            doses[line["display"]].append((charts.moment(line["occurred_at"]), line["detail"]["dose_number"]))
    for display, given in doses.items():
        given.sort()
        numbers = [number for _, number in given]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), display
        gaps = [later - earlier for (earlier, _), (later, _) in pairwise(given)]
        assert all(gap >= timedelta(days=21) for gap in gaps), display


def test_john_doe_is_the_one_the_reference_prints():
    assert BY_ALIAS["patient_001"]["registration"] == {
        "mrn": "MRN001",
        "first_name": "John",
        "last_name": "Doe",
        "date_of_birth": "1980-05-15",
        "gender": "male",
        "phone": "+1-555-0123",
        "email": "john.doe@email.com",
        "address": {"street": "123 Main St", "city": "Anytown", "state": "CA", "zip": "12345"},
        "emergency_contact": {"name": "Jane Doe", "relationship": "spouse", "phone": "+1-555-0124"},
        "insurance": {"provider": "Blue Cross", "policy_number": "BC123456", "group_number": "GRP001"},
    }


def test_no_other_mrn_is_brought_along():
    assert [raw["alias"] for raw in EVERYBODY if "mrn" in raw["registration"]] == ["patient_001"]


def test_the_hand_written_histories_tell_what_they_are_for():
    john, mia, rose = (BY_ALIAS[name] for name in ("patient_001", "patient_002", "patient_003"))
    assert {line["code"] for line in entries(john, "diagnosis")} >= {"I10", "E11.9", "E78.5"}
    assert len(series(john, "4548-4")) >= 8
    assert {line["code"] for line in entries(mia, "diagnosis")} >= {"J45.30", "Z91.010"}
    assert len({line["code"] for line in entries(mia, "immunization")}) >= 10
    assert {line["code"] for line in entries(rose, "diagnosis")} >= {"I13.0", "I50.22", "N18.32", "I48.21", "M17.0"}
    assert len([line for line in entries(rose, "medication") if line["status"] == "active"]) >= 9
    assert {kind.value for kind in EntryType} == {line["type"] for line in rose["entries"]}


def test_the_critical_potassium_ends_spironolactone():
    rose = BY_ALIAS["patient_003"]
    (critical,) = [line for line in entries(rose, "lab_result", "2823-3") if line["detail"]["flag"] == "critical_high"]
    (stopped,) = entries(rose, "medication", "313096")
    assert critical["value"] == 6.4
    assert stopped["status"] == "stopped"
    assert stopped["ended_at"] == critical["occurred_at"][:10]


def test_telephones_are_fictional():
    for raw in EVERYBODY:
        numbers = [raw["registration"].get("phone"), raw["registration"]["emergency_contact"]["phone"]]
        assert all(re.fullmatch(r"\+1(-\d{3})?-555-01\d\d", number) for number in numbers if number), raw["alias"]


def bounds(text):
    """Low and high of '3.5-5.0', '<= 100', '>= 60' or '2.0-3.0 (…)'."""
    if text.startswith("<="):
        return 0.0, float(text[2:])
    if text.startswith(">="):
        return float(text[2:]), float("inf")
    low, high = text.split("-")
    return float(low), float(high)


def ckd_epi_2021(creatinine, age, female):
    """Inker et al., N Engl J Med 2021;385:1737-49; creatinine in mg/dL, mL/min/1.73 m²."""
    kappa, alpha = (0.7, -0.241) if female else (0.9, -0.302)
    ratio = creatinine / kappa
    return 142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.2 * 0.9938**age * (1.012 if female else 1)
