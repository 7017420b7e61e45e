import pytest

from apps.accounts.models import User
from apps.accounts.tests import factories
from apps.notifications.mail import mailer


@pytest.fixture
def staff(db: None) -> dict[str, User]:
    """One person a role."""
    return factories.create_staff()


@pytest.fixture(autouse=True)
def the_server_is_asked() -> None:
    """No test leaves the mail server resting for the next."""
    mailer.end_pause()
