"""Fixtures for tests that cross floors."""

import pytest

from apps.accounts.models import User
from hims.tests import factories


@pytest.fixture
def staff(db: None) -> dict[str, User]:
    """One person a role."""
    return factories.create_staff()
