"""The pages of the safety rules."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.prescriptions.models import KnowledgeEntry
from apps.prescriptions.safety.services import keeping

pytestmark = pytest.mark.django_db
LIST = "/admin/prescriptions/knowledgeentry/"
_SENT = {
    "a": "warfarin",
    "b": "class:tetracycline",
    "severity": "moderate",
    "effect": "raised INR",
    "management": "Check the INR.",
    "source": "label of doxycycline, section 7",
}


@pytest.fixture
def pharmacist(staff: dict[str, User]) -> Client:
    keeping.load_seed()
    return browser(staff["pharmacist"])


def _page(row: KnowledgeEntry, action: str = "change") -> str:
    return reverse(f"admin:prescriptions_knowledgeentry_{action}", args=[row.pk])


def test_the_rules_are_listed_as_not_reviewed(pharmacist: Client) -> None:
    shown = pharmacist.get(LIST, {"q": "digoxin verapamil"}).content.decode()

    assert "verapamil raises the digoxin level" in shown
    assert "Not reviewed" in shown
    assert not pharmacist.get(LIST, {"review": "done"}).context["cl"].result_list


def test_the_list_shows_interactions_first_and_classes_by_their_names(pharmacist: Client) -> None:
    assert {row.table for row in pharmacist.get(LIST).context["cl"].result_list} == {"interactions"}
    assert "MAO inhibitors" in pharmacist.get(LIST, {"q": "MAO"}).content.decode()
    every = pharmacist.get(LIST, {"table": "all", "q": "lisinopril"}).context["cl"].result_list
    assert {row.table for row in every} >= {"class_members", "dose_limits"}


def test_a_pharmacist_writes_a_rule_and_a_doctor_reviews_it(pharmacist: Client, staff: dict[str, User]) -> None:
    assert pharmacist.post(f"{LIST}add/", _SENT).status_code == 302
    row = KnowledgeEntry.objects.get(key="class:tetracycline + warfarin", retired_at=None)
    assert row.author == staff["pharmacist"]
    assert pharmacist.post(_page(row, "review")).status_code == 403  # another person reviews it

    assert browser(staff["doctor"]).post(_page(row, "review")).status_code == 302

    row.refresh_from_db()
    assert row.reviewer == staff["doctor"]
    assert str(staff["doctor"]) in pharmacist.get(_page(row)).content.decode()


def test_a_rule_about_an_unknown_drug_is_refused_and_keeps_what_was_typed(pharmacist: Client) -> None:
    shown = pharmacist.post(f"{LIST}add/", _SENT | {"a": "Warfarine"}).content.decode()

    assert "The catalogue has no ingredient" in shown
    assert "label of doxycycline" in shown


def test_a_retired_rule_leaves_the_list(pharmacist: Client) -> None:
    row = KnowledgeEntry.objects.get(key="digoxin + verapamil")

    assert pharmacist.post(_page(row, "retire"), {"reason": "Withdrawn by the label"}).status_code == 302

    assert pharmacist.get(LIST, {"q": "digoxin + verapamil"}).context["cl"].result_count == 0


def test_a_doctor_reads_the_rules_and_writes_none(pharmacist: Client, staff: dict[str, User]) -> None:
    doctor = browser(staff["doctor"])

    assert doctor.get(LIST).status_code == 200
    assert doctor.get(f"{LIST}add/").status_code == 403
    assert browser(staff["nurse"]).get(LIST).status_code == 403


def test_the_statements_of_the_list_do_not_grow(pharmacist: Client) -> None:
    with CaptureQueriesContext(connection) as few:
        pharmacist.get(LIST, {"q": "digoxin verapamil"})
    with CaptureQueriesContext(connection) as many:
        pharmacist.get(LIST)

    assert len(many) == len(few)


def test_a_class_that_other_rules_name_stays_and_the_page_says_why(pharmacist: Client) -> None:
    row = KnowledgeEntry.objects.get(table="classes", key="maoi")

    refused = pharmacist.post(_page(row, "retire"), {"reason": "Outdated"}, follow=True)

    assert "Other rules name this class. Retire them first." in refused.content.decode()
    assert KnowledgeEntry.objects.current().filter(pk=row.pk).exists()


def test_an_unknown_class_is_marked_at_its_field_and_the_rest_stays(pharmacist: Client) -> None:
    refused = pharmacist.post(f"{LIST}add/", _SENT | {"b": "class:nothing"})

    assert list(refused.context["adminform"].form.errors) == ["b"]
    assert 'value="raised INR"' in refused.content.decode()
