"""The facts that `patients` announces. Ids, kinds and column names; never a name or a clinical value."""

from dataclasses import dataclass
from uuid import UUID

from apps.events.event import Event


@dataclass(frozen=True, kw_only=True)
class PatientRegistered(Event, name="patient.registered"):
    patient_id: UUID


@dataclass(frozen=True, kw_only=True)
class PatientUpdated(Event, name="patient.updated"):
    """`changes` are the names of the columns that changed."""

    patient_id: UUID
    changes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PatientDeactivated(Event, name="patient.deactivated"):
    patient_id: UUID


@dataclass(frozen=True, kw_only=True)
class PatientReactivated(Event, name="patient.reactivated"):
    patient_id: UUID


@dataclass(frozen=True, kw_only=True)
class PatientTransferredIn(Event, name="patient.transferred_in"):
    """A patient, or more of a known patient's chart, came from another system."""

    patient_id: UUID
    source: str
    entries: int


@dataclass(frozen=True, kw_only=True)
class ChartEntryRecorded(Event, name="chart.recorded"):
    patient_id: UUID
    entry_id: UUID
    type: str

    @property
    def subject_id(self) -> UUID:
        return self.entry_id


@dataclass(frozen=True, kw_only=True)
class ChartEntryRetracted(Event, name="chart.retracted"):
    patient_id: UUID
    entry_id: UUID
    type: str

    @property
    def subject_id(self) -> UUID:
        return self.entry_id
