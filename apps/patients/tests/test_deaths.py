"""A death lies between the birth and now: in the rule, the services, the API, the admin page, a merge and the table."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import api_client
from apps.common import clock
from apps.common.errors import Invalid
from apps.patients import rules, services
from apps.patients.models import Patient
from apps.patients.tests.factories import merge, register_patient

pytestmark = pytest.mark.django_db

BORN = date(1980, 5, 15)
PACIFIC = ZoneInfo("America/Los_Angeles")
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
BODY = {"first_name": "Rose", "last_name": "Martin", "date_of_birth": "1980-05-15", "gender": "female"}


def tomorrow() -> str:
    return (clock.now() + timedelta(days=1)).isoformat()


@pytest.mark.parametrize(
    ("died", "problem"),
    [
        (NOW, None),
        (NOW + rules.CLOCK_AHEAD, None),
        (NOW + rules.CLOCK_AHEAD + timedelta(seconds=1), "future"),
        (datetime(1980, 5, 15, 0, tzinfo=PACIFIC), None),  # on the day of the birth
        (datetime(1980, 5, 14, 23, 59, tzinfo=PACIFIC), "15 May 1980"),
        (datetime(1970, 1, 1, tzinfo=UTC), "15 May 1980"),
    ],
)
def test_a_death_lies_between_the_birth_and_now(died: datetime, problem: str | None) -> None:
    issue = rules.death_problem(died, BORN, NOW, PACIFIC)
    assert issue is None if problem is None else issue is not None and problem in issue


@pytest.mark.parametrize("died", ["1980-05-14T12:00:00Z", "1970-01-01T00:00:00Z", "tomorrow"])
def test_an_impossible_death_is_refused_at_its_field(staff: dict[str, User], died: str) -> None:
    receptionist_api, patient = api_client(staff["receptionist"]), register_patient(born=BORN)
    died = tomorrow() if died == "tomorrow" else died
    for refusal in (
        receptionist_api.post("/patients", BODY | {"deceased_at": died}),
        receptionist_api.put(f"/patients/{patient.pk}", {"deceased_at": died}),
        receptionist_api.put(f"/patients/{patient.pk}", {"demographics": {"deceased_at": died}}),
    ):
        assert refusal.status_code == 400, refusal.json()
        assert refusal.json()["error"]["details"]["field"].endswith("deceased_at")
    assert Patient.objects.get().deceased_at is None


def test_a_birth_is_not_moved_behind_the_death(staff: dict[str, User]) -> None:
    patient = register_patient(born=BORN, deceased_at=datetime(2020, 3, 1, 12, tzinfo=UTC))
    receptionist_api = api_client(staff["receptionist"])
    refusal = receptionist_api.put(f"/patients/{patient.pk}", {"date_of_birth": "2020-03-02"})
    assert (refusal.status_code, refusal.json()["error"]["details"]["field"]) == (400, "date_of_birth")
    assert receptionist_api.put(f"/patients/{patient.pk}", {"date_of_birth": "2020-03-01"}).status_code == 200
    moved = receptionist_api.put(f"/patients/{patient.pk}", {"date_of_birth": "2021-05-01", "deceased_at": None})
    assert moved.status_code == 200  # it was a mistake: both are corrected at once


def test_what_comes_from_another_system_is_held_to_the_same_rule() -> None:
    registration = services.Registration(
        first_name="Rose", last_name="Martin", date_of_birth=BORN, gender="female", deceased_at=datetime(1970, 1, 1, tzinfo=UTC)
    )
    with pytest.raises(Invalid) as refused:
        services.import_patient(by=SYSTEM, source="import", system="other", ref="1", registration=registration, entries=[])
    assert refused.value.details["field"] == "deceased_at"
    assert not Patient.objects.exists()


def test_a_merge_and_its_undo_cannot_put_a_death_before_the_birth() -> None:
    died = datetime(2020, 3, 1, 12, tzinfo=UTC)
    retired, survivor = register_patient(born=BORN, deceased_at=died), register_patient(born=date(2021, 1, 1))
    with pytest.raises(services.DatesContradict):
        merge(retired, survivor, date_of_birth="survivor", deceased_at="retired")
    done = merge(retired, survivor, date_of_birth="retired", deceased_at="survivor")
    services.amend(by=SYSTEM, patient_id=survivor.pk, changes={"deceased_at": died})
    with pytest.raises(services.DatesContradict):
        services.undo_merge(by=SYSTEM, merge_id=done.pk)
    assert Patient.objects.get(pk=survivor.pk).date_of_birth == BORN


def test_the_table_refuses_a_death_before_the_birth_even_by_raw_sql() -> None:
    patient = register_patient(born=BORN)
    rows = Patient.objects.filter(pk=patient.pk)
    with pytest.raises(IntegrityError, match="patient_died_after_birth"), transaction.atomic():
        rows.update(deceased_at=datetime(1980, 5, 14, 9, 59, tzinfo=UTC))
    rows.update(deceased_at=datetime(1980, 5, 14, 10, 0, tzinfo=UTC))  # midnight of the birth at UTC+14
    with connection.cursor() as cursor:
        cursor.execute("SELECT convalidated FROM pg_constraint WHERE conname = 'patient_died_after_birth'")
        assert cursor.fetchone() == (True,)
