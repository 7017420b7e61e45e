"""The events of `consultations`. They contain ids, states, numbers and times, but no name or clinical value."""

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
    """A consultation started. `entered_by_id` is the user who started it, for the doctor or as the doctor."""

    workflow_type: str
    started_at: datetime
    entered_by_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class ConsultationStepSaved(_ConsultationEvent, name="consultation.step_saved"):
    """A step was saved. `acknowledged` are the rules whose alerts were acknowledged with it."""

    step_number: int
    step_version: int
    step_state: str
    acknowledged: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ConsultationAlertRaised(_ConsultationEvent, name="consultation.alert_raised"):
    """A saved vital sign needs the doctor now. Contains the rules by name, but not the value."""

    rule_ids: tuple[str, ...]
    alert_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ConsultationAlertsCleared(_ConsultationEvent, name="consultation.alert_cleared"):
    """A new value was saved for which these alerts no longer apply."""

    alert_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ConsultationReady(_ConsultationEvent, name="consultation.ready"):
    """A nurse marked the consultation as ready for its doctor."""

    ready_at: datetime


@dataclass(frozen=True, kw_only=True)
class ConsultationCompleted(_ConsultationEvent, name="consultation.completed"):
    """The consultation is signed, and its results are in the chart. Listeners notify the patient.

    `missing_steps` and `open_alerts` (rules) are not empty if the doctor signed despite them, with a reason.
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
    """Past consultations of another system or of paper records were imported, without notifications."""

    visits: int


@dataclass(frozen=True, kw_only=True)
class ConsultationHeld(_ConsultationEvent, name="consultation.held"):
    """The consultation is on hold."""


@dataclass(frozen=True, kw_only=True)
class ConsultationResumed(_ConsultationEvent, name="consultation.resumed"):
    """The consultation continues."""


@dataclass(frozen=True, kw_only=True)
class ConsultationCancelled(_ConsultationEvent, name="consultation.cancelled"):
    """The patient left unseen, or the consultation was started by mistake. What was saved stays."""


@dataclass(frozen=True, kw_only=True)
class ConsultationHandedOver(_ConsultationEvent, name="consultation.handed_over"):
    """Another doctor continues: `doctor_id`, after `from_doctor_id`."""

    from_doctor_id: UUID
