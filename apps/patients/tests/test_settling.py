"""The allergy and problem lists stay consistent: no "no known allergy" with an allergy, no active entry twice unnoticed."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import api_client
from apps.common import clock
from apps.patients import selectors, services
from apps.patients.chart import entry_types as kinds
from apps.patients.chart.entry_types import EntryType
from apps.patients.models import ChartEntry, Merge, Patient
from apps.patients.services import NewEntry, Registration
from apps.patients.tests.factories import chart, merge, register_patient
from apps.patients.tests.test_merging import again

pytestmark = pytest.mark.django_db

NONE_KNOWN = dict(zip(("code_system", "code", "display"), kinds.NO_KNOWN_ALLERGY, strict=True))
HYPERTENSION = {"code_system": "ICD-10-CM", "code": "I10", "display": "Essential (primary) hypertension"}


def none_known(patient: Patient) -> ChartEntry:
    return services.record_no_known_allergies(by=SYSTEM, patient_id=patient.pk)


def active(patient: Patient, entry_type: str = "allergy") -> list[str]:
    rows = ChartEntry.objects.filter(patient=patient, type=entry_type, status="active").order_by("occurred_at", "pk")
    return list(rows.values_list("display", flat=True))


def undo(done: Merge) -> None:
    services.undo_merge(by=SYSTEM, merge_id=done.pk)


def days_ago(days: int) -> datetime:
    return clock.now() - timedelta(days=days)


def sign(patient: Patient, *diagnoses: dict[str, Any], visit: str = "1") -> list[ChartEntry]:
    """What a signed visit puts into the chart."""
    entries = [NewEntry(type=EntryType.DIAGNOSIS, source_ref=f"visit-{visit}-{one['code']}", **one) for one in diagnoses]
    return services.record_all(by=SYSTEM, patient_id=patient.pk, entries=entries, source="consultation")


# --- no known allergy


@pytest.mark.parametrize("allergic", ["retired", "survivor"])
def test_a_merge_leaves_no_no_known_allergy_with_an_allergy_and_its_undo_restores_it(allergic: str) -> None:
    retired, survivor = register_patient(), register_patient()
    with_allergy, without = (retired, survivor) if allergic == "retired" else (survivor, retired)
    chart(with_allergy, "allergy", "Penicillin")
    asked = none_known(without)
    done = merge(again(retired), again(survivor))
    assert active(survivor) == ["Penicillin"]
    assert again(survivor).allergy_status == "listed"
    undo(done)
    assert (active(with_allergy), active(without)) == (["Penicillin"], [asked.display])
    assert (again(with_allergy).allergy_status, again(without).allergy_status) == ("listed", "none_known")


def test_merges_into_one_record_are_undone_in_either_order_and_restore_no_known_allergy() -> None:
    for order in (0, 1), (1, 0):
        survivor, others = register_patient(), [register_patient(), register_patient()]
        none_known(survivor)
        merges = []
        for other, name in zip(others, ("Latex", "Penicillin"), strict=True):
            chart(other, "allergy", name)
            merges.append(merge(again(other), again(survivor)))
        undo(merges[order[0]])
        assert "No known allergy" not in active(survivor)
        undo(merges[order[1]])
        assert active(survivor) == ["No known allergy"]
        assert again(survivor).allergy_status == "none_known"


def test_what_was_retracted_since_the_merge_is_not_restored() -> None:
    retired, survivor = register_patient(), register_patient()
    chart(retired, "allergy", "Penicillin")
    asked = none_known(survivor)
    done = merge(again(retired), again(survivor))
    services.retract(by=SYSTEM, patient_id=survivor.pk, entry_id=asked.pk, reason="Nobody asked")
    undo(done)
    assert (active(survivor), again(survivor).allergy_status) == ([], "not_asked")


def test_an_allergy_that_triage_gives_to_the_other_record_ends_its_no_known_allergy() -> None:
    retired, survivor = register_patient(), register_patient()
    none_known(retired)
    done = merge(again(retired), again(survivor))
    chart(survivor, "allergy", "Penicillin")
    undo(done)
    (row,) = selectors.triage(done)
    services.settle_triage(by=SYSTEM, triage_id=row.pk, belongs_to="retired")
    assert (active(retired), active(survivor)) == (["Penicillin"], [])
    assert (again(retired).allergy_status, again(survivor).allergy_status) == ("listed", "not_asked")


def test_an_imported_and_a_signed_allergy_end_no_known_allergy() -> None:
    known = Registration(first_name="Im", last_name="Ported", date_of_birth=register_patient().date_of_birth, gender="other")
    asked, penicillin = NewEntry(type="allergy", source_ref="a", **NONE_KNOWN), NewEntry(type="allergy", display="Penicillin")
    arguments: dict[str, Any] = {"by": SYSTEM, "source": "import", "system": "elsewhere", "registration": known}
    for ref, batches in (("1", [[asked, penicillin]]), ("2", [[asked], [penicillin]])):
        for entries in batches:
            lines = [NewEntry(type=one.type, display=one.display, code=one.code, code_system=one.code_system) for one in entries]
            patient = services.import_patient(ref=ref, entries=lines, **arguments).patient
        assert (active(patient), again(patient).allergy_status) == (["Penicillin"], "listed")
    signed = register_patient()
    none_known(signed)
    services.record_all(by=SYSTEM, patient_id=signed.pk, entries=[penicillin], source="consultation")
    assert (active(signed), again(signed).allergy_status) == (["Penicillin"], "listed")


def test_an_allergy_of_the_past_neither_lists_nor_ends_anything() -> None:
    for status in ("inactive", "resolved"):
        patient = register_patient()
        none_known(patient)
        chart(patient, "allergy", "Egg", status=status)
        assert (active(patient), again(patient).allergy_status) == (["No known allergy"], "none_known")


# --- the same entry twice


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"type": "allergy", "display": "Penicillin"}, {"type": "allergy", "display": "PENICILLÍN"}),
        (
            {"type": "allergy", "display": "Penicillin", "code_system": "RxNorm", "code": "7980"},
            {"type": "allergy", "display": "Penicillin G", "code_system": "RxNorm", "code": "7980"},
        ),
        ({"type": "diagnosis"} | HYPERTENSION, {"type": "diagnosis"} | HYPERTENSION | {"display": "High blood pressure"}),
        ({"type": "medication", "display": "Lisinopril 10 mg"}, {"type": "medication", "display": "lisinopril 10 mg"}),
    ],
    ids=str,
)
def test_an_active_entry_that_is_entered_again_is_recorded_with_a_warning(
    one: dict[str, str], other: dict[str, str], staff: dict[str, User]
) -> None:
    doctor, path = api_client(staff["doctor"]), f"/patients/{register_patient().pk}/medical-history"
    first = doctor.post(path, one)
    assert (first.status_code, "warnings" in first.json()) == (201, False)
    second = doctor.post(path, other)
    (warning,) = second.json()["warnings"]
    assert (second.status_code, warning["code"]) == (201, "already_recorded")
    assert warning["entries"] == [first.json()["data"]["record"]["id"]]


def test_another_persons_an_ended_and_another_kind_of_entry_warn_of_nothing(staff: dict[str, User]) -> None:
    patient, other = register_patient(), register_patient()
    chart(other, "allergy", "Penicillin")
    chart(patient, "allergy", "Penicillin", status="resolved")
    retracted = chart(patient, "allergy", "Penicillin")
    services.retract(by=SYSTEM, patient_id=patient.pk, entry_id=retracted.pk, reason="Wrong")
    chart(patient, "diagnosis", "Penicillin")
    reply = api_client(staff["doctor"]).post(
        f"/patients/{patient.pk}/medical-history", {"type": "allergy", "display": "Penicillin"}
    )
    assert (reply.status_code, "warnings" in reply.json()) == (201, False)


# --- the problem list


def test_a_diagnosis_signed_again_is_the_visits_own_and_no_second_problem() -> None:
    patient = register_patient()
    (first,) = sign(patient, HYPERTENSION)
    again_signed, other = sign(
        patient, HYPERTENSION, {"code_system": "ICD-10-CM", "code": "E11.9", "display": "Diabetes"}, visit="2"
    )
    assert (first.status, again_signed.status, other.status) == ("active", "encounter", "active")
    assert active(patient, "diagnosis") == [HYPERTENSION["display"], "Diabetes"]
    assert (again_signed.source, again_signed.source_ref) == ("consultation", "visit-2-I10")


def test_a_problem_entered_by_hand_is_not_listed_again_by_a_visit_and_a_resolved_one_is() -> None:
    patient = register_patient()
    chart(patient, "diagnosis", **HYPERTENSION)
    assert sign(patient, HYPERTENSION)[0].status == "encounter"
    healed = register_patient()
    chart(healed, "diagnosis", **HYPERTENSION, status="resolved")
    assert sign(healed, HYPERTENSION, visit="2")[0].status == "active"


def test_a_problem_whose_entry_is_retracted_stays_on_the_list_by_the_visit_that_confirmed_it() -> None:
    patient = register_patient()
    wrong = chart(patient, "diagnosis", **HYPERTENSION)
    (signed,) = sign(patient, HYPERTENSION)
    sign(patient, HYPERTENSION, visit="2")
    services.retract(by=SYSTEM, patient_id=patient.pk, entry_id=wrong.pk, reason="Typed twice")
    assert list(ChartEntry.objects.filter(status="active").values_list("pk", flat=True)) == [signed.pk]


@pytest.mark.parametrize(
    ("earlier", "is_listed"),
    [
        ({"occurred_at": days_ago(900)}, True),  # an episode that ended long before the visit
        ({"occurred_at": days_ago(900), "ended_at": days_ago(300)}, True),
        ({"occurred_at": days_ago(900), "ended_at": days_ago(1)}, False),
        ({"occurred_at": days_ago(1)}, False),
    ],
)
def test_only_an_episode_that_ended_after_the_visit_keeps_its_diagnosis_off_the_list(
    earlier: dict[str, Any], is_listed: bool
) -> None:
    patient = register_patient()
    chart(patient, "diagnosis", **HYPERTENSION, status="resolved", **earlier)
    wrong = chart(patient, "diagnosis", **HYPERTENSION, occurred_at=days_ago(20))
    (signed,) = sign(patient, HYPERTENSION | {"occurred_at": days_ago(10)})
    assert signed.status == "encounter"
    services.retract(by=SYSTEM, patient_id=patient.pk, entry_id=wrong.pk, reason="Of another patient")
    assert active(patient, "diagnosis") == ([HYPERTENSION["display"]] if is_listed else [])


def test_after_an_undone_merge_each_record_has_the_problem_that_was_signed_in_it() -> None:
    retired, survivor = register_patient(), register_patient()
    theirs = chart(retired, "diagnosis", **HYPERTENSION)
    done = merge(retired, survivor)
    (signed,) = sign(survivor, HYPERTENSION)
    assert signed.status == "encounter"
    undo(done)
    rows = ChartEntry.objects.filter(type="diagnosis", status="active")
    assert set(rows.values_list("patient", "pk")) == {(retired.pk, theirs.pk), (survivor.pk, signed.pk)}


def test_a_status_that_only_a_signature_gives_is_not_taken_from_a_caller(staff: dict[str, User]) -> None:
    body = {"type": "diagnosis", "status": "encounter"} | HYPERTENSION
    reply = api_client(staff["doctor"]).post(f"/patients/{register_patient().pk}/medical-history", body)
    assert (reply.status_code, reply.json()["error"]["details"]["field"]) == (400, "status")
