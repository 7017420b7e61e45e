"""Births and deaths in a merge and its undo: a date and its precision stay together, and booked appointments are counted."""

from datetime import date
from typing import Any

import pytest

from apps.access.actor import SYSTEM
from apps.patients import selectors, services
from apps.patients.models import Merge, Patient
from apps.patients.tests.factories import merge, register_patient

pytestmark = pytest.mark.django_db
EXACT, FIRST = date(1975, 6, 10), date(1975, 1, 1)


@pytest.fixture
def merged() -> Merge:
    """A record with an exact birth, merged into one with only a year."""
    return merge(register_patient(born=EXACT), register_patient(born=FIRST, date_of_birth_precision="year"))


def birth(patient_id: Any) -> tuple[date, str]:
    row = Patient.objects.get(pk=patient_id)
    return row.date_of_birth, row.date_of_birth_precision


def amend(patient_id: Any, **changes: Any) -> None:
    services.amend(by=SYSTEM, patient_id=patient_id, changes=changes)


@pytest.mark.parametrize(
    "changes",
    [{"date_of_birth": date(1975, 6, 11)}, {"date_of_birth": date(1976, 1, 1), "date_of_birth_precision": "year"}],
    ids=str,
)
def test_a_birth_that_was_corrected_after_a_merge_stays_whole_when_the_merge_is_undone(
    merged: Merge, changes: dict[str, Any]
) -> None:
    amend(merged.survivor_id, **changes)
    now = birth(merged.survivor_id)
    services.undo_merge(by=SYSTEM, merge_id=merged.pk)
    assert birth(merged.survivor_id) == now
    assert birth(merged.retired_id) == (EXACT, "day")
    assert [row.row_id for row in selectors.triage(merged)] == ["date_of_birth"]


def test_a_birth_that_is_given_to_the_other_record_goes_with_its_precision(merged: Merge) -> None:
    amend(merged.survivor_id, date_of_birth=date(1976, 1, 1), date_of_birth_precision="year")
    services.undo_merge(by=SYSTEM, merge_id=merged.pk)
    (row,) = selectors.triage(merged)
    services.settle_triage(by=SYSTEM, triage_id=row.pk, belongs_to="retired")
    assert birth(merged.retired_id) == (date(1976, 1, 1), "year")
    assert birth(merged.survivor_id) == (FIRST, "year")


def test_an_undone_merge_gives_a_birth_back_as_it_was(merged: Merge) -> None:
    assert birth(merged.survivor_id) == (EXACT, "day")
    services.undo_merge(by=SYSTEM, merge_id=merged.pk)
    assert (birth(merged.survivor_id), birth(merged.retired_id)) == ((FIRST, "year"), (EXACT, "day"))
