import pytest

from apps.accounts.models import User
from apps.accounts.tests import factories
from apps.notifications import mail


@pytest.fixture
def ward(db: None) -> dict[str, User]:
    """One person a role."""
    return factories.hire_ward()


@pytest.fixture(autouse=True)
def the_server_is_asked() -> None:
    """No test leaves the mail server resting for the next."""
    mail.wake()
