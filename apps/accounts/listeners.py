"""What accounts hears of: calls for help with a password."""

from apps.accounts import services
from apps.accounts.events import PasswordResetRequested
from apps.events.listeners import after_commit


@after_commit(PasswordResetRequested)
def process_reset_request(event: PasswordResetRequested) -> None:
    """Behind the answer, so that it takes no longer for an account than for none."""
    services.process_reset_request(sealed=event.sealed)
