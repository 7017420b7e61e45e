"""Known bad and known safe combinations against the whole engine, with precision and recall; and the properties it always has."""

import csv
import gzip
import os
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.prescriptions.safety import interactions
from apps.prescriptions.safety.facts import RANK, Allergy, Medicine, Person, Pregnant, Severity
from apps.prescriptions.tests.safety_kit import ADULT, TODAY, allergy, chart, check, child, knowledge, line, recorded, woman

SYNTHEA = Path(os.environ.get("HIMS_SYNTHEA_DIR") or django_settings.BASE_DIR.parent / "shared" / "data" / "synthea")
_TABLE, _CASES = (Path(__file__).with_name(name) for name in ("golden_pairs.csv", "golden_cases.csv"))
_LINES = (
    "Lisinopril 10 MG Oral Tablet",
    "Warfarin Sodium 5 MG Oral Tablet",
    "Naproxen 500 MG Oral Tablet",
    "Simvastatin 40 MG Oral Tablet",
    "Clarithromycin 500 MG Oral Tablet",
    "Citalopram 20 MG Oral Tablet",
    "Haloperidol 5 MG Oral Tablet",
    "Amoxicillin 500 MG Oral Capsule",
    "Diazepam 5 MG Oral Tablet",
    "Codeine Sulfate 30 MG Oral Tablet",
    "Sacubitril 24 MG / Valsartan 26 MG Oral Tablet",
    "Ketoconazole 20 MG/G Topical Cream",
)
_several = st.lists(st.sampled_from(_LINES), min_size=1, max_size=5, unique=True)


def _situation(text: str) -> tuple[Allergy | Medicine, ...]:
    kind, _, what = text.partition(" ")
    return {"allergy": lambda: (allergy(what),), "taking": lambda: (line(what),), "nothing": tuple}[kind]()


def _verdict(situation: str, drug: str) -> str:
    """Returns the most serious severity that interrupts or informs the prescriber; `safe` for none and for `info`."""
    severities = [alert.severity for alert in check(line(drug), chart(*_situation(situation))).alerts]
    worst = min(severities, key=lambda one: RANK[one], default=Severity.INFO)
    return "safe" if worst is Severity.INFO else worst.value


def test_the_golden_table_is_judged_as_expected() -> None:
    with _TABLE.open(newline="") as rows:
        judged = [(row, _verdict(row["situation"], row["line"])) for row in csv.DictReader(rows)]

    counts = Counter((row["expected"] != "safe", verdict != "safe") for row, verdict in judged)
    hits, missed, false_alarms = counts[True, True], counts[True, False], counts[False, True]
    print(
        f"\n{len(judged)} combinations, {hits + missed} of them bad: "
        f"precision {hits / (hits + false_alarms):.3f}, recall {hits / (hits + missed):.3f}"
    )
    wrong = [
        f"{row['situation']} + {row['line']}: {verdict}, not {row['expected']}"
        for row, verdict in judged
        if verdict != row["expected"]
    ]
    assert not wrong, "\n".join(wrong)
    assert len(judged) >= 120


def test_the_golden_cases_are_judged_as_expected() -> None:
    """A case has lines and active medicines (`name=dose@days since`), allergies with a
    sign (`!high` criticality, `?intolerance`, `#resolved`), and a patient."""
    with _CASES.open(newline="") as rows:
        judged = [(row, _worst(row)) for row in csv.DictReader(rows)]

    wrong = [f"{row}: {worst}" for row, worst in judged if worst != row["worst"]]
    assert not wrong, "\n".join(wrong)
    assert len(judged) >= 190


def _worst(row: dict[str, str]) -> str:
    allergies = [_allergy(text) for text in _parts(row["allergies"]) if not text.endswith("#resolved")]
    medicines = [_medicine(text) for text in _parts(row["medicines"])]
    about = chart(*allergies, *medicines, person=_person(row["patient"]))
    alerts = check([_medicine(text) for text in _parts(row["lines"])], about).alerts
    return alerts[0].severity.value if alerts else "none"


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def _allergy(text: str) -> Allergy:
    signs: dict[str, dict[str, object]] = {
        "!high": {"criticality": "high"},
        "!severe": {},
        "?intolerance": {"is_intolerance": True},
    }
    sign = next((one for one in signs if text.endswith(one)), "")
    return allergy(text.removesuffix(sign), **signs.get(sign, {}))


def _medicine(text: str) -> Medicine:
    name, _, dosage = text.partition("=")
    dosage, _, days_since = dosage.partition("@")
    dose, _, duration = dosage.partition(" for ")
    medicine = line(name, dose, duration=duration)
    if not days_since:
        return medicine
    since, days = TODAY - timedelta(int(days_since)), medicine.regimen.days
    ends = {"days": Decimal(days), "ends": since + timedelta(days)} if days else {}
    return replace(medicine, since=since, **ends)  # type: ignore[arg-type]  # fields of a medicine


def _person(text: str) -> Person:
    kind, _, value = text.partition(" ")
    if kind == "egfr":
        return replace(ADULT, egfr=(Decimal(value), TODAY - timedelta(30)))
    people = {"child": replace(child(6.1, "20"), sex="male"), "pregnant": woman(Pregnant.YES), "adult": ADULT}
    return people[kind]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(drugs=_several, taken=_several)
def test_the_order_of_the_lines_does_not_matter(drugs: list[str], taken: list[str]) -> None:
    about = chart(*map(line, taken))
    forth, back = check([line(one) for one in drugs], about), check([line(one) for one in reversed(drugs)], about)

    assert {(one.id, one.severity) for one in forth.alerts} == {(one.id, one.severity) for one in back.alerts}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(drugs=_several, more=st.sampled_from(_LINES), taken=_several)
def test_another_line_takes_no_alert_away(drugs: list[str], more: str, taken: list[str]) -> None:
    about = chart(*map(line, taken), allergy("penicillin"))
    lines = [line(one) for one in drugs]
    fewer, all_of_them = check(lines, about), check([*lines, line(more)], about)

    kept = {name for alert in all_of_them.alerts for name in alert.drugs}
    assert {name for alert in fewer.alerts for name in alert.drugs} <= kept
    assert len(all_of_them.alerts) >= len({one.id for one in fewer.alerts if "together" not in one.because})


@settings(max_examples=40, deadline=None, derandomize=True)
@given(one=st.sampled_from(_LINES), other=st.sampled_from(_LINES))
def test_a_pair_has_the_same_ids_in_both_directions(one: str, other: str) -> None:
    forth, back = check(line(one), chart(line(other))), check(line(other), chart(line(one)))

    assert {alert.id for alert in forth.alerts if alert.kind == "interaction"} == {
        alert.id for alert in back.alerts if alert.kind == "interaction"
    }


@pytest.mark.skipif(not SYNTHEA.is_dir(), reason="the 500 synthetic patients are not on this machine (HIMS_SYNTHEA_DIR)")
def test_the_active_medicines_of_500_patients_have_the_expected_pairs() -> None:
    """Prints how many patients take each pair."""
    taken = defaultdict[str, set[str]](set)
    with gzip.open(SYNTHEA / "medications.csv.gz", "rt", newline="") as rows:
        for row in csv.DictReader(rows):
            if row["status"] == "active":
                taken[row["patient"]].add(row["display"])
    pairs = Counter(
        alert.because.partition(":")[0]
        for names in taken.values()
        for alert in interactions.check([recorded(name) for name in sorted(names)], chart(), knowledge())
    )

    print(f"\n{len(taken)} patients take medicines", *(f"{count:4} {pair}" for pair, count in pairs.most_common()), sep="\n")
    expected = {"Digoxin and verapamil": 12, "Simvastatin and verapamil": 8, "Naproxen and warfarin": 2}
    assert {pair: pairs[pair] for pair in expected} == expected
