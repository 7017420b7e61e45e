"""The audit log: it is filtered by names, and shows names and words instead of ids and codes."""

from uuid import UUID

import pytest

from apps.access.roles import Role
from apps.accounts.models import User
from apps.accounts.tests.factories import browser, hire
from apps.audit import services as audit
from apps.audit.models import AuditEvent
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
    with django_assert_max_num_queries(16):  # type: ignore[operator]  # of them six for the frame: menu, bell, drafts
        assert client.get(LOG).status_code == 200
