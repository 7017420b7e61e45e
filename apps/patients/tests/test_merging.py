"""Two records of one person become one: what moves, which values stay, and which patient the old id and number find."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.apps import apps as registry
from django.db import IntegrityError, connection, models, transaction
from django.test.utils import CaptureQueriesContext, isolate_apps
from django.utils import timezone

from apps.access.actor import SYSTEM
from apps.audit.models import AuditEvent
from apps.common.errors import Invalid, NotFound
from apps.common.ids import new_id
from apps.events.models import OutboxEvent
from apps.patients import selectors, services
from apps.patients.lists import sql
from apps.patients.merging import merge_plan, patient_links
from apps.patients.models import ChartEntry, Merge, MergedRow, NotDuplicate, Patient, PatientIdentifier
from apps.patients.services import Registration
from apps.patients.tests.factories import chart, merge, register_patient
from apps.rest.paging import Total

pytestmark = pytest.mark.django_db


def preview(retired: Patient, survivor: Patient) -> merge_plan.Preview:
    return merge_plan.preview(visible_to=SYSTEM, retired_id=retired.pk, survivor_id=survivor.pk)


def apart(one: Patient, other: Patient) -> NotDuplicate:
    low, high = sorted((one, other), key=lambda row: row.pk)
    return NotDuplicate.objects.create(low=low, high=high)


def search_results(text: str) -> list[Patient]:
    return list(selectors.search_within(selectors.patients(visible_to=SYSTEM), text))


def facts(name: str) -> list[dict[str, Any]]:
    return list(OutboxEvent.objects.filter(name=name).order_by("id").values_list("payload", flat=True))


def again(patient: Patient) -> Patient:
    return Patient.objects.get(pk=patient.pk)


# --- what moves


def test_every_row_of_the_retired_record_moves_and_is_written_down() -> None:
    retired, survivor = register_patient(), register_patient()
    entries = {chart(retired).pk, chart(retired, "allergy", "Penicillin").pk}
    number = PatientIdentifier.objects.create(patient=retired, system="elsewhere", value="7")
    done = merge(retired, survivor)
    assert set(ChartEntry.objects.filter(patient=survivor).values_list("pk", flat=True)) == entries
    assert PatientIdentifier.objects.get().patient_id == survivor.pk
    ledger = set(MergedRow.objects.filter(merge=done).values_list("model", "column", "row_id"))
    assert ledger == {("patients.ChartEntry", "patient", str(pk)) for pk in entries} | {
        ("patients.PatientIdentifier", "patient", str(number.pk))
    }


def test_a_merge_is_announced_with_ids_alone_and_is_on_record() -> None:
    retired, survivor = register_patient("Zebulon", phone="5550100"), register_patient()
    done = merge(retired, survivor)
    payload = {"patient_id": str(survivor.pk), "retired_id": str(retired.pk), "merge_id": str(done.pk)}
    assert facts("patient.merged") == [payload]
    row = AuditEvent.objects.get(action="patient.merged")
    assert (row.patient_id, row.object_id) == (survivor.pk, done.pk)


def test_the_retired_record_leaves_the_list_and_the_count() -> None:
    retired, survivor = register_patient(), register_patient()
    merge(retired, survivor)
    list_page = selectors.list_page(visible_to=SYSTEM)
    assert [row["id"] for row in list_page.rows] == [survivor.pk]
    assert list_page.total == Total(sql.total()) == Total(1)
    assert selectors.list_page(visible_to=SYSTEM, text="1980-05-15").total == Total(1)


def test_the_allergy_list_of_the_survivor_is_that_of_both() -> None:
    retired, survivor = register_patient(), register_patient()
    services.record_no_known_allergies(by=SYSTEM, patient_id=survivor.pk)
    chart(retired, "allergy", "Latex")
    assert "allergies_differ" in {row.code for row in preview(again(retired), again(survivor)).warnings}
    merge(retired, survivor)
    assert again(survivor).allergy_status == "listed"


def test_what_the_retired_record_had_taken_in_leads_to_the_survivor_in_one_step() -> None:
    first, second, third = register_patient("First"), register_patient("Second"), register_patient("Third")
    merge(first, second)
    merge(second, third)
    assert {again(row).merged_into_id for row in (first, second)} == {third.pk}
    assert selectors.patient(SYSTEM, first.pk) == third
    assert search_results("first") == search_results("second") == search_results(first.mrn) == [third]


def test_a_not_duplicate_decision_about_the_retired_record_applies_to_the_survivor() -> None:
    others = [register_patient(f"Other{letter}") for letter in "abcd"]
    retired, survivor = register_patient(), register_patient()
    moved = [apart(retired, other).pk for other in others[:3]]
    doubled, known = apart(retired, others[3]), apart(survivor, others[3])
    contradicted = apart(retired, survivor)
    done = merge(retired, survivor)
    for pk, other in zip(moved, others, strict=False):
        pair = NotDuplicate.objects.get(pk=pk)
        assert {pair.low_id, pair.high_id} == {survivor.pk, other.pk}
    assert NotDuplicate.objects.filter(pk__in=[doubled.pk, known.pk, contradicted.pk]).count() == 3
    assert set(MergedRow.objects.filter(merge=done).values_list("row_id", flat=True)) == set(map(str, moved))


# --- which values stay


def test_the_survivors_values_are_kept_and_its_gaps_filled() -> None:
    retired = register_patient("Jon", phone="(213) 373-4253", email="jon@example.com", language="en")
    survivor = register_patient("John", gender="unknown", phone="+1 213 373 4250")
    done = merge(retired, survivor)
    kept = again(survivor)
    assert (kept.first_name, kept.phone, kept.email, kept.language, kept.gender) == (
        "John",
        "+1 213 373 4250",
        "jon@example.com",
        "en",
        "male",
    )
    assert set(done.fields) == {*merge_plan.COLUMNS, "restricted"}
    assert done.fields["email"] == {"before": "", "after": "jon@example.com"}
    assert done.fields["first_name"] == {"before": "John", "after": "John"}
    assert again(retired).email == "jon@example.com"


def test_an_address_is_filled_up_only_where_the_rest_of_it_agrees() -> None:
    full = {"street": "1 A St", "city": "Here", "state": "CA", "zip": "12345"}
    agreeing, contradicting = register_patient(street="1 A St", city="Here"), register_patient(street="9 Z St")
    merge(register_patient(**full), agreeing)
    merge(register_patient(**full), contradicting)
    assert (again(agreeing).state, again(agreeing).zip) == ("CA", "12345")
    assert (again(contradicting).city, again(contradicting).zip) == ("", "")


def test_values_are_chosen_one_by_one_or_as_a_group() -> None:
    retired = register_patient(
        "Jon", born=date(1980, 5, 16), phone="(213) 373-4253", insurance_provider="Blue", insurance_group_number="G"
    )
    survivor = register_patient("John", email="j@example.com", insurance_provider="Aetna", insurance_policy_number="P")
    merge(retired, survivor, first_name="retired", date_of_birth="retired", phone="survivor", insurance="retired")
    kept = again(survivor)
    assert (kept.first_name, kept.date_of_birth, kept.phone) == ("Jon", date(1980, 5, 16), "")
    assert (kept.insurance_provider, kept.insurance_policy_number, kept.insurance_group_number) == ("Blue", "", "G")
    assert search_results("jon") == search_results("john") == [survivor]


def test_the_dialled_form_follows_the_chosen_number() -> None:
    survivor = register_patient(phone="+1 213 373 4250")
    merge(register_patient(phone="(213) 373-4253"), survivor, phone="retired")
    assert again(survivor).phone_e164 == "+12133734253"


def test_what_can_be_chosen_is_what_is_registered_without_the_mrn() -> None:
    assert set(merge_plan.COLUMNS) == set(Registration.__dataclass_fields__) - {"mrn"}


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"mrn": "retired"}, "fields.mrn"), ({"colour": "retired"}, "fields.colour"), ({"phone": "both"}, "fields.phone")],
)
def test_a_choice_that_cannot_be_made_is_refused_by_name(fields: dict[str, str], field: str) -> None:
    retired, survivor = register_patient(), register_patient()
    with pytest.raises(Invalid) as refusal:
        merge(retired, survivor, **fields)
    assert refusal.value.details["field"] == field
    assert again(retired).merged_into_id is None


# --- what cannot be merged


def test_a_record_is_not_merged_into_itself_nor_into_an_unknown_one_nor_without_a_reason() -> None:
    patient, other = register_patient(), register_patient()
    for survivor, reason, field in ((patient.pk, "x", "into"), (new_id(), "x", "into"), (other.pk, "  ", "reason")):
        with pytest.raises(Invalid) as refusal:
            services.merge(by=SYSTEM, retired_id=patient.pk, survivor_id=survivor, reason=reason)
        assert refusal.value.details["field"] == field
    with pytest.raises(NotFound):
        services.merge(by=SYSTEM, retired_id=new_id(), survivor_id=patient.pk, reason="x")
    assert (Merge.objects.count(), facts("patient.merged")) == (0, [])


def test_a_merged_record_is_neither_merged_again_nor_merged_into() -> None:
    retired, survivor, third = register_patient(), register_patient(), register_patient()
    merge(retired, survivor)
    for pair in ((retired, third), (third, retired), (survivor, retired)):
        with pytest.raises(services.AlreadyMerged) as refusal:
            merge(*pair)
        details = refusal.value.details
        assert (details["patient_id"], details["merged_into"], details["survivor_id"]) == (retired.pk, survivor.pk, survivor.pk)
    assert "already_merged" in {row.code for row in preview(again(retired), third).warnings}


def test_rows_that_cannot_stand_under_one_patient_refuse_the_merge_whole() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE UNIQUE INDEX one_number_a_system ON patients_patientidentifier (patient_id, system)")
    retired, survivor = register_patient(), register_patient()
    chart(retired)
    for patient in (retired, survivor):
        PatientIdentifier.objects.create(patient=patient, system="registry", value=patient.mrn)
    with pytest.raises(services.CannotStandTogether) as refusal:
        merge(retired, survivor)
    assert refusal.value.details == {"reason": "rows_contradict", "model": "patients.PatientIdentifier"}
    assert ChartEntry.objects.get().patient_id == retired.pk
    assert (again(retired).merged_into_id, Merge.objects.count()) == (None, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": " "},
        {"survivor": models.F("retired")},
        pytest.param({"undone_at": None, "merged_at": timezone.now()}, id="merged again"),
    ],
    ids=str,
)
def test_the_database_refuses_a_merge_that_cannot_be(wrong: dict[str, Any]) -> None:
    retired, survivor, third = register_patient(), register_patient(), register_patient()
    done = merge(retired, survivor)
    second = Merge.objects.create(retired=retired, survivor=third, reason="x", undone_at=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        Merge.objects.filter(pk=second.pk if "undone_at" in wrong else done.pk).update(**wrong)


# --- the old id and number


def test_the_old_id_and_number_find_the_survivor() -> None:
    retired, survivor = register_patient("Jon", "Dough", mrn="OLD-1"), register_patient()
    merge(retired, survivor)
    assert selectors.patient(SYSTEM, retired.pk) == survivor
    assert selectors.get_survivor_for_update(SYSTEM, retired.pk) == survivor
    with pytest.raises(selectors.RecordMerged):
        selectors.get_for_update(SYSTEM, retired.pk)
    assert selectors.by_mrn(SYSTEM, "old-1") == survivor
    assert search_results("OLD-1") == search_results("jon dough") == [survivor]
    with pytest.raises(services.MrnTaken):
        register_patient(mrn="old-1")


def test_the_old_names_still_find_the_survivor_after_it_was_amended() -> None:
    retired, survivor = register_patient("Jon", mrn="OLD-1"), register_patient()
    merge(retired, survivor)
    services.amend(by=SYSTEM, patient_id=survivor.pk, changes={"last_name": "Married"})
    assert again(survivor).last_name == "Married"
    assert search_results("jon") == search_results("old-1") == search_results("married") == [survivor]


def test_nothing_is_written_under_the_old_id_and_the_refusal_names_the_survivor() -> None:
    retired, survivor = register_patient(), register_patient()
    entry = chart(retired)
    merge(retired, survivor)
    writes: list[Callable[[], Any]] = [
        lambda: chart(retired),
        lambda: services.retract(by=SYSTEM, patient_id=retired.pk, entry_id=entry.pk, reason="Wrong"),
        lambda: services.amend(by=SYSTEM, patient_id=retired.pk, changes={"city": "Here"}),
    ]
    for write in writes:
        with pytest.raises(selectors.RecordMerged) as refusal:
            write()
        assert refusal.value.details["survivor_id"] == survivor.pk
    assert selectors.entry(SYSTEM, retired.pk, entry.pk).status == "active"


def test_finding_a_patient_costs_one_statement_merged_or_not() -> None:
    retired, survivor = register_patient(), register_patient()
    merge(retired, survivor)
    for patient in (retired, survivor):
        with CaptureQueriesContext(connection) as caught:
            selectors.patient(SYSTEM, patient.pk)
        assert len(caught) == 1


# --- the preview


def test_the_preview_counts_what_moves_and_names_what_differs() -> None:
    retired, survivor = register_patient("Jon", phone="5550100"), register_patient("John")
    chart(retired)
    chart(retired, "note", "Letter")
    seen = preview(retired, survivor)
    assert {row.model: row.rows for row in seen.counts if row.model.startswith("patients.")} == {
        "patients.ChartEntry": 2,
        "patients.PatientIdentifier": 0,
        "patients.Patient": 0,
        "patients.Restriction": 0,
        "patients.BreakGlass": 0,
    }
    assert [(row.field, row.retired, row.survivor, row.default) for row in seen.conflicts] == [
        ("first_name", "Jon", "John", "survivor"),
        ("phone", "5550100", "", "retired"),
    ]
    assert seen.warnings == ()
    assert again(retired).merged_into_id is None


def test_the_preview_warns_of_what_speaks_against_one_person() -> None:
    retired = register_patient(born=date(1980, 5, 16), gender="female", insurance_policy_number="P1", deceased_at=timezone.now())
    survivor = register_patient(insurance_policy_number="P2")
    services.deactivate(by=SYSTEM, patient_id=retired.pk)
    apart(retired, survivor)
    assert {row.code for row in preview(retired, survivor).warnings} == {
        "different_date_of_birth",
        "different_gender",
        "different_policy",
        "one_deceased",
        "one_inactive",
        "not_same",
    }


def test_a_value_of_before_the_merge_survives_being_written_down() -> None:
    died = timezone.now() - timedelta(days=3)
    survivor = register_patient()
    done = merge(register_patient(deceased_at=died), survivor)
    assert again(survivor).deceased_at == died
    services.undo_merge(by=SYSTEM, merge_id=done.pk)
    assert again(survivor).deceased_at is None


# --- the model graph


def test_every_foreign_key_to_a_patient_is_declared_as_moving_or_staying() -> None:
    assert patient_links.undeclared(registry.get_models(include_auto_created=True)) == []


def test_a_new_foreign_key_to_a_patient_that_is_not_declared_is_seen() -> None:
    with isolate_apps("apps.patients"):

        class Visit(models.Model):
            patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
            companion = models.OneToOneField(Patient, on_delete=models.PROTECT, related_name="+")

            class Meta:
                app_label = "patients"

        assert patient_links.undeclared([Visit]) == ["patients.Visit.patient", "patients.Visit.companion"]


def test_every_declared_key_exists_and_says_since_when_its_rows_are_there() -> None:
    for link in patient_links.links():
        assert link.kind._meta.get_field(link.column).related_model is Patient
        assert not link.born or link.kind._meta.get_field(link.born)
