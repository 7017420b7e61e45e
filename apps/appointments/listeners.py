"""What the diary hears of: a doctor who leaves."""

from apps.access.actor import SYSTEM
from apps.accounts.events import StaffDeactivated
from apps.appointments import services
from apps.events.listeners import after_commit


@after_commit(StaffDeactivated)
def close_the_calendar(event: StaffDeactivated) -> None:
    """The address of a doctor who left stays dead, also should he come back. (It answers nothing from the first moment on.)"""
    services.close_feed(by=SYSTEM, doctor_id=event.user_id)
