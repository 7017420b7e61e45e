"""The facts that `consultations` announces. Ids, states, numbers and times; never a name or a clinical value."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.events.event import Event


@dataclass(frozen=True, kw_only=True)
class _ConsultationEvent(Event):
    consultation_id: UUID
    patient_id: UUID
    doctor_id: UUID
    appointment_id: UUID | None
    status: str

    @property
    def subject_id(self) -> UUID:
        return self.consultation_id


@dataclass(frozen=True, kw_only=True)
class ConsultationStarted(_ConsultationEvent, name="consultation.started"):
    """A visit began. `entered_by_id` is whoever began it, for the doctor or as the doctor."""

    workflow_type: str
    started_at: datetime
    entered_by_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class ConsultationStepSaved(_ConsultationEvent, name="consultation.step_saved"):
    """A step was saved; `acknowledged` are the rules whose alerts were answered with it."""

    step_number: int
    step_version: int
    step_state: str
    acknowledged: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ConsultationAlertRaised(_ConsultationEvent, name="consultation.alert_raised"):
    """A vital sign was saved that the doctor has to know of now: the rules by name, never the value."""

    rule_ids: tuple[str, ...]
    alert_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ConsultationAlertsCleared(_ConsultationEvent, name="consultation.alert_cleared"):
    """Another value was saved, for which these alerts no longer hold."""

    alert_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ConsultationReady(_ConsultationEvent, name="consultation.ready"):
    """A nurse has handed the visit to its doctor."""

    ready_at: datetime


@dataclass(frozen=True, kw_only=True)
class ConsultationCompleted(_ConsultationEvent, name="consultation.completed"):
    """The visit is signed and stands in the chart. Billing drafts its charges, the patient is told, the pharmacy sees the drugs.

    `missing_steps` and `open_alerts` (rules) are not empty where the doctor overrode the gate and said why.
    """

    completed_at: datetime
    signed_by_id: UUID | None
    chart_entries: int
    missing_steps: tuple[int, ...] = ()
    open_alerts: tuple[str, ...] = ()
    notify_patient: bool = True


@dataclass(frozen=True, kw_only=True)
class ConsultationAmended(_ConsultationEvent, name="consultation.amended"):
    """An addendum was signed."""

    addendum_id: UUID


@dataclass(frozen=True, kw_only=True)
class ConsultationsImported(Event, name="consultation.taken_over"):
    """Visits came in as they had happened elsewhere, so many; nobody is told of each."""

    visits: int


@dataclass(frozen=True, kw_only=True)
class ConsultationHeld(_ConsultationEvent, name="consultation.held"):
    """The visit waits."""


@dataclass(frozen=True, kw_only=True)
class ConsultationResumed(_ConsultationEvent, name="consultation.resumed"):
    """The visit goes on."""


@dataclass(frozen=True, kw_only=True)
class ConsultationCancelled(_ConsultationEvent, name="consultation.cancelled"):
    """The visit did not come about, or was begun by mistake. What was typed stays."""


@dataclass(frozen=True, kw_only=True)
class ConsultationHandedOver(_ConsultationEvent, name="consultation.handed_over"):
    """Another doctor goes on: `doctor_id`, from `from_doctor_id`."""

    from_doctor_id: UUID
