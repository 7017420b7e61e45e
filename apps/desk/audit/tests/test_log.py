"""The audit log: it is filtered by names, and shows names and words instead of ids and codes."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from apps.access.roles import Role
from apps.accounts.models import User
from apps.accounts.tests.factories import browser, hire
from apps.audit import services as audit
from apps.audit.models import AuditEvent
from apps.desk.home.tests.pages import text_of, words
from apps.patients.models import Patient
from apps.patients.tests.factories import register_patient, restrict

pytestmark = pytest.mark.django_db

LOG = "/admin/audit/auditevent/"


@pytest.fixture
def john() -> Patient:
    return register_patient("John", "Doe", mrn="MRN001")


@pytest.fixture
def jones(staff: dict[str, User]) -> User:
    return hire("nurse.jones", Role.NURSE, first_name="Taylor", last_name="Jones")


@pytest.fixture
def looks(staff: dict[str, User], jones: User, john: Patient) -> None:
    """Taylor Jones opened John's chart, and the doctor a record of another patient."""
    audit.record(by=jones, action="chart.read", patient_id=john.pk)
    audit.record(by=staff["doctor"], action="consultation.completed", patient_id=register_patient("Ann", "Roe").pk)


def listed(staff: dict[str, User], **filters: str) -> list[str]:
    """Returns the actions of the two rows above that the list shows."""
    response = browser(staff["admin"]).get(LOG, filters)
    assert response.status_code == 200
    shown = [row.action for row in response.context["cl"].result_list]
    return [action for action in shown if action in ("chart.read", "consultation.completed")]


@pytest.mark.parametrize("text", ["Taylor Jones", "jones", "nurse.jones", "NURSE.JONES"])
def test_the_log_is_filtered_by_the_name_of_the_person(staff: dict[str, User], looks: None, text: str) -> None:
    assert listed(staff, who=text) == ["chart.read"]


@pytest.mark.parametrize("text", ["John Doe", "doe, john", "MRN001", "mrn001"])
def test_the_log_is_filtered_by_the_name_or_mrn_of_the_patient(staff: dict[str, User], looks: None, text: str) -> None:
    assert listed(staff, patient=text) == ["chart.read"]


def test_exact_ids_still_work(staff: dict[str, User], looks: None, john: Patient, jones: User) -> None:
    assert listed(staff, patient=str(john.pk), who=str(jones.pk)) == ["chart.read"]
    assert listed(staff, patient=str(UUID(int=7))) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("chart.read", ["chart.read"]),
        ("chart.", ["chart.read"]),
        ("opened the chart", ["chart.read"]),
        ("Signed", ["consultation.completed"]),
        ("nothing like this", []),
    ],
)
def test_the_log_is_filtered_by_the_words_or_the_code_of_an_action(
    staff: dict[str, User], looks: None, text: str, shown: list[str]
) -> None:
    assert listed(staff, action=text) == shown


def test_the_log_shows_names_and_words(staff: dict[str, User], looks: None, john: Patient, jones: User) -> None:
    text = browser(staff["admin"]).get(LOG, {"who": "jones"}).content.decode().replace("\u2068", "").replace("\u2069", "")
    assert "Taylor Jones" in text
    assert "DOE, John (MRN001)" in text
    assert "Opened the chart" in text
    assert str(john.pk) not in text
    row = AuditEvent.objects.get(user_id=jones.pk, action="chart.read")
    page = browser(staff["admin"]).get(f"{LOG}{row.pk}/change/").content.decode()
    assert "Taylor Jones" in page
    assert "Opened the chart" in page


def test_a_restricted_record_that_the_reader_may_not_know_of_has_no_name(
    staff: dict[str, User], looks: None, john: Patient
) -> None:
    restrict(john, staff["doctor"])
    text = browser(staff["admin"]).get(LOG, {"who": "jones"}).content.decode()
    assert "DOE, John" not in text
    assert "A restricted record" in text
    assert listed(staff, patient="MRN001") == []


def test_the_log_costs_as_many_statements_for_many_rows_as_for_one(
    staff: dict[str, User], jones: User, django_assert_max_num_queries: object
) -> None:
    for number in range(12):
        audit.record(by=jones, action="chart.read", patient_id=register_patient(f"Ann{number}").pk)
    client = browser(staff["admin"])
    with django_assert_max_num_queries(17):  # type: ignore[operator]  # of them eight for the frame: menu, bell, drafts
        assert client.get(LOG).status_code == 200


def test_each_entry_has_its_time_and_says_what_was_special(staff: dict[str, User], john: Patient, time_machine: Any) -> None:
    time_machine.move_to(datetime(2026, 11, 30, 19, 12, 4, tzinfo=UTC), tick=False)
    audit.record(by=staff["billing"], action="chart.read", outcome="denied", patient_id=john.pk, api_key="hims_live_7f2c")
    AuditEvent.objects.create(action="patient.read", outcome="success", role="doctor", purpose="break_glass", ip="192.0.2.7")
    AuditEvent.objects.create(
        action="patient.merged", outcome="failure", role="system", at=datetime(2026, 11, 29, 19, tzinfo=UTC)
    )
    text = words(text_of(browser(staff["admin"]), LOG))
    assert "11:12:04 Billing.Ward Tester Billing Key hims_live_7f2c… DOE, John (MRN001) Opened the chart Refused App" in text
    assert "Not signed in Opened the patient’s record Emergency access 192.0.2.7" in text
    assert "29 Nov 2026, 11:00:00 The system Merged two records Failed" in text


def test_the_quick_choices_keep_the_other_filters(staff: dict[str, User], looks: None, jones: User) -> None:
    audit.record(by=jones, action="consultation.completed", outcome="denied")
    assert listed(staff, who="jones", outcome__exact="denied") == ["consultation.completed"]
    text = text_of(browser(staff["admin"]), f"{LOG}?who=jones&outcome__exact=denied")
    assert '<a href="?who=jones&amp;outcome__exact=denied" aria-current="true">Refused</a>' in text
    assert '<a href="?who=jones">All</a>' in text
    assert '<input type="hidden" name="outcome__exact" value="denied">' in text
    assert 'value="jones"' in text


def test_a_list_without_entries_says_what_to_do(staff: dict[str, User]) -> None:
    text = words(text_of(browser(staff["admin"]), f"{LOG}?date_to=2020-01-01"))
    assert "No entries found Choose other days or fewer filters." in text
    assert "The log has not been checked yet." in text


def test_the_page_of_an_entry_shows_no_code_and_no_id(staff: dict[str, User], jones: User, john: Patient) -> None:
    row_id = audit.record(by=jones, action="chart.read", patient_id=john.pk, object_id=john.pk, query={"q": "doe", "id": john.pk})
    page = browser(staff["admin"]).get(f"{LOG}{row_id}/change/").content.decode()
    assert "Searched for: <bdi>doe</bdi>" in page
    assert "<h1>Opened the chart</h1>" in page
    assert str(john.pk) not in page
    assert "chart.read" not in page


def test_only_administrators_read_what_was_searched_for(staff: dict[str, User], jones: User) -> None:
    row_id = audit.record(by=jones, action="patient.searched", query={"q": "hale dora"}, shown=1)
    page = f"{LOG}{row_id}/change/"
    assert "hale dora" in text_of(browser(staff["admin"]), page)
    seen = text_of(browser(staff["manager"]), page)
    assert "hale dora" not in seen
    assert "Rows shown: <bdi>1</bdi>" in seen


def test_a_reason_is_shown_in_words(staff: dict[str, User], jones: User) -> None:
    row_id = audit.record(by=jones, action="session.ended", reason="signed_out")
    assert "Reason: <bdi>Signed out</bdi>" in text_of(browser(staff["admin"]), f"{LOG}{row_id}/change/")


def test_who_reviews_emergency_access_is_led_there(staff: dict[str, User]) -> None:
    assert "/admin/patients/breakglass/?review=waiting" in text_of(browser(staff["admin"]), LOG)
