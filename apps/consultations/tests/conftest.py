import pytest

from apps.accounts.models import User
from apps.accounts.tests import factories
from apps.terminology.tests import factories as terminology


@pytest.fixture
def staff(staff: dict[str, User]) -> dict[str, User]:
    """One person of each staff role, and a part of ICD-10-CM."""
    terminology.restore()
    return staff


@pytest.fixture
def colleague(staff: dict[str, User]) -> User:
    """Another doctor."""
    return factories.hire("other.doctor", "doctor", specialty="Cardiology")
