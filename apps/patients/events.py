"""The events of `patients`. Ids, kinds and column names; never a name or a clinical value."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.events.event import Event


@dataclass(frozen=True, kw_only=True)
class PatientRegistered(Event, name="patient.registered"):
    patient_id: UUID


@dataclass(frozen=True, kw_only=True)
class PatientUpdated(Event, name="patient.updated"):
    """`changes` are the names of the changed columns."""

    patient_id: UUID
    changes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PatientDeactivated(Event, name="patient.deactivated"):
    patient_id: UUID


@dataclass(frozen=True, kw_only=True)
class PatientReactivated(Event, name="patient.reactivated"):
    patient_id: UUID


@dataclass(frozen=True, kw_only=True)
class PatientImported(Event, name="patient.transferred_in"):
    """A patient, or more of a known patient's chart, was imported from another system."""

    patient_id: UUID
    source: str
    entries: int


@dataclass(frozen=True, kw_only=True)
class PatientsNotDuplicates(Event, name="patient.told_apart"):
    """A user recorded that these two records are two people."""

    patient_id: UUID
    other_id: UUID


@dataclass(frozen=True, kw_only=True)
class DuplicatesSuspected(Event, name="patient.duplicates_suspected"):
    """The patient is now similar to the patients of `suspected`, and no longer to those of `cleared`: the queue of pairs
    changed."""

    patient_id: UUID
    suspected: tuple[UUID, ...]
    cleared: tuple[UUID, ...]


@dataclass(frozen=True, kw_only=True)
class MergeRequested(Event, name="patient.merge_requested"):
    """A user asked the administrators to merge `other_id` into `patient_id`."""

    patient_id: UUID
    other_id: UUID
    pair_id: UUID

    @property
    def subject_id(self) -> UUID:
        return self.pair_id


@dataclass(frozen=True, kw_only=True)
class _AboutMerge(Event):
    patient_id: UUID
    merge_id: UUID

    @property
    def subject_id(self) -> UUID:
        return self.merge_id


@dataclass(frozen=True, kw_only=True)
class PatientsMerged(_AboutMerge, name="patient.merged"):
    """Two records were merged: `retired_id` leads to `patient_id` from now on."""

    retired_id: UUID


@dataclass(frozen=True, kw_only=True)
class MergeUndone(_AboutMerge, name="patient.merge_undone"):
    """`retired_id` is a separate record again. `to_triage` rows and fields wait for a user to assign them."""

    retired_id: UUID
    to_triage: int


@dataclass(frozen=True, kw_only=True)
class MergeTriageSettled(_AboutMerge, name="patient.merge_triage_settled"):
    """A user assigned a row or field to `patient_id`."""

    triage_id: int
    model: str


@dataclass(frozen=True, kw_only=True)
class _AboutEntry(Event):
    patient_id: UUID
    entry_id: UUID
    type: str

    @property
    def subject_id(self) -> UUID:
        return self.entry_id


@dataclass(frozen=True, kw_only=True)
class ChartEntryRecorded(_AboutEntry, name="chart.recorded"):
    """An entry was recorded in a chart."""


@dataclass(frozen=True, kw_only=True)
class ChartEntriesRecorded(Event, name="chart.entries_recorded"):
    """One act recorded several entries in a chart; `source` is the kind of act."""

    patient_id: UUID
    source: str
    types: tuple[str, ...]
    entry_ids: tuple[UUID, ...]


@dataclass(frozen=True, kw_only=True)
class ChartEntryRetracted(_AboutEntry, name="chart.retracted"):
    """An entry was marked as entered in error."""


@dataclass(frozen=True, kw_only=True)
class PatientRestricted(Event, name="patient.restricted"):
    """The chart is restricted to its care team; `care_team` are the named members, as user ids. Also emitted when the team
    changed."""

    patient_id: UUID
    care_team: tuple[UUID, ...]


@dataclass(frozen=True, kw_only=True)
class RestrictionLifted(Event, name="patient.restriction_lifted"):
    patient_id: UUID


@dataclass(frozen=True, kw_only=True)
class CareTeamJoined(Event, name="patient.care_team_joined"):
    """A doctor belongs to the patient's care team from a first appointment or consultation on."""

    patient_id: UUID
    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class CareTeamLeft(Event, name="patient.care_team_left"):
    """A doctor has no consultation or appointment left that made them a member of the care team."""

    patient_id: UUID
    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class GlassBroken(Event, name="patient.glass_broken"):
    """A user opened a restricted chart in an emergency; the access ends at `until`."""

    patient_id: UUID
    user_id: UUID
    until: datetime


@dataclass(frozen=True, kw_only=True)
class GlassReviewed(Event, name="patient.glass_reviewed"):
    """A reviewer signed an emergency access off."""

    patient_id: UUID
    break_glass_id: UUID

    @property
    def subject_id(self) -> UUID:
        return self.break_glass_id
