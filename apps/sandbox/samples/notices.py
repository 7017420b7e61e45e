"""The notifications of the sandbox staff on the first day, as data, sent in working hours. Patients may be named within HIMS."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from apps.access.actor import SYSTEM
from apps.access.roles import STAFF, Role
from apps.accounts.models import User
from apps.common import clock
from apps.notifications import services
from apps.notifications.services import Notice
from apps.sandbox.samples.office_hours import within_office_hours
from apps.sandbox.samples.sample_ids import fixed_id
from apps.sandbox.samples.staff import ID_OF


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One message, so many hours old. `by` is the sender, the system if there is none."""

    ref: str
    title: str
    message: str
    roles: Sequence[Role]
    hours: int
    type: str = "info"
    priority: str = "medium"
    category: str = "system"
    action_url: str = ""
    by: str = ""
    is_read: bool = False


_CLINICAL = (Role.DOCTOR, Role.NURSE)
NOTICES: tuple[Sample, ...] = (
    Sample(
        ref="notice-welcome",
        title="Welcome to the sandbox",
        message="Everything here is invented and may be changed. A reset restores it.",
        roles=STAFF,
        hours=72,
        type="success",
        priority="low",
        is_read=True,
    ),
    Sample(
        ref="notice-maintenance",
        title="System Maintenance",
        message="System will be unavailable from 2-4 AM",
        roles=STAFF,
        hours=20,
        type="warning",
        priority="high",
        by="admin",
    ),
    Sample(
        ref="notice-lab-results",
        title="Lab Results Available",
        message="CBC results for John Doe are ready for review",
        roles=(Role.DOCTOR,),
        hours=5,
        category="lab",
        action_url="/lab/results/123",
    ),
    Sample(
        ref="notice-checked-in",
        title="Patient checked in",
        message="John Doe (MRN001) is in the waiting room.",
        roles=_CLINICAL,
        hours=3,
        category="appointment",
    ),
    Sample(
        ref="notice-double-booking",
        title="Two patients want the same time",
        message="Offer one of them another slot before noon.",
        roles=(Role.RECEPTIONIST,),
        hours=4,
        type="warning",
        category="appointment",
    ),
    Sample(
        ref="notice-new-prescription",
        title="New prescription",
        message="Lisinopril 10 mg for John Doe (MRN001) is waiting.",
        roles=(Role.PHARMACIST,),
        hours=2,
        category="prescription",
    ),
    Sample(
        ref="notice-stat-order",
        title="Stat order",
        message="A basic metabolic panel is needed immediately.",
        roles=(Role.LAB_TECHNICIAN,),
        hours=1,
        type="warning",
        priority="urgent",
        category="lab",
    ),
    Sample(
        ref="notice-denied-claim",
        title="A claim was denied",
        message="Blue Cross asks for the referring doctor's number.",
        roles=(Role.BILLING,),
        hours=6,
        type="error",
        priority="high",
        category="billing",
    ),
    Sample(
        ref="notice-month",
        title="The month's numbers are ready",
        message="Appointments, waiting times and revenue of last month are available.",
        roles=(Role.MANAGER, Role.ADMIN),
        hours=8,
    ),
    Sample(
        ref="notice-key-ring",
        title="A key is a year old",
        message="The oldest key of the key ring should be replaced.",
        roles=(Role.ADMIN,),
        hours=30,
        type="warning",
    ),
)


def send_samples() -> None:
    """Sends the messages that were not sent yet."""
    for sample in NOTICES:
        by = User.objects.get(pk=ID_OF[sample.by]) if sample.by else SYSTEM
        at = within_office_hours(clock.now() - timedelta(hours=sample.hours))
        message = services.notify(by=by, notice=_notice(sample), roles=sample.roles, event_id=fixed_id(sample.ref), at=at)
        if message and sample.is_read:
            for person in User.objects.filter(is_active=True):
                services.read_all(by=person)


def _notice(sample: Sample) -> Notice:
    return Notice(
        title=sample.title,
        message=sample.message,
        type=sample.type,
        priority=sample.priority,
        category=sample.category,
        action_url=sample.action_url,
    )
