import pytest

from apps.notifications.mail import mailer


@pytest.fixture(autouse=True)
def the_server_is_asked() -> None:
    """No test leaves the mail server resting for the next."""
    mailer.end_pause()
