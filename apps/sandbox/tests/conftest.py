"""A hospital with a short ward, since most of what is asked here does not depend on its length."""

import pytest

from apps.access.actor import SYSTEM
from apps.sandbox import charts, services
from apps.sandbox.services import LaidOut
from apps.sandbox.staff import KEYS, STAFF
from apps.sandbox.ward import ward

BEDS = 12


@pytest.fixture
def short_ward(monkeypatch):
    monkeypatch.setattr(charts, "ward", lambda: ward(BEDS))


@pytest.fixture
def expected(short_ward):
    """What a first run lays out."""
    people = charts.everybody()
    entries = sum(len(raw["entries"]) for raw in people)
    return LaidOut(staff=len(STAFF), patients=len(people), entries=entries, keys=len(KEYS))


@pytest.fixture
def hospital(db, short_ward):
    return services.seed(by=SYSTEM)
