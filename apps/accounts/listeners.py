"""The listeners of accounts: requests for a password link."""

from apps.accounts import services
from apps.accounts.events import PasswordResetRequested
from apps.events.listeners import after_commit


@after_commit(PasswordResetRequested)
def process_reset_request(event: PasswordResetRequested) -> None:
    """Runs after the response, so that the response takes equally long with and without an account."""
    services.process_reset_request(sealed=event.sealed)
