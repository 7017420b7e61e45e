"""Taking a merge back: everything as it was, nothing lost of what came since, and two at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Q
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.access.actor import SYSTEM
from apps.audit.models import AuditEvent
from apps.common.errors import Conflict, Invalid, NotFound
from apps.common.ids import new_id
from apps.common.tests.concurrency import race
from apps.patients import selectors, services
from apps.patients.chart.entry_types import EntryType
from apps.patients.lists import sql
from apps.patients.merging import merge_plan
from apps.patients.models import ChartEntry, Merge, MergeTriage, NotDuplicate, Patient, PatientIdentifier, SearchWord
from apps.patients.services import NewEntry, Registration
from apps.patients.tests.factories import chart, merge, register_patient
from apps.patients.tests.test_merging import again, apart, facts, search_results

pytestmark = pytest.mark.django_db


def undo(done: Merge) -> Merge:
    return services.undo_merge(by=SYSTEM, merge_id=done.pk)


def amend(patient: Patient, **changes: Any) -> Patient:
    return services.amend(by=SYSTEM, patient_id=patient.pk, changes=changes)


def waiting(done: Merge) -> set[tuple[str, str]]:
    return set(selectors.triage(done).values_list("model", "row_id"))


def rows(queryset: Any) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "updated_at"} for row in queryset.order_by("pk").values()]


def snapshot() -> dict[str, Any]:
    """Everything there is of patients, but for when it was last written."""
    tables = (Patient, ChartEntry, PatientIdentifier, NotDuplicate, SearchWord)
    counts = {which: sql.total(which) for which in ("listed", "active", "inactive")}
    return {model.__name__: rows(model.objects.all()) for model in tables} | counts


# --- as it was


words = st.sampled_from(["", "Ann", "Roe", "12 Elm St", "O'Neil", "Zoë"])
phones = st.sampled_from(["", "(213) 373-4253", "5550100"])
people = st.fixed_dictionaries(
    {
        "first_name": st.sampled_from(["Ann", "Anna", "Zoë"]),
        "last_name": st.sampled_from(["Roe", "O'Neil"]),
        "born": st.dates(date(1930, 1, 1), date(2020, 1, 1)),
        "gender": st.sampled_from(["male", "female", "other", "unknown"]),
        "phone": phones,
        **dict.fromkeys(["middle_name", "email", "street", "city", "state", "zip"], words),
        **dict.fromkeys(["emergency_name", "emergency_phone", "insurance_provider", "insurance_policy_number"], words),
    }
)
kinds = st.lists(st.sampled_from(list(EntryType)), max_size=6)
sides = st.dictionaries(
    st.sampled_from([*merge_plan.COLUMNS, *merge_plan.GROUPS]), st.sampled_from(["retired", "survivor"]), max_size=6
)


def settle_in(person: dict[str, Any], chart_of: list[str], *, retract: bool, inactive: bool, asked: bool) -> Patient:
    """A patient with a chart, numbers and a history."""
    patient = register_patient(**person)
    if asked:
        services.record_no_known_allergies(by=SYSTEM, patient_id=patient.pk)
    entries = [chart(patient, kind, f"A {kind}") for kind in chart_of]
    if retract and entries:
        services.retract(by=SYSTEM, patient_id=patient.pk, entry_id=entries[0].pk, reason="Wrong chart")
    if inactive:
        services.deactivate(by=SYSTEM, patient_id=patient.pk)
    PatientIdentifier.objects.create(patient=patient, system="elsewhere", value=str(patient.seq))
    return patient


class UndoProperties(TestCase):
    @given(
        pair=st.tuples(people, people),
        charts=st.tuples(kinds, kinds),
        choices=sides,
        flags=st.lists(st.booleans(), min_size=6, max_size=6),
        not_same=st.sets(st.sampled_from(["each other", "retired", "survivor", "both"])),
        earlier=st.booleans(),
    )
    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_merge_then_undo_gives_back_both_patients_whole(
        self, pair: Any, charts: Any, choices: Any, flags: Any, not_same: Any, earlier: bool
    ) -> None:
        retired, survivor = (
            settle_in(pair[n], charts[n], retract=flags[n], inactive=flags[n + 2], asked=flags[n + 4]) for n in (0, 1)
        )
        if earlier:  # chains
            merge(register_patient("Earlier"), retired)
            merge(register_patient("Earlier"), survivor)
        bystanders = [register_patient("Bystander"), register_patient("Bystander")]
        pairs = {
            "each other": [(retired, survivor)],
            "retired": [(retired, bystanders[0])],
            "survivor": [(survivor, bystanders[0])],
            "both": [(retired, bystanders[1]), (survivor, bystanders[1])],
        }
        for which in not_same:
            for one, other in pairs[which]:
                apart(one, other)
        before = snapshot()
        done = merge(again(retired), again(survivor), **choices)
        assert not ChartEntry.objects.filter(patient=retired).exists()
        assert set(SearchWord.objects.filter(seq=retired.seq)) == set()
        undo(done)
        assert snapshot() == before
        assert waiting(done) == set()

    @given(
        edited=st.dictionaries(st.sampled_from(["city", "email", "middle_name", "zip"]), st.just("new@x.y"), max_size=4),
        born=kinds,
    )
    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_with_edits_in_between_nothing_is_lost_and_triage_names_exactly_them(
        self, edited: dict[str, str], born: list[str]
    ) -> None:
        retired, survivor = register_patient(city="There", email="old@x.y"), register_patient(city="Here")
        theirs, ours = chart(retired), chart(survivor)
        done = merge(retired, survivor)
        amend(survivor, **edited)
        services.retract(by=SYSTEM, patient_id=survivor.pk, entry_id=theirs.pk, reason="Wrong")
        fresh = {chart(survivor, kind, f"A {kind}").pk for kind in born}
        undo(done)
        assert waiting(done) == {("patients.Patient", name) for name in merge_plan.together(edited)} | {
            ("patients.ChartEntry", str(pk)) for pk in fresh
        }
        assert set(ChartEntry.objects.filter(patient=survivor).values_list("pk", flat=True)) == {ours.pk, *fresh}
        moved_back = ChartEntry.objects.get(patient=retired)
        assert (moved_back.pk, moved_back.status) == (theirs.pk, "entered_in_error")
        kept = again(survivor)
        assert {column: getattr(kept, column) for column in edited} == edited
        assert kept.email == edited.get("email", "")
        assert (again(retired).city, again(retired).email) == ("There", "old@x.y")


def test_an_undo_is_announced_and_each_is_found_by_his_own_again() -> None:
    retired, survivor = register_patient("Ezra", mrn="OLD-1"), register_patient("John")
    done = undo(merge(retired, survivor))
    assert done.undone_at is not None
    payload = {"patient_id": str(survivor.pk), "retired_id": str(retired.pk), "merge_id": str(done.pk), "to_triage": 0}
    assert facts("patient.merge_undone") == [payload]
    assert AuditEvent.objects.get(action="patient.merge_undone").patient_id == survivor.pk
    assert selectors.patient(SYSTEM, retired.pk) == retired
    assert (search_results("ezra"), search_results("old-1")) == ([retired], [retired])
    assert search_results("john") == [survivor]


def test_a_merge_is_undone_once_and_can_be_made_again() -> None:
    retired, survivor = register_patient(), register_patient()
    done = undo(merge(retired, survivor))
    with pytest.raises(services.AlreadyUndone):
        undo(done)
    with pytest.raises(NotFound):
        services.undo_merge(by=SYSTEM, merge_id=new_id())
    merge(again(retired), again(survivor))
    assert again(retired).merged_into_id == survivor.pk


def test_a_merge_below_another_is_undone_after_it() -> None:
    first, second, third = register_patient("First"), register_patient("Second"), register_patient("Third")
    entry = chart(first)
    lower = merge(first, second)
    upper = merge(again(second), third)
    with pytest.raises(services.MergedFurther) as refusal:
        undo(lower)
    assert refusal.value.details == {"reason": "merged_further", "merge_id": upper.pk, "merged_into": third.pk}
    undo(upper)
    assert again(first).merged_into_id == second.pk
    assert ChartEntry.objects.get().patient_id == second.pk
    undo(lower)
    entry.refresh_from_db()
    assert (again(first).merged_into_id, entry.patient_id) == (None, first.pk)
    assert not MergeTriage.objects.exists()


def test_two_merges_into_one_record_are_undone_in_either_order() -> None:
    for first_undone in (0, 1):
        survivor, one, other = (
            register_patient(),
            register_patient(phone="5550101"),
            register_patient(phone="5550102", email="o@x.y"),
        )
        entries = chart(one), chart(other)
        before = snapshot()
        merges = [merge(one, survivor), merge(other, again(survivor), phone="retired")]
        assert again(survivor).phone == "5550102"
        undo(merges[first_undone])
        assert again(survivor).phone == ("5550101" if first_undone else "5550102")
        undo(merges[1 - first_undone])
        assert snapshot() == before
        assert not MergeTriage.objects.exists()
        assert {row.patient_id for row in ChartEntry.objects.filter(pk__in=[row.pk for row in entries])} == {one.pk, other.pk}


def test_decisions_about_the_merged_person_go_to_triage_too() -> None:
    retired, survivor, other = register_patient(), register_patient(), register_patient()
    done = merge(retired, survivor)
    pair = apart(survivor, other)
    undo(done)
    (row,) = selectors.triage(done)
    assert (row.model, row.row_id) == ("patients.NotDuplicate", str(pair.pk))
    services.settle_triage(by=SYSTEM, triage_id=row.pk, belongs_to="retired")
    pair.refresh_from_db()
    assert {pair.low_id, pair.high_id} == {retired.pk, other.pk}


# --- whose it is


def test_a_row_that_was_the_retired_ones_goes_to_him() -> None:
    retired, survivor = register_patient(), register_patient()
    done = merge(retired, survivor)
    entry = chart(survivor, "allergy", "Latex")
    undo(done)
    assert again(survivor).allergy_status == "listed"
    (row,) = selectors.triage(done)
    services.settle_triage(by=SYSTEM, triage_id=row.pk, belongs_to="retired")
    entry.refresh_from_db()
    assert entry.patient_id == retired.pk
    assert (again(retired).allergy_status, again(survivor).allergy_status) == ("listed", "not_asked")
    payload = {"patient_id": str(retired.pk), "merge_id": str(done.pk), "triage_id": row.pk, "model": "patients.ChartEntry"}
    assert facts("patient.merge_triage_settled") == [payload]
    with pytest.raises(services.AlreadySettled):
        services.settle_triage(by=SYSTEM, triage_id=row.pk, belongs_to="survivor")


def test_a_field_that_was_the_retired_ones_goes_to_him_and_the_survivor_has_his_own_again() -> None:
    retired, survivor = register_patient(phone="5550101"), register_patient(phone="5550102")
    done = merge(retired, survivor)
    amend(survivor, phone="(213) 373-4253")
    undo(done)
    (row,) = selectors.triage(done)
    assert (row.row_id, row.note) == ("phone", "phone was changed since the merge")
    services.settle_triage(by=SYSTEM, triage_id=row.pk, belongs_to="retired")
    assert (again(retired).phone, again(retired).phone_e164) == ("(213) 373-4253", "+12133734253")
    assert (again(survivor).phone, again(survivor).phone_e164) == ("5550102", "")
    assert search_results("3734253") == [retired]


OURS = {"insurance_provider": "Aetna", "insurance_policy_number": "A-1", "insurance_group_number": "G-1"}
THEIRS = {"insurance_provider": "Cigna", "insurance_policy_number": "C-2", "insurance_group_number": "G-2"}


def insurance(patient: Patient) -> dict[str, str]:
    row = again(patient)
    return {column: getattr(row, column) for column in OURS}


@pytest.mark.parametrize("belongs_to", ["retired", "survivor"])
def test_of_an_insurance_that_was_changed_in_one_field_the_whole_waits_and_goes(belongs_to: str) -> None:
    retired, survivor = register_patient(**THEIRS), register_patient(**OURS)
    done = merge(retired, survivor, insurance="retired")
    amend(survivor, insurance_policy_number="C-3")
    changed = THEIRS | {"insurance_policy_number": "C-3"}
    undo(done)
    assert (insurance(survivor), insurance(retired)) == (changed, THEIRS)
    (row,) = selectors.triage(done)
    assert (row.row_id, row.note) == ("insurance", "insurance was changed since the merge")
    services.settle_triage(by=SYSTEM, triage_id=row.pk, belongs_to=belongs_to)
    if belongs_to == "retired":
        assert (insurance(survivor), insurance(retired)) == (OURS, changed)
    else:
        assert (insurance(survivor), insurance(retired)) == (changed, THEIRS)


def test_an_insurance_that_two_merges_completed_is_undone_whole() -> None:
    """The second merge adds the policy number to the company of the first: without the first, the second brought both."""
    survivor, one = register_patient(), register_patient(insurance_provider="Cigna")
    other = register_patient(**THEIRS)
    merges = [merge(one, survivor), merge(other, again(survivor))]
    assert insurance(survivor) == THEIRS
    undo(merges[0])
    assert insurance(survivor) == THEIRS
    undo(merges[1])
    assert insurance(survivor) == dict.fromkeys(OURS, "")
    assert not MergeTriage.objects.exists()


def test_what_is_the_survivors_stays() -> None:
    retired, survivor = register_patient(), register_patient()
    done = merge(retired, survivor)
    entry = chart(survivor)
    undo(done)
    (row,) = selectors.triage(done)
    row = services.settle_triage(by=SYSTEM, triage_id=row.pk, belongs_to="survivor")
    assert row.settled_at is not None
    assert ChartEntry.objects.get(pk=entry.pk).patient_id == survivor.pk


def test_triage_is_not_settled_where_it_cannot_be() -> None:
    retired, survivor = register_patient(), register_patient()
    done = merge(retired, survivor)
    chart(survivor)
    undo(done)
    (row,) = selectors.triage(done)
    with pytest.raises(NotFound):
        services.settle_triage(by=SYSTEM, triage_id=0, belongs_to="survivor")
    with pytest.raises(Invalid):
        services.settle_triage(by=SYSTEM, triage_id=row.pk, belongs_to="nobody")
    second = merge(again(retired), again(survivor))
    with pytest.raises(services.AlreadyMerged):
        services.settle_triage(by=SYSTEM, triage_id=row.pk, belongs_to="retired")
    undo(second)
    ChartEntry.objects.update(patient=register_patient())
    with pytest.raises(services.NotOwnedBySurvivor):
        services.settle_triage(by=SYSTEM, triage_id=row.pk, belongs_to="retired")


def test_a_chart_that_came_with_a_second_transfer_is_found_under_the_survivor_and_goes_back_or_to_triage() -> None:
    registration = Registration(first_name="Trans", last_name="Ferred", date_of_birth=date(1970, 1, 1), gender="other")

    def transfer(*refs: str) -> Patient:
        entries = [NewEntry(type="note", display=ref, source_ref=ref) for ref in refs]
        known = {"by": SYSTEM, "source": "import", "system": "elsewhere", "ref": "A", "registration": registration}
        return services.import_patient(entries=entries, **known).patient

    retired, survivor = transfer("A-1"), register_patient()
    done = merge(retired, survivor)
    assert transfer("A-1", "A-2") == survivor
    undo(done)
    assert ChartEntry.objects.get(patient=retired).source_ref == "A-1"
    assert waiting(done) == {("patients.ChartEntry", str(ChartEntry.objects.get(source_ref="A-2").pk))}


# --- two at once


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ends", ["each into the other", "one into two"])
def test_of_two_merges_at_once_one_wins(ends: str) -> None:
    for _ in range(10):
        one, other, third = register_patient(), register_patient(), register_patient()
        chart(one)
        rival = (lambda: merge(other, one)) if ends == "each into the other" else (lambda: merge(one, third))  # noqa: B023
        outcomes = race(lambda: merge(one, other), rival, refusal=Conflict)  # noqa: B023
        won = [outcome for outcome in outcomes if isinstance(outcome, Merge)]
        assert [type(outcome) for outcome in outcomes if outcome not in won] == [services.AlreadyMerged]
        assert ChartEntry.objects.latest("created_at").patient_id == won[0].survivor_id
        assert Merge.objects.filter(Q(retired=one) | Q(retired=other), undone_at=None).count() == 1
    assert sql.total() == Patient.objects.unmerged().count()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_undo_at_once_one_wins_and_merging_meanwhile_waits() -> None:
    for _ in range(10):
        retired, survivor, third = register_patient(), register_patient(), register_patient()
        done = merge(retired, survivor)
        outcomes = race(lambda: undo(done), lambda: undo(done), lambda: merge(retired, third), refusal=Conflict)  # noqa: B023
        assert [type(outcome) for outcome in outcomes[:2]].count(services.AlreadyUndone) == 1
        assert type(outcomes[2]) in (Merge, services.AlreadyMerged)


@pytest.mark.django_db(transaction=True)
def test_a_chart_written_while_its_patient_is_merged_goes_along_or_is_refused() -> None:
    for _ in range(10):
        retired, survivor = register_patient(), register_patient()
        writes = (lambda: merge(retired, survivor), lambda: chart(retired), lambda: amend(retired, city="Here"))  # noqa: B023
        _, entry, _ = race(*writes, refusal=Conflict)
        assert not ChartEntry.objects.filter(patient=retired).exists()
        assert ChartEntry.objects.filter(patient=survivor).count() == isinstance(entry, ChartEntry)
        assert isinstance(entry, ChartEntry | selectors.RecordMerged)


@pytest.mark.django_db(transaction=True)
def test_a_writer_who_waited_for_a_merge_gets_the_survivor() -> None:
    retired, survivor = register_patient(), register_patient()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            merge(retired, survivor)
            entry = pool.submit(race, lambda: chart(retired))
            with pytest.raises(TimeoutError):
                entry.result(timeout=0.5)
        (refusal,) = entry.result()
    assert isinstance(refusal, selectors.RecordMerged)
    assert refusal.details["survivor_id"] == survivor.pk
