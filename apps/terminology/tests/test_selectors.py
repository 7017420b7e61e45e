"""Which codes are valid on a day, and which are found."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.terminology import selectors
from apps.terminology.icd10 import everyday_terms
from apps.terminology.models import IcdCode
from apps.terminology.selectors import CodeValidity
from apps.terminology.tests import factories

pytestmark = pytest.mark.django_db
SUMMER, WINTER = date(2026, 7, 1), date(2026, 12, 1)


@pytest.fixture
def april() -> None:
    factories.load()


def codes_for(text: str, on: date = SUMMER, **more: Any) -> list[str]:
    return [row.code for row in selectors.search(text, on=on, **more)]


def test_a_code_is_what_it_was_on_the_date_of_service(april: None) -> None:
    factories.load_october()
    assert selectors.code("e119", on=SUMMER).display == "Type 2 diabetes mellitus without complications"
    assert selectors.code("E11.9", on=date(2026, 9, 30)).display == "Type 2 diabetes mellitus without complications"
    assert selectors.code("E11.9", on=date(2026, 10, 1)).display == "Type 2 diabetes mellitus, uncomplicated"
    assert selectors.code("E11.A1", on=SUMMER) is None
    assert selectors.code("R51.9", on=WINTER) is None


def test_days_before_the_oldest_release_are_answered_by_it(april: None) -> None:
    factories.load_october()
    assert selectors.code("E11.9", on=date(2025, 1, 15)).display == "Type 2 diabetes mellitus without complications"
    assert selectors.code("E11.A1", on=date(2025, 1, 15)) is None


def test_a_claims_codes_are_judged_in_one_query(april: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        validity = selectors.check_codes(["e119", "E11.9", "E11", "X99.9", "nonsense"], on=SUMMER)
    without = "Type 2 diabetes mellitus without complications"
    assert validity["e119"] == validity["E11.9"] == CodeValidity("E11.9", is_known=True, is_billable=True, display=without)
    assert validity["E11"] == CodeValidity("E11", is_known=True, is_billable=False, display="Type 2 diabetes mellitus")
    assert validity["X99.9"] == CodeValidity("X99.9", is_known=False, is_billable=False, display="")
    assert not validity["nonsense"].is_known


def test_a_code_that_a_release_divides_is_billable_only_before(april: None) -> None:
    factories.load_october()
    assert selectors.check_codes(["I10"], on=SUMMER)["I10"].is_billable
    assert not selectors.check_codes(["I10"], on=WINTER)["I10"].is_billable


def test_words_are_found_in_any_order_by_their_beginnings(april: None) -> None:
    assert "E11.9" in codes_for("diab 2 type")
    assert codes_for("diab typ 2 with compl") == codes_for("COMPL  with 2 typ diab")
    assert "R51.9" in codes_for("headache unspec")
    assert not codes_for("diabetes zzz")
    assert "K50.00" in codes_for("crohn's disease small")
    assert "C84.10" in codes_for("sezary")


def test_the_best_stand_first(april: None) -> None:
    assert codes_for("e11")[0] == "E11"
    assert all(code.startswith("E11.") for code in codes_for("e11")[1:])
    assert codes_for("E119") == codes_for("e11.9") == ["E11.9"]
    first, *others = selectors.search("hypertension", on=SUMMER)
    assert first.code == "I10"
    rows = [row for row in others if row.code not in everyday_terms.usual_codes()]
    assert others[-len(rows) :] == rows
    order = [("hypertension" not in row.display.lower(), not row.billable, len(row.display), row.code) for row in rows]
    assert len(rows) > 5
    assert order == sorted(order)


def test_a_search_for_nothing_lists_all_in_their_order(april: None) -> None:
    assert codes_for("  ") == sorted(entry.code for entry in factories.entries())
    assert set(codes_for("", billable=False)) == {entry.code for entry in factories.entries() if not entry.billable}


def test_signs_have_no_meaning_of_their_own(april: None) -> None:
    for text in ("%", "_", "'", "\\", "|", "!", ":*", "e11 & | !", "');--", "\x00", "%%%"):
        assert set(codes_for(text)) == (set(codes_for("e11")) if text.startswith("e11") else set()), text


def test_the_database_refuses_what_no_code_is(april: None) -> None:
    row = IcdCode.objects.get(code="E11.9")
    wrong: list[dict[str, Any]] = [
        {"code": "e11.9"},
        {"code": "E119"},
        {"code": "11.9"},
        {"display": " "},
        {"chapter": 23},
        {"effective_to": row.effective_from - timedelta(days=1)},
    ]
    for values in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            IcdCode.objects.filter(pk=row.pk).update(**values)


def test_a_code_means_one_thing_a_day(april: None) -> None:
    row = IcdCode.objects.get(code="E11.9")
    for begins, ends in ((date(2026, 5, 1), None), (date(2026, 5, 1), date(2026, 6, 1)), (date(2025, 5, 1), date(2026, 4, 1))):
        twin = IcdCode.objects.get(pk=row.pk)
        twin.pk, twin.effective_from, twin.effective_to = IcdCode().pk, begins, ends
        with pytest.raises(IntegrityError), transaction.atomic():
            twin.save(force_insert=True)
    factories.load_october()
    with pytest.raises(IntegrityError, match="two things on one day"), transaction.atomic():
        IcdCode.objects.filter(pk=row.pk).update(effective_to=date(2026, 10, 1))
