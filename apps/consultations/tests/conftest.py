import pytest

from apps.accounts.models import User
from apps.accounts.tests import factories


@pytest.fixture
def ward(db: None) -> dict[str, User]:
    """One person a role."""
    return factories.hire_ward()


@pytest.fixture
def colleague(ward: dict[str, User]) -> User:
    """Another doctor."""
    return factories.hire("other.doctor", "doctor", specialty="Cardiology")
