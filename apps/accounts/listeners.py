"""What accounts hears of: calls for help with a password."""

from apps.accounts import services
from apps.accounts.events import PasswordHelpAsked
from apps.events.listeners import after_commit


@after_commit(PasswordHelpAsked)
def look_up_who_forgot(event: PasswordHelpAsked) -> None:
    """Behind the answer, so that it takes no longer for an account than for none."""
    services.answer_call_for_help(sealed=event.sealed)
