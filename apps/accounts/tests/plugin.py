"""The staff of the clinic as a pytest plugin: every app's tests have it (see `pytest_plugins` in the root's conftest.py)."""

import pytest

from apps.accounts.models import User
from apps.accounts.tests import factories


@pytest.fixture
def staff(db: None) -> dict[str, User]:
    """One person of each staff role, by role: `staff["doctor"]`."""
    return factories.create_staff()
