"""A hospital with a short ward, since most of what is asked here does not depend on its length."""

import pytest

from apps.access.actor import SYSTEM
from apps.common.tests.shared_rows import shared_rows
from apps.sandbox import services
from apps.sandbox.samples import charts
from apps.sandbox.samples.generated_patients import generate_patients
from apps.sandbox.samples.staff import KEYS, STAFF
from apps.sandbox.services import SeedResult

PATIENT_COUNT = 12


def with_few_patients(patch):
    patch.setattr(charts, "generate_patients", lambda: generate_patients(PATIENT_COUNT))


@pytest.fixture
def few_patients(monkeypatch):
    with_few_patients(monkeypatch)


@pytest.fixture
def expected(few_patients):
    """What a first run lays out."""
    people = charts.all_patients()
    entries = sum(len(raw["entries"]) for raw in people)
    return SeedResult(staff=len(STAFF), patients=len(people), entries=entries, keys=len(KEYS))


@pytest.fixture(scope="class")
def hospital(django_db_setup, django_db_blocker):
    """The sample data, created once for the tests of a class, and for each test outside of one."""
    with shared_rows(django_db_blocker), pytest.MonkeyPatch.context() as patch:
        with_few_patients(patch)
        yield services.seed(by=SYSTEM)
