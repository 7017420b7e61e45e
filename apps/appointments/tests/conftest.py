import pytest

from apps.accounts.models import User
from apps.accounts.tests import factories


@pytest.fixture
def staff(db: None) -> dict[str, User]:
    """One person a role."""
    return factories.create_staff()
