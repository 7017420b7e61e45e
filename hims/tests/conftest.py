"""Fixtures for tests that cross floors."""

import pytest

from apps.accounts.models import User
from hims.tests import cast


@pytest.fixture
def ward(db: None) -> dict[str, User]:
    """One person a role."""
    return cast.hire_ward()
