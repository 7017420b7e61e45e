"""What both charts list as active is listed once after their merge, and twice again after its undo."""

from datetime import date, timedelta
from typing import Any

import pytest

from apps.access.actor import SYSTEM
from apps.common import clock
from apps.patients import services
from apps.patients.merging import merge_plan
from apps.patients.models import ChartEntry, Merge, Patient
from apps.patients.tests.factories import chart, merge, register_patient
from apps.patients.tests.test_merging import again

pytestmark = pytest.mark.django_db
HYPERTENSION = {"code_system": "ICD-10-CM", "code": "I10"}


def active(patient: Patient) -> list[ChartEntry]:
    return list(ChartEntry.objects.filter(patient=patient, status="active").order_by("type", "occurred_at", "pk"))


def undo(done: Merge) -> None:
    services.undo_merge(by=SYSTEM, merge_id=done.pk)


def cautions(retired: Patient, survivor: Patient, by: Any = SYSTEM) -> dict[str, str]:
    seen = merge_plan.preview(visible_to=by, retired_id=retired.pk, survivor_id=survivor.pk)
    return {row.code: row.message for row in seen.warnings}


@pytest.mark.parametrize("detailed", ["retired", "survivor"])
def test_an_allergy_and_a_problem_of_both_are_listed_once_with_more_detail_and_twice_after_the_undo(detailed: str) -> None:
    retired, survivor = register_patient(), register_patient()
    rich, poor = (retired, survivor) if detailed == "retired" else (survivor, retired)
    kept = chart(rich, "allergy", "Penicillin", detail={"reaction": "Rash", "note": "In 2011"})
    chart(poor, "allergy", "PENICILLÍN", detail={"note": "By the mother"})
    early = chart(rich, "diagnosis", "Hypertension", occurred_at=clock.now() - timedelta(days=900), **HYPERTENSION)
    chart(poor, "diagnosis", "High blood pressure", **HYPERTENSION)
    message = cautions(retired, survivor)["listed_twice"]
    assert "enicill" in message.casefold()
    assert "(allergy)" in message
    assert "(diagnosis)" in message
    done = merge(again(retired), again(survivor))
    assert active(survivor) == [kept, early]
    assert again(survivor).allergy_status == "listed"
    undo(done)
    assert (len(active(retired)), len(active(survivor))) == (2, 2)
    assert (again(retired).allergy_status, again(survivor).allergy_status) == ("listed", "listed")


@pytest.mark.parametrize(
    ("graver", "other"),
    [
        ({"reaction": "Anaphylaxis"}, {"reaction": "Rash", "severity": "mild", "note": "Long ago"}),
        ({"severity": "severe"}, {"severity": "mild", "reaction": "Rash", "note": "Long ago"}),
        ({"criticality": "high"}, {"criticality": "low", "reaction": "Rash", "note": "Long ago"}),
        ({"certainty": "confirmed"}, {"certainty": "unconfirmed", "reaction": "Rash", "note": "Long ago"}),
    ],
    ids=str,
)
def test_the_graver_of_two_allergies_stays_active(graver: dict[str, str], other: dict[str, str]) -> None:
    retired, survivor = register_patient(), register_patient()
    kept = chart(retired, "allergy", "Penicillin", detail=graver)
    chart(survivor, "allergy", "Penicillin", detail=other)
    merge(again(retired), again(survivor))
    assert active(survivor) == [kept]


def test_two_codes_with_the_same_words_are_two_problems_and_two_medicines_are_only_named() -> None:
    retired, survivor = register_patient(), register_patient()
    chart(retired, "diagnosis", "Diabetes", code_system="ICD-10-CM", code="E10.9")
    chart(survivor, "diagnosis", "Diabetes", code_system="ICD-10-CM", code="E11.9")
    chart(retired, "medication", "Lisinopril 10 mg")
    chart(survivor, "medication", "lisinopril 10 mg")
    warned = cautions(retired, survivor)
    assert "listed_twice" not in warned
    assert "isinopril" in warned["medication_twice"]
    merge(again(retired), again(survivor))
    assert len(active(survivor)) == 4


def test_what_one_chart_already_listed_twice_is_left_alone_by_a_merge() -> None:
    retired, survivor = register_patient(), register_patient()
    twice = [chart(survivor, "allergy", "Latex"), chart(survivor, "allergy", "Latex")]
    assert "listed_twice" not in cautions(retired, survivor)
    merge(again(retired), again(survivor))
    assert active(survivor) == twice


def test_what_the_administrator_may_not_read_is_not_named_in_the_preview(staff: dict[str, Any], settings: Any) -> None:
    retired, survivor = register_patient(), register_patient()
    for patient in (retired, survivor):
        chart(patient, "allergy", "Penicillin")
    assert "listed_twice" in cautions(retired, survivor, staff["admin"])
    settings.HIMS_ADMIN_CLINICAL = False
    assert "listed_twice" not in cautions(retired, survivor, staff["admin"])


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("richest", [0, 1, 2])
def test_merges_into_one_record_are_undone_in_either_order_and_each_record_has_its_allergy_again(
    order: tuple[int, int], richest: int
) -> None:
    people = [register_patient(), register_patient(), register_patient()]
    survivor, *others = people
    for place, patient in enumerate(people):
        more = {"note": "Twice", "reaction": "Rash"} if place == richest else {"note": "Once"} if place == 1 else {}
        chart(patient, "allergy", "Penicillin", detail=more)
    merges = [merge(again(other), again(survivor)) for other in others]
    assert len(active(survivor)) == 1
    undo(merges[order[0]])
    assert (len(active(survivor)), len(active(others[order[0]]))) == (1, 1)
    undo(merges[order[1]])
    assert [len(active(patient)) for patient in people] == [1, 1, 1]


def test_an_allergy_stays_listed_by_the_other_entry_when_the_one_that_a_merge_kept_is_retracted() -> None:
    retired, survivor = register_patient(born=date(1980, 5, 15)), register_patient()
    kept = chart(retired, "allergy", "Penicillin", detail={"reaction": "Rash"})
    other = chart(survivor, "allergy", "Penicillin")
    done = merge(again(retired), again(survivor))
    services.retract(by=SYSTEM, patient_id=survivor.pk, entry_id=kept.pk, reason="Another patient's")
    assert active(survivor) == [other]
    assert again(survivor).allergy_status == "listed"
    undo(done)
    assert (active(retired), active(survivor)) == ([], [other])
